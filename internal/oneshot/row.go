package oneshot

import (
	"time"

	"github.com/pidometer/pidometer/internal/monotonic"
	"github.com/pidometer/pidometer/platform"
)

// Row is what a pass keeps of one entity between collections.
type Row struct {
	Entity platform.Entity
	Key    platform.Key

	// Start is when the entity's series began: the boot for what the host was
	// born with, the creation of a process, the appearance of a device, or the
	// pass that selected a ranked process.
	Start time.Time
	// Created is when a process was created.
	Created time.Time
	// Executable names a process: the base name of its program file, else its
	// short name as first seen. Always valid UTF-8.
	Executable string
	// Device, Type and Mode are those of a file system. Always valid UTF-8.
	Device, Type, Mode string
	// Texts is what is known of a piece of hardware, a container, and of a process
	// what [Config.Keep] asks for. Always valid UTF-8.
	Texts map[platform.Text]string
	// Version changes whenever one of the strings does.
	Version int
	// Series is the consumer's own note about this row. It is the consumer's to
	// drop when Version changes.
	Series any

	layout   *layout
	seen     uint64    // generation of the pass that last read it
	first    time.Time // the pass that saw it first
	hidden   bool      // a filter keeps it out of sight
	has      mask      // slots read in that pass
	values   []uint64  // by slot: levels, and sums that never fall
	counters []monotonic.Counter
	rate     *growth
	names    names
	member   member
}

// growth is the base that rates are taken from: readings at least a second old,
// so that every reader of a pass gets the same rate.
type growth struct {
	base, mark     []uint64 // by position in layout.rates
	baseOK, markOK mask
	baseAt, markAt time.Time
	over           time.Duration // from the base to this pass
}

// names are the raw bytes that the row's strings were made from.
type names struct {
	path            []byte
	device, fs, mod []byte
	fromPath        bool
}

// minRate is the least age of a rate's base.
const minRate = time.Second

func newRow(e platform.Entity, key platform.Key, l *layout) *Row {
	r := &Row{Entity: e, Key: key, layout: l,
		values:   make([]uint64, len(l.fields)),
		counters: make([]monotonic.Counter, l.counts)}
	if n := len(l.rates); n > 0 {
		r.rate = &growth{base: make([]uint64, n), mark: make([]uint64, n)}
	}
	return r
}

// Value returns what f shows in this pass: a level as read, a counter as a sum
// that never falls. For a ranked process it is what was counted while selected.
func (r *Row) Value(f platform.Field) (uint64, bool) {
	i := r.layout.slot(f)
	if i < 0 || !r.has.has(int(i)) {
		return 0, false
	}
	if c := r.layout.count[i]; c >= 0 && r.member.own != nil {
		return r.member.own[c], true
	}
	return r.values[i], true
}

// Rate returns how much f grew and in what time, up to this pass, and false
// until there is a base at least a second old.
func (r *Row) Rate(f platform.Field) (grown uint64, over time.Duration, ok bool) {
	i := r.layout.slot(f)
	if i < 0 || !r.has.has(int(i)) || r.rate == nil {
		return 0, 0, false
	}
	for n, slot := range r.layout.rates {
		if slot == i && r.rate.baseOK.has(n) && r.values[i] >= r.rate.base[n] {
			return r.values[i] - r.rate.base[n], r.rate.over, true
		}
	}
	return 0, 0, false
}

// begin makes the row one of this pass, with nothing read yet.
func (r *Row) begin(p *Pass) {
	if r.seen == p.generation {
		return
	}
	r.seen, r.has = p.generation, mask{}
}

// take merges the fields of a sample that this pass has not read yet.
func (r *Row) take(p *Pass, s *platform.Sample, except mask) {
	r.begin(p)
	for i, f := range r.layout.fields {
		v, ok := s.Get(f)
		if !ok || r.has.has(i) || except.has(i) {
			continue
		}
		r.has.add(i)
		r.values[i] = r.correct(p, i, f, v)
	}
}

// correct gives a reading its place in the row's sum.
func (r *Row) correct(p *Pass, slot int, f platform.Field, v uint64) uint64 {
	c := r.layout.count[slot]
	if c < 0 {
		return v
	}
	before := r.counters[c].Raw()
	verdict := r.counters[c].Next(v, p.elapsed, p.rules[f])
	p.stats.Verdicts[verdict]++
	if verdict == monotonic.Restarted {
		p.restarted(r, f, before, v)
	}
	if p.config.Raw {
		return v
	}
	return r.counters[c].Sum()
}

// measure moves the base of the row's rates on and takes this pass as the mark
// of a later one.
func (r *Row) measure(now time.Time) {
	g := r.rate
	if g == nil {
		return
	}
	if now.Sub(g.markAt) >= minRate {
		g.base, g.mark = g.mark, g.base
		g.baseOK, g.baseAt = g.markOK, g.markAt
		g.markOK, g.markAt = mask{}, now
		for n, slot := range r.layout.rates {
			if r.has.has(int(slot)) {
				g.mark[n] = r.values[slot]
				g.markOK.add(n)
			}
		}
	}
	g.over = now.Sub(g.baseAt)
}
