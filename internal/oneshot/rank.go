package oneshot

import (
	"cmp"
	"slices"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// patience is how many passes a process may be outside the top before it leaves:
// without it a process at the edge would come and go, a new series each time.
const patience = 3

// rank selects the processes of this pass: the largest by CPU, the largest by
// memory, and those that were so a moment ago.
func (p *Pass) rank() {
	c := p.candidates[:0]
	for _, r := range p.tables[platform.Process].list {
		r.member.before = r.member.selected
		if r.seen == p.generation && !r.hidden && !r.member.always {
			c = append(c, p.candidate(r))
		}
	}
	p.candidates = c
	p.mark(byCPU)
	p.mark(byMemory)
	for i := range c {
		c[i].row.decide(c[i].top)
	}
	clear(c) // the memory stays, the rows of those that end must not
}

// candidate is one process in the ranking.
type candidate struct {
	row    *Row
	cpu    float64 // growth of CPU time
	burnt  uint64  // lifetime CPU time
	memory uint64
	top    bool
}

// candidate scores a process by the CPU it used since the previous pass; in the
// first pass, where there is none, by lifetime CPU over age.
func (p *Pass) candidate(r *Row) candidate {
	burnt := r.raw(platform.ProcessCPUUser) + r.raw(platform.ProcessCPUSystem)
	c := candidate{row: r, cpu: float64(burnt - r.member.burnt), burnt: burnt, memory: r.raw(platform.ProcessMemoryRSS)}
	if p.first() {
		c.cpu /= max(p.at.Sub(r.Created), time.Second).Seconds()
	}
	if burnt < r.member.burnt {
		c.cpu = 0
	}
	r.member.burnt = burnt
	return c
}

// raw is the value in a slot whether or not a series shows it.
func (r *Row) raw(f platform.Field) uint64 {
	if i := r.layout.slot(f); i >= 0 && r.has.has(int(i)) {
		return r.values[i]
	}
	return 0
}

// mark marks the first of the candidates in an order.
func (p *Pass) mark(order func(a, b candidate) int) {
	slices.SortFunc(p.candidates, order)
	for i := range min(p.config.Limit, len(p.candidates)) {
		p.candidates[i].top = true
	}
}

// Among the idle those come first that used most in their lives, then the older:
// the choice stays the same from pass to pass.
func byCPU(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.cpu, a.cpu), cmp.Compare(b.burnt, a.burnt), byAge(a.row.Key, b.row.Key))
}

func byMemory(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.memory, a.memory), byAge(a.row.Key, b.row.Key))
}

func byAge(a, b platform.Key) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
}

// decide selects or lets go.
func (r *Row) decide(top bool) {
	m := &r.member
	if top {
		m.outside = 0
		m.selected = true
		return
	}
	if m.outside++; m.outside >= patience {
		m.selected = false
	}
}

// enter starts the series of a process that this pass selects anew: its counters
// are 0 now, which is the true reset point that their start tells of. What was
// not read while it was outside has no baseline any more.
func (p *Pass) enter(r *Row) {
	m := &r.member
	if m.always || !m.selected || m.before || p.config.Lifetime {
		return
	}
	if m.own == nil {
		m.own = make([]uint64, r.layout.counts)
	}
	clear(m.own)
	for i, c := range r.layout.count {
		if c >= 0 && !p.shared.has(i) {
			m.valid.drop(int(c))
		}
	}
	r.Start = p.at
}

// Shown reports whether a ranked choice reports the process itself.
func (r *Row) Shown() bool { return r.member.selected || r.member.always }
