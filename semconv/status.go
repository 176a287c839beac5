package semconv

import "strings"

// developing are the process metrics that the conventions do not yet call release
// candidates, as all other process metrics are.
var developing = map[string]bool{
	"process.disk.operations":    true,
	"process.memory.utilization": true,
	"process.signals_pending":    true,
}

// Status returns how settled the metric is in the semantic conventions:
// development, release_candidate, or extension where they lack it.
func (m *Metric) Status() string {
	switch {
	case m.Extension:
		return "extension"
	case strings.HasPrefix(m.Name, "process.") && !developing[m.Name]:
		return "release_candidate"
	}
	return "development"
}
