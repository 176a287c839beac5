package netbsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/sysctl/worldtest"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on a made-up NetBSD.
func TestBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) {
		return New(Options{Kernel: worldtest.NetBSD(worldtest.NewWorld(1))})
	})
}

// What a backend reads is what is so, in every world and after every step of it.
func TestSimulation(t *testing.T) {
	worldtest.Simulate(t, worlds, worldtest.NetBSD, func(k *worldtest.Kernel) (platform.Backend, error) { return New(Options{Kernel: k}) })
}

// What a watch tells is what happens, in every world: to whom, and how it ended.
func TestWatch(t *testing.T) {
	worldtest.Watch(t, worlds/10, worldtest.NetBSD, func(k *worldtest.Kernel) (platform.Backend, error) { return New(Options{Kernel: k}) })
}

// Single processes are looked up as they are, and what is not whole is refused.
func TestWho(t *testing.T) {
	k := worldtest.NetBSD(worldtest.NewWorld(3))
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
