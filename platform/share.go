package platform

import "strings"

// MemoryShare returns what share of the machine's memory the field f of s is, from 0
// to 1: any of those that tell how much memory a process or container takes, such as
// [ProcessMemoryPSS]. total is [HostMemoryTotal]. Address space may be more than there
// is memory, and its share more than 1. It is not ok where f was not read, is no size
// of memory or a limit of one, or total is 0.
func MemoryShare(s *Sample, f Field, total uint64) (share float64, ok bool) {
	if !f.isMemory() || total == 0 || s.Entity != f.Info().Entity {
		return 0, false
	}
	v, ok := s.Get(f)
	return float64(v) / float64(total), ok
}

// isMemory reports whether f is how much memory somebody takes.
func (f Field) isMemory() bool {
	i := f.Info()
	entity, rest, _ := strings.Cut(i.Name, ".")
	return (entity == "process" || entity == "container") && strings.HasPrefix(rest, "memory.") &&
		i.Unit == "By" && !i.Cumulative && rest != "memory.limit" && rest != "memory.available"
}
