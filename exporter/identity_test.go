package exporter

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// crowd produces the metrics of a host and of many processes, as new points in each
// pass, in any order.
type crowd struct {
	processes, metrics int
	value              int64
	bad                bool // every string has a bad byte
}

func (c *crowd) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	c.value++
	s := metricdata.ScopeMetrics{}
	s.Scope.Name = scopeName
	s.Scope.SchemaURL = "https://opentelemetry.io/schemas/1.44.0"
	now := time.Now()
	for i := range c.metrics {
		m := metricdata.Metrics{Name: fmt.Sprint("process.metric.", i), Unit: "By", Description: "What a process does, in a sentence of some length."}
		var pts []metricdata.DataPoint[int64]
		for pid := range c.processes {
			pts = append(pts, metricdata.DataPoint[int64]{Attributes: c.set(pid, i), StartTime: at(0), Time: now, Value: c.value * int64(1+pid)})
		}
		pts = append(pts, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String("pidometer.process.group", "other")), Time: now, Value: c.value})
		rand.Shuffle(len(pts), func(i, j int) { pts[i], pts[j] = pts[j], pts[i] })
		m.Data = metricdata.Sum[int64]{DataPoints: pts, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
		if i%2 == 1 {
			m.Data = metricdata.Gauge[int64]{DataPoints: pts}
		}
		s.Metrics = append(s.Metrics, m)
	}
	host := metricdata.Metrics{Name: "system.uptime", Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Time: now, Value: 1}}}}
	s.Metrics = append(s.Metrics, host)
	return []metricdata.ScopeMetrics{s}, nil
}

func (c *crowd) set(pid, metric int) attribute.Set {
	name := fmt.Sprintf("program-%d", pid%50)
	if c.bad {
		name += "\xff"
	}
	attrs := []attribute.KeyValue{
		attribute.Int("process.pid", pid), attribute.String("process.creation.time", "2026-11-23T00:00:00.000Z"),
		attribute.String("process.executable.name", name), attribute.String("container.id", fmt.Sprint("c", pid%10)),
	}
	if metric%3 == 0 {
		attrs = append(attrs, attribute.String("cpu.mode", []string{"user", "system"}[pid%2]))
	}
	return attribute.NewSet(attrs...)
}

// told is what requests say: who, what, how much; wherever the who stands.
func told(t *testing.T, requests []*otlptest.Request) map[string]int {
	t.Helper()
	all := make(map[string]int)
	otlptest.Walk(requests, func(rm *metrics.ResourceMetrics, s *metrics.ScopeMetrics, m *metrics.Metric) {
		if len(s.Scope.Attributes) > 0 {
			t.Fatalf("a scope has %v", s.Scope.Attributes)
		}
		for _, p := range slices.Concat(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()) {
			who := map[string]string{}
			for _, kv := range slices.Concat(rm.Resource.Attributes, p.Attributes) {
				if !strings.HasPrefix(kv.Key, "service.") && !strings.HasPrefix(kv.Key, "telemetry.") {
					who[kv.Key] = kv.Value.String()
				}
			}
			var row []string
			for _, key := range slices.Sorted(maps.Keys(who)) {
				row = append(row, key+"="+who[key])
			}
			all[fmt.Sprintf("%v %s %s %d %v %v", row, m.Name, m.Unit, p.GetAsInt(), p.GetAsDouble(), m.GetSum().GetIsMonotonic())]++
		}
	})
	return all
}

// TestIdentity sends the same in both ways, and decodes the same.
func TestIdentity(t *testing.T) {
	receivers(t, func(t *testing.T, receiver *otlptest.Receiver) {
		for _, env := range []map[string]string{
			{}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}, {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"},
		} {
			for name, value := range env {
				t.Setenv(name, value)
			}
			var seen [2]map[string]int
			for i, identity := range []Identity{IdentityPoint, IdentityResource} {
				before := len(receiver.Requests())
				exp := start(t, WithEndpoint(receiver.Addr), WithScopes(scopeName), WithIdentity(identity), WithResource(attribute.String("host.id", "h")),
					WithProducer(&crowd{processes: 300, metrics: 12, bad: true}), WithBatch(1000))
				for range 3 {
					flush(t, exp)
				}
				got := receiver.Requests()[before:]
				seen[i] = told(t, got)
				if n, most := len(got), 3*5; n > most {
					t.Errorf("%s: %d requests", identity, n)
				}
				if identity == IdentityResource {
					checkProcesses(t, got)
				}
			}
			if !maps.Equal(seen[0], seen[1]) || len(seen[0]) < 300*12 {
				t.Errorf("%v: %d and %d points, which differ", env, len(seen[0]), len(seen[1]))
			}
		}
	})
}

// checkProcesses looks at resources.
func checkProcesses(t *testing.T, requests []*otlptest.Request) {
	t.Helper()
	for _, r := range requests {
		pids := map[int64]bool{}
		for _, rm := range r.ResourceMetrics {
			attrs := map[string]*common.AnyValue{}
			for _, kv := range rm.Resource.Attributes {
				attrs[kv.Key] = kv.Value
			}
			pid, process := attrs["process.pid"]
			if process && (attrs["process.creation.time"] == nil || attrs["host.id"].GetStringValue() != "h" || attrs["container.id"] == nil) {
				t.Fatalf("a process is %v", rm.Resource)
			}
			if process && pids[pid.GetIntValue()] {
				t.Fatalf("process %d has two resources in a request", pid.GetIntValue())
			}
			pids[pid.GetIntValue()] = process
			if _, is := attrs["service.name"]; is == process {
				t.Fatalf("service.name in %v", rm.Resource)
			}
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					if strings.Contains(m.String(), `"process.pid"`) {
						t.Fatalf("a point has a PID: %v", m)
					}
				}
			}
		}
	}
}

// TestTenThousandProcesses arrive, each point once, in requests that every receiver
// takes.
func TestTenThousandProcesses(t *testing.T) {
	const processes, kinds = 10_000, 12
	for _, identity := range []Identity{IdentityPoint, IdentityResource} {
		receiver := otlptest.Start(t) // takes 4 MiB, as servers do
		exp := start(t, WithEndpoint(receiver.Addr), WithScopes(scopeName), WithIdentity(identity), WithProducer(&crowd{processes: processes, metrics: kinds}))
		begin := time.Now()
		flush(t, exp)
		got := receiver.Requests()
		largest := 0
		for _, r := range got {
			largest = max(largest, proto.Size(r))
		}
		t.Logf("%s: %d points in %d requests, the largest of %d bytes, in %v", identity, otlptest.Points(got...), len(got), largest, time.Since(begin).Round(time.Millisecond))
		if all := told(t, got); len(all) != processes*kinds+kinds+1 || otlptest.Points(got...) != len(all) || largest > 4<<20 {
			t.Errorf("%s: %d points arrived, %d of them distinct; the largest request had %d bytes", identity, otlptest.Points(got...), len(all), largest)
		}
		if len(got) > 60 {
			t.Errorf("%s: %d requests", identity, len(got))
		}
	}
}

// TestReckonedSizeOfResources compares with what is encoded.
func TestReckonedSizeOfResources(t *testing.T) {
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr), WithScopes(scopeName), WithIdentity(IdentityResource), WithResource(attribute.String("text", strings.Repeat("x", 500))))
	res, err := Resource(t.Context(), attribute.String("text", strings.Repeat("x", 500)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		scopes, _ := (&crowd{processes: n * n, metrics: n % 5, bad: n%2 == 0}).Produce(t.Context())
		batches, _ := exp.border.prepare(&metricdata.ResourceMetrics{Resource: res, ScopeMetrics: scopes})
		before := len(receiver.Requests())
		for _, b := range batches {
			if err := exp.border.next.Export(t.Context(), &b.metrics); err != nil {
				t.Fatal(err)
			}
		}
		exp.border.repair.end()
		for i, r := range receiver.Requests()[before:] {
			if is := proto.Size(r); is > batches[i].bytes || otlptest.Points(r) != batches[i].points {
				t.Fatalf("%d bytes, reckoned %d; %d points, reckoned %d", is, batches[i].bytes, otlptest.Points(r), batches[i].points)
			}
		}
	}
}

// TestSplitterForgets what is gone.
func TestSplitterForgets(t *testing.T) {
	exp := start(t, WithScopes(scopeName), WithIdentity(IdentityResource))
	for _, n := range []int{100, 5} {
		scopes, _ := (&crowd{processes: n, metrics: 3}).Produce(t.Context())
		exp.border.processes.split(&metricdata.ResourceMetrics{ScopeMetrics: scopes}, exp.border.ours)
		for _, p := range exp.border.processes.scopes {
			if len(p.groups) != n || len(p.sets) > 3*n+5 {
				t.Errorf("%d processes: %d groups and %d sets are remembered", n, len(p.groups), len(p.sets))
			}
		}
	}
}

func TestIdentityIsChecked(t *testing.T) {
	if _, err := New(t.Context(), WithIdentity("both")); err == nil || !strings.Contains(err.Error(), "write point or resource") {
		t.Error(err)
	}
	if _, err := New(t.Context(), WithIdentity(IdentityResource)); err == nil || !strings.Contains(err.Error(), "WithScopes") {
		t.Error(err)
	}
}

// TestDuplicates are merged by rule, and counted.
func TestDuplicates(t *testing.T) {
	receiver := otlptest.Start(t)
	twice := &crowd{processes: 2, metrics: 2}
	exp := start(t, WithEndpoint(receiver.Addr), WithProducer(twice), WithProducer(twice), WithProducer(badAndGood{}))
	flush(t, exp)
	got := receiver.Requests()
	for name, want := range map[string]map[int64]int64{
		"process.metric.0": {0: 1 + 2, 1: 2 + 4}, // sums are added
		"process.metric.1": {0: 2, 1: 4},         // of a gauge the last holds
		"collision":        {7: 11 + 31},
	} {
		values := map[int64]int64{}
		for _, p := range otlptest.Numbers(got, name) {
			for _, kv := range p.Attributes {
				if kv.Key == "process.pid" {
					values[kv.Value.GetIntValue()] += p.GetAsInt()
				}
			}
		}
		if !maps.Equal(values, want) {
			t.Errorf("%s: %v, want %v", name, values, want)
		}
	}
	if p := otlptest.Numbers(got, "collision")[0]; p.StartTimeUnixNano != uint64(at(5).UnixNano()) || p.TimeUnixNano != uint64(at(20).UnixNano()) {
		t.Errorf("a sum of two is from %d to %d", p.StartTimeUnixNano, p.TimeUnixNano)
	}
	if s := exp.Stats(); s.Merged != 2*2+2+1+1 || s.Points != 2*2+2+1+1 {
		t.Errorf("%+v", s)
	}
}

// badAndGood has two series that are one when the bad byte of the first is repaired.
type badAndGood struct{}

func (badAndGood) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	sum := sums(scopeName, "collision",
		metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.Int("process.pid", 7), attribute.String("a", "\xff")), StartTime: at(5), Time: at(10), Value: 11},
		metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.Int("process.pid", 7), attribute.String("a", `\xff`)), StartTime: at(9), Time: at(20), Value: 31})
	return sum.ScopeMetrics, nil
}

// TestOneBadAttributeOfManyPoints costs nothing.
func TestOneBadAttributeOfManyPoints(t *testing.T) {
	const n = 100_000
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr), WithProducer(oneBad(n)))
	flush(t, exp)
	if got := otlptest.Points(receiver.Requests()...); got != n || exp.Stats().Repaired != 1 {
		t.Errorf("%d points arrived, %d repaired", got, exp.Stats().Repaired)
	}
}

type oneBad int

func (n oneBad) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	pts := make([]metricdata.DataPoint[int64], n)
	for i := range pts {
		name := fmt.Sprint("name", i)
		if i == int(n)/2 {
			name += "\xff"
		}
		pts[i] = metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.String("name", name)), Time: at(1)}
	}
	return sums(scopeName, "many", pts...).ScopeMetrics, nil
}
