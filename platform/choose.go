package platform

// Want is what a caller wants to know.
type Want struct {
	Fields FieldSet
	Texts  TextSet
}

// Choose returns the fewest of the given sources that give everything wanted,
// each field from an exact source where there is one, and what no source gives.
// Of equally few it takes the cheapest. A wanted field or text of a process
// brings the source that proves which process it is.
func Choose(sources []Source, want Want) (SourceSet, Want) {
	c := newCover(sources, want)
	c.force()
	c.search(0, c.chosen)
	return c.best, c.missing
}

// cover is one search for the smallest set of sources.
type cover struct {
	sources []Source
	needs   []SourceSet // for each wanted thing, the sources that may give it
	missing Want
	chosen  SourceSet // sources without alternative
	best    SourceSet
	found   bool
}

func newCover(sources []Source, want Want) *cover {
	c := &cover{sources: sources}
	process := false
	for f := range want.Fields.All() {
		set := exact(sources, f)
		if set == 0 {
			c.missing.Fields.Add(f)
			continue
		}
		process = process || f.Info().Entity == Process
		c.needs = append(c.needs, set)
		c.needAll(f)
	}
	for t := range numTexts {
		if !want.Texts.Has(t) {
			continue
		}
		var set SourceSet
		for i := range sources {
			if givesText(&sources[i], t) {
				set = set.With(i)
			}
		}
		if set == 0 {
			c.missing.Texts |= Texts(t)
			continue
		}
		process = process || t.Entity() == Process
		c.needs = append(c.needs, set)
	}
	if clock := clocks(sources); process && clock != 0 {
		c.needs = append(c.needs, clock)
	}
	return c
}

// needAll needs each source that gives f of some entities.
func (c *cover) needAll(f Field) {
	for i := range c.sources {
		for _, g := range c.sources[i].Gives {
			if g.Field == f && g.Partial {
				c.needs = append(c.needs, SourceSet(0).With(i))
			}
		}
	}
}

// force takes the sources that have no alternative and drops what they satisfy.
func (c *cover) force() {
	for _, set := range c.needs {
		if set.Len() == 1 {
			c.chosen |= set
		}
	}
	open := c.needs[:0]
	for _, set := range c.needs {
		if set&c.chosen == 0 {
			open = append(open, set)
		}
	}
	c.needs = open
}

// search tries every source for the need at i, deepest first, and keeps the best.
func (c *cover) search(i int, set SourceSet) {
	for i < len(c.needs) && c.needs[i]&set != 0 {
		i++
	}
	if i == len(c.needs) {
		if !c.found || c.less(set, c.best) {
			c.best, c.found = set, true
		}
		return
	}
	if c.found && set.Len() >= c.best.Len() {
		return
	}
	for s := range c.needs[i].All() {
		c.search(i+1, set.With(s))
	}
}

// less orders sets by the number of sources, then by cost.
func (c *cover) less(a, b SourceSet) bool {
	if a.Len() != b.Len() {
		return a.Len() < b.Len()
	}
	return c.cost(a) < c.cost(b)
}

func (c *cover) cost(set SourceSet) (sum int) {
	for i := range set.All() {
		sum += c.sources[i].Cost
	}
	return sum
}

// exact returns the sources that give f exactly, else those that give it at all.
func exact(sources []Source, f Field) SourceSet {
	var sure, rough SourceSet
	for i := range sources {
		for _, g := range sources[i].Gives {
			if g.Field != f {
				continue
			}
			rough = rough.With(i)
			if !g.Approximate {
				sure = sure.With(i)
			}
		}
	}
	if sure != 0 {
		return sure
	}
	return rough
}

func givesText(s *Source, t Text) bool {
	for _, have := range s.Texts {
		if have == t {
			return true
		}
	}
	return false
}

func clocks(sources []Source) (set SourceSet) {
	for i := range sources {
		if sources[i].Clock {
			set = set.With(i)
		}
	}
	return set
}
