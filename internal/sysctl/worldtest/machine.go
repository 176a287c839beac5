package worldtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Machine is a kernel, and how a backend is opened over it.
type Machine struct {
	Kernel func(*World) *Kernel
	// Open opens a backend, of all devices if wanted.
	Open func(k *Kernel, all bool) (platform.Backend, error)
	// Silent are calls whose failure costs nothing.
	Silent map[string]bool
}

// Tally counts what comes.
type Tally struct {
	Samples [platform.Entities]int
	Host    map[platform.Field]uint64
	Texts   map[platform.Text]string
	Hard    map[string]string
	Misses  map[platform.Reason]int
}

// Sample implements [platform.Sink].
func (c *Tally) Sample(s *platform.Sample) bool {
	c.Samples[s.Entity]++
	switch s.Entity {
	case platform.Host:
		first, n := s.Entity.Block()
		for f := first; f < first+platform.Field(n); f++ {
			if v, ok := s.Get(f); ok {
				c.Host[f] = v
			}
		}
		firstText, texts := s.Entity.Texts()
		for x := firstText; x < firstText+texts; x++ {
			if v, ok := s.Text(x); ok {
				c.Texts[x] = string(v)
			}
		}
	case platform.Hardware, platform.Filesystem, platform.Swap:
		line := ""
		first, n := s.Entity.Block()
		for f := first; f < first+platform.Field(n); f++ {
			if v, ok := s.Get(f); ok {
				line += fmt.Sprint(f, "=", int64(v), " ")
			}
		}
		c.Hard[s.Key.Name] = line
	}
	return true
}

// Miss implements [platform.Sink].
func (c *Tally) Miss(_ int, why platform.Reason) { c.Misses[why]++ }

// NewTally returns an empty one.
func NewTally() *Tally {
	return &Tally{Host: map[platform.Field]uint64{}, Texts: map[platform.Text]string{}, Hard: map[string]string{}, Misses: map[platform.Reason]int{}}
}

// Read makes one pass over everything.
func (m Machine) Read(k *Kernel, all bool) (*Tally, error) {
	b, err := m.Open(k, all)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	c := NewTally()
	pass, err := b.Begin(context.Background())
	if err != nil {
		return nil, err
	}
	defer pass.Close()
	return c, pass.Read(1<<len(b.Sources())-1, c)
}

// Calls tests that a pass makes as many calls for many processes as for few, texts of
// single ones apart.
func (m Machine) Calls(t *testing.T) {
	few, many := m.calls(t, 0), m.calls(t, 5000)
	few["proc"], many["proc"] = 0, many["proc"]-few["proc"]
	for name, n := range many {
		if n > few[name]+3 { // an answer that outgrows the first buffer takes a call more
			t.Errorf("%s was called %d times, and %d for few", name, n, few[name])
		}
	}
	t.Logf("for few processes: %v", few)
}

func (m Machine) calls(t *testing.T, processes int) map[string]int {
	w := NewWorld(1)
	for i := range processes {
		p := *w.Processes[1]
		p.PID = uint64(1000 + i)
		w.Processes = append(w.Processes, &p)
	}
	k := m.Kernel(w)
	c, err := m.Read(k, false)
	if err != nil || c.Samples[platform.Process] != len(w.Processes) {
		t.Fatalf("%d of %d processes, %v", c.Samples[platform.Process], len(w.Processes), err)
	}
	delete(k.Calls, "args")
	return k.Calls
}

// vital are calls without which nothing can be told.
var vital = map[string]bool{"proc": true, "boottime": true, "pagesize": true}

// Faults tests that whatever call fails costs what it tells of, and nothing else.
func (m Machine) Faults(t *testing.T) {
	whole := m.Kernel(NewWorld(1))
	if _, err := m.Read(whole, false); err != nil {
		t.Fatal(err)
	}
	for name := range whole.Calls {
		for _, fault := range []error{fs.ErrPermission, os.ErrProcessDone, fs.ErrNotExist, errors.ErrUnsupported, errors.New("odd")} {
			m.fault(t, name, fault)
		}
	}
}

func (m Machine) fault(t *testing.T, name string, fault error) {
	k := m.Kernel(NewWorld(1))
	k.Fail = func(call string) error {
		if call == name {
			return fault
		}
		return nil
	}
	c, err := m.Read(k, false)
	switch {
	case vital[name]:
		if !errors.Is(err, fault) {
			t.Errorf("%s: %v gave %v", name, fault, err)
		}
	case err != nil:
		t.Errorf("%s: %v ended the pass: %v", name, fault, err)
	case len(c.Misses) == 0 && !m.Silent[name]:
		t.Errorf("%s: %v was not missed", name, fault)
	case c.Samples[platform.Process] != len(k.World.Processes):
		t.Errorf("%s: %d of %d processes", name, c.Samples[platform.Process], len(k.World.Processes))
	}
}

// Cuts tests that answers which break off anywhere are no reason to panic, and noticed.
func (m Machine) Cuts(t *testing.T) {
	for cut := 1; cut < 3000; cut += 1 + cut/50 {
		k := m.Kernel(NewWorld(2))
		w := k.World
		for range 60 {
			w.Step()
		}
		k.Cut = cut
		c, err := m.Read(k, true)
		if err == nil && len(c.Misses) == 0 {
			t.Errorf("cut to %d bytes, and nobody noticed", cut)
		}
	}
}

// Stops tests that a sink that wants no more gets no more, whatever was handed to it last.
func (m Machine) Stops(t *testing.T) {
	for most := 1; most < 30; most++ {
		b, err := m.Open(m.Kernel(NewWorld(1)), true)
		if err != nil {
			t.Fatal(err)
		}
		pass, err := b.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s := &stopper{most: most}
		if err := pass.Read(1<<len(b.Sources())-1, s); err != nil || s.got > most {
			t.Errorf("%d samples of %d, %v", s.got, most, err)
		}
		pass.Close()
		b.Close()
	}
}

type stopper struct{ most, got int }

func (s *stopper) Sample(*platform.Sample) bool { s.got++; return s.got < s.most }
func (s *stopper) Miss(int, platform.Reason)    {}
