package semconv

import "strings"

// developing are the process metrics that the conventions do not yet call release
// candidates, as all other process metrics are.
var developing = map[string]bool{
	"process.disk.operations":    true,
	"process.memory.utilization": true,
	"process.signals_pending":    true,
}

// settled are the metrics of containers that the conventions call release candidates.
var settled = map[string]bool{
	"container.cpu.time":           true,
	"container.memory.available":   true,
	"container.memory.rss":         true,
	"container.memory.usage":       true,
	"container.memory.working_set": true,
	"container.uptime":             true,
}

// Status returns how settled the metric is in the semantic conventions:
// development, release_candidate, or extension where they lack it.
func (m *Metric) Status() string {
	switch {
	case m.Extension:
		return "extension"
	case strings.HasPrefix(m.Name, "process.") && !developing[m.Name], settled[m.Name]:
		return "release_candidate"
	}
	return "development"
}
