package simkernel

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// life is one thing that became of a process, as a watch and a world tell it.
type life struct {
	kind        platform.OccurrenceKind
	pid, parent uint64
	exit        platform.Exit
}

// lives keeps what happens in a world.
type lives []life

func (l *lives) Forked(parent, child uint64) {
	*l = append(*l, life{kind: platform.ProcessStarted, pid: child, parent: parent})
}
func (l *lives) Executed(pid uint64) { *l = append(*l, life{kind: platform.ProcessExecuted, pid: pid}) }
func (l *lives) Exited(pid, status uint64) {
	e := platform.Exit{Known: true, Code: int64(status >> 8 & 0xff)}
	if status&0x7f != 0 {
		e = platform.Exit{Known: true, Signal: int(status & 0x7f), Core: status>>7&1 != 0}
	}
	*l = append(*l, life{kind: platform.ProcessExited, pid: pid, exit: e})
}

// Following is a world whose processes are followed.
type Following struct {
	Backend  platform.Backend
	Step     func()                        // lets something happen
	Hear     func(Lives)                   // adds who is told of it
	Key      func(pid uint64) platform.Key // of who has a PID now
	Everyone []platform.Key                // that can be followed at first
}

// CheckWatch follows everybody, lets so many steps go by, reads after every few of them,
// and returns the first difference between what was told and what happened. Between two
// reads what became of one process is gathered, so that several reads of many steps
// compare beginnings and ends alone, and no parents.
func CheckWatch(f Following, steps, every int) error {
	w, err := f.Backend.(platform.Watcher).Watch(context.Background(),
		platform.WatchOptions{Kinds: platform.KindsOf(platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)})
	if err != nil {
		return err
	}
	defer w.Close()
	for _, key := range f.Everyone {
		if err := w.Follow(key); err != nil {
			return fmt.Errorf("follow %v: %w", key, err)
		}
	}
	var want, got lives
	f.Hear(&want)
	for step := range steps {
		f.Step()
		if step%every != every-1 {
			continue
		}
		if err := w.Read(f.note(&got, every == 1)); err != nil {
			return err
		}
		if a, b := want.reduced(every > 1), got.reduced(every > 1); !slices.Equal(a, b) {
			return fmt.Errorf("step %d: told %v, happened %v", step, b, a)
		}
		want, got = want[:0], got[:0]
	}
	return nil
}

// note keeps what is told. One that is told at once has its key.
func (f *Following) note(got *lives, exact bool) func(*platform.Occurrence) {
	return func(o *platform.Occurrence) {
		l := life{o.Kind, o.Key.ID, o.Parent, o.Exit}
		if exact && o.Kind != platform.ProcessExited && o.Key != f.Key(o.Key.ID) {
			l.pid = 1 << 40 // nobody's
		}
		*got = append(*got, l)
	}
}

// reduced is what can be compared: all of it, or who began and ended, in no order.
func (l lives) reduced(gathered bool) (all []life) {
	for _, one := range l {
		if gathered {
			if one.parent = 0; one.kind == platform.ProcessExecuted {
				continue
			}
		}
		all = append(all, one)
	}
	if gathered {
		slices.SortFunc(all, func(a, b life) int {
			return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.kind, b.kind), cmp.Compare(a.exit.Code, b.exit.Code), cmp.Compare(a.exit.Signal, b.exit.Signal))
		})
	}
	return all
}

// Watches compares what a watch tells with what happens, in every world: to whom, and how it
// ended.
func Watches(t *testing.T, d Dialect, worlds uint64) {
	t.Helper()
	for _, every := range []int{1, 7} {
		Simulate(t, worlds, func(seed uint64) error {
			w := New(seed, 8)
			b, err := d.Open(w)
			if err != nil {
				return err
			}
			defer b.Close()
			key := func(pid uint64) platform.Key { return platform.Key{ID: pid, Start: d.Start(w, w.Find(pid))} }
			f := Following{Backend: b, Step: w.Step, Key: key, Hear: func(l Lives) { w.Hear = append(w.Hear, l) }}
			for _, p := range w.Processes {
				f.Everyone = append(f.Everyone, key(p.PID))
			}
			if err := CheckWatch(f, Steps, every); err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
			return nil
		})
	}
}
