package snapshot

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/semconv"
)

// Process is what a snapshot knows of one process. A value that was not read is
// not in the map.
type Process struct {
	PID        int64 // 0 for the program itself and for the remainder
	Executable string
	Owner      string   // if it was asked for
	Arguments  []string // if they were asked for
	Other      bool
	Values     map[string]float64 // by metric, summed over modes and directions
	Rates      map[string]float64 // likewise, per second
}

// identity tells the processes of one snapshot apart.
type identity struct {
	pid     int64
	created string
	other   bool
}

// Processes returns every process that the snapshot tells of, in no order.
func (s *Snapshot) Processes() []*Process {
	rows := map[identity]*Process{}
	for metric, points := range s.now.points {
		if !strings.HasPrefix(metric, "process.") {
			continue
		}
		for _, p := range points {
			s.tell(rowOf(rows, p.Set), metric, p)
		}
	}
	all := make([]*Process, 0, len(rows))
	for _, p := range rows {
		all = append(all, p)
	}
	return all
}

func (s *Snapshot) tell(p *Process, metric string, point Point) {
	p.Values[metric] += point.Value
	if p.Other {
		return // the remainder of one pass and that of the next are not of the same processes
	}
	if rate, ok := s.Growth(metric, point); ok {
		p.Rates[metric] += rate
	}
}

func rowOf(rows map[identity]*Process, set attribute.Set) *Process {
	pid, _ := set.Value(semconv.ProcessPID)
	group := set.HasValue(semconv.ProcessGroup)
	id := identity{pid.AsInt64(), Text(set, semconv.ProcessCreation), group}
	if rows[id] == nil {
		arguments, _ := set.Value(semconv.ProcessCommandArgs)
		rows[id] = &Process{PID: id.pid, Executable: Text(set, semconv.ProcessExecutable), Other: group,
			Owner: Text(set, semconv.ProcessOwner), Arguments: arguments.AsStringSlice(),
			Values: map[string]float64{}, Rates: map[string]float64{}}
	}
	return rows[id]
}
