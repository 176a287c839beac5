package exporter

import (
	"context"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutlog"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// The kinds of exporter, as OTEL_METRICS_EXPORTER spells them.
const (
	kindOTLP    = "otlp"
	kindConsole = "console"
	kindNone    = "none"
)

var kinds = []string{kindOTLP, kindConsole, kindNone}

// kindOf returns the kind of exporter for a payload, and what said so. An endpoint
// that was given as an option is meant to be used, whatever a variable says of
// metrics, unless all is disabled.
func kindOf(what payload, url string) (kind, from string) {
	if disabled() {
		return kindNone, "OTEL_SDK_DISABLED"
	}
	if url != "" && what == metricsPayload {
		return kindOTLP, fromOption
	}
	name := "OTEL_" + payloads[what].infix + "EXPORTER"
	if text := getenv(name); text != "" {
		return strings.ToLower(text), name
	}
	return kindOTLP, fromDefault
}

func disabled() bool { return strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") }

// place finds the endpoint of a payload. Where none is used it is one that nobody
// ever connects to.
func (c config) place(what payload) (endpoint, error) {
	if c.kinds[what] == kindOTLP {
		return findEndpoint(what, c.url)
	}
	return endpoint{protocol: protocolGRPC, host: "localhost:4317", payload: what}, nil
}

// client builds the exporter of metrics. The one for the console writes JSON to
// standard output.
func (c config) client(ctx context.Context) (sdkmetric.Exporter, error) {
	switch c.kinds[metricsPayload] {
	case kindNone:
		return nowhere{}, nil
	case kindConsole:
		return stdoutmetric.New(stdoutmetric.WithWriter(os.Stdout))
	}
	v, err := readVariables(c.endpoint)
	if err != nil {
		return nil, err
	}
	client, err := newClient(ctx, c, v)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", c.endpoint.url(), err)
	}
	return client, nil
}

// meters is the MeterProvider. Without a reader it asks no instrument for anything.
func (c config) meters(res *resource.Resource, r *reader) *sdkmetric.MeterProvider {
	if c.kinds[metricsPayload] == kindNone {
		return sdkmetric.NewMeterProvider(sdkmetric.WithResource(res))
	}
	// A limit of the SDK's own would fold series together first come, first kept
	// (sdk/metric v1.47.0: 2000 per instrument, and the last value of a gauge).
	// What we measure is bounded by selection, so there is none.
	return sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(r), sdkmetric.WithCardinalityLimit(0))
}

// loggers is the LoggerProvider. The sender of events has the resource: the one of a
// record can't be repaired.
func (c config) loggers(res *resource.Resource, events *events) (*sdklog.LoggerProvider, error) {
	switch c.kinds[eventsPayload] {
	case kindNone:
		return sdklog.NewLoggerProvider(), nil
	case kindConsole:
		console, err := stdoutlog.New(stdoutlog.WithWriter(os.Stdout))
		return sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewSimpleProcessor(console))), err
	}
	return sdklog.NewLoggerProvider(sdklog.WithProcessor(events)), nil
}

// nowhere is the exporter of those who want none.
type nowhere struct{}

func (nowhere) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	return sdkmetric.DefaultTemporalitySelector(k)
}
func (nowhere) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}
func (nowhere) Export(context.Context, *metricdata.ResourceMetrics) error { return nil }
func (nowhere) ForceFlush(context.Context) error                          { return nil }
func (nowhere) Shutdown(context.Context) error                            { return nil }
