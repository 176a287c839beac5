package exporter

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

const scopeName = "example.com/ours"

// silent keeps what a test provokes out of its output.
var silent = WithLogger(slog.New(slog.DiscardHandler))

// rarely is an interval that no test lives to see.
const rarely = time.Hour

// start makes an exporter that is shut down at the end of the test.
func start(t testing.TB, opts ...Option) *Exporter {
	t.Helper()
	exp, err := New(t.Context(), append([]Option{WithInterval(rarely), silent}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_ = exp.Shutdown(ctx)
	})
	return exp
}

// inVariable is what of a bad byte comes out of an environment variable: on Windows,
// whose variables are UTF-16, the replacement character.
func inVariable(escaped string) string {
	if runtime.GOOS == "windows" {
		return strings.ReplaceAll(escaped, `\xe9`, "\uFFFD")
	}
	return escaped
}

// gauge observes one value under a scope.
func gauge(t testing.TB, exp *Exporter, scope, name string, value int64, attrs ...attribute.KeyValue) {
	t.Helper()
	observe(t, exp, scope, name, func(o metric.Int64Observer) error {
		o.Observe(value, metric.WithAttributes(attrs...))
		return nil
	})
}

func observe(t testing.TB, exp *Exporter, scope, name string, f func(metric.Int64Observer) error) {
	t.Helper()
	_, err := exp.MeterProvider().Meter(scope).Int64ObservableGauge(name,
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error { return f(o) }))
	if err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, exp *Exporter) {
	t.Helper()
	if err := exp.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sink is an exporter that keeps what it is given, as seen at that time.
type sink struct {
	temporality sdkmetric.TemporalitySelector
	fail        func(*metricdata.ResourceMetrics) error
	got         []metricdata.ResourceMetrics
	down        error
}

func (s *sink) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	if s.temporality == nil {
		return sdkmetric.DefaultTemporalitySelector(k)
	}
	return s.temporality(k)
}
func (s *sink) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}
func (s *sink) ForceFlush(context.Context) error { return nil }
func (s *sink) Shutdown(context.Context) error   { return s.down }
func (s *sink) Export(_ context.Context, rm *metricdata.ResourceMetrics) error {
	if s.fail != nil {
		if err := s.fail(rm); err != nil {
			return err
		}
	}
	s.got = append(s.got, *rm)
	return nil
}

// book is a log of which the lines count.
type book struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *book) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// lines returns those that hold all words.
func (b *book) lines(words ...string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []string
line:
	for _, line := range strings.Split(strings.TrimSuffix(b.buf.String(), "\n"), "\n") {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue line
			}
		}
		if line != "" {
			found = append(found, line)
		}
	}
	return found
}

// sums makes a pass of one counter.
func sums[N int64 | float64](scope, name string, pts ...metricdata.DataPoint[N]) *metricdata.ResourceMetrics {
	rm := &metricdata.ResourceMetrics{Resource: resource.Empty(), ScopeMetrics: []metricdata.ScopeMetrics{{
		Metrics: []metricdata.Metrics{{Name: name, Unit: "s", Data: metricdata.Sum[N]{
			DataPoints: pts, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
		}}},
	}}}
	rm.ScopeMetrics[0].Scope.Name = scope
	return rm
}
