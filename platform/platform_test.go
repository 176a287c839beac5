package platform_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Each entity owns one contiguous block, the blocks follow each other, and a
// sample has room for the largest.
func TestFieldsStandInBlocks(t *testing.T) {
	var next platform.Field
	names := map[string]bool{}
	for e := range platform.Entity(platform.Entities) {
		first, n := e.Block()
		if first != next {
			t.Errorf("%v begins at field %d, want %d", e, first, next)
		}
		if n == 0 || n > platform.MaxFields {
			t.Errorf("%v has %d fields, want 1 to %d", e, n, platform.MaxFields)
		}
		for f := first; f < first+platform.Field(n); f++ {
			info := f.Info()
			if info.Entity != e || info.Name == "" || names[info.Name] {
				t.Errorf("field %d %q is of %v", f, info.Name, info.Entity)
			}
			names[info.Name] = true
		}
		next = first + platform.Field(n)
	}
	if int(next) != platform.FieldCount {
		t.Errorf("the blocks hold %d fields of %d", next, platform.FieldCount)
	}
}

func TestTextsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for i := range platform.Text(platform.TextCount) {
		if seen[i.String()] || i.String() == "" {
			t.Errorf("text %d is called %q", i, i)
		}
		seen[i.String()] = true
	}
}

func TestSampleTellsAbsentFromZero(t *testing.T) {
	var s platform.Sample
	s.Reset(platform.Process, platform.Key{ID: 1})
	s.Set(platform.ProcessThreads, 0)
	if v, ok := s.Get(platform.ProcessThreads); !ok || v != 0 {
		t.Errorf("a zero that was read: %d %v", v, ok)
	}
	if _, ok := s.Get(platform.ProcessOpenFiles); ok {
		t.Error("what was not read is set")
	}
	if _, ok := s.Get(platform.HostUptime); ok {
		t.Error("a process has the field of a host")
	}
	s.SetText(platform.ProcessCommand, nil)
	if b, ok := s.Text(platform.ProcessCommand); !ok || len(b) != 0 {
		t.Errorf("an empty text that was read: %q %v", b, ok)
	}
	s.Reset(platform.Host, platform.Key{})
	if _, ok := s.Text(platform.ProcessCommand); ok || s.Len() != 0 {
		t.Error("a reset sample still holds something")
	}
}

func TestFieldSet(t *testing.T) {
	a := platform.Fields(platform.HostUptime, platform.ProcessCPUUser)
	b := platform.Fields(platform.ProcessCPUUser, platform.DiskReads)
	both := a.Union(b)
	if got := slices.Collect(both.All()); !slices.Equal(got, []platform.Field{platform.HostUptime, platform.DiskReads, platform.ProcessCPUUser}) {
		t.Errorf("union %v", got)
	}
	if rest := both.Minus(b); rest != platform.Fields(platform.HostUptime) {
		t.Errorf("difference %v", slices.Collect(rest.All()))
	}
}

// Choose against every subset, for random sources and random wishes.
func TestChooseTakesTheFewest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 500 {
		sources := randomSources(rng)
		var want platform.Want
		for range 1 + rng.IntN(6) {
			want.Fields.Add(platform.ProcessCPUUser + platform.Field(rng.IntN(10)))
		}
		got, missing := platform.Choose(sources, want)
		reachable := want.Fields.Minus(missing.Fields)
		if !covers(sources, got, reachable) {
			t.Fatalf("round %d: %b does not give everything", round, got)
		}
		for set := range platform.SourceSet(1) << len(sources) {
			if bits.OnesCount64(uint64(set)) < got.Len() && covers(sources, set, reachable) {
				t.Fatalf("round %d: chose %b, but %b is enough", round, got, set)
			}
		}
	}
}

// What several sources tell of different entities takes all of them, and what is
// told once more by another needs no other.
func TestChooseTakesAllParts(t *testing.T) {
	part := platform.Given{Field: platform.HardwareOK, Partial: true}
	sources := []platform.Source{
		{Gives: []platform.Given{part, {Field: platform.HardwareFanSpeed}}}, {Gives: []platform.Given{{Field: platform.HardwareFanSpeed}}},
		{Gives: []platform.Given{{Field: platform.HardwareCharge}, part}}}
	for _, x := range []struct {
		want platform.FieldSet
		set  platform.SourceSet
	}{
		{platform.Fields(platform.HardwareOK), 0b101},
		{platform.Fields(platform.HardwareOK, platform.HardwareFanSpeed), 0b101},
		{platform.Fields(platform.HardwareCharge), 0b100},
	} {
		if set, missing := platform.Choose(sources, platform.Want{Fields: x.want}); set != x.set || !missing.Fields.Empty() {
			t.Errorf("%v: chose %b, want %b", slices.Collect(x.want.All()), set, x.set)
		}
	}
}

func randomSources(rng *rand.Rand) []platform.Source {
	sources := make([]platform.Source, 1+rng.IntN(8))
	for i := range sources {
		sources[i].Cost = rng.IntN(10)
		for range rng.IntN(6) {
			sources[i].Gives = append(sources[i].Gives, platform.Given{
				Field: platform.ProcessCPUUser + platform.Field(rng.IntN(10)), Approximate: rng.IntN(3) == 0})
		}
	}
	sources[0].Clock = true
	return sources
}

// covers reports whether a set gives all fields, exactly where any source does,
// and proves which process it reads.
func covers(sources []platform.Source, set platform.SourceSet, fields platform.FieldSet) bool {
	if !fields.Empty() && !set.Has(0) {
		return false
	}
	for f := range fields.All() {
		exact, found, foundExact := false, false, false
		for i, s := range sources {
			for _, g := range s.Gives {
				if g.Field == f {
					exact = exact || !g.Approximate
					found = found || set.Has(i)
					foundExact = foundExact || set.Has(i) && !g.Approximate
				}
			}
		}
		if !found || exact && !foundExact {
			return false
		}
	}
	return true
}

func ExampleChoose() {
	sources := []platform.Source{
		{Name: "stat", Clock: true, Gives: []platform.Given{{Field: platform.ProcessCPUUser}, {Field: platform.ProcessMemoryRSS, Approximate: true}}},
		{Name: "statm", Gives: []platform.Given{{Field: platform.ProcessMemoryRSS}}},
	}
	set, _ := platform.Choose(sources, platform.Want{Fields: platform.Fields(platform.ProcessMemoryRSS)})
	for i := range set.All() {
		fmt.Println(sources[i].Name)
	}
	// Output:
	// stat
	// statm
}
