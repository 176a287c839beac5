package table

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/snapshot"
)

// CPUs writes one line for every CPU: who used CPU time between the two looks, the
// busiest first, by the CPU that it was last seen on.
func CPUs(w io.Writer, at time.Time, s *snapshot.Snapshot) error {
	on := map[int][]*snapshot.Process{}
	most, _ := s.Value("system.cpu.logical.count")
	for _, p := range s.Processes() {
		cpu, known := p.Values["process.cpu.logical_number"]
		if !known || p.Rates["process.cpu.time"] <= 0 {
			continue
		}
		on[int(cpu)] = append(on[int(cpu)], p)
		most = max(most, cpu+1)
	}
	var out bytes.Buffer
	for cpu := range int(most) {
		slices.SortFunc(on[cpu], func(a, b *snapshot.Process) int {
			return cmp.Or(cmp.Compare(b.Rates["process.cpu.time"], a.Rates["process.cpu.time"]), cmp.Compare(a.PID, b.PID))
		})
		var busy []string
		for _, p := range on[cpu] {
			busy = append(busy, fmt.Sprintf("%s(%d) %s", Printable(p.Executable), p.PID, percent(p.Rates["process.cpu.time"])))
		}
		fmt.Fprintf(&out, "%s  cpu %-3d  %s\n", at.Format("15:04:05"), cpu, strings.Join(busy, "  "))
	}
	_, err := w.Write(TrimLines(out.Bytes()))
	return err
}
