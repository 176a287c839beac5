// Command service is a Go service that reports its process and its host beside
// its own metrics, through the MeterProvider that it has anyway.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/instrumentation"
)

func main() {
	ctx := context.Background()

	// A real service has a reader that exports; this one is read at the end.
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	defer provider.Shutdown(ctx)

	registration, err := instrumentation.Start(instrumentation.WithMeterProvider(provider))
	if err != nil {
		log.Fatal(err)
	}
	defer registration.Unregister()

	serve(ctx, provider)

	var seen metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &seen); err != nil {
		log.Fatal(err)
	}
	for _, scope := range seen.ScopeMetrics {
		if err := json.NewEncoder(os.Stdout).Encode(scope); err != nil {
			log.Fatal(err)
		}
	}
}

// serve is what the service is for.
func serve(ctx context.Context, provider *sdkmetric.MeterProvider) {
	requests, err := provider.Meter("example/service").Int64Counter("requests")
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		requests.Add(ctx, 1)
	}
}
