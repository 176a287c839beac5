// Package table draws a snapshot for people: the host in a few lines, then its
// processes.
package table

import (
	"bytes"
	"io"
	"strings"
	"text/tabwriter"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/snapshot"
)

// Write draws the snapshot. What is not known is a dash or not there at all.
func Write(w io.Writer, s *snapshot.Snapshot) error {
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, section := range []func(*snapshot.Snapshot) [][]string{
		host, cpu, memory, swap, disks, filesystems, networks, connections, batteries, temperatures, fans} {
		for _, cells := range section(s) {
			io.WriteString(t, strings.Join(cells, "\t")+"\n")
		}
	}
	t.Flush()
	processes(&out, s)
	_, err := w.Write(TrimLines(out.Bytes()))
	return err
}

// TrimLines takes off the spaces that columns leave at the ends of lines.
func TrimLines(b []byte) []byte {
	lines := bytes.Split(b, []byte("\n"))
	for i := range lines {
		lines[i] = bytes.TrimRight(lines[i], " ")
	}
	return bytes.Join(lines, []byte("\n"))
}

// about is the title and, behind it, what is known of the rest.
func about(title string, parts ...string) [][]string {
	known := parts[:0]
	for _, p := range parts {
		if p != "" {
			known = append(known, p)
		}
	}
	if len(known) == 0 {
		return nil
	}
	return [][]string{{title, strings.Join(known, "   ")}}
}

func host(s *snapshot.Snapshot) [][]string {
	up, ok := s.Value("system.uptime")
	return about("host", snapshot.Text(s.Host, "host.name"), snapshot.Text(s.Host, "os.description"),
		strings.TrimSpace(snapshot.Text(s.Host, "os.type")+" "+snapshot.Text(s.Host, "os.build_id")+" "+snapshot.Text(s.Host, "host.arch")),
		prefix("up ", duration(up), ok))
}

func cpu(s *snapshot.Snapshot) [][]string {
	var total float64
	rates := map[string]float64{}
	for _, p := range s.Points("system.cpu.time") {
		if rate, ok := s.Growth("system.cpu.time", p); ok {
			rates[snapshot.Text(p.Set, "cpu.mode")] += rate
			total += rate
		}
	}
	parts := []string{cores(s), frequency(s)}
	for _, mode := range []string{"user", "nice", "system", "interrupt", "iowait", "steal", "idle"} {
		if rate, ok := rates[mode]; ok && total > 0 {
			parts = append(parts, mode+" "+percent(rate/total))
		}
	}
	return about("cpu", append(parts, load(s))...)
}

func cores(s *snapshot.Snapshot) string {
	logical, ok := s.Value("system.cpu.logical.count")
	if !ok {
		return ""
	}
	text := count(logical) + " logical"
	if physical, ok := s.Value("system.cpu.physical.count"); ok {
		text += ", " + count(physical) + " physical"
	}
	return text
}

func load(s *snapshot.Snapshot) string {
	text := ""
	for _, over := range []string{"1m", "5m", "15m"} {
		v, ok := s.Value("system.cpu.linux.load_" + over)
		if !ok {
			return ""
		}
		text += " " + decimal(v, 2)
	}
	return "load" + text
}

func memory(s *snapshot.Snapshot) [][]string {
	total, ok := s.Value("system.memory.limit")
	parts := []string{prefix("", Bytes(total), ok)}
	for _, state := range []string{"used", "free", "buffers", "cached"} {
		if v, ok := s.Value("system.memory.usage", attribute.String("system.memory.state", state)); ok {
			parts = append(parts, state+" "+Bytes(v))
		}
	}
	available, ok := s.Value("system.memory.linux.available")
	return about("memory", append(parts, prefix("available ", Bytes(available), ok))...)
}

func swap(s *snapshot.Snapshot) (lines [][]string) {
	for _, p := range s.Points("system.paging.usage") {
		if snapshot.Text(p.Set, "system.paging.state") != "used" {
			continue
		}
		device := attribute.String("system.device", snapshot.Text(p.Set, "system.device"))
		free, _ := s.Value("system.paging.usage", device, attribute.String("system.paging.state", "free"))
		lines = append(lines, about("swap", device.Value.AsString(), Bytes(p.Value)+" used of "+Bytes(p.Value+free))...)
	}
	return lines
}

// device is one line for every device of a metric: the rates per second of its
// points, each behind a word.
func device(s *snapshot.Snapshot, title string, key attribute.Key, metric, direction attribute.Key, words [2][2]string, more func(attribute.KeyValue) string) (lines [][]string) {
	seen := map[string]bool{}
	for _, p := range s.Points(string(metric)) {
		name := snapshot.Text(p.Set, key)
		if seen[name] {
			continue
		}
		seen[name] = true
		parts := []string{name}
		for _, w := range words {
			if rate, ok := s.Rate(string(metric), key.String(name), direction.String(w[0])); ok {
				parts = append(parts, w[1]+" "+Bytes(rate)+"/s")
			}
		}
		lines = append(lines, about(title, append(parts, more(key.String(name)))...)...)
	}
	return lines
}

func disks(s *snapshot.Snapshot) [][]string {
	return device(s, "disk", "system.device", "system.disk.io", "disk.io.direction",
		[2][2]string{{"read", "read"}, {"write", "write"}}, func(disk attribute.KeyValue) string {
			busy, ok := s.Rate("system.disk.io_time", disk)
			return prefix("busy ", percent(min(busy, 1)), ok)
		})
}

func networks(s *snapshot.Snapshot) [][]string {
	return device(s, "network", "network.interface.name", "system.network.io", "network.io.direction",
		[2][2]string{{"receive", "in"}, {"transmit", "out"}}, func(attribute.KeyValue) string { return "" })
}

func filesystems(s *snapshot.Snapshot) (lines [][]string) {
	for _, p := range s.Points("system.filesystem.limit") {
		used, ok := s.Value("system.filesystem.usage", append(p.Set.ToSlice(), attribute.String("system.filesystem.state", "used"))...)
		if !ok {
			continue
		}
		lines = append(lines, about("filesystem", snapshot.Text(p.Set, "system.filesystem.mountpoint"),
			Bytes(used)+" used of "+Bytes(p.Value)+" ("+percent(used/p.Value)+")",
			snapshot.Text(p.Set, "system.filesystem.type"), snapshot.Text(p.Set, "system.filesystem.mode"),
			snapshot.Text(p.Set, "system.device"))...)
	}
	return lines
}

func connections(s *snapshot.Snapshot) [][]string {
	var parts []string
	for _, p := range s.Points("system.network.connection.count") {
		if p.Value > 0 {
			parts = append(parts, strings.TrimSpace(count(p.Value)+" "+snapshot.Text(p.Set, "network.transport")+" "+snapshot.Text(p.Set, "network.connection.state")))
		}
	}
	return about("sockets", parts...)
}
