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

// Sizes are the sizes of memory that [Memory] can sort by.
var Sizes = []string{"uss", "pss", "swap", "rss"}

// sizeMetrics are their metrics.
var sizeMetrics = map[string]string{
	"uss": "process.memory.uss", "pss": "process.memory.linux.pss",
	"swap": "process.memory.linux.swap", "rss": "process.memory.usage"}

// Memory lists the processes by one size of their memory, the largest first, with
// their users and command lines. Those whose size can't be read are left out, and
// counted.
func Memory(w io.Writer, s *snapshot.Snapshot, by string) error {
	rows, all := s.Processes(), 0
	rows = slices.DeleteFunc(rows, func(p *snapshot.Process) bool {
		if p.PID != 0 {
			all++
		}
		_, known := p.Values[sizeMetrics[by]]
		return !known
	})
	slices.SortFunc(rows, func(a, b *snapshot.Process) int {
		return cmp.Or(cmp.Compare(b.Values[sizeMetrics[by]], a.Values[sizeMetrics[by]]), cmp.Compare(a.PID, b.PID))
	})
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	io.WriteString(t, "PID\tUSER\tUSS\tPSS\tSWAP\tRSS\tCOMMAND\n")
	for _, p := range rows {
		cells := []string{count(float64(p.PID)), cmp.Or(Printable(p.Owner), "-")}
		for _, size := range Sizes {
			cells = append(cells, cmp.Or(value(sizeMetrics[size], Bytes)(p), "-"))
		}
		io.WriteString(t, strings.Join(append(cells, commandLine(p)), "\t")+"\n")
	}
	t.Flush()
	if hidden := all - len(rows); hidden > 0 {
		io.WriteString(&out, "not shown, since it can not be read: "+count(float64(hidden))+"\n")
	}
	_, err := w.Write(TrimLines(out.Bytes()))
	return err
}

// widest is how much of a command line fits.
const widest = 60

func commandLine(p *snapshot.Process) string {
	line := Printable(cmp.Or(strings.Join(p.Arguments, " "), p.Executable))
	if cut := []rune(line); len(cut) > widest {
		line = string(cut[:widest-3]) + "..."
	}
	return line
}
