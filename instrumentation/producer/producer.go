// Package producer gives the metrics of package instrumentation as a
// [metric.Producer] of the OpenTelemetry SDK, for programs that report very many
// processes: it has no cardinality limit, costs the SDK next to nothing per
// point, and every point carries its true start. What it bypasses with the
// instruments are the SDK's views and temporality: its sums are cumulative.
package producer

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	pidometer "github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/internal/series"
	"github.com/pidometer/pidometer/semconv"
)

// ScopeName is the name of the instrumentation scope of all points.
const ScopeName = "github.com/pidometer/pidometer/instrumentation/producer"

// Producer makes metrics of each pass. It is an SDK metric.Producer, to be given
// to a reader, and safe for concurrent use: readers share a pass.
type Producer struct {
	reader *series.Reader
	scope  instrumentation.Scope
	own    bool      // the passes report themselves
	begun  time.Time // when counting began
}

// New opens a producer of what the options choose; options that name a
// MeterProvider have no effect. The errors are those of [pidometer.Start]. Events go
// where the options say, at each pass and between passes.
func New(options ...pidometer.Option) (*Producer, error) {
	reader, err := pidometer.Open(options...)
	if err != nil {
		return nil, err
	}
	return &Producer{reader: reader, own: pidometer.Observed(options...), begun: time.Now(),
		scope: instrumentation.Scope{Name: ScopeName, Version: pidometer.Version, SchemaURL: semconv.SchemaURL}}, nil
}

// Close frees what the producer holds. It must not be used any more after that.
func (p *Producer) Close() error { return p.reader.Close() }

// Reset forgets all that was seen of counters, as Registration.Reset does.
func (p *Producer) Reset() { p.reader.Pass().Reset() }

// Missed returns how often a source gave nothing, as Registration.Missed does.
func (p *Producer) Missed() map[string]map[string]uint64 { return p.reader.Missed() }

// Health returns how the last pass went, as Registration.Health does.
func (p *Producer) Health() pidometer.Health { return pidometer.HealthOf(p.reader) }

// EventSources returns where events are heard of, as Registration.EventSources does.
func (p *Producer) EventSources() []pidometer.EventSource { return pidometer.EventSourcesOf(p.reader) }

// Produce makes the metrics of one pass. The error is always nil, since one would
// cost the SDK's reader everything else that it collected. A panic is contained.
func (p *Producer) Produce(ctx context.Context) (scopes []metricdata.ScopeMetrics, err error) {
	metrics := append(p.pass(ctx), p.observe(ctx)...)
	if len(metrics) > 0 {
		scopes = append(scopes, metricdata.ScopeMetrics{Scope: p.scope, Metrics: metrics})
	}
	return scopes, nil
}

func (p *Producer) pass(ctx context.Context) (metrics []metricdata.Metrics) {
	defer p.contain(&metrics)
	b := newBatch(p.reader.Metrics())
	at := p.reader.Collect(ctx, b.add)
	return b.finish(at)
}

// contain ends a panic, of which nothing is reported but that it was.
func (p *Producer) contain(metrics *[]metricdata.Metrics) {
	if recover() != nil {
		p.reader.Panicked()
		*metrics = nil
	}
}

// observe tells of the pass that has just been made.
func (p *Producer) observe(ctx context.Context) (metrics []metricdata.Metrics) {
	if !p.own {
		return nil
	}
	defer p.contain(&metrics)
	b := newBatch(ownRows)
	p.reader.Observe(ctx, func(i int, set attribute.Set, start time.Time, v series.Number) {
		if start.IsZero() {
			start = p.begun
		}
		b.add(&series.Series{Metric: i, Set: set, Start: start}, v)
	})
	return b.finish(time.Now())
}

// ownRows are the metrics of self-observation.
var ownRows = func() (rows []semconv.Metric) {
	for _, m := range series.OwnMetrics {
		rows = append(rows, m.Metric)
	}
	return rows
}()

// batch is the points of one pass, by metric. It is made anew for each: the SDK
// keeps what a producer returned for as long as it likes.
type batch struct {
	metrics  []semconv.Metric
	integers [][]metricdata.DataPoint[int64]
	floats   [][]metricdata.DataPoint[float64]
}

func newBatch(metrics []semconv.Metric) *batch {
	return &batch{metrics: metrics,
		integers: make([][]metricdata.DataPoint[int64], len(metrics)),
		floats:   make([][]metricdata.DataPoint[float64], len(metrics))}
}

func (b *batch) add(s *series.Series, v series.Number) {
	if b.metrics[s.Metric].Float() {
		b.floats[s.Metric] = append(b.floats[s.Metric],
			metricdata.DataPoint[float64]{Attributes: s.Set, StartTime: s.Start, Value: v.Float})
		return
	}
	b.integers[s.Metric] = append(b.integers[s.Metric],
		metricdata.DataPoint[int64]{Attributes: s.Set, StartTime: s.Start, Value: v.Int})
}

// finish gives all points the time of the pass and packs them.
func (b *batch) finish(at time.Time) (out []metricdata.Metrics) {
	for i := range b.metrics {
		m := &b.metrics[i]
		var data metricdata.Aggregation
		switch {
		case len(b.floats[i]) > 0:
			data = pack(m.Kind, b.floats[i], at)
		case len(b.integers[i]) > 0:
			data = pack(m.Kind, b.integers[i], at)
		default:
			continue
		}
		out = append(out, metricdata.Metrics{Name: m.Name, Description: m.Brief, Unit: m.Unit, Data: data})
	}
	return out
}

func pack[N int64 | float64](kind semconv.Kind, points []metricdata.DataPoint[N], at time.Time) metricdata.Aggregation {
	for i := range points {
		points[i].Time = at
		if kind == semconv.Gauge {
			points[i].StartTime = time.Time{}
		}
	}
	if kind == semconv.Gauge {
		return metricdata.Gauge[N]{DataPoints: points}
	}
	return metricdata.Sum[N]{DataPoints: points, Temporality: metricdata.CumulativeTemporality, IsMonotonic: kind == semconv.Counter}
}
