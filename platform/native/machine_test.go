package native_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// open opens this machine, and leaves out a system that has no backend.
func open(t *testing.T) func() (platform.Backend, error) {
	if native.Sources(runtime.GOOS) == nil {
		t.Skipf("there is no backend for %s", runtime.GOOS)
	}
	return func() (platform.Backend, error) { return native.New(native.Options{AllDevices: true}) }
}

// Every promise of package platform holds on this very machine. On one that nobody has tried it
// says with -v what it saw:
//
//	go test -v -run TestMachine ./platform/native
func TestMachine(t *testing.T) {
	platformtest.TestBackend(t, open(t))
	platformtest.TestInspectorAs(t, func() (platform.Backend, *platformtest.Observer, error) {
		b, err := open(t)()
		o := platformtest.Caller()
		o.Details = native.Details(runtime.GOOS)
		return b, o, err
	})
	b, err := open(t)()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := &survey{sources: b.Sources(), samples: map[platform.Entity]int{}, set: map[platform.Field]bool{}, missed: map[int]map[platform.Reason]int{}}
	whole := s.read(t, b, all(b))
	t.Logf("%s %s, up since %v\n%s", runtime.GOOS, runtime.GOARCH, b.Boot().Time, s)
	if s.samples[platform.Process] == 0 || s.samples[platform.Host] != 1 {
		t.Errorf("%v", s.samples)
	}
	compareReads(t, b, whole)
}

func all(b platform.Backend) platform.SourceSet { return platform.SourceSet(1)<<len(b.Sources()) - 1 }

// survey is what a pass over everything gives.
type survey struct {
	sources []platform.Source
	samples map[platform.Entity]int
	set     map[platform.Field]bool
	missed  map[int]map[platform.Reason]int
}

// Sample implements [platform.Sink].
func (s *survey) Sample(sample *platform.Sample) bool {
	s.samples[sample.Entity]++
	first, n := sample.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if _, ok := sample.Get(f); ok {
			s.set[f] = true
		}
	}
	return true
}

// Miss implements [platform.Sink].
func (s *survey) Miss(source int, why platform.Reason) {
	if s.missed[source] == nil {
		s.missed[source] = map[platform.Reason]int{}
	}
	s.missed[source][why]++
}

// read makes a pass and returns how long it took.
func (s *survey) read(t *testing.T, b platform.Backend, set platform.SourceSet) time.Duration {
	t.Helper()
	begin := time.Now()
	r, err := b.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Read(set, s); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return time.Since(begin)
}

// String tells of how many there were of each kind, and of each source what it never told.
func (s *survey) String() string {
	var b strings.Builder
	for e := range platform.Entities {
		if n := s.samples[platform.Entity(e)]; n > 0 {
			fmt.Fprintf(&b, "%d of %v\n", n, platform.Entity(e))
		}
	}
	for i, source := range s.sources {
		var never []string
		for _, g := range source.Gives {
			if !s.set[g.Field] {
				never = append(never, g.Field.String())
			}
		}
		if len(never) > 0 || len(s.missed[i]) > 0 {
			fmt.Fprintf(&b, "%v %s: missed %v, never told %s\n", source.Entity, source.Name, s.missed[i], strings.Join(never, " "))
		}
	}
	return b.String()
}

// compareReads compares one pass over what all processes tell with a pass for each source of
// it alone, as those make who ask for one field after the other. It is printed and no budget:
// times are the machine's.
func compareReads(t *testing.T, b platform.Backend, whole time.Duration) {
	t.Helper()
	quiet := &survey{samples: map[platform.Entity]int{}, set: map[platform.Field]bool{}, missed: map[int]map[platform.Reason]int{}}
	var set platform.SourceSet
	fields := 0
	for i, source := range b.Sources() {
		if source.Entity == platform.Process && !source.Dear {
			set = set.With(i)
			fields += len(source.Gives)
		}
	}
	best := func(read func() time.Duration) time.Duration {
		var times []time.Duration
		for range 5 {
			times = append(times, read())
		}
		return slices.Min(times)
	}
	once := best(func() time.Duration { return quiet.read(t, b, set) })
	var single time.Duration
	for i := range set.All() {
		single += best(func() time.Duration { return quiet.read(t, b, platform.SourceSet(0).With(i)) }) * time.Duration(max(len(b.Sources()[i].Gives), 1))
	}
	t.Logf("everything: %v; processes: one pass for %d fields %v, one for each field %v: %.2fx", whole, fields, once, single, float64(single)/float64(once))
}
