package semconv_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/semconv"
)

var update = flag.Bool("update", false, "write docs/metrics.md instead of comparing it")

const docs = "../docs/metrics.md"

// TestDocs holds docs/metrics.md to the rows, or writes it.
func TestDocs(t *testing.T) {
	want := page()
	if *update {
		if err := os.WriteFile(docs, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("docs/metrics.md is out of date; write it with: go generate ./semconv")
	}
}

// systems are those that have a backend, and what they are called.
var systems = []struct{ goos, name string }{
	{"linux", "Linux"}, {"windows", "Windows"}, {"freebsd", "FreeBSD"}, {"openbsd", "OpenBSD"}, {"netbsd", "NetBSD"},
	{"dragonfly", "DragonFly"}, {"darwin", "macOS"}, {"solaris", "illumos and Solaris"},
}

// Every row is told in full by some system: a metric that none can show has no place
// here yet.
func TestSomeSystemTellsEverything(t *testing.T) {
	for _, m := range semconv.Metrics() {
		for _, f := range forms(&m) {
			told := false
			for _, system := range systems {
				_, missing := platform.Choose(native.Sources(system.goos), want(&m, f))
				told = told || missing.Fields.Empty() && missing.Texts == 0
			}
			if !told {
				t.Errorf("%s: no system gives all of it", m.Name)
			}
		}
	}
}

// counted are the fields that no source gives and a walk over all processes can.
var counted = platform.Fields(platform.HostProcessesRunning, platform.HostProcessesSleeping,
	platform.HostProcessesStopped, platform.HostProcessesDefunct)

// want is what must be read to show a metric.
func want(m *semconv.Metric, f form) (w platform.Want) {
	if f.ratio != 0 {
		w.Fields.Add(f.ratio)
	}
	for _, p := range f.points {
		if counted.Has(p.Field) {
			w.Fields.Add(platform.ProcessState)
		} else {
			w.Fields.Add(p.Field)
		}
	}
	w.Texts = m.Texts(f.entity)
	return w
}

const preface = `# Metrics

This page is written by ` + "`go generate ./semconv`" + ` from the rows of [semconv/metrics.go](../semconv/metrics.go). A test
compares the two. To add a metric, see [adding-a-metric.md](adding-a-metric.md).

Names, units, instruments and attributes are those of the OpenTelemetry semantic conventions %s
(<%s>). An [extension](#extensions) is ours: it follows the rules of the
conventions for names, and becomes theirs if they adopt it.

What is on by default changes with patterns, applied in turn:

| pattern | effect |
| --- | --- |
| ` + "`system.cpu.utilization`" + ` | adds the metric |
| ` + "`system.memory.*`" + ` | adds all that match, opt-in ones too |
| ` + "`*`" + ` | adds everything |
| ` + "`-system.network.*`" + ` | takes away all that match |
| ` + "`-*`" + ` | takes away everything, so that what follows is all |

Every point of a ` + "`process.*`" + ` metric carries ` + "`process.pid`" + `, ` + "`process.creation.time`" + ` and ` + "`process.executable.name`" + `,
but for two: points of a program that reports itself alone carry none of them, since the Resource is that program; and the
remainder, which stands for all processes without series of their own, carries ` + "`pidometer.process.group=other`" + ` instead.
What is not known is left out: a metric without a value has no point, and no zero.

`

// page writes the whole document: an index, a section for each metric, and what has none.
func page() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, preface, semconv.Version, semconv.SchemaURL)
	index(&b, false)
	b.WriteString(extensions)
	index(&b, true)
	for _, m := range semconv.Metrics() {
		section(&b, &m)
	}
	b.WriteString("\n## Left out\n\nMetrics of processes and hosts that the conventions have and no row shows:\n\n")
	for _, name := range slices.Sorted(maps.Keys(notOurs)) {
		fmt.Fprintf(&b, "- %s: %s\n", name, notOurs[name])
	}
	return b.Bytes()
}

const extensions = `
## Extensions

These are not in the conventions, and all of them are off by default. Their rows are in
[semconv/extensions.go](../semconv/extensions.go) and
[semconv/process_extensions.go](../semconv/process_extensions.go), but for those of containers and hardware.

`

// index writes the table of the metrics of the conventions, or of the others.
func index(b *bytes.Buffer, extensions bool) {
	b.WriteString("| metric | instrument | unit | status | default |\n| --- | --- | --- | --- | --- |\n")
	for _, m := range semconv.Metrics() {
		if m.Extension == extensions {
			fmt.Fprintf(b, "| [%s](#%s) | %s | `%s` | %s | %s |\n",
				m.Name, strings.ReplaceAll(m.Name, ".", ""), m.Kind, m.Unit, status(&m), byDefault(&m))
		}
	}
}

func section(b *bytes.Buffer, m *semconv.Metric) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", m.Name, m.Brief)
	number := map[bool]string{true: "floating point", false: "integer"}[m.Float()]
	fmt.Fprintf(b, "- %s, %s, in `%s`; %s; %s by default\n", m.Kind, number, m.Unit, status(m), byDefault(m))
	if list := attributeList(m); list != "" {
		fmt.Fprintf(b, "- attributes: %s\n", list)
	}
	if m.Split != nil {
		set := m.Attributes(subjects[m.SplitEntity], semconv.Point{})
		fmt.Fprintf(b, "- per %s where asked for: `%s` too\n", strings.ToUpper(m.SplitEntity.String()), set.ToSlice()[0].Key)
	}
	for _, system := range systems {
		if from := reads(m, native.Sources(system.goos)); from != "" {
			verb := "reads"
			if strings.Contains(system.name, " and ") {
				verb = "read"
			}
			fmt.Fprintf(b, "- %s %s %s\n", system.name, verb, from)
		}
	}
	if m.Note != "" {
		fmt.Fprintf(b, "\n%s\n", m.Note)
	}
}

// attributeList gives the attributes that tell points apart, with their values,
// and before them those that name the entity. A process's are told once, above.
func attributeList(m *semconv.Metric) string {
	var list []string
	if m.Entity != platform.Process {
		set := m.Attributes(subjects[m.Entity], semconv.Point{})
		for _, kv := range set.ToSlice() {
			list = append(list, fmt.Sprintf("`%s`", kv.Key))
		}
	}
	for _, k := range keys(m.Points) {
		list = append(list, fmt.Sprintf("`%s` (%s)", k, strings.Join(values(m.Points, k), ", ")))
	}
	return strings.Join(list, ", ")
}

// keys returns the attributes of points in the order of their first appearance.
func keys(points []semconv.Point) (keys []attribute.Key) {
	for _, p := range points {
		for _, kv := range p.Attrs {
			if !slices.Contains(keys, kv.Key) {
				keys = append(keys, kv.Key)
			}
		}
	}
	return keys
}

func values(points []semconv.Point, k attribute.Key) (values []string) {
	for _, p := range points {
		for _, kv := range p.Attrs {
			if v := kv.Value.AsString(); kv.Key == k && !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	return values
}

// reads names the sources that a pass takes for this metric alone, each with the
// privilege that it needs.
func reads(m *semconv.Metric, sources []platform.Source) string {
	var set platform.SourceSet
	for _, f := range forms(m) {
		// What the ratio needs alone tells nothing of this metric.
		if chosen, missing := platform.Choose(sources, want(m, f)); tells(f, missing) {
			set |= chosen
		}
	}
	var list []string
	for i := range set.All() {
		s := "`" + sources[i].Name + "`"
		if sources[i].Needs != "" {
			s += " (needs " + sources[i].Needs + ")"
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

// tells reports whether any point of a metric is left.
func tells(f form, missing platform.Want) bool {
	if f.ratio != 0 && missing.Fields.Has(f.ratio) {
		return false
	}
	for _, p := range f.points {
		if counted.Has(p.Field) && !missing.Fields.Has(platform.ProcessState) || !counted.Has(p.Field) && !missing.Fields.Has(p.Field) {
			return true
		}
	}
	return false
}

func status(m *semconv.Metric) string { return strings.ReplaceAll(m.Status(), "_", " ") }

func byDefault(m *semconv.Metric) string {
	return map[bool]string{true: "off", false: "on"}[m.OptIn]
}
