package openbsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/sysctl/worldtest"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on a made-up OpenBSD.
func TestBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) {
		return New(Options{Kernel: worldtest.OpenBSD(worldtest.NewWorld(1))})
	})
}

// What a backend reads is what is so, in every world and after every step of it.
func TestSimulation(t *testing.T) {
	worldtest.Simulate(t, worlds, worldtest.OpenBSD, func(k *worldtest.Kernel) (platform.Backend, error) { return New(Options{Kernel: k}) })
}

// Each number of sys/proc.h has its state, and one that is not there has none.
func TestStates(t *testing.T) {
	row := make([]byte, rowSize)
	for number, want := range map[byte]platform.State{1: platform.StateSleeping, 2: platform.StateRunning, 3: platform.StateSleeping,
		4: platform.StateStopped, 5: platform.StateDefunct, 6: platform.StateDefunct, 7: platform.StateRunning} {
		row[statAt] = number
		if got, ok := stateOf(row); !ok || got != want {
			t.Errorf("state %d is %v (%v), want %v", number, got, ok, want)
		}
	}
	row[statAt] = 9
	if got, ok := stateOf(row); ok {
		t.Errorf("state 9 is %v", got)
	}
}

// What a watch tells is what happens, in every world: to whom, and how it ended.
func TestWatch(t *testing.T) {
	worldtest.Watch(t, worlds/10, worldtest.OpenBSD, func(k *worldtest.Kernel) (platform.Backend, error) { return New(Options{Kernel: k}) })
}

// Single processes are looked up as they are, and what is not whole is refused.
func TestWho(t *testing.T) {
	k := worldtest.OpenBSD(worldtest.NewWorld(3))
	for range 60 {
		k.World.Step()
	}
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	worldtest.Who(t, k, b.(*backend).Backend.Who)
}
