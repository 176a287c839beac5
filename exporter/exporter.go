package exporter

import (
	"context"
	"fmt"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// Exporter is a MeterProvider whose metrics go to an OTLP receiver. Make one with
// [New].
type Exporter struct {
	provider *sdkmetric.MeterProvider
	reader   *reader
	border   *Decorator
	endpoint endpoint
}

// New starts an exporter. Without options it sends to http://localhost:4317 over
// gRPC, every 15 seconds; the OTEL_* variables of the specification are honoured,
// and options beat them. No connection is made before the first pass. Whatever is
// wrong with options or variables is an error here.
func New(ctx context.Context, opts ...Option) (*Exporter, error) {
	c, err := newConfig(opts).resolve()
	if err != nil {
		return nil, err
	}
	res, err := Resource(ctx, c.attrs...)
	if err != nil {
		return nil, fmt.Errorf("resource: %w", err)
	}
	client, err := newClient(ctx, c.endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", c.endpoint.url(), err)
	}
	border := newDecorator(client, c)
	r := newReader(border, c)
	// A limit of the SDK's own would fold series together first come, first kept
	// (sdk/metric v1.47.0: 2000 per instrument, and the last value of a gauge).
	// What we measure is bounded by selection, so there is none.
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithResource(res), sdkmetric.WithReader(r), sdkmetric.WithCardinalityLimit(0))
	return &Exporter{provider: provider, reader: r, border: border, endpoint: c.endpoint}, nil
}

// MeterProvider returns the provider to hand to instrumentation. It is not set
// globally.
func (e *Exporter) MeterProvider() *sdkmetric.MeterProvider { return e.provider }

// Endpoint returns where the metrics go, as a URL.
func (e *Exporter) Endpoint() string { return e.endpoint.url() }

// UseStartTimes sets who is asked when a series of the scopes of [WithScopes]
// began to count. The SDK itself only knows when the instrument was created.
func (e *Exporter) UseStartTimes(f StartTimes) { e.border.UseStartTimes(f) }

// Stats tells what has been sent and lost so far.
func (e *Exporter) Stats() Stats { return e.border.Stats() }

// ForceFlush runs a pass now and returns why it failed. Programs call it once
// after their instruments exist, so that the first data need not wait for an
// interval.
func (e *Exporter) ForceFlush(ctx context.Context) error { return e.provider.ForceFlush(ctx) }

// Shutdown delivers a last pass and stops, once; later calls wait for that and
// return the same result. It is within the deadline of ctx, or [DefaultDeadline]
// if there is none or ctx is over already, as it is after a signal.
func (e *Exporter) Shutdown(ctx context.Context) error {
	_ = e.provider.Shutdown(ctx) // the reader has the result, also of an earlier call
	return e.reader.Shutdown(ctx)
}
