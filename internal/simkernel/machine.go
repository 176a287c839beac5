package simkernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Refusals lets every call fail in its turn with errors of every class: it costs what it tells
// of, and nothing else. Without those that are vital there is nobody to open, or no table to
// read; the failure of those that are silent costs nothing.
func Refusals(t *testing.T, machine Failing, vital, silent map[string]bool) {
	t.Helper()
	open, calls := machine(nil)
	whole, err := Hear(open)
	if err != nil {
		t.Fatal(err)
	}
	for call := range calls {
		for _, fault := range []error{fs.ErrPermission, os.ErrProcessDone, fs.ErrNotExist, errors.ErrUnsupported, errors.New("odd")} {
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
					t.Errorf("%s: %v gave %v", call, fault, err)
				}
			case err != nil:
				t.Errorf("%s: %v ended the pass: %v", call, fault, err)
			case len(h.Missed) == 0 && !silent[call]:
				t.Errorf("%s: %v was not missed", call, fault)
			case h.Samples[platform.Process] != whole.Samples[platform.Process]:
				t.Errorf("%s: %d of %d processes", call, h.Samples[platform.Process], whole.Samples[platform.Process])
			}
		}
	}
}

// Stops lets a sink want no more after each sample: it gets no more, whatever was handed to it
// last.
func Stops(t *testing.T, open func() (platform.Backend, error)) {
	t.Helper()
	for most := 1; most < 30; most++ {
		b, err := open()
		if err != nil {
			t.Fatal(err)
		}
		pass, err := b.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s := &stopper{most: most}
		if err := pass.Read(All(b), s); err != nil || s.got > most {
			t.Errorf("%d samples of %d, %v", s.got, most, err)
		}
		if err := errors.Join(pass.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	}
}

type stopper struct{ most, got int }

func (s *stopper) Sample(*platform.Sample) bool { s.got++; return s.got < s.most }
func (s *stopper) Miss(int, platform.Reason)    {}
