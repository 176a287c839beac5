package events

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Processes whose ends are among lost records are told of by the passes that do not see
// them, and nobody else is.
func TestLostEnds(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := newKernel()
			k.tiers = everything
			b := begin(t, k, nil)
			b.pass(t, time.Second)
			b.take()
			const many = 100
			for pid := range uint64(many) {
				k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: platform.Key{ID: 100 + pid, Start: k.now()}})
			}
			long := k.run(50, "long")
			k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: long})
			if lost {
				k.tell(platform.Occurrence{Kind: platform.OccurrencesLost})
			}
			b.pass(t, 0) // it may have begun before them
			late := platform.Key{ID: 60, Start: k.now()}
			k.tell(platform.Occurrence{Kind: platform.ProcessStarted, Key: late}) // it is not to be seen
			for range 3 {
				b.pass(t, time.Second)
			}
			counts := map[string]int{}
			for _, e := range b.take() {
				counts[e.name]++
			}
			want, lives := 0, many+2
			if lost {
				want, lives = many, 2
			}
			if counts["process.start"] != many+2 || counts["process.exit"] != want || len(b.lives) != lives {
				t.Errorf("lost %v: %v, %d lives", lost, counts, len(b.lives))
			}
		})
	}
}

// A PID that is used again within one read has two ends, each with its own exit and its
// own exit record, whichever of the kernel's sources is read first. A record whose end is
// still to come waits for it.
func TestReusedPIDInOneRead(t *testing.T) {
	for name, split := range map[string]bool{"at once": false, "the last end later": true} {
		for _, recordsFirst := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				k := newKernel()
				k.tiers = everything
				b := begin(t, k, nil)
				b.pass(t, time.Second)
				b.take()
				const uses = 3
				var lives, records []platform.Occurrence
				for n := range uint64(uses) {
					var use platform.Sample
					use.Reset(platform.Process, platform.Key{ID: 5})
					use.Set(platform.ProcessCPUUser, n*1e9)
					records = append(records, platform.Occurrence{Kind: platform.ProcessAccounted, Key: use.Key, Usage: &use})
					lives = append(lives, platform.Occurrence{Kind: platform.ProcessStarted, Key: platform.Key{ID: 5, Start: k.now() + n}},
						platform.Occurrence{Kind: platform.ProcessExited, Key: platform.Key{ID: 5}, Exit: platform.Exit{Known: true, Code: int64(n)}})
				}
				late := lives[len(lives)-1]
				if split {
					lives = lives[:len(lives)-1]
				}
				if recordsFirst {
					k.tell(append(records, lives...)...)
				} else {
					k.tell(append(lives, records...)...)
				}
				time.Sleep(time.Second)
				if split {
					k.tell(late)
					time.Sleep(time.Second)
				}
				var told []string
				for _, e := range b.take() {
					if e.name == "process.exit" {
						told = append(told, fmt.Sprint(e.attrs["process.exit.code"], e.attrs["process.exit.cpu.user_time"]))
					}
				}
				if !slices.Equal(told, []string{"0 0", "1 1", "2 2"}) {
					t.Errorf("%s, records first %v: %q", name, recordsFirst, told)
				}
			})
		}
	}
}
