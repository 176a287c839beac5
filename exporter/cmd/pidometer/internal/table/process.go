package table

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/snapshot"
)

// column is one column of the table of processes.
type column struct {
	title string
	cell  func(*snapshot.Process) string
}

var columns = []column{
	{"PID", pid},
	{"CPU", func(p *snapshot.Process) string { return share(p.Rates, "process.cpu.time") }},
	{"CPU TIME", func(p *snapshot.Process) string { return clock(p.Values, "process.cpu.time") }},
	{"RSS", value("process.memory.usage", Bytes)},
	{"VIRTUAL", value("process.memory.virtual", Bytes)},
	{"THREADS", value("process.thread.count", count)},
	{"FILES", value("process.unix.file_descriptor.count", count)},
	{"DISK/s", func(p *snapshot.Process) string { return rate(p.Rates, "process.disk.io") }},
	{"UP", value("process.uptime", duration)},
}

// processes draws the table, the busiest first, the remainder last. Columns of
// which nothing is known are left out.
func processes(out *bytes.Buffer, s *snapshot.Snapshot) {
	rows := s.Processes()
	if len(rows) == 0 {
		return
	}
	slices.SortFunc(rows, busiest)
	out.WriteString("\n" + states(s))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	shown := slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return empty(c, rows) })
	for _, c := range shown {
		io.WriteString(t, c.title+"\t")
	}
	io.WriteString(t, "  EXECUTABLE\n")
	for _, p := range rows {
		for _, c := range shown {
			io.WriteString(t, cmp.Or(c.cell(p), "-")+"\t")
		}
		io.WriteString(t, "  "+name(p)+"\n")
	}
	t.Flush()
}

func empty(c column, rows []*snapshot.Process) bool {
	return !slices.ContainsFunc(rows, func(p *snapshot.Process) bool { return c.cell(p) != "" })
}

// busiest orders by what was used lately, then in all, then by size.
func busiest(a, b *snapshot.Process) int {
	if a.Other != b.Other {
		if a.Other {
			return 1
		}
		return -1
	}
	return cmp.Or(
		cmp.Compare(b.Rates["process.cpu.time"], a.Rates["process.cpu.time"]),
		cmp.Compare(b.Values["process.cpu.time"], a.Values["process.cpu.time"]),
		cmp.Compare(b.Values["process.memory.usage"], a.Values["process.memory.usage"]),
		cmp.Compare(a.PID, b.PID))
}

func states(s *snapshot.Snapshot) string {
	var parts []string
	total := 0.0
	for _, p := range s.Points("system.process.count") {
		total += p.Value
		if p.Value > 0 {
			parts = append(parts, count(p.Value)+" "+snapshot.Text(p.Set, "process.state"))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return count(total) + " processes: " + strings.Join(parts, ", ") + "\n"
}

func pid(p *snapshot.Process) string {
	if p.PID == 0 {
		return ""
	}
	return count(float64(p.PID))
}

func name(p *snapshot.Process) string {
	switch {
	case p.Other:
		return "(all others)"
	case p.PID == 0:
		return "(pidometer itself)"
	}
	return Printable(p.Executable)
}

func value(metric string, format func(float64) string) func(*snapshot.Process) string {
	return func(p *snapshot.Process) string {
		v, ok := p.Values[metric]
		return prefix("", format(v), ok)
	}
}

func share(rates map[string]float64, metric string) string {
	v, ok := rates[metric]
	return prefix("", percent(v), ok)
}

func rate(rates map[string]float64, metric string) string {
	v, ok := rates[metric]
	return prefix("", Bytes(v), ok)
}

func clock(values map[string]float64, metric string) string {
	v, ok := values[metric]
	return prefix("", Hours(v), ok)
}
