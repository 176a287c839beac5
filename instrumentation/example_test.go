package instrumentation_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	otellog "go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/instrumentation"
)

// A service that reports itself, and of the host nothing.
func ExampleStart() {
	reader := sdkmetric.NewManualReader() // in a service, a periodic reader with an exporter
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	registration, err := instrumentation.Start(
		instrumentation.WithMeterProvider(provider),
		instrumentation.WithoutHost(),
		instrumentation.WithMetrics("-*", "process.memory.usage"),
	)
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("process.memory.usage 1") // no backend on this system yet
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer registration.Unregister()

	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		log.Fatal(err)
	}
	for _, m := range data.ScopeMetrics[0].Metrics {
		fmt.Println(m.Name, len(m.Data.(metricdata.Sum[int64]).DataPoints))
	}
	// Output: process.memory.usage 1
}

// printer is a LoggerProvider that prints; in a service it is that of the SDK, or of
// package exporter.
type printer struct{ noop.LoggerProvider }

func (printer) Logger(string, ...otellog.LoggerOption) otellog.Logger { return names{} }

type names struct{ noop.Logger }

func (names) Emit(_ context.Context, r otellog.Record) { fmt.Println(r.EventName()) }

// A service whose LoggerProvider gets an event for each process that the passes see:
// itself.
func ExampleWithLoggerProvider() {
	reader := sdkmetric.NewManualReader()
	registration, err := instrumentation.Start(
		instrumentation.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))),
		instrumentation.WithLoggerProvider(printer{}),
		instrumentation.WithMetrics("-*", "process.memory.usage"),
	)
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("entity.state") // no backend on this system yet
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer registration.Unregister()
	registration.Look(context.Background()) // or whatever the reader does
	// Output: entity.state
}
