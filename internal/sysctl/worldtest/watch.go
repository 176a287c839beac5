package worldtest

import (
	"fmt"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/platform"
)

// Watch lets worlds change from step to step, and compares what a watch tells with what
// happened, read after each step and after a few.
func Watch(t *testing.T, worlds uint64, kernel func(*World) *Kernel, open func(*Kernel) (platform.Backend, error)) {
	t.Helper()
	for _, every := range []int{1, 7} {
		simkernel.Simulate(t, worlds, func(seed uint64) error {
			if err := watch(kernel(NewWorld(seed)), every, open); err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
			return nil
		})
	}
}

func watch(k *Kernel, every int, open func(*Kernel) (platform.Backend, error)) error {
	b, err := open(k)
	if err != nil {
		return err
	}
	defer b.Close()
	w := k.World
	key := func(pid uint64) platform.Key { return platform.Key{ID: pid, Start: k.start(w.Find(pid))} }
	f := simkernel.Following{Backend: b, Step: w.Step, Key: key, Hear: func(l simkernel.Lives) { w.Hear = append(w.Hear, l) }}
	for _, p := range w.Processes {
		f.Everyone = append(f.Everyone, key(p.PID))
	}
	return simkernel.CheckWatch(f, simkernel.Steps, every)
}
