package exporter

import (
	"context"
	"errors"
	"sync"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// reader collects and delivers a pass at every interval. The SDK's PeriodicReader
// does the same, but delivers nothing of any instrument when one callback returns
// an error (otel-go issue 8139), gives a slow callback all the time there is, so
// that none is left to send, and waits for a stuck one at shutdown beyond any
// deadline (sdk/metric v1.47.0, seen 2026-11-22). The ManualReader beneath returns
// what was collected beside the error.
type reader struct {
	*sdkmetric.ManualReader
	next      *Decorator
	producers []sdkmetric.Producer
	interval  time.Duration
	timeout   time.Duration
	idle      bool // it reads nothing

	turn      chan struct{} // holds one token while a pass runs
	collected metricdata.ResourceMetrics

	stop  context.CancelFunc // ends the loop
	done  chan struct{}
	live  context.Context    // of every pass but the last
	abort context.CancelFunc // ends live

	once   sync.Once
	result error
}

func newReader(next *Decorator, c config) *reader {
	r := &reader{
		ManualReader: sdkmetric.NewManualReader(
			sdkmetric.WithTemporalitySelector(next.Temporality),
			sdkmetric.WithAggregationSelector(next.Aggregation)),
		next:      next,
		producers: c.producers,
		interval:  c.interval,
		timeout:   c.timeout,
		idle:      c.kinds[metricsPayload] == kindNone,
		turn:      make(chan struct{}, 1),
		done:      make(chan struct{}),
	}
	var loop context.Context
	loop, r.stop = context.WithCancel(context.Background())
	r.live, r.abort = context.WithCancel(context.Background())
	go r.run(loop)
	return r
}

func (r *reader) run(loop context.Context) {
	defer close(r.done)
	ticker := time.NewTicker(r.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = r.ForceFlush(r.live) // what fails has been told
		case <-loop.Done():
			return
		}
	}
}

// pass collects and delivers, when no other pass does.
func (r *reader) pass(ctx context.Context) error {
	if r.idle {
		return nil
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	rm, err := r.collect(ctx)
	return errors.Join(err, r.next.send(ctx, &rm))
}

// collect reads instruments and producers. It may take half of the time that is
// left: what has been read late must still be sent.
func (r *reader) collect(ctx context.Context) (metricdata.ResourceMetrics, error) {
	ctx, cancel := withPart(ctx, 2)
	defer cancel()
	r.collected.Resource = nil
	err := r.Collect(ctx, &r.collected)
	rm := r.collected
	if rm.Resource == nil {
		return rm, err // no time is left, or all is over
	}
	// The SDK reuses the memory of its own scopes, so what producers return goes
	// into a list apart.
	rm.ScopeMetrics = append([]metricdata.ScopeMetrics(nil), rm.ScopeMetrics...)
	for _, p := range r.producers {
		more, e := p.Produce(ctx)
		rm.ScopeMetrics = append(rm.ScopeMetrics, more...)
		err = errors.Join(err, e)
	}
	r.next.collected(err)
	return rm, err
}

// ForceFlush runs a pass now and returns why it failed.
func (r *reader) ForceFlush(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.live, cancel)()
	return r.pass(ctx)
}

// Shutdown runs the last pass and ends the loop, once; every call returns the same
// result.
func (r *reader) Shutdown(ctx context.Context) error {
	r.once.Do(func() { r.result = r.shutdown(ctx) })
	return r.result
}

func (r *reader) shutdown(ctx context.Context) error {
	ctx, cancel := lastDeadline(ctx)
	defer cancel()
	r.stop()
	r.settle(ctx)
	err := r.pass(ctx)
	return errors.Join(err, r.ManualReader.Shutdown(ctx), r.next.next.Shutdown(ctx))
}

// settle waits for the pass that runs. If the receiver answers it is soon over;
// if not, a quarter of the time is enough for it, the last pass needs the rest.
func (r *reader) settle(ctx context.Context) {
	ctx, cancel := withPart(ctx, 4)
	defer cancel()
	defer r.abort()
	select {
	case <-r.done:
	case <-ctx.Done():
		return
	}
	select {
	case r.turn <- struct{}{}:
		<-r.turn
	case <-ctx.Done():
	}
}

// lastDeadline returns a context for the last pass. One that is over already, as
// after a signal, would deliver nothing: it is replaced.
func lastDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, DefaultDeadline)
}

// withPart returns a context that ends after one n-th of the time that ctx has.
func withPart(ctx context.Context, n time.Duration) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/n)
}
