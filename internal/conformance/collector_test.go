package conformance_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	collected "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// request is what the Collector got, or made, at once.
type request = collected.ExportMetricsServiceRequest

// walk shows every metric of requests.
func walk(requests []*request, f func(*metrics.Metric)) {
	for _, r := range requests {
		for _, rm := range r.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					f(m)
				}
			}
		}
	}
}

// points returns those of a metric, which is a gauge or a sum.
func points(m *metrics.Metric) []*metrics.NumberDataPoint {
	return append(m.GetGauge().GetDataPoints(), m.GetSum().GetDataPoints()...)
}

// hub is a running Collector.
type hub struct{ sums, deltas, out string }

func startCollector(t *testing.T, prometheus string) hub {
	t.Helper()
	h := hub{address(t), address(t), t.TempDir()}
	program(t, []string{"SUMS=" + h.sums, "DELTAS=" + h.deltas, "OUT=" + h.out, "PROMETHEUS=" + prometheus},
		collector(t), "--config", "testdata/collector.yaml")
	wait(t, "Collector", func() bool { return listens(h.sums)() && listens(h.deltas)() })
	return h
}

// wrote returns what the Collector has written to one of its files.
func (h hub) wrote(t *testing.T, name string) (requests []*request) {
	t.Helper()
	f, err := os.Open(filepath.Join(h.out, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		r := &request{}
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(lines.Bytes(), r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		requests = append(requests, r)
	}
	if err := lines.Err(); err != nil || len(requests) == 0 {
		t.Fatalf("%s: %d requests, %v", name, len(requests), err)
	}
	return requests
}

// of returns the points of a counter, in the order in which they came.
func (c counter) of(requests []*request, pid int) (found []*metrics.NumberDataPoint) {
	attrs := c.attrs
	if c.name == "process.cpu.time" {
		attrs += fmt.Sprint(",process.pid=", pid)
	}
	want := strings.Split(attrs, ",")
	walk(requests, func(m *metrics.Metric) {
		for _, p := range points(m) {
			have := spelt(p.Attributes)
			if m.Name == c.name && (attrs == "" || !slices.ContainsFunc(want, func(a string) bool { return !slices.Contains(have, a) })) {
				found = append(found, p)
			}
		}
	})
	return found
}

func spelt(attrs []*common.KeyValue) (all []string) {
	for _, kv := range attrs {
		v := kv.GetValue().GetStringValue()
		if _, ok := kv.GetValue().GetValue().(*common.AnyValue_IntValue); ok {
			v = fmt.Sprint(kv.GetValue().GetIntValue())
		}
		all = append(all, kv.GetKey()+"="+v)
	}
	return all
}

func value(p *metrics.NumberDataPoint) float64 { return p.GetAsDouble() + float64(p.GetAsInt()) }

func when(p *metrics.NumberDataPoint) time.Time { return time.Unix(0, int64(p.GetTimeUnixNano())) }

// checkSums holds cumulative points against the kernel.
func checkSums(t *testing.T, w *witness, who string, requests []*request, pid int) {
	t.Helper()
	for i, c := range counters {
		points := c.of(requests, pid)
		if len(points) < 2 {
			t.Errorf("%s: %d points of %s", who, len(points), c.name)
			continue
		}
		first, last := points[0], points[len(points)-1]
		w.check(t, who, i, when(first), when(last), value(last)-value(first), 0)
	}
}

// temporalities returns how many points of monotonic sums have which temporality, and
// fails if any is negative.
func temporalities(t *testing.T, who string, requests []*request) map[metrics.AggregationTemporality]int {
	t.Helper()
	n := map[metrics.AggregationTemporality]int{}
	walk(requests, func(m *metrics.Metric) {
		if !m.GetSum().GetIsMonotonic() {
			return
		}
		n[m.GetSum().GetAggregationTemporality()] += len(m.GetSum().GetDataPoints())
		for _, p := range m.GetSum().GetDataPoints() {
			if value(p) < 0 {
				t.Errorf("%s: %s %v is %v", who, m.GetName(), spelt(p.Attributes), value(p))
			}
		}
	})
	return n
}

const (
	cumulative = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	delta      = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
)

// Every metric is there, and counters grow as the kernel's do: as they are sent, as
// deltas, as sums that the Collector made of these, and in the server behind it.
func TestCollector(t *testing.T) {
	asked(t)
	server := startPrometheus(t)
	h := startCollector(t, server)
	pid := work(t)
	w := watch(t, pid)
	time.Sleep(2 * slack)
	sums := sender(t, "http://"+h.sums, nil)
	deltas := sender(t, "http://"+h.deltas, []string{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta"})
	time.Sleep(*span)
	stop(t, sums)
	stop(t, deltas)
	time.Sleep(4 * slack)

	all := shown(t)
	for _, name := range []string{"sums", "deltas", "summed"} {
		requests := h.wrote(t, name)
		have := map[string]bool{}
		n := 0
		walk(requests, func(m *metrics.Metric) { have[m.GetName()] = true; n += len(points(m)) })
		for _, m := range all {
			if !have[m.Name] {
				t.Errorf("%s: no %s", name, m.Name)
			}
		}
		kinds := temporalities(t, name, requests)
		t.Logf("%s: %d metrics, %d requests, %d points, of counters %v", name, len(have), len(requests), n, kinds)
		if one := map[bool]metrics.AggregationTemporality{true: delta, false: cumulative}[name == "deltas"]; len(kinds) != 1 || kinds[one] == 0 {
			t.Errorf("%s: %v", name, kinds)
		}
	}
	checkSums(t, w, "sums", h.wrote(t, "sums"), pid)
	checkSums(t, w, "sums of deltas", h.wrote(t, "summed"), pid)
	checkDeltas(t, w, h.wrote(t, "deltas"), pid)
	checkIncrease(t, w, "remote write", server, pid, "")
}

// checkDeltas holds the total of deltas against the kernel; each begins where the one
// before ended.
func checkDeltas(t *testing.T, w *witness, requests []*request, pid int) {
	t.Helper()
	for i, c := range counters {
		points := c.of(requests, pid)
		if len(points) < 2 {
			t.Errorf("deltas: %d points of %s", len(points), c.name)
			continue
		}
		total := 0.0
		for n, p := range points {
			total += value(p)
			if n > 0 && p.GetStartTimeUnixNano() != points[n-1].GetTimeUnixNano() {
				t.Errorf("deltas: %s has a gap from %v to %v", c.name, when(points[n-1]), time.Unix(0, int64(p.GetStartTimeUnixNano())))
			}
		}
		w.check(t, "deltas", i, time.Unix(0, int64(points[0].GetStartTimeUnixNano())), when(points[len(points)-1]), total, 1e-9)
	}
}
