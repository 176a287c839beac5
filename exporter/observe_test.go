package exporter

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc/codes"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// figures returns what the last request says of the exporter, by name and attribute.
func figures(t *testing.T, exp *Exporter, receiver *otlptest.Receiver) map[string]int64 {
	t.Helper()
	flush(t, exp)
	requests := receiver.Requests()
	values := map[string]int64{}
	otlptest.Walk(requests[len(requests)-1:], func(_ *metrics.ResourceMetrics, scope *metrics.ScopeMetrics, m *metrics.Metric) {
		if scope.Scope.Name != ScopeName {
			return
		}
		for _, p := range append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...) {
			name := strings.TrimPrefix(m.Name, "pidometer.exporter.")
			for _, kv := range p.Attributes {
				name += " " + kv.Value.GetStringValue()
			}
			values[name] = p.GetAsInt()
		}
	})
	return values
}

// volumes grow without a fault, or say how large a fault was.
var volumes = []string{"points delivered", "points lost", "events delivered", "requests metrics", "requests events", "success.time metrics", "success.time events"}

// Each fault moves exactly one counter, and of volumes those that it costs.
func TestEachFaultMovesOneCounter(t *testing.T) {
	event := func(exp *Exporter) {
		var r log.Record
		r.SetEventName("e")
		exp.LoggerProvider().Logger(scopeName).Emit(context.Background(), r)
	}
	for _, test := range []struct {
		name  string
		fault func(*testing.T, *Exporter, *otlptest.Receiver)
		moves map[string]int64
	}{
		{"nothing", func(_ *testing.T, exp *Exporter, _ *otlptest.Receiver) { event(exp) }, nil},
		{"outage", func(t *testing.T, _ *Exporter, r *otlptest.Receiver) {
			r.Answer(otlptest.Refuse(codes.PermissionDenied))
		}, map[string]int64{"outages metrics": 1}},
		{"partial success", func(t *testing.T, _ *Exporter, r *otlptest.Receiver) { r.Answer(otlptest.Partial(1, "too old")) }, map[string]int64{"points refused": 1}},
		{"bad string", func(t *testing.T, exp *Exporter, _ *otlptest.Receiver) {
			gauge(t, exp, scopeName, "bad", 1, attribute.String("k", "\xff"))
		}, map[string]int64{"repairs metrics": 1}},
		{"duplicate", func(t *testing.T, exp *Exporter, _ *otlptest.Receiver) {
			exp.reader.producers = append(exp.reader.producers, twice{})
		}, map[string]int64{"merged": 1}},
		{"bad string in an event", func(t *testing.T, exp *Exporter, _ *otlptest.Receiver) {
			var r log.Record
			r.SetEventName("\xff")
			exp.LoggerProvider().Logger(scopeName).Emit(t.Context(), r)
		}, map[string]int64{"repairs events": 1}},
		{"event refused", func(t *testing.T, exp *Exporter, r *otlptest.Receiver) {
			r.AnswerEvents(func(context.Context, *otlptest.EventsRequest) (*otlptest.EventsResponse, error) {
				return otlptest.RefuseEvents(1, "too old"), nil
			})
			event(exp)
		}, map[string]int64{"events refused": 1}},
		{"no events taken", func(t *testing.T, exp *Exporter, r *otlptest.Receiver) {
			r.AnswerEvents(otlptest.ForEvents(otlptest.Refuse(codes.Unimplemented)))
			event(exp)
		}, map[string]int64{"events untaken": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			receiver := otlptest.Start(t)
			exp := start(t, WithEndpoint(receiver.Addr), WithSelfObservation())
			gauge(t, exp, scopeName, "x", 1)
			flush(t, exp)
			before := figures(t, exp, receiver)
			test.fault(t, exp, receiver)
			_ = exp.ForceFlush(t.Context()) // which fails, where that is the fault
			receiver.Answer(nil)
			exp.reader.producers = nil
			moved := map[string]int64{}
			for name, v := range figures(t, exp, receiver) {
				if d := v - before[name]; d != 0 && !slices.Contains(volumes, name) {
					moved[name] = d
				}
			}
			if !maps.Equal(moved, test.moves) {
				t.Errorf("moved %v, want %v", moved, test.moves)
			}
		})
	}
}

// twice is a producer that gives a point two times.
type twice struct{}

func (twice) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	p := metricdata.DataPoint[int64]{Value: 1, Time: time.Now()}
	return []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{{Name: "twice", Data: metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{p, p}}}}}}, nil
}

// Every metric of the table is there with what the table says of it, and nobody gets
// one without asking.
func TestSelfMetrics(t *testing.T) {
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr), WithSelfObservation())
	var r log.Record
	exp.LoggerProvider().Logger(scopeName).Emit(t.Context(), r)
	flush(t, exp)
	flush(t, exp)
	found := map[string]*metrics.Metric{}
	otlptest.Walk(receiver.Requests(), func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) { found[m.Name] = m })
	for _, m := range SelfMetrics() {
		got := found[m.Name]
		kind := map[bool]string{true: counterKind, false: upDownCounterKind}[got.GetSum().GetIsMonotonic()]
		if got.GetGauge() != nil {
			kind = gaugeKind
		}
		if got.GetUnit() != m.Unit || got.GetDescription() != m.Brief || kind != m.Kind {
			t.Errorf("%v, want %v", got, m)
		}
		points := append(got.GetSum().GetDataPoints(), got.GetGauge().GetDataPoints()...)
		for _, p := range points {
			if len(p.Attributes) != len(m.Attributes) || len(p.Attributes) == 1 && p.Attributes[0].Key != string(m.Attributes[0]) {
				t.Errorf("%s has attributes %v", m.Name, p.Attributes)
			}
		}
	}
	plain := otlptest.Start(t)
	other := start(t, WithEndpoint(plain.Addr))
	gauge(t, other, scopeName, "x", 1)
	flush(t, other)
	if n := otlptest.Points(plain.Requests()...); n != 1 {
		t.Errorf("%d points without asking for these", n)
	}
}
