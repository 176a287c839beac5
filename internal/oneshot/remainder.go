package oneshot

import "github.com/pidometer/pidometer/platform"

// member is a process's part in the bookkeeping of a ranked choice. Every
// increment of a counter is added to exactly one series: to the process's own if
// it was selected in this pass and in the one before, else to the remainder.
type member struct {
	selected, before bool     // in this pass, in the one before
	always           bool     // reported in full, outside of all bookkeeping
	outside          int      // passes in a row outside the top
	newborn          bool     // born after the previous pass
	burnt            uint64   // CPU time at the previous pass, for the rank
	own              []uint64 // by counter: what was counted while selected
	last             []uint64 // by counter: the last valid sum
	valid            mask     // counters that have one
	line, settled    line     // in this pass, and in the last whole one
}

// settle deals out what the process's counters grew since they were last valid.
func (p *Pass) settle(r *Row) {
	m := &r.member
	if m.last == nil {
		m.last = make([]uint64, r.layout.counts)
	}
	for i := range r.layout.fields {
		c := r.layout.count[i]
		if c < 0 || !r.has.has(i) {
			continue
		}
		sum := r.values[i]
		grown := p.growth(m, c, sum)
		m.last[c] = sum
		m.valid.add(int(c))
		switch {
		case m.selected && m.before:
			m.own[c] += grown
		case p.shared.has(i):
			p.other.add(i, grown)
		}
	}
}

// growth is the increment of one counter. A counter never seen before brings its
// whole value only if the process was born after the previous pass; else nothing
// is known of when it was counted, and the value is a baseline.
func (p *Pass) growth(m *member, c int8, sum uint64) uint64 {
	if !m.valid.has(int(c)) {
		if m.newborn {
			return sum
		}
		return 0
	}
	return sum - m.last[c]
}

// add grows the remainder's counter in a slot.
func (r *Row) add(slot int, grown uint64) {
	r.member.own[r.layout.count[slot]] += grown
}

// remain builds the remainder of this pass: counters go on from where they
// stood, levels are the plain sum of what was read of the processes left over.
func (p *Pass) remain() {
	o := p.other
	o.begin(p)
	clear(o.values)
	if p.config.Lifetime {
		clear(o.member.own)
	}
	o.has = p.shared
	for _, r := range p.tables[platform.Process].list {
		if p.leftOver(r) {
			o.gather(r, p.config.Lifetime)
		}
	}
}

// leftOver reports whether the remainder stands for the process in this pass.
func (p *Pass) leftOver(r *Row) bool {
	return r.seen == p.generation && !r.hidden && !r.member.selected && !r.member.always
}

// gather adds the levels of a process to the remainder, and its counters too if
// they are to show its lifetime.
func (r *Row) gather(from *Row, counters bool) {
	for i, c := range r.layout.count {
		switch {
		case !from.has.has(i) || !r.has.has(i):
		case c < 0:
			r.values[i] += from.values[i]
		case counters:
			r.member.own[c] += from.values[i]
		}
	}
}
