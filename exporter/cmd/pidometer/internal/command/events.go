package command

import (
	"context"
	"os"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/document"
	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/table"
	"github.com/pidometer/pidometer/instrumentation"
)

// eventSets are the values of --events.
var eventSets = map[string]instrumentation.Events{
	"off": instrumentation.EventsOff, "default": instrumentation.EventsDefault, "all": instrumentation.EventsAll}

// uptimeOnly are the metrics that passes for the sake of events need.
var uptimeOnly = []string{"-*", "system.uptime"}

// events follows what happens until a signal, or for as long as it was told to.
func events(ctx context.Context, env Env, f *flags) (End, error) {
	if f.interval == 0 {
		f.interval = time.Second
	}
	host, err := instrumentation.HostAttributes(ctx, f.options()...)
	if err != nil {
		return End{}, startError(err)
	}
	provider, err := f.printer(ctx, env, host)
	if err != nil {
		return End{}, err
	}
	r, err := instrumentation.Start(append(f.options(), instrumentation.WithMetrics(uptimeOnly...),
		instrumentation.WithMeterProvider(noop.NewMeterProvider()), instrumentation.WithEvents(eventSets[f.events]), instrumentation.WithLoggerProvider(provider))...)
	if err != nil {
		return End{}, startError(err)
	}
	log, err := f.logger(env)
	if err != nil {
		return End{}, err
	}
	listening(log, r.EventSources())
	var cancel context.CancelFunc
	if ctx, cancel = context.WithCancel(ctx); f.lasting > 0 {
		ctx, cancel = context.WithTimeout(ctx, f.lasting)
	}
	defer cancel()
	go follow(ctx, r, f.interval)
	signal, err := exporter.Run(ctx, func(ctx context.Context) error {
		r.Look(ctx)
		return r.Unregister()
	}, exporter.WithSignals(syscall.SIGTERM, os.Interrupt))
	if signal == nil || err != nil {
		return End{}, err
	}
	return End{Final: func() { exporter.Exit(signal, err) }}, nil
}

// follow makes passes.
func follow(ctx context.Context, r *instrumentation.Registration, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for r.Look(ctx); ; r.Look(ctx) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// printer makes the LoggerProvider that prints each event as it comes.
func (f *flags) printer(ctx context.Context, env Env, host []attribute.KeyValue) (*sdklog.LoggerProvider, error) {
	resource, err := exporter.Resource(ctx, host...)
	if err != nil {
		return nil, err
	}
	print := func(r sdklog.Record) error { return table.Event(env.Out, &r) }
	switch f.format {
	case "json":
		print = func(r sdklog.Record) error { return document.Event(env.Out, &r) }
	case "otlp":
		print = func(r sdklog.Record) error { return document.EventOTLP(ctx, env.Out, &r) }
	default:
		if f.events == "all" {
			print = withoutEntities(print)
		}
	}
	return sdklog.NewLoggerProvider(sdklog.WithResource(resource), sdklog.WithProcessor(printing(print)),
		sdklog.WithAttributeCountLimit(-1)), nil
}

// withoutEntities leaves out of the table what process.start and process.exit tell a
// person better.
func withoutEntities(print printing) printing {
	return func(r sdklog.Record) error {
		if strings.HasPrefix(r.EventName(), "entity.") {
			return nil
		}
		return print(r)
	}
}

// printing is a processor that prints.
type printing func(sdklog.Record) error

func (p printing) OnEmit(_ context.Context, r *sdklog.Record) error { return p(*r) }

func (printing) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

func (printing) Shutdown(context.Context) error { return nil }

func (printing) ForceFlush(context.Context) error { return nil }
