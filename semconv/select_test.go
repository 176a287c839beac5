package semconv_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/semconv"
)

func names(metrics []semconv.Metric) (names []string) {
	for _, m := range metrics {
		names = append(names, m.Name)
	}
	return names
}

// filter is the slow twin of one pattern: the names for which keep says so.
func filter(keep func(m *semconv.Metric) bool) (kept []string) {
	for _, m := range semconv.Metrics() {
		if keep(&m) {
			kept = append(kept, m.Name)
		}
	}
	return kept
}

func TestSelect(t *testing.T) {
	byDefault := func(m *semconv.Metric) bool { return !m.OptIn }
	under := func(m *semconv.Metric, prefix string) bool { return strings.HasPrefix(m.Name, prefix) }
	for _, x := range []struct {
		why      string
		patterns []string
		want     []string
	}{
		{"no patterns, the default", nil, filter(byDefault)},
		{"a name adds", []string{"system.cpu.utilization"},
			filter(func(m *semconv.Metric) bool { return byDefault(m) || m.Name == "system.cpu.utilization" })},
		{"what is on stays on", []string{"system.uptime"}, filter(byDefault)},
		{"a glob adds what is opt-in too", []string{"system.memory.*"},
			filter(func(m *semconv.Metric) bool { return byDefault(m) || under(m, "system.memory.") })},
		{"a star crosses dots", []string{"*.utilization"},
			filter(func(m *semconv.Metric) bool { return byDefault(m) || strings.HasSuffix(m.Name, ".utilization") })},
		{"everything", []string{"*"}, filter(func(*semconv.Metric) bool { return true })},
		{"a minus takes away", []string{"-system.*"},
			filter(func(m *semconv.Metric) bool { return byDefault(m) && !under(m, "system.") })},
		{"what is off may be taken away", []string{"-system.cpu.utilization"}, filter(byDefault)},
		{"nothing", []string{"-*"}, nil},
		{"the last word holds", []string{"-*", "system.cpu.utilization", "system.cpu.time", "-*.utilization"}, []string{"system.cpu.time"}},
		{"the order is the table's", []string{"-*", "system.uptime", "process.cpu.time"}, []string{"process.cpu.time", "system.uptime"}},
		{"twice is once", []string{"-*", "system.uptime", "system.uptime"}, []string{"system.uptime"}},
		{"stars may stand anywhere", []string{"-*", "sys*cpu*time"}, []string{"system.cpu.time"}},
		{"a star may stand for nothing", []string{"-*", "system.*uptime*"}, []string{"system.uptime"}},
	} {
		got, err := semconv.Select(x.patterns)
		if err != nil || !slices.Equal(names(got), x.want) {
			t.Errorf("%s: %q selects\n\t%v, %v, want\n\t%v", x.why, x.patterns, names(got), err, x.want)
		}
	}
}

func TestSelectErrors(t *testing.T) {
	for _, x := range []struct{ why, pattern, want string }{
		{"one letter off", "system.cpu.tims", `no metric matches "system.cpu.tims": did you mean "system.cpu.time"?`},
		{"one letter missing", "process.thread.cont", `no metric matches "process.thread.cont": did you mean "process.thread.count"?`},
		{"too far to guess", "system.network.packets", `no metric matches "system.network.packets"`},
		{"three letters off", "system.cpu.utilisatoin", `no metric matches "system.cpu.utilisatoin": did you mean "system.cpu.utilization"?`},
		{"to be taken away", "-system.uptim", `no metric matches "-system.uptim": did you mean "system.uptime"?`},
		{"nothing like it", "temperature", `no metric matches "temperature"`},
		{"a glob", "gpu.*", `no metric matches "gpu.*"`},
		{"only a star is special", "system.cpu.tim[e]", `no metric matches "system.cpu.tim[e]": did you mean "system.cpu.time"?`},
		{"a head and a tail may not share letters", "system.uptime*uptime", `no metric matches "system.uptime*uptime"`},
		{"empty", "", `no metric matches ""`},
		{"a minus alone", "-", `no metric matches "-"`},
	} {
		got, err := semconv.Select([]string{x.pattern})
		if err == nil || got != nil || err.Error() != x.want {
			t.Errorf("%s: error %v, want %s", x.why, err, x.want)
		}
	}
}

func TestSelectNamesEveryError(t *testing.T) {
	_, err := semconv.Select([]string{"one", "system.uptime", "two"})
	if err == nil || err.Error() != "no metric matches \"one\"\nno metric matches \"two\"" {
		t.Errorf("error %v", err)
	}
}

// FuzzSelect holds Select against a slow twin, which reads a glob as a regular
// expression.
func FuzzSelect(f *testing.F) {
	for _, seed := range []string{"", "*", "-*", "system.*", "-*\n*.utilization", "*a*a*", "**", "-", "system.cpu.tims",
		"system.disk.i*o\n-system.disk.io", "*.io_time*", "\xff*", "-*\n*m*e*m*"} {
		f.Add(seed)
	}
	all := semconv.Metrics()
	f.Fuzz(func(t *testing.T, lines string) {
		patterns := strings.Split(lines, "\n")
		if len(patterns) > 8 || len(lines) > 200 {
			t.Skip("the twin is slow")
		}
		got, err := semconv.Select(patterns)
		want, ok := slowSelect(all, patterns)
		if ok != (err == nil) || !slices.Equal(names(got), want) {
			t.Errorf("%q selects %v, %v; want %v, %v", patterns, names(got), err, want, ok)
		}
	})
}

func slowSelect(all []semconv.Metric, patterns []string) (selected []string, ok bool) {
	on := map[string]bool{}
	for _, m := range all {
		on[m.Name] = !m.OptIn
	}
	for _, p := range patterns {
		glob, minus := strings.CutPrefix(p, "-")
		var parts []string
		for _, part := range strings.Split(glob, "*") {
			parts = append(parts, regexp.QuoteMeta(part))
		}
		expr, err := regexp.Compile(`\A` + strings.Join(parts, `.*`) + `\z`)
		found := false
		for _, m := range all {
			// A name is ASCII: no glob with a byte that is not UTF-8 covers it.
			if err == nil && expr.MatchString(m.Name) {
				on[m.Name], found = !minus, true
			}
		}
		if !found {
			return nil, false
		}
	}
	for _, m := range all {
		if on[m.Name] {
			selected = append(selected, m.Name)
		}
	}
	return selected, true
}
