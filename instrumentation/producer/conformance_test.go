package producer_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
	"github.com/pidometer/pidometer/semconv"
)

// registry is the machine-readable form of the semantic conventions.
type registry struct {
	SchemaURL string `json:"schema_url"`
	Metrics   map[string]struct {
		Unit       string
		ValueType  string `json:"value_type"`
		Attributes []attributeRow
		OTLP       struct {
			Kind      string
			Monotonic bool
		}
	}
}

type attributeRow struct {
	Ref, Requirement, Type string
	Members                []string
}

// openEnums are those whose members the registry gives as examples.
var openEnums = []string{"system.filesystem.type"}

func loadRegistry(t *testing.T) (r registry) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "semconv", "testdata", "semconv.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// open opens a producer over the real kernel; a system without a backend has
// nothing to test here.
func open(t *testing.T, options ...instrumentation.Option) *producer.Producer {
	t.Helper()
	p, err := producer.New(options...)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func produce(t *testing.T, p *producer.Producer) metricdata.ScopeMetrics {
	t.Helper()
	scopes, err := p.Produce(context.Background())
	if err != nil || len(scopes) != 1 {
		t.Fatalf("%d scopes, error %v", len(scopes), err)
	}
	return scopes[0]
}

// point is what all data points have in common.
type point struct {
	set         attribute.Set
	start, time time.Time
	value       float64
	double      bool
}

func points(data metricdata.Aggregation) (kind string, monotonic bool, all []point) {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return "sum", d.IsMonotonic, collect(d.DataPoints, false)
	case metricdata.Sum[float64]:
		return "sum", d.IsMonotonic, collect(d.DataPoints, true)
	case metricdata.Gauge[int64]:
		return "gauge", false, collect(d.DataPoints, false)
	case metricdata.Gauge[float64]:
		return "gauge", false, collect(d.DataPoints, true)
	}
	return "", false, nil
}

func collect[N int64 | float64](data []metricdata.DataPoint[N], double bool) (all []point) {
	for _, p := range data {
		all = append(all, point{p.Attributes, p.StartTime, p.Time, float64(p.Value), double})
	}
	return all
}

// Everything that this machine shows conforms to the registry: name, unit, kind,
// number type, attributes with their enums, schema URL; nothing is told twice.
func TestLiveOutputConforms(t *testing.T) {
	r := loadRegistry(t)
	for _, processes := range []instrumentation.Processes{instrumentation.Top, instrumentation.All, instrumentation.Self} {
		p := open(t, instrumentation.WithProcesses(processes), instrumentation.WithMetrics("*"))
		produce(t, p)
		time.Sleep(1100 * time.Millisecond) // the least age of a rate's base is one second
		scope := produce(t, p)
		if scope.Scope.SchemaURL != r.SchemaURL || scope.Scope.Name == "" || scope.Scope.Version == "" {
			t.Errorf("scope %+v, want schema %s", scope.Scope, r.SchemaURL)
		}
		for _, m := range scope.Metrics {
			conforms(t, r, m)
		}
		if len(scope.Metrics) < 25 {
			t.Errorf("only %d metrics", len(scope.Metrics))
		}
	}
}

func conforms(t *testing.T, r registry, m metricdata.Metrics) {
	t.Helper()
	want, ok := r.Metrics[m.Name]
	kind, monotonic, all := points(m.Data)
	seen := map[attribute.Distinct]bool{}
	for _, p := range all {
		if seen[p.set.Equivalent()] {
			t.Errorf("%s: two points with %v", m.Name, p.set.Encoded(attribute.DefaultEncoder()))
		}
		seen[p.set.Equivalent()] = true
		if m.Unit == "1" && p.double && (p.value < 0 || p.value > 1) { // an integer is a number or a truth
			t.Errorf("%s: share %v", m.Name, p.value)
		}
		if monotonic && (p.value < 0 || p.start.IsZero() || p.start.After(p.time)) {
			t.Errorf("%s: %v from %v at %v", m.Name, p.value, p.start, p.time)
		}
	}
	if !ok {
		if !extension(m.Name) {
			t.Errorf("%s is neither in the registry nor an extension", m.Name)
		}
		return
	}
	if m.Unit != want.Unit || kind != want.OTLP.Kind || monotonic != want.OTLP.Monotonic {
		t.Errorf("%s: unit %q, %s, monotonic %v; want %q, %s, %v", m.Name, m.Unit, kind, monotonic, want.Unit, want.OTLP.Kind, want.OTLP.Monotonic)
	}
	for _, p := range all {
		if p.double != (want.ValueType == "double") {
			t.Errorf("%s: double is %v, want %s", m.Name, p.double, want.ValueType)
		}
		for _, a := range want.Attributes {
			v, has := p.set.Value(attribute.Key(a.Ref))
			switch {
			case !has && a.Requirement == "required" && !p.set.HasValue(semconv.ProcessGroup):
				t.Errorf("%s: a point without %s", m.Name, a.Ref)
			case has && len(a.Members) > 0 && !slices.Contains(openEnums, a.Ref) && !slices.Contains(a.Members, v.AsString()):
				t.Errorf("%s: %s is %q, not one of %v", m.Name, a.Ref, v.AsString(), a.Members)
			case has && (a.Type == "int") != (v.Type() == attribute.INT64):
				t.Errorf("%s: %s is %v, want %s", m.Name, a.Ref, v.Type(), a.Type)
			}
		}
		known(t, m.Name, want.Attributes, p.set)
	}
}

// known fails for an attribute that the registry does not list, identity apart.
func known(t *testing.T, metric string, attributes []attributeRow, set attribute.Set) {
	t.Helper()
	for _, kv := range set.ToSlice() {
		if kv.Value.Type() == attribute.STRING && !utf8.ValidString(kv.Value.AsString()) {
			t.Errorf("%s: %s is no valid UTF-8", metric, kv.Key)
		}
		switch kv.Key {
		case semconv.ProcessPID, semconv.ProcessCreation, semconv.ProcessExecutable, semconv.ProcessGroup,
			semconv.ContainerID, semconv.ContainerRuntime, semconv.PodUID:
			continue
		}
		if !slices.ContainsFunc(attributes, func(a attributeRow) bool { return a.Ref == string(kv.Key) }) {
			t.Errorf("%s: attribute %s is not in the registry", metric, kv.Key)
		}
	}
}

func extension(name string) bool {
	return slices.ContainsFunc(semconv.Metrics(), func(m semconv.Metric) bool { return m.Name == name && m.Extension })
}

// Counters of the host begin with the boot, those of a process with its creation,
// each within a second; two observers agree on the creation to the digit.
func TestLiveStartTimes(t *testing.T) {
	p := open(t, instrumentation.WithProcesses(instrumentation.All))
	scope := produce(t, p)
	boot := bootTime(t)
	checked := 0
	for _, m := range scope.Metrics {
		_, monotonic, all := points(m.Data)
		if !monotonic {
			continue
		}
		for _, point := range all {
			created, isProcess := point.set.Value(semconv.ProcessCreation)
			want := boot
			if _, dead := point.set.Value(semconv.ProcessGroup); dead {
				want = point.time // what ended processes use counts from the first pass
			}
			if isProcess {
				var err error
				if want, err = time.Parse(time.RFC3339, created.AsString()); err != nil {
					t.Fatal(err)
				}
			}
			if d := point.start.Sub(want).Abs(); d > time.Second {
				t.Errorf("%s starts %v from %v", m.Name, d, want)
			}
			checked++
		}
	}
	if checked == 0 {
		t.Error("no counters")
	}
	again := produce(t, open(t, instrumentation.WithProcesses(instrumentation.All)))
	if a, b := own(t, scope), own(t, again); a != b {
		t.Errorf("two observers tell of creation %s and %s", a, b)
	}
}

// own returns the creation time that the output tells of the test itself.
func own(t *testing.T, scope metricdata.ScopeMetrics) string {
	t.Helper()
	for _, m := range scope.Metrics {
		if m.Name != "process.cpu.time" {
			continue
		}
		_, _, all := points(m.Data)
		for _, p := range all {
			if pid, _ := p.set.Value(semconv.ProcessPID); pid.AsInt64() == int64(os.Getpid()) {
				created, _ := p.set.Value(semconv.ProcessCreation)
				return created.AsString()
			}
		}
	}
	t.Error("the test itself is not in the output")
	return ""
}

func bootTime(t *testing.T) time.Time {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a test of Linux, whose files Wine shows too")
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Skip("no /proc/stat to compare with: ", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return time.Unix(seconds, 0)
		}
	}
	t.Fatal("no btime")
	return time.Time{}
}
