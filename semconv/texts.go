package semconv

import "github.com/pidometer/pidometer/platform"

// Texts returns the texts of an entity that the attributes of m are made of.
func (m *Metric) Texts(e platform.Entity) (set platform.TextSet) {
	if e != platform.Filesystem && e != platform.Container {
		return 0
	}
	first, count := e.Texts()
	for t := first; t < first+count; t++ {
		set |= platform.Texts(t)
	}
	return set
}
