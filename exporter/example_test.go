package exporter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"go.opentelemetry.io/otel/metric"

	"github.com/pidometer/pidometer/exporter"
)

// A receiver of OTLP over HTTP gets one gauge.
func ExampleNew() {
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
	}))
	defer receiver.Close()
	os.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	defer os.Unsetenv("OTEL_EXPORTER_OTLP_PROTOCOL")

	ctx := context.Background()
	exp, err := exporter.New(ctx, exporter.WithEndpoint(receiver.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = exp.MeterProvider().Meter("example").Int64ObservableGauge("answer",
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(42)
			return nil
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("shutdown:", exp.Shutdown(ctx))
	fmt.Println("points:", exp.Stats().Points)
	// Output:
	// POST /v1/metrics
	// shutdown: <nil>
	// points: 1
}

// A service whose own work ends flushes too. A signal would be returned in place of
// nil.
func ExampleRun() {
	ctx, finish := context.WithCancel(context.Background())
	finish()
	sig, err := exporter.Run(ctx, func(context.Context) error {
		fmt.Println("flushed")
		return nil
	})
	fmt.Println(sig, err)
	// Output:
	// flushed
	// <nil> <nil>
}
