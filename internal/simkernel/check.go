package simkernel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pidometer/pidometer/platform"
)

// Dialect is how one kernel tells of a world.
type Dialect struct {
	// Open opens a backend over a kernel that answers for the world as it is whenever it
	// is asked.
	Open func(*World) (platform.Backend, error)
	// Start is what a process's [platform.Key] has of its birth.
	Start func(*World, *Process) uint64
	// CPU, Disk and Interface are the keys of those; nil means the number and the name.
	CPU       func(i int) platform.Key
	Disk      func(*Disk) platform.Key
	Interface func(*Interface) platform.Key
	// Unlike are fields that this kernel counts otherwise, or not truly, and which are
	// compared elsewhere. Each has its reason.
	Unlike map[platform.Field]string
	// Exact are fields that are told to the digit, though their sources declare the unit of
	// other machines of the kind.
	Exact []platform.Field
	// Undead are fields that a zombie has not, and Refused those that are refused of a
	// process that denies them.
	Undead, Refused []platform.Field
	// Untold reports whether the kernel does not tell a field of a process, where that is
	// not a matter of the two lists.
	Untold func(platform.Field, *Process) bool
	// Hides reports whether the kernel does not list an interface or disk.
	Hides func(entity platform.Entity, name string) bool
	// Reaped says that nobody is listed who has ended, waited for or not.
	Reaped bool
	// Hardware are the fields of each component by its name, nil where they are compared
	// elsewhere.
	Hardware func(*World) map[string]map[platform.Field]uint64
	// Details is how it tells of one process.
	Details Details
}

// Check lets a world live for so many steps, reads it before each, and returns the first
// difference between what a backend says and what is true.
func Check(d Dialect, seed uint64, most, steps int) (err error) {
	w := New(seed, most)
	b, err := d.Open(w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	c := &check{Dialect: d, World: w, backend: b, truth: map[id]subject{}, seen: map[id]bool{}}
	c.declare()
	for step := range steps {
		if err := c.pass(); err != nil {
			return fmt.Errorf("seed %d, step %d (%s): %w", seed, step, w.Happens, err)
		}
		w.Step()
	}
	return nil
}

// check is one run.
type check struct {
	Dialect
	*World
	backend platform.Backend
	all     platform.SourceSet
	given   [platform.FieldCount]given
	truth   map[id]subject
	seen    map[id]bool
	faults  []string
}

// given is what a source declares of a field, and whether that is compared.
type given struct {
	platform.Given
	told bool
}

type id struct {
	entity platform.Entity
	key    platform.Key
}

// declare notes what the sources give, and how wide.
func (c *check) declare() {
	for i, s := range c.backend.Sources() {
		c.all = c.all.With(i)
		for _, g := range s.Gives {
			_, unlike := c.Unlike[g.Field]
			if slices.Contains(c.Exact, g.Field) {
				g.Step = 1
			}
			c.given[g.Field] = given{g, !unlike}
		}
	}
}

// pass reads everything once.
func (c *check) pass() error {
	c.tell()
	clear(c.seen)
	c.faults = nil
	r, err := c.backend.Begin(context.Background())
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Read(c.all, c); err != nil {
		return err
	}
	for id := range c.truth {
		if !c.seen[id] {
			c.fault("%v %v is not told of", id.entity, id.key)
		}
	}
	if len(c.faults) > 0 {
		return errors.New(strings.Join(c.faults, "\n"))
	}
	return nil
}

// tell writes down what there is now.
func (c *check) tell() {
	clear(c.truth)
	c.truth[id{platform.Host, platform.Key{}}] = subject{}
	for i := range c.CPUs {
		key := platform.Key{ID: uint64(i)}
		if c.CPU != nil {
			key = c.CPU(i)
		}
		c.truth[id{platform.CPU, key}] = subject{cpu: &c.CPUs[i]}
	}
	for _, p := range c.Processes {
		if c.Reaped && p.State == Zombie {
			continue
		}
		c.truth[id{platform.Process, platform.Key{ID: p.PID, Start: c.Start(c.World, p)}}] = subject{process: p}
	}
	for _, d := range c.Disks {
		key := platform.Key{Name: d.Name}
		if c.Disk != nil {
			key = c.Disk(d)
		}
		c.add(platform.Disk, key, subject{disk: d})
	}
	for _, i := range c.Interfaces {
		key := platform.Key{Name: i.Name}
		if c.Interface != nil {
			key = c.Interface(i)
		}
		c.add(platform.Network, key, subject{link: i})
	}
	if c.Hardware != nil {
		for name, fields := range c.Hardware(c.World) {
			c.add(platform.Hardware, platform.Key{Name: name}, subject{component: fields})
		}
	}
}

func (c *check) add(e platform.Entity, key platform.Key, s subject) {
	if c.Hides == nil || !c.Hides(e, key.Name) {
		c.truth[id{e, key}] = s
	}
}

// Miss is expected: what a kernel refuses is compared by what a sample has.
func (c *check) Miss(int, platform.Reason) {}

// Sample compares one sample with the truth.
func (c *check) Sample(s *platform.Sample) bool {
	what := id{s.Entity, s.Key}
	truth, ok := c.truth[what]
	if !ok {
		if c.knows(s.Entity) {
			c.fault("%v %v is told of, and there is none", s.Entity, s.Key)
		}
		return true
	}
	if c.seen[what] {
		c.fault("%v %v is told of twice", s.Entity, s.Key)
	}
	c.seen[what] = true
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if s.Entity == platform.Hardware {
			c.component(s, f, truth.component)
		}
		if truths[f] != nil && c.given[f].told {
			c.compare(s, f, truth)
		}
	}
	return true
}

// knows reports whether everybody of a kind is known.
func (c *check) knows(e platform.Entity) bool {
	switch e {
	case platform.Process, platform.CPU, platform.Disk, platform.Network:
		return true
	}
	return e == platform.Hardware && c.Hardware != nil
}

// component compares one field of a component, which has those that the truth has.
func (c *check) component(s *platform.Sample, f platform.Field, truth map[platform.Field]uint64) {
	value, told := s.Get(f)
	if want, has := truth[f]; told != has || value != want {
		c.fault("%v %v: %v is %d (told: %v), want %d (%v)", s.Entity, s.Key, f, int64(value), told, int64(want), has)
	}
}

// compare compares one field with the truth, modulo its width.
func (c *check) compare(s *platform.Sample, f platform.Field, truth subject) {
	value, told := s.Get(f)
	want := narrow(truths[f](c.World, truth), c.given[f].Given)
	switch {
	case c.unknown(f, truth):
		if told {
			c.fault("%v %v: %v is %d, and can't be known", s.Entity, s.Key, f, value)
		}
	case !told:
		c.fault("%v %v: %v is absent, want %d", s.Entity, s.Key, f, want)
	case value != want:
		c.fault("%v %v: %v is %d, want %d", s.Entity, s.Key, f, value, want)
	}
}

// unknown reports whether a kernel does not tell a field of a process in its state.
func (c *check) unknown(f platform.Field, s subject) bool {
	p := s.process
	return p != nil && (p.State == Zombie && slices.Contains(c.Undead, f) || p.Denied && slices.Contains(c.Refused, f) || c.Untold != nil && c.Untold(f, p))
}

// narrow is a value as a counter of a width and a unit has it.
func narrow(v uint64, g platform.Given) uint64 {
	step := max(g.Step, 1)
	v /= step
	if g.Bits != 0 && g.Bits < 64 && g.Field.Info().Cumulative {
		v &= 1<<g.Bits - 1
	}
	return v * step
}

func (c *check) fault(format string, args ...any) {
	if len(c.faults) < 5 {
		c.faults = append(c.faults, fmt.Sprintf(format, args...))
	}
}
