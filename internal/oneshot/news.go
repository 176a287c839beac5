package oneshot

import (
	"iter"
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// Gone yields the processes that this pass sees no more, to the first reader of the
// pass alone: their memory is given back then.
func (p *Pass) Gone() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for _, r := range p.dropped {
			if !yield(r) {
				return
			}
		}
	}
}

// Restart is a counter that began anew in a pass.
type Restart struct {
	Row             *Row
	Field           platform.Field
	Previous, Value uint64 // readings, in base units
}

// mostRestarts is how many a pass keeps: a disk that is re-created has a dozen.
const mostRestarts = 256

// Restarts yields the counters that began anew, to the first reader of the pass alone.
func (p *Pass) Restarts() iter.Seq[Restart] { return slices.Values(p.restarts) }

// restarted notes one.
func (p *Pass) restarted(r *Row, f platform.Field, previous, value uint64) {
	if len(p.restarts) < mostRestarts {
		p.restarts = append(p.restarts, Restart{r, f, previous, value})
	}
}
