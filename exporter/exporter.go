package exporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Exporter is a MeterProvider and a LoggerProvider whose metrics and events go to an
// OTLP receiver. Make one with [New].
type Exporter struct {
	provider *sdkmetric.MeterProvider
	reader   *reader
	border   *Decorator
	endpoint endpoint
	kind     string

	loggers *sdklog.LoggerProvider
	events  *events
	asked   atomic.Bool // somebody has the LoggerProvider

	once   sync.Once // of the shutdown
	result error
}

// New starts an exporter. Without options it sends to http://localhost:4317 over
// gRPC, every 15 seconds; the OTEL_* variables of the specification are honoured
// ([Variables] lists them), and options beat them. No connection is made before the
// first pass, or the first event. Whatever is wrong with options or variables is an error here.
func New(ctx context.Context, opts ...Option) (*Exporter, error) {
	c, err := newConfig(opts).resolve()
	if err != nil {
		return nil, err
	}
	res, err := Resource(ctx, c.attrs...)
	if err != nil {
		return nil, fmt.Errorf("resource: %w", err)
	}
	client, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	border := newDecorator(client, c)
	events, err := newEvents(c, res, border.tell, border.count)
	if err != nil {
		return nil, errors.Join(err, client.Shutdown(ctx))
	}
	return assemble(c, res, border, events)
}

// assemble puts the SDK in front of what goes to the receiver.
func assemble(c config, res *resource.Resource, border *Decorator, events *events) (*Exporter, error) {
	r := newReader(border, c)
	loggers, err := c.loggers(res, events)
	e := &Exporter{provider: c.meters(res, r), reader: r, border: border, endpoint: c.endpoint, kind: c.kinds[metricsPayload],
		loggers: loggers, events: events}
	if c.observed && err == nil {
		err = e.observe()
	}
	return e, err
}

// MeterProvider returns the provider to hand to instrumentation. It is not set
// globally.
func (e *Exporter) MeterProvider() *sdkmetric.MeterProvider { return e.provider }

// LoggerProvider returns the provider to hand to whatever emits events. It is not set
// globally. Events are sent a second after they were emitted, in their order; while
// the receiver does not answer they wait, within the bounds of [WithEventQueue]. A
// receiver that takes metrics only is told of once, and its events are thrown away.
func (e *Exporter) LoggerProvider() *sdklog.LoggerProvider {
	e.asked.Store(true)
	return e.loggers
}

// Endpoint returns where the metrics go, as a URL, or "console" or "none".
func (e *Exporter) Endpoint() string {
	if e.kind != kindOTLP {
		return e.kind
	}
	return e.endpoint.url()
}

// Idle reports whether metrics go nowhere, as OTEL_SDK_DISABLED or
// OTEL_METRICS_EXPORTER wants it: then no pass is ever made.
func (e *Exporter) Idle() bool { return e.kind == kindNone }

// Schedule returns the time between two passes, and how long one may take.
func (e *Exporter) Schedule() (interval, timeout time.Duration) {
	return e.reader.interval, e.reader.timeout
}

// UseStartTimes sets who is asked when a series of the scopes of [WithScopes]
// began to count. The SDK itself only knows when the instrument was created.
func (e *Exporter) UseStartTimes(f StartTimes) { e.border.UseStartTimes(f) }

// Stats tells what has been sent and lost so far.
func (e *Exporter) Stats() Stats {
	s := e.border.Stats()
	s.EventsWaiting = int64(e.events.send.queue.level().all)
	return s
}

// ForceFlush runs a pass and delivers the events that wait, now and side by side, and
// returns why that failed. Programs call it once after their instruments exist, so
// that the first data need not wait for an interval.
func (e *Exporter) ForceFlush(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.reader.timeout)
		defer cancel()
	}
	flushed := make(chan error, 1)
	go func() { flushed <- e.events.ForceFlush(ctx) }()
	err := e.provider.ForceFlush(ctx)
	return errors.Join(err, <-flushed)
}
