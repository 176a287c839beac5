// Command sidecar is an agent of one's own: this host, its largest processes, and the
// events of all of them, over OTLP to wherever the OTEL_* variables say, until SIGTERM.
package main

import (
	"context"
	"errors"
	"log"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
)

func main() {
	ctx := context.Background()
	host, err := instrumentation.HostAttributes(ctx)
	if err != nil {
		log.Fatal(err)
	}
	exp, err := exporter.New(ctx, exporter.WithResource(host...), exporter.WithScopes(instrumentation.ScopeName))
	if err != nil {
		log.Fatal(err)
	}
	registration, err := instrumentation.Start(
		instrumentation.WithMeterProvider(exp.MeterProvider()), instrumentation.WithProcesses(instrumentation.Top),
		instrumentation.WithLoggerProvider(exp.LoggerProvider()))
	if err != nil {
		log.Fatal(err)
	}
	exp.UseStartTimes(registration.StartTime)

	go exp.ForceFlush(ctx) // the first data at once
	exporter.Exit(exporter.Run(ctx, func(ctx context.Context) error {
		return errors.Join(exp.Shutdown(ctx), registration.Unregister())
	}))
}
