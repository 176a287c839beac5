package events

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// On a host where nothing happens the engine is not woken, and asks the kernel once in a
// pass what has happened: no process is looked at for the sake of events, however many
// there are.
func TestIdle(t *testing.T) {
	for _, processes := range []uint64{10, 1000} {
		synctest.Test(t, func(t *testing.T) {
			k := newKernel()
			k.tiers = everything
			for pid := range processes {
				k.run(pid+1, fmt.Sprint("idle", pid))
			}
			b := begin(t, k, nil)
			b.pass(t, 15*time.Second)
			walks, hears := k.walks, k.hears
			const passes = 20
			for range passes {
				b.pass(t, 15*time.Second)
			}
			if walks, hears = k.walks-walks, k.hears-hears; walks != passes || hears != passes || k.singles != 0 {
				t.Errorf("%d processes: %d walks, %d times asked, %d processes read", processes, walks, hears, k.singles)
			}
			if s := b.Stats(); s.Wakeups != 0 {
				t.Errorf("%d processes: woken %d times", processes, s.Wakeups)
			}
		})
	}
}
