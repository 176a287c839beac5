package oneshot

import (
	"github.com/pidometer/pidometer/internal/filter"
	"github.com/pidometer/pidometer/platform"
)

// narrow rearranges the plan for a filter: the walk over everything reads of a
// process only what proves its identity, and the conditions that this decides
// keep the others from being read at all. What the first stage read besides, and
// what the other conditions need, is read of the processes that are left.
func (p *Plan) narrow(sources []platform.Source, conditions []filter.Condition) (cheap, dear []filter.Condition) {
	if len(conditions) == 0 {
		return nil, nil
	}
	var clock, wide platform.SourceSet
	for i := range p.First.All() {
		switch s := &sources[i]; {
		case s.Entity == platform.Process && s.Clock:
			clock = clock.With(i)
		case s.Entity == platform.Process:
			wide = wide.With(i)
		}
	}
	known := tells(sources, clock)
	for _, c := range conditions {
		if known.covers(c.Want) {
			cheap = append(cheap, c)
			continue
		}
		dear = append(dear, c)
		set, _ := platform.Choose(sources, c.Want)
		wide |= set &^ clock
	}
	p.First &^= wide
	p.Wide = wide
	return cheap, dear
}

// telling is what a set of sources tells, approximately at least.
type telling platform.Want

func tells(sources []platform.Source, set platform.SourceSet) telling {
	t := telling{Fields: gives(sources, set)}
	for i := range set.All() {
		t.Texts |= platform.Texts(sources[i].Texts...)
	}
	return t
}

func (t telling) covers(w platform.Want) bool {
	rest := w.Fields.Minus(t.Fields)
	return rest.Empty() && w.Texts&^t.Texts == 0
}

// admits reports whether the cheap conditions hold of a process, and notes its
// parent where a condition asks for a tree.
func (p *Pass) admits(s *platform.Sample) bool {
	if p.parents != nil {
		if parent, ok := s.Get(platform.ProcessParent); ok {
			p.parents[s.Key.ID] = parent
		}
	}
	return holds(p.cheap, s)
}

func holds(conditions []filter.Condition, s *platform.Sample) bool {
	for i := range conditions {
		if !conditions[i].Holds(s) {
			return false
		}
	}
	return true
}

// sift decides the other conditions, of those processes that are left.
func (p *Pass) sift(reader platform.Reader) {
	if len(p.config.Filter) == 0 {
		return
	}
	for _, r := range p.tables[platform.Process].list {
		if r.seen != p.generation {
			continue
		}
		seen := p.related(r) && p.admitted(reader, r)
		if !seen && !r.hidden {
			r.member = member{} // nothing is known of what it does out of sight
		}
		r.hidden = !seen
	}
}

// admitted reads what the first stage left out and asks the dear conditions.
func (p *Pass) admitted(reader platform.Reader, r *Row) bool {
	if p.plan.Wide == 0 {
		return holds(p.dear, nil)
	}
	w := wideStage{pass: p}
	return reader.Process(r.Key, p.plan.Wide, &w) == nil && w.admitted
}

// wideStage is the pass as the sink of one process that passed the cheap
// conditions.
type wideStage struct {
	pass     *Pass
	admitted bool
}

// Sample takes the process if the dear conditions hold of it too.
func (w *wideStage) Sample(s *platform.Sample) bool {
	w.pass.recent.told[stageWide][s.Entity]++
	if w.admitted = holds(w.pass.dear, s); w.admitted {
		w.pass.keep(s, w.pass.notWide)
	}
	return true
}

// Miss counts what could not be read.
func (w *wideStage) Miss(source int, why platform.Reason) { w.pass.miss(source, why) }

// related reports whether a process belongs to the trees that are asked for.
func (p *Pass) related(r *Row) bool {
	for i := range p.config.Filter {
		if c := &p.config.Filter[i]; c.Tree != 0 && !c.Belongs(p.descends(r.Key.ID, c.Tree)) {
			return false
		}
	}
	return true
}

// descends follows the parents of a process. They may change while they are read,
// so even a circle is possible, and ends the search.
func (p *Pass) descends(pid, from uint64) bool {
	for range len(p.parents) + 1 {
		if pid == from {
			return true
		}
		parent, ok := p.parents[pid]
		if !ok {
			return false
		}
		pid = parent
	}
	return false
}
