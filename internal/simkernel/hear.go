package simkernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Heard is what a read of everything gives: samples, and why sources gave nothing. Of many
// entities of a kind the last one's fields and texts are there.
type Heard struct {
	Samples map[platform.Entity]int
	Fields  map[platform.Field]uint64
	Texts   map[platform.Text]string
	Missed  map[platform.Reason]int
	Each    func(*platform.Sample) // called with each, unless nil
}

// NewHeard returns one that has heard nothing.
func NewHeard() *Heard {
	return &Heard{map[platform.Entity]int{}, map[platform.Field]uint64{}, map[platform.Text]string{}, map[platform.Reason]int{}, nil}
}

// Sample implements [platform.Sink].
func (h *Heard) Sample(s *platform.Sample) bool {
	if h.Each != nil {
		h.Each(s)
	}
	h.Samples[s.Entity]++
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			h.Fields[f] = v
		}
	}
	from, count := s.Entity.Texts()
	for t := from; t < from+count; t++ {
		if v, ok := s.Text(t); ok {
			h.Texts[t] = string(v)
		}
	}
	return true
}

// Miss implements [platform.Sink].
func (h *Heard) Miss(_ int, why platform.Reason) { h.Missed[why]++ }

// Read reads sources of a backend.
func (h *Heard) Read(b platform.Backend, set platform.SourceSet) error {
	r, err := b.Begin(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(r.Read(set, h), r.Close())
}

// Hear opens a backend, reads everything of it once, and closes it.
func Hear(open func() (platform.Backend, error)) (*Heard, error) {
	h := NewHeard()
	b, err := open()
	if err != nil {
		return h, err
	}
	return h, errors.Join(h.Read(b, All(b)), b.Close())
}

// All are all sources of a backend.
func All(b platform.Backend) platform.SourceSet {
	return platform.SourceSet(1)<<len(b.Sources()) - 1
}

// Failing opens a backend over a kernel whose calls fail as fail says by their names, and
// which counts them in calls.
type Failing func(fail func(name string) error) (open func() (platform.Backend, error), calls map[string]int)

// Faults lets every call fail in its turn, in several ways: what does not depend on it is
// told, and the reason of the rest is. Without those that are vital there is nobody to open,
// or no table to read.
func Faults(t *testing.T, machine Failing, vital map[string]bool) {
	t.Helper()
	open, calls := machine(nil)
	whole, err := Hear(open)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[error]platform.Reason{fs.ErrPermission: platform.Denied, os.ErrProcessDone: platform.Gone, errors.New("fault"): platform.Unknown}
	for call := range calls {
		for fault, reason := range reasons {
			open, _ := machine(func(name string) error {
				if name == call {
					return fault
				}
				return nil
			})
			h, err := Hear(open)
			switch {
			case vital[call]:
				if !errors.Is(err, fault) {
					t.Errorf("%s: %v", call, err)
				}
			case err != nil || h.Samples[platform.Host] != 1 || h.Samples[platform.Process] != whole.Samples[platform.Process]:
				t.Errorf("%s fails with %v: %v, %v", call, fault, err, h.Samples)
			case h.Missed[reason] == 0:
				t.Errorf("%s fails with %v: %v", call, fault, h.Missed)
			}
		}
	}
}

// Lines reads everything of a backend, and returns what samples of a kind tell in a line each
// by their names.
func Lines(b platform.Backend, kinds ...platform.Entity) (lines map[string]string, err error) {
	lines = map[string]string{}
	h := NewHeard()
	h.Each = func(s *platform.Sample) {
		if !slices.Contains(kinds, s.Entity) {
			return
		}
		first, n := s.Entity.Block()
		line := ""
		for f := first; f < first+platform.Field(n); f++ {
			if v, ok := s.Get(f); ok {
				line += fmt.Sprint(f, "=", int64(v), " ")
			}
		}
		lines[s.Key.Name] = line
	}
	return lines, h.Read(b, All(b))
}
