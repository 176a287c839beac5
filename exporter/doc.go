// Package exporter sends metrics and events to an OTLP receiver so that nothing is
// lost on the way.
//
// [New] makes a MeterProvider and a LoggerProvider, honouring the OTEL_* variables:
//
//	exp, err := exporter.New(ctx, exporter.WithScopes(instrumentation.ScopeName))
//	reg, err := instrumentation.Start(instrumentation.WithMeterProvider(exp.MeterProvider()))
//	exp.UseStartTimes(reg.StartTime)
//	go exp.ForceFlush(ctx) // first data now, not after an interval
//	exporter.Exit(exporter.Run(ctx, exp.Shutdown))
//
// Between the SDK and the OTLP exporter stands a [Decorator], which programs with
// a MeterProvider of their own can use alone, by [Decorate]:
//
//   - Strings that are not valid UTF-8 are repaired, wherever they stand; one of
//     them would cost the whole request.
//   - Start times are true where somebody knows them. The SDK stamps the creation
//     of the instrument.
//   - Deltas, where OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE wants them,
//     are made from what was delivered: the first one is not the whole past, none
//     is negative, and a lost request loses none.
//   - Points that share everything but their value become one.
//   - No request is over 4 MiB or [DefaultBatch] points; one that is still too
//     large is sent in halves.
//   - One callback that fails costs its own instruments only, if the reader is that
//     of New.
//   - An outage is told once with its remedy, and once when it is over.
//
// Events, which [Exporter.LoggerProvider] takes, wait in order and within bounds while
// the receiver does not answer. Metrics and events of the same outage share its two
// lines. docs/delivery.md says what becomes of either in every kind of outage.
//
// [Run] waits for SIGTERM, does what else is to be done, and flushes; [Exit] ends the
// process so that its status says why. Nothing global is set by this package, and no signal is caught outside
// Run.
package exporter
