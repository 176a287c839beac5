package semconv

import "github.com/pidometer/pidometer/platform"

// Texts returns the texts of an entity that the attributes of m are made of.
func (m *Metric) Texts(e platform.Entity) (set platform.TextSet) {
	for _, l := range m.Labels {
		set |= platform.Texts(l.Text)
	}
	if e != platform.Filesystem && e != platform.Container {
		return set
	}
	first, count := e.Texts()
	for t := first; t < first+count; t++ {
		set |= platform.Texts(t)
	}
	return set
}
