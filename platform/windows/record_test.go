package windows

import (
	"context"
	"maps"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// seen is a copy of a sample.
type seen struct {
	fields map[platform.Field]uint64
	texts  map[platform.Text]string
}

// record keeps what a pass hands on.
type record struct {
	of     map[platform.Entity]map[platform.Key]seen
	misses map[int]map[platform.Reason]int
}

func newRecord() *record {
	return &record{map[platform.Entity]map[platform.Key]seen{}, map[int]map[platform.Reason]int{}}
}

func (r *record) Sample(s *platform.Sample) bool {
	c := seen{map[platform.Field]uint64{}, map[platform.Text]string{}}
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			c.fields[f] = v
		}
	}
	for t := range platform.Text(platform.TextCount) {
		if b, ok := s.Text(t); ok {
			c.texts[t] = string(b)
		}
	}
	if r.of[s.Entity] == nil {
		r.of[s.Entity] = map[platform.Key]seen{}
	}
	r.of[s.Entity][s.Key] = c
	return true
}

func (r *record) Miss(source int, why platform.Reason) {
	if r.misses[source] == nil {
		r.misses[source] = map[platform.Reason]int{}
	}
	r.misses[source][why]++
}

// process returns the process with a PID.
func (r *record) process(pid uint64) (seen, bool) {
	for key, s := range r.of[platform.Process] {
		if key.ID == pid {
			return s, true
		}
	}
	return seen{}, false
}

// all is the set of all sources.
const all = platform.SourceSet(1<<numSources - 1)

// opened opens a backend on a world, for the time of a test.
func opened(t testing.TB, w *world) platform.Backend {
	t.Helper()
	b, err := w.backend()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		if len(w.open) > 0 {
			t.Errorf("handles were left open: %v", w.open)
		}
	})
	return b
}

// passOver makes one pass over some sources.
func passOver(t testing.TB, b platform.Backend, set platform.SourceSet) *record {
	t.Helper()
	r := newRecord()
	reader, err := b.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Read(set, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// expect compares some fields of a sample; a value of absent means that it is not set.
func expect(t *testing.T, what string, s seen, want map[platform.Field]uint64) {
	t.Helper()
	for f, v := range want {
		got, ok := s.fields[f]
		if v == absent && ok || v != absent && (!ok || got != v) {
			t.Errorf("%s: %v is %d %v, want %d", what, f, got, ok, v)
		}
	}
}

const absent = 1<<64 - 1

// only returns the one sample of an entity.
func (r *record) only(t *testing.T, e platform.Entity) seen {
	t.Helper()
	if len(r.of[e]) != 1 {
		t.Fatalf("%d samples of %v", len(r.of[e]), e)
	}
	for s := range maps.Values(r.of[e]) {
		return s
	}
	return seen{}
}
