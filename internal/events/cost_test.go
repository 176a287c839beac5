package events

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
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

// What is left out is counted by the next pass, however lately it was told before: after
// the last pass nobody tells any more.
func TestLeftOutIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.tiers = everything
		b := begin(t, k, nil)
		b.pass(t, time.Second)
		b.take()
		const many = 3 * perSecond
		for round := range uint64(3) {
			for pid := range uint64(many) {
				k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: platform.Key{ID: 100 + round*many + pid, Start: k.now()}})
			}
			b.pass(t, 2*time.Second)
			var told, left int64
			for _, e := range b.take() {
				switch {
				case e.name == semconv.EventProcessStart:
					told++
				case e.name == semconv.EventLimited && e.attrs[string(semconv.LimitedEvent)] == semconv.EventProcessStart:
					left += e.attrs[string(semconv.LimitedCount)].(int64)
				}
			}
			if told > perSecond || told+left != many {
				t.Errorf("round %d: %d told and %d left out of %d", round, told, left, many)
			}
		}
	})
}
