package command

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// run is the sidecar: it works until the end of ctx or a signal. Everything that can be
// refused is refused before anything has started.
func run(ctx context.Context, env Env, f *flags) (End, error) {
	if err := instrumentation.Check(f.options()...); err != nil {
		return End{}, usageError{err}
	}
	host, err := instrumentation.HostAttributes(ctx, f.options()...)
	if err != nil {
		return End{}, startError(err)
	}
	log, err := f.logger(env)
	if err != nil {
		return End{}, err
	}
	s, err := f.connect(ctx, host, log)
	if err != nil {
		return End{}, err
	}
	// The SDK's own metrics, off unless OTEL_GO_X_OBSERVABILITY is true, go to the
	// global provider (sdk/metric v1.47.0, internal/x).
	otel.SetMeterProvider(s.exporter.MeterProvider())
	steps, err := f.answer(s, log)
	if err != nil {
		return End{}, errors.Join(err, s.abandon(ctx))
	}
	log.Info("pidometer runs", "version", instrumentation.Version, "endpoint", s.exporter.Endpoint(),
		"processes", f.processes)
	f.explain(log)
	listening(log, s.sources)
	if s.exporter.Idle() {
		log.Info("nothing is read and nothing is sent, as OTEL_SDK_DISABLED or OTEL_METRICS_EXPORTER wants it")
	}
	if env.runs != nil {
		env.runs()
	}
	go s.exporter.ForceFlush(ctx) // the first data at once; what fails is logged by the exporter
	signal, err := exporter.Run(ctx, s.shutdown, exporter.WithSignals(f.signals()...),
		exporter.WithLogger(log), exporter.WithSteps(steps...))
	return End{Final: func() { exporter.Exit(signal, err) }, lost: err}, nil
}

// signals are those that end the sidecar. A service hears of its end from the service
// manager: it would take the signal that Go makes of a user's logging off, which all
// services are told of, for its own end (HandlerRoutine, CTRL_LOGOFF_EVENT).
func (f *flags) signals() []os.Signal {
	if f.asService {
		return nil
	}
	return []os.Signal{syscall.SIGTERM, os.Interrupt}
}

// sidecar is an exporter and what it exports.
type sidecar struct {
	exporter *exporter.Exporter
	health   func() instrumentation.Health
	sources  []instrumentation.EventSource
	close    func() error
}

// connect puts the pieces together: instruments by default, a producer where
// every process is reported, since instruments have a cardinality limit and cost
// the SDK a hundred times as much.
func (f *flags) connect(ctx context.Context, host []attribute.KeyValue, log *slog.Logger) (*sidecar, error) {
	options := append(f.exporterOptions(), exporter.WithResource(f.describe(host)...), exporter.WithLogger(log))
	if f.processes == "all" {
		return f.produce(ctx, options)
	}
	return f.instrument(ctx, options)
}

func (f *flags) produce(ctx context.Context, options []exporter.Option) (*sidecar, error) {
	source, err := producer.New(append(f.options(), instrumentation.WithEvents(eventSets[f.events]))...)
	if err != nil {
		return nil, startError(err)
	}
	e, err := exporter.New(ctx, append(options, exporter.WithProducer(source))...)
	if err != nil {
		source.Close()
		return nil, usageError{f.placed(err)}
	}
	if f.events != "off" {
		otel.SetLoggerProvider(e.LoggerProvider()) // to which the producer's events go from now on
	}
	return &sidecar{e, source.Health, source.EventSources(), source.Close}, nil
}

func (f *flags) instrument(ctx context.Context, options []exporter.Option) (*sidecar, error) {
	e, err := exporter.New(ctx, options...)
	if err != nil {
		return nil, usageError{f.placed(err)}
	}
	registration, err := instrumentation.Start(append(append(f.options(), f.eventOptions(e)...), instrumentation.WithMeterProvider(e.MeterProvider()))...)
	if err != nil {
		return nil, errors.Join(startError(err), e.Shutdown(ctx))
	}
	e.UseStartTimes(registration.StartTime)
	return &sidecar{e, registration.Health, registration.EventSources(), registration.Unregister}, nil
}

// eventOptions send events, if any are wanted. An exporter that is not asked for its
// LoggerProvider tells nothing there itself.
func (f *flags) eventOptions(e *exporter.Exporter) []instrumentation.Option {
	if f.events == "off" {
		return nil
	}
	return []instrumentation.Option{instrumentation.WithEvents(eventSets[f.events]), instrumentation.WithLoggerProvider(e.LoggerProvider())}
}

// abandon ends what has only just begun: nobody waits for its data.
func (s *sidecar) abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.shutdown(ctx)
}

// shutdown takes the last pass, flushes it, and frees what was read from.
func (s *sidecar) shutdown(ctx context.Context) error {
	return errors.Join(s.exporter.Shutdown(ctx), s.close())
}
