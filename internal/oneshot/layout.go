package oneshot

import (
	"math"
	"time"

	"github.com/pidometer/pidometer/internal/monotonic"
	"github.com/pidometer/pidometer/platform"
)

// layout says which fields of one entity its rows keep, and where: values of
// fields that nobody wants take no memory.
type layout struct {
	first  platform.Field   // of the entity's block
	slots  []int8           // by offset in the block; -1: not kept
	fields []platform.Field // by slot
	count  []int8           // slot among the cumulative fields; -1: a level
	counts int              // how many are cumulative
	rates  []int8           // slots whose growth over time is wanted
}

func newLayout(e platform.Entity, wanted, rates platform.FieldSet) layout {
	first, n := e.Block()
	l := layout{first: first, slots: make([]int8, n)}
	for i := range l.slots {
		f := first + platform.Field(i)
		l.slots[i] = -1
		if wanted.Has(f) {
			l.slots[i] = int8(len(l.fields))
			l.add(f, rates.Has(f))
		}
	}
	return l
}

func (l *layout) add(f platform.Field, rate bool) {
	if rate {
		l.rates = append(l.rates, int8(len(l.fields)))
	}
	l.fields = append(l.fields, f)
	if !f.Info().Cumulative {
		l.count = append(l.count, -1)
		return
	}
	l.count = append(l.count, int8(l.counts))
	l.counts++
}

// slot returns where f is kept, or -1.
func (l *layout) slot(f platform.Field) int8 {
	if i := int(f) - int(l.first); i >= 0 && i < len(l.slots) {
		return l.slots[i]
	}
	return -1
}

// jitter is how far a time may fall and be noise (design: rule 5).
const jitter = 3 * time.Second

// rule derives how a field's counter runs from what its source declares.
func rule(g platform.Given) monotonic.Rule {
	r := monotonic.Rule{Modulus: modulus(g), PerSecond: g.PerSecond}
	if g.Field.Info().Unit == "ns" {
		r.Jitter = uint64(jitter)
	}
	return r
}

// modulus is where the counter wraps in base units; 0 where that is out of reach.
func modulus(g platform.Given) uint64 {
	if g.Bits == 0 || g.Bits >= 64 {
		return 0
	}
	step, width := max(g.Step, 1), uint64(1)<<g.Bits
	if step > math.MaxUint64/width {
		return 0
	}
	return step * width
}

// wrapsWithin reports whether a counter may have wrapped in a host's uptime: a
// time counter runs at about one second per second, of others nothing is known.
func wrapsWithin(f platform.Field, r monotonic.Rule, uptime time.Duration) bool {
	if r.Modulus == 0 {
		return false
	}
	return f.Info().Unit != "ns" || uptime < 0 || r.Modulus < uint64(uptime)
}
