package exporter

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// fill observes n points, spread over instruments, with text of a length.
func fill(t testing.TB, exp *Exporter, n, length int) {
	t.Helper()
	meter := exp.MeterProvider().Meter(scopeName)
	long := strings.Repeat("x", length)
	for m := range 10 {
		g, err := meter.Int64ObservableGauge(fmt.Sprint("metric.", m))
		if err != nil {
			t.Fatal(err)
		}
		var sets []metric.MeasurementOption
		for i := m; i < n; i += 10 {
			sets = append(sets, metric.WithAttributeSet(attribute.NewSet(attribute.Int("pid", i), attribute.String("text", long))))
		}
		_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			for _, set := range sets {
				o.ObserveInt64(g, 1, set)
			}
			return nil
		}, g)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// check says how many points and requests arrived, each point once.
func check(t *testing.T, got []*otlptest.Request, points, most int) {
	t.Helper()
	seen := make(map[int64]bool)
	for m := range 10 {
		for _, p := range otlptest.Numbers(got, fmt.Sprint("metric.", m)) {
			for _, kv := range p.Attributes {
				if kv.Key == "pid" {
					seen[kv.Value.GetIntValue()] = true
				}
			}
		}
	}
	if n := otlptest.Points(got...); n != points || len(seen) != points {
		t.Errorf("%d points arrived, %d of them distinct, want %d", n, len(seen), points)
	}
	for _, r := range got {
		if n, size := otlptest.Points(r), proto.Size(r); n > most || size > 4<<20 {
			t.Errorf("a request of %d points, %d bytes", n, size)
		}
	}
}

func TestManyPoints(t *testing.T) {
	for _, tc := range []struct{ points, length, batch, requests int }{
		{25_000, 10, DefaultBatch, 4},
		{25_000, 1000, DefaultBatch, 7}, // 26 MB: by bytes
		{25_000, 10, 10_000, 3},
		{8_000, 10, DefaultBatch, 1},
		{8_001, 10, DefaultBatch, 2},
	} {
		receiver := otlptest.Start(t) // takes 4 MiB, as servers do
		exp := start(t, WithEndpoint(receiver.Addr), WithBatch(tc.batch))
		fill(t, exp, tc.points, tc.length)
		flush(t, exp)
		got := receiver.Requests()
		check(t, got, tc.points, tc.batch)
		if len(got) != tc.requests {
			t.Errorf("%+v: %d requests", tc, len(got))
		}
	}
}

// TestHalves has receivers that take less than we reckon.
func TestHalves(t *testing.T) {
	for _, protocol := range []protocol{protocolGRPC, protocolHTTP} {
		t.Run(string(protocol), func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", string(protocol))
			receiver := otlptest.Start(t)
			if protocol == protocolHTTP {
				receiver = otlptest.StartHTTP(t)
			}
			receiver.Answer(otlptest.RefuseOver(600))
			exp := start(t, WithEndpoint(receiver.Addr), WithBatch(1000))
			fill(t, exp, 1000, 10)
			flush(t, exp)
			check(t, receiver.Requests(), 1000, 500)
			if s := exp.Stats(); s.Requests != 3 || s.Points != 1000 || s.Lost != 0 {
				t.Errorf("%+v", s)
			}
			flush(t, exp)
			if s := exp.Stats(); s.Requests != 5 {
				t.Errorf("the size was not remembered: %+v", s)
			}
		})
	}
}

// TestHalvesOnce never sends a part more than once.
func TestHalvesOnce(t *testing.T) {
	receiver := otlptest.Start(t, grpc.MaxRecvMsgSize(1000))
	exp := start(t, WithEndpoint(receiver.Addr))
	fill(t, exp, 1000, 10)
	err := exp.ForceFlush(t.Context())
	if s := exp.Stats(); err == nil || s.Requests != 3 || s.Lost != 1000 || s.Points != 0 {
		t.Errorf("%v, %+v", err, s)
	}
}

// TestReckonedSize compares with the encoding of random metrics, which must never
// be larger.
func TestReckonedSize(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	receiver := otlptest.Start(t)
	e, err := findEndpoint(metricsPayload, receiver.Addr)
	if err != nil {
		t.Fatal(err)
	}
	client, err := newClient(t.Context(), config{endpoint: e}, variables{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		var r repairer
		r.begin()
		p := packer{maxPoints: 10_000, maxBytes: maxRequest, repair: &r}
		batches := p.pack(randomMetrics(random))
		if len(batches) != 1 {
			t.Fatalf("seed %d: %d batches", seed, len(batches))
		}
		if err := client.Export(t.Context(), &batches[0].metrics); err != nil {
			t.Fatal(err)
		}
		got := receiver.Requests()[i]
		if is := proto.Size(got); is > batches[0].bytes || otlptest.Points(got) != batches[0].points {
			t.Fatalf("seed %d: %d bytes, reckoned %d; %d points, reckoned %d", seed, is, batches[0].bytes, otlptest.Points(got), batches[0].points)
		}
	}
}

// randomMetrics holds points of every kind with attributes of every kind.
func randomMetrics(r *rand.Rand) *metricdata.ResourceMetrics {
	rm := &metricdata.ResourceMetrics{Resource: resource.NewWithAttributes(randomText(r), randomSet(r).ToSlice()...)}
	for range 1 + r.IntN(3) {
		var s metricdata.ScopeMetrics
		s.Scope.Name, s.Scope.Version, s.Scope.SchemaURL, s.Scope.Attributes = randomText(r), randomText(r), randomText(r), *randomSet(r)
		for kind := range 9 {
			s.Metrics = append(s.Metrics, metricdata.Metrics{Name: randomText(r), Unit: randomText(r), Description: randomText(r), Data: randomData(r, kind)})
		}
		rm.ScopeMetrics = append(rm.ScopeMetrics, s)
	}
	return rm
}

func randomData(r *rand.Rand, kind int) metricdata.Aggregation {
	now, set := time.Now(), *randomSet(r)
	counts := make([]uint64, r.IntN(200))
	for i := range counts {
		counts[i] = r.Uint64()
	}
	exemplars := []metricdata.Exemplar[float64]{{FilteredAttributes: randomSet(r).ToSlice(), Time: now, Value: 1, SpanID: make([]byte, 8), TraceID: make([]byte, 16)}}
	most := metricdata.NewExtrema(1.0)
	switch kind {
	case 0:
		return metricdata.Sum[int64]{Temporality: 1, IsMonotonic: true, DataPoints: []metricdata.DataPoint[int64]{{Attributes: set, StartTime: now, Time: now, Value: -r.Int64()}}}
	case 1:
		return metricdata.Sum[float64]{Temporality: 1, DataPoints: []metricdata.DataPoint[float64]{{Attributes: set, StartTime: now, Time: now, Value: 1, Exemplars: exemplars}}}
	case 2:
		return metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{{Attributes: set, Time: now}, {Attributes: *randomSet(r)}}}
	case 3:
		return metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Attributes: set, StartTime: now, Time: now, Value: 1}}}
	case 4:
		return metricdata.Histogram[int64]{Temporality: 1, DataPoints: []metricdata.HistogramDataPoint[int64]{{Attributes: set, Sum: 1, Count: 1, Bounds: make([]float64, len(counts)), BucketCounts: counts}}}
	case 5:
		return metricdata.Histogram[float64]{Temporality: 1, DataPoints: []metricdata.HistogramDataPoint[float64]{{Attributes: set, StartTime: now, Time: now, Count: 1, Sum: 1, Min: most, Max: most, BucketCounts: counts, Exemplars: exemplars}}}
	case 6:
		return metricdata.ExponentialHistogram[int64]{Temporality: 1, DataPoints: []metricdata.ExponentialHistogramDataPoint[int64]{{Attributes: set, Scale: -3}}}
	case 7:
		buckets := metricdata.ExponentialBucket{Offset: -1 << 31, Counts: counts}
		return metricdata.ExponentialHistogram[float64]{Temporality: 1, DataPoints: []metricdata.ExponentialHistogramDataPoint[float64]{{
			Attributes: set, StartTime: now, Time: now, Count: 1, Sum: 1, Min: most, Max: most, Scale: -1 << 31, ZeroCount: 1, ZeroThreshold: 1,
			PositiveBucket: buckets, NegativeBucket: buckets, Exemplars: exemplars}}}
	}
	return metricdata.Summary{DataPoints: []metricdata.SummaryDataPoint{{Attributes: set, StartTime: now, Time: now, Count: 1, Sum: 1,
		QuantileValues: []metricdata.QuantileValue{{Quantile: 1, Value: 1}, {Quantile: 0.5, Value: 1}}}}}
}

func randomSet(r *rand.Rand) *attribute.Set {
	values := []attribute.Value{
		attribute.StringValue(randomText(r)), attribute.BoolValue(true), attribute.Int64Value(-1), attribute.Float64Value(1),
		attribute.StringSliceValue([]string{randomText(r), randomText(r)}), attribute.Int64SliceValue([]int64{-1, -2}),
		attribute.Float64SliceValue([]float64{1, 2}), attribute.BoolSliceValue([]bool{true, true}), attribute.ByteSliceValue([]byte(randomText(r))),
		attribute.SliceValue(attribute.Int64Value(-1), attribute.StringValue(randomText(r))), attribute.MapValue(attribute.String(randomText(r), randomText(r))),
	}
	var attrs []attribute.KeyValue
	for _, v := range values {
		if r.IntN(2) == 0 {
			attrs = append(attrs, attribute.KeyValue{Key: attribute.Key("k" + randomText(r)), Value: v})
		}
	}
	set := attribute.NewSet(attrs...)
	return &set
}

func randomText(r *rand.Rand) string {
	return strings.Repeat("x", r.IntN(2)*r.IntN(1<<r.IntN(12)))
}

// TestSteadyStateAllocates nothing per point: a hundred times the points cost no
// more allocations.
func TestSteadyStateAllocates(t *testing.T) {
	few, many := allocations(t, 100), allocations(t, 7000)
	if many > few+2 {
		t.Errorf("%v allocations for 7000 points, %v for 100", many, few)
	}
}

// allocations are the fewest of some runs: what other goroutines allocate counts too.
func allocations(t *testing.T, n int) float64 {
	t.Helper()
	d, rm := prepared(n)
	fewest := math.Inf(1)
	for range 10 {
		fewest = min(fewest, testing.AllocsPerRun(5, func() { _, _ = d.prepare(rm); d.finish(outcome{}) }))
	}
	return fewest
}

func prepared(n int) (*Decorator, *metricdata.ResourceMetrics) {
	pts := make([]metricdata.DataPoint[int64], n)
	for i := range pts {
		pts[i] = metricdata.DataPoint[int64]{Time: time.Now(), Attributes: attribute.NewSet(attribute.Int("pid", i), attribute.String("name", "x"))}
	}
	rm := sums(scopeName, "m", pts...)
	boot := time.Now().Add(-time.Hour)
	d := Decorate(&sink{}, WithScopes(scopeName), WithStartTimes(func(string, attribute.Set) (time.Time, bool) { return boot, true }))
	d.prepare(rm)
	return d, rm
}

func BenchmarkDecorator(b *testing.B) {
	const points = 8000
	d, rm := prepared(points)
	b.ReportAllocs()
	for b.Loop() {
		d.prepare(rm)
		d.finish(outcome{})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/points, "ns/point")
}

func TestRefusedForOtherReasonsIsNotHalved(t *testing.T) {
	receiver := otlptest.Start(t)
	receiver.Answer(otlptest.Refuse(codes.InvalidArgument))
	exp := start(t, WithEndpoint(receiver.Addr))
	fill(t, exp, 100, 10)
	if err, s := exp.ForceFlush(t.Context()), exp.Stats(); err == nil || s.Requests != 1 || s.Lost != 100 {
		t.Errorf("%v, %+v", err, s)
	}
}
