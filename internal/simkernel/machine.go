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

// Known is what a backend finds of a process that it looks up.
type Known struct {
	Key     platform.Key
	Parent  uint64
	Command string
}

// Lookup is a backend that finds processes by PID: in rows of so many bytes, by calls without
// which there is none. Zombies are found only where they have a row of their own.
type Lookup struct {
	Dialect Dialect
	World   *World
	Answers *Answers
	Row     int
	Vital   []string
	Zombies bool
	Find    func(pid uint64) (Known, error)
}

// Check compares what is found with what is so. Nobody is found where there is nobody, in an
// answer that breaks off, and where a call fails.
func (l *Lookup) Check(t *testing.T) {
	t.Helper()
	for _, p := range l.World.Processes {
		known, err := l.Find(p.PID)
		want := Known{platform.Key{ID: p.PID, Start: l.Dialect.Start(l.World, p)}, p.Parent, p.Name}
		if gone := p.State == Zombie && !l.Zombies; gone != errors.Is(err, os.ErrProcessDone) || !gone && (err != nil || known != want) {
			t.Errorf("%+v, %v, want %+v", known, err, want)
		}
	}
	if _, err := l.Find(4711); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("of nobody: %v", err)
	}
	for l.Answers.Cut = 1; l.Answers.Cut < l.Row; l.Answers.Cut++ {
		if known, err := l.Find(1); err == nil {
			t.Errorf("an answer of %d bytes tells %+v", l.Answers.Cut, known)
		}
	}
	l.Answers.Cut = 0
	for _, name := range l.Vital {
		l.Answers.Fail = func(call string) error {
			if call == name {
				return fs.ErrPermission
			}
			return nil
		}
		if _, err := l.Find(1); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
