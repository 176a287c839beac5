package exporter

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc/codes"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// at is second s of the tests' time.
func at(s int) time.Time { return time.Unix(int64(1_000_000+s), 0) }

func point(id, start, now, value int) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attribute.Int("id", id)), StartTime: at(start), Time: at(now), Value: int64(value)}
}

// deltas sends one pass and returns what came out, or nil if that failed.
func deltas(t *testing.T, d *Decorator, out *sink, fail bool, pts ...metricdata.DataPoint[int64]) []metricdata.DataPoint[int64] {
	t.Helper()
	out.got, out.fail = nil, nil
	if fail {
		out.fail = func(*metricdata.ResourceMetrics) error { return errors.New("down") }
	}
	if err := d.Export(t.Context(), sums("s", "m", pts...)); err != nil {
		t.Fatal(err)
	}
	if len(out.got) == 0 {
		return nil
	}
	sum := out.got[0].ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64])
	if sum.Temporality != metricdata.DeltaTemporality || !sum.IsMonotonic {
		t.Fatalf("%+v", sum)
	}
	return sum.DataPoints
}

func TestDelta(t *testing.T) {
	type pass struct {
		name string
		fail bool
		in   []metricdata.DataPoint[int64]
		want []metricdata.DataPoint[int64]
	}
	p := func(pts ...metricdata.DataPoint[int64]) []metricdata.DataPoint[int64] { return pts }
	out := &sink{temporality: sdkmetric.DeltaTemporalitySelector}
	d := Decorate(out, silent)
	for _, step := range []pass{
		{"the past is no delta", false, p(point(1, -1000, 10, 5000)), nil},
		{"one interval's worth", false, p(point(1, -1000, 20, 5007)), p(point(1, 10, 20, 7))},
		{"born since: all of it; appeared only: nothing", false,
			p(point(1, -1000, 30, 5007), point(2, 25, 30, 3), point(3, 15, 30, 9)), p(point(1, 20, 30, 0), point(2, 25, 30, 3))},
		{"lost", true, p(point(1, -1000, 40, 5010), point(2, 25, 40, 4), point(3, 15, 40, 10), point(4, 35, 40, 6)), nil},
		{"what was lost comes later", false,
			p(point(1, -1000, 50, 5011), point(2, 25, 50, 4), point(3, 15, 50, 11), point(4, 35, 50, 8)),
			p(point(1, 30, 50, 4), point(2, 30, 50, 1), point(3, 30, 50, 2), point(4, 35, 50, 8))},
		{"a fall is never negative", false, p(point(1, -1000, 60, 4000)), nil},
		{"and a new beginning", false, p(point(1, -1000, 70, 4001), point(2, 65, 70, 2)), p(point(1, 60, 70, 1), point(2, 65, 70, 2))},
		{"a start that becomes known is no birth", false, p(point(1, -2000, 80, 4002)), nil},
		{"a birth told a second early: all of it", false, p(point(5, 79, 90, 4), point(6, 77, 90, 4)), p(point(5, 79, 90, 4))},
	} {
		if got := deltas(t, d, out, step.fail, step.in...); !equal(got, step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}

func equal(a, b []metricdata.DataPoint[int64]) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Attributes != b[i].Attributes || !a[i].StartTime.Equal(b[i].StartTime) || !a[i].Time.Equal(b[i].Time) || a[i].Value != b[i].Value {
			return false
		}
	}
	return true
}

func TestDeltaStateIsPruned(t *testing.T) {
	out := &sink{temporality: sdkmetric.DeltaTemporalitySelector}
	d := Decorate(out, silent)
	for i := range 100 {
		deltas(t, d, out, i%2 == 0, point(i, i, i, 1), point(-1, 0, i, i))
	}
	if n := len(d.ints.delivered); n > 6 {
		t.Errorf("%d series are remembered", n)
	}
}

// TestDeltaSum checks, over a random world with failures, that what was delivered
// of a series adds up to what it counted while it was watched.
func TestDeltaSum(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	out := &sink{temporality: sdkmetric.DeltaTemporalitySelector}
	d := Decorate(out, silent, WithBatch(3))
	type life struct{ start, value, base int }
	world, got := map[int]*life{}, map[int]int{}
	for now := 10; now < 3000; now += 10 {
		var in []metricdata.DataPoint[int64]
		if r.IntN(3) == 0 {
			world[now] = &life{start: now - 5}
		}
		if now == 10 {
			world[1] = &life{start: -100, value: 77, base: 77}
		}
		for id, l := range world {
			l.value += r.IntN(5)
			if now == 10 {
				l.base = l.value
			}
			in = append(in, point(id, l.start, now, l.value))
		}
		out.got = nil
		out.fail = func(*metricdata.ResourceMetrics) error {
			if now < 2990 && r.IntN(3) == 0 {
				return errors.New("down")
			}
			return nil
		}
		_ = d.Export(t.Context(), sums("s", "m", in...))
		for _, rm := range out.got {
			for _, p := range rm.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints {
				id, _ := p.Attributes.Value("id")
				got[int(id.AsInt64())] += int(p.Value)
				if p.Value < 0 {
					t.Fatalf("seed %d: %+v", seed, p)
				}
			}
		}
	}
	for id, l := range world {
		if got[id] != l.value-l.base {
			t.Errorf("seed %d: series %d counted %d, delivered %d", seed, id, l.value-l.base, got[id])
		}
	}
}

// TestTemporalityPreference goes through SDK and receiver.
func TestTemporalityPreference(t *testing.T) {
	const cumulative, delta = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE, metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	for preference, want := range map[string]map[string]metrics.AggregationTemporality{
		"":           {"observed": cumulative, "added": cumulative, "updown": cumulative},
		"delta":      {"observed": delta, "added": delta, "updown": cumulative},
		"lowmemory":  {"observed": cumulative, "added": delta, "updown": cumulative},
		"cumulative": {"observed": cumulative, "added": cumulative, "updown": cumulative},
	} {
		t.Run(preference, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference)
			receiver := otlptest.Start(t)
			exp := start(t, WithEndpoint(receiver.Addr))
			instruments(t, exp)
			flush(t, exp)
			flush(t, exp)
			got := receiver.WaitFor(t, "two passes", otlptest.AtLeast(2))[1:]
			n := 0
			otlptest.Walk(got, func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) {
				n++
				if is := m.GetSum().AggregationTemporality; is != want[m.Name] {
					t.Errorf("%s is %v", m.Name, is)
				}
			})
			if n < 2 {
				t.Errorf("%d metrics", n)
			}
		})
	}
}

func instruments(t *testing.T, exp *Exporter) {
	t.Helper()
	meter := exp.MeterProvider().Meter(scopeName)
	total := 0.0
	_, err1 := meter.Float64ObservableCounter("observed", metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
		total += 3
		o.Observe(total)
		return nil
	}))
	_, err2 := meter.Int64ObservableUpDownCounter("updown", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(1)
		return nil
	}))
	added, err3 := meter.Int64Counter("added")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	added.Add(t.Context(), 1)
}

// TestDeltaSurvivesAnOutage goes through SDK and receiver.
func TestDeltaSurvivesAnOutage(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	receiver := otlptest.Start(t)
	exp := start(t, WithEndpoint(receiver.Addr))
	instruments(t, exp)
	flush(t, exp)
	receiver.Answer(otlptest.Refuse(codes.InvalidArgument))
	for range 3 {
		if exp.ForceFlush(t.Context()) == nil {
			t.Fatal("the receiver should refuse")
		}
	}
	receiver.Answer(nil)
	flush(t, exp)
	if pts := otlptest.Numbers(receiver.Requests(), "observed"); len(pts) != 1 || pts[0].GetAsDouble() != 12 {
		t.Errorf("%v", pts)
	}
}
