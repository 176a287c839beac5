package simkernel

import (
	"cmp"
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	seeds = flag.Uint64("seeds", 0, "how many worlds are simulated, unless 0")
	seed  = flag.Uint64("seed", 0, "simulate the world of this seed alone, unless 0")
)

// Steps is how many things happen in a world.
const Steps = 200

// Simulate checks the worlds of so many seeds, unless a flag says how many, on all CPUs.
// The first that fails is told with the line that replays it.
func Simulate(t *testing.T, worlds uint64, check func(seed uint64) error) {
	t.Helper()
	first, last := uint64(1), cmp.Or(*seeds, worlds)
	if *seed != 0 {
		first, last = *seed, *seed
	}
	var next, failed atomic.Uint64
	next.Store(first)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for s := next.Add(1) - 1; s <= last && failed.Load() == 0; s = next.Add(1) - 1 {
				if err := check(s); err != nil {
					failed.Store(s)
					t.Errorf("%v\nreplay with: go test -run '^%s$' -seed %d", err, t.Name(), s)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d worlds of %d steps", last-first+1, Steps)
}
