package table

import (
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/snapshot"
)

// frequency is that of the CPUs, the lowest and the highest if they differ, and
// whether it is nominal: a live one has points of hw.cpu.speed.
func frequency(s *snapshot.Snapshot) string {
	text := " nominal"
	points := s.Points("hw.cpu.speed")
	if len(points) > 0 {
		text = ""
	} else if points = s.Points("system.cpu.frequency"); len(points) == 0 {
		return ""
	}
	least, most := points[0].Value, points[0].Value
	for _, p := range points {
		least, most = min(least, p.Value), max(most, p.Value)
	}
	if gigahertz(least) != gigahertz(most) {
		return gigahertz(least) + " to " + gigahertz(most) + " GHz" + text
	}
	return gigahertz(most) + " GHz" + text
}

func gigahertz(v float64) string { return decimal(v/1e9, 2) }

// batteries is one line for each: how full it is and how long it lasts, if that is
// known and not for ever.
func batteries(s *snapshot.Snapshot) (lines [][]string) {
	for _, p := range s.Points("hw.battery.charge") {
		id := attribute.String("hw.id", snapshot.Text(p.Set, "hw.id"))
		text := decimal(p.Value*100, 0) + " %"
		left, ok := s.Value("hw.battery.time_left", id)
		lines = append(lines, about("battery", Printable(id.Value.AsString()), text+prefix(", ", clockTime(left), ok), batteryState(s, id))...)
	}
	return lines
}

// batteryState is what a battery does, in words.
func batteryState(s *snapshot.Snapshot, id attribute.KeyValue) string {
	for _, p := range s.Points("hw.battery.status") {
		if p.Value == 1 && snapshot.Carries(p.Set, []attribute.KeyValue{id}) {
			return strings.ReplaceAll(snapshot.Text(p.Set, "hw.battery.state"), "_", " ")
		}
	}
	return ""
}

// temperatures is one line for each chip. What is above a limit says so.
func temperatures(s *snapshot.Snapshot) [][]string {
	return sensors(s, "temperature", "hw.temperature", func(p snapshot.Point) string {
		text := decimal(p.Value, 1) + " °C"
		for _, limit := range [...]struct{ kind, word string }{{"high.critical", "critical"}, {"high.degraded", "high"}} {
			v, ok := s.Value("hw.temperature.limit", attribute.String("hw.id", snapshot.Text(p.Set, "hw.id")), attribute.String("hw.limit_type", limit.kind))
			if ok && p.Value >= v {
				return text + " (" + limit.word + " is " + decimal(v, 1) + ")"
			}
		}
		return text
	})
}

func fans(s *snapshot.Snapshot) [][]string {
	return sensors(s, "fan", "hw.fan.speed", func(p snapshot.Point) string { return count(p.Value) + " rpm" })
}

// sensors is one line for each chip of a metric: what each of its sensors is called
// and says.
func sensors(s *snapshot.Snapshot, title, metric string, says func(snapshot.Point) string) (lines [][]string) {
	var chips []string
	parts := map[string][]string{}
	for _, p := range s.Points(metric) {
		chip := snapshot.Text(p.Set, "hw.parent")
		if chip == "" { // it stands for itself
			chip = snapshot.Text(p.Set, "hw.id")
		}
		if !slices.Contains(chips, chip) {
			chips = append(chips, chip)
		}
		parts[chip] = append(parts[chip], Printable(strings.TrimSpace(sensorName(p, chip)+" "+says(p))))
	}
	for _, chip := range chips {
		lines = append(lines, about(title, append([]string{Printable(chip)}, parts[chip]...)...)...)
	}
	return lines
}

// sensorName is what tells a sensor from the others of its chip.
func sensorName(p snapshot.Point, chip string) string {
	if label := snapshot.Text(p.Set, "hw.sensor_location"); label != "" {
		return label
	}
	if channel, ok := strings.CutPrefix(snapshot.Text(p.Set, "hw.id"), chip+"/"); ok {
		return channel
	}
	return snapshot.Text(p.Set, "hw.name")
}
