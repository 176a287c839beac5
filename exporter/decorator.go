package exporter

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Decorator is the border between the SDK and an exporter. It repairs strings,
// sets true start times, makes deltas, cuts batches, and tells of outages.
type Decorator struct {
	next   sdkmetric.Exporter
	ours   map[string]bool
	starts atomic.Pointer[StartTimes]
	delta  bool

	mu        sync.Mutex // held for one pass
	batch     int
	repair    repairer
	exemplars func(*[]attribute.KeyValue)
	shown     map[metricKey]*metricdata.Metrics
	identity  Identity
	processes splitter
	ints      ledger[int64]
	floats    ledger[float64]
	previous  time.Time
	tell      *teller
	failure   error // of the last pass

	count *counters
}

var _ sdkmetric.Exporter = (*Decorator)(nil)

// Decorate puts a [Decorator] before next, for programs that have a MeterProvider
// of their own. It takes [WithScopes], [WithStartTimes], [WithBatch] and
// [WithLogger]; a batch size set on the reader must not be smaller than a pass.
func Decorate(next sdkmetric.Exporter, opts ...Option) *Decorator {
	c := newConfig(opts)
	c.identity = IdentityPoint // it takes two, here and behind next
	return newDecorator(next, c)
}

func newDecorator(next sdkmetric.Exporter, c config) *Decorator {
	d := &Decorator{
		next:     next,
		ours:     make(map[string]bool, len(c.scopes)),
		delta:    next.Temporality(sdkmetric.InstrumentKindObservableCounter) == metricdata.DeltaTemporality,
		batch:    c.batch,
		identity: c.identity,
		shown:    make(map[metricKey]*metricdata.Metrics),
		tell:     newTeller(c),
		count:    &counters{},
	}
	for _, name := range c.scopes {
		d.ours[name] = true
	}
	d.exemplars = d.repair.attrs // a method value made per point would allocate
	d.UseStartTimes(c.starts)
	return d
}

// UseStartTimes sets who is asked when a series of the scopes of [WithScopes]
// began to count. It may be called at any time; nil asks nobody.
func (d *Decorator) UseStartTimes(f StartTimes) {
	if f == nil {
		d.starts.Store(nil)
		return
	}
	d.starts.Store(&f)
}

// Temporality asks the SDK for cumulative points where deltas are made here.
func (d *Decorator) Temporality(kind sdkmetric.InstrumentKind) metricdata.Temporality {
	if kind == sdkmetric.InstrumentKindObservableCounter {
		return metricdata.CumulativeTemporality
	}
	return d.next.Temporality(kind)
}

// Aggregation is that of the decorated exporter.
func (d *Decorator) Aggregation(kind sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return d.next.Aggregation(kind)
}

// Export delivers one pass. It returns nil even if that fails, since the failure
// has been told and a reader would tell it anew each time; [Decorator.ForceFlush]
// and [Decorator.Shutdown] return it.
func (d *Decorator) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	_ = d.send(ctx, rm)
	return nil
}

// ForceFlush returns the failure of the last pass, if it did fail.
func (d *Decorator) ForceFlush(ctx context.Context) error {
	return errors.Join(d.lastFailure(), d.next.ForceFlush(ctx))
}

// Shutdown shuts the decorated exporter down and returns the failure of the last
// pass, if it did fail.
func (d *Decorator) Shutdown(ctx context.Context) error {
	return errors.Join(d.lastFailure(), d.next.Shutdown(ctx))
}

func (d *Decorator) lastFailure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failure
}

// send delivers one pass and returns why it could not.
func (d *Decorator) send(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	if rm.Resource == nil {
		return nil // nothing was collected
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	batches, merged := d.prepare(rm)
	sum := outcome{merged: merged}
	for _, b := range batches {
		sum.add(d.deliver(ctx, b))
	}
	d.finish(sum)
	return d.failure
}

// prepare makes batches of rm, whose points it rewrites in place.
func (d *Decorator) prepare(rm *metricdata.ResourceMetrics) (batches []batch, merged int64) {
	d.repair.begin()
	d.stampAll(rm)
	merged = d.clean(rm)
	if d.identity == IdentityResource {
		d.processes.split(rm, d.ours)
	}
	if d.delta {
		d.subtractAll(rm)
	}
	p := packer{maxPoints: d.batch, maxBytes: maxRequest, repair: &d.repair}
	return p.pack(rm), merged
}

// finish draws the sum of a pass.
func (d *Decorator) finish(sum outcome) {
	d.repair.end()
	if d.delta {
		d.ints.prune(d.repair.pass)
		d.floats.prune(d.repair.pass)
	}
	d.failure = sum.err
	d.count.pass(sum, d.repair.repaired)
	d.tell.pass(sum)
}

// stampAll rewrites the start times of cumulative sums of our scopes. The set is
// shown as it was observed, before any repair.
func (d *Decorator) stampAll(rm *metricdata.ResourceMetrics) {
	ask := d.starts.Load()
	if ask == nil {
		return
	}
	for _, s := range rm.ScopeMetrics {
		if d.ours[s.Scope.Name] {
			stampScope(s.Metrics, *ask)
		}
	}
}

func stampScope(metrics []metricdata.Metrics, ask StartTimes) {
	for _, m := range metrics {
		switch sum := m.Data.(type) {
		case metricdata.Sum[int64]:
			stamp(m.Name, sum, ask)
		case metricdata.Sum[float64]:
			stamp(m.Name, sum, ask)
		}
	}
}

func stamp[N int64 | float64](metric string, sum metricdata.Sum[N], ask StartTimes) {
	if sum.Temporality != metricdata.CumulativeTemporality {
		return
	}
	for i := range sum.DataPoints {
		p := &sum.DataPoints[i]
		if t, ok := ask(metric, p.Attributes); ok && !t.IsZero() && !t.After(p.Time) {
			p.StartTime = t
		}
	}
}

// subtractAll makes deltas of all monotonic cumulative sums. With a preference for
// delta only observable counters and producers still give such: the SDK itself
// makes deltas of the synchronous ones.
func (d *Decorator) subtractAll(rm *metricdata.ResourceMetrics) {
	d.ints.begin()
	d.floats.begin()
	previous := d.previous
	for i := range rm.ScopeMetrics {
		s := &rm.ScopeMetrics[i]
		for j := range s.Metrics {
			m := &s.Metrics[j]
			switch sum := m.Data.(type) {
			case metricdata.Sum[int64]:
				m.Data = subtract(d, &d.ints, s.Scope, m.Name, sum, previous)
			case metricdata.Sum[float64]:
				m.Data = subtract(d, &d.floats, s.Scope, m.Name, sum, previous)
			}
		}
	}
}

func subtract[N int64 | float64](d *Decorator, l *ledger[N], scope instrumentation.Scope, metric string, sum metricdata.Sum[N], previous time.Time) metricdata.Aggregation {
	if !sum.IsMonotonic || sum.Temporality != metricdata.CumulativeTemporality {
		return sum
	}
	for i := range sum.DataPoints {
		p := &sum.DataPoints[i]
		if p.Time.After(d.previous) {
			d.previous = p.Time
		}
	}
	sum.DataPoints = l.subtract(scope, metric, sum.DataPoints, previous, d.repair.pass)
	sum.Temporality = metricdata.DeltaTemporality
	return sum
}

// commit takes the deltas of a batch for delivered.
func (d *Decorator) commit(b batch) {
	for _, s := range b.metrics.ScopeMetrics {
		for _, m := range s.Metrics {
			switch sum := m.Data.(type) {
			case metricdata.Sum[int64]:
				d.ints.commit(s.Scope, m.Name, sum.DataPoints)
			case metricdata.Sum[float64]:
				d.floats.commit(s.Scope, m.Name, sum.DataPoints)
			}
		}
	}
}

// collected tells of callbacks that failed.
func (d *Decorator) collected(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell.collected(err)
}
