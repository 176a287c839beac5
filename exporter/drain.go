package exporter

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
)

// ScopeName is the instrumentation scope of what the exporter says of itself.
const ScopeName = "github.com/pidometer/pidometer/exporter"

// DrainEvent is the name of the last event, which tells how a shutdown went:
//
//	pidometer.drain.points        points of the last pass that the receiver took
//	pidometer.drain.points_lost   points of it that it did not
//	pidometer.drain.events        events that were delivered meanwhile
//	pidometer.drain.events_lost   events that were given up meanwhile
//	pidometer.drain.milliseconds  from the beginning until the metrics were done
//
// It is a warning if something was lost. Whoever has not asked for the
// LoggerProvider does not get it; the logger is told the same in a line.
const DrainEvent = "pidometer.drain"

// Shutdown delivers a last pass and the events that wait, side by side, and stops,
// once; later calls wait for that and return the same result. It is within the
// deadline of ctx, or [DefaultDeadline] if there is none or ctx is over already, as
// it is after a signal. Metrics have seven eighths of the time, so that [DrainEvent]
// can follow whatever became of them.
func (e *Exporter) Shutdown(ctx context.Context) error {
	e.once.Do(func() { e.result = e.shutdown(ctx) })
	return e.result
}

func (e *Exporter) shutdown(ctx context.Context) error {
	ctx, cancel := lastDeadline(ctx)
	defer cancel()
	begin, before := time.Now(), e.Stats()
	e.events.send.drain(ctx)
	metrics := e.shutdownMetrics(ctx)
	e.drained(begin, before)
	_ = e.loggers.Shutdown(ctx) // a flush of the program may hold it up
	return errors.Join(metrics, e.events.Shutdown(ctx))
}

// shutdownMetrics returns at seven eighths of the time at the latest.
func (e *Exporter) shutdownMetrics(ctx context.Context) error {
	end, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(end)*7/8)
	defer cancel()
	_ = e.provider.Shutdown(ctx) // the reader has the result, also of an earlier call
	return e.reader.Shutdown(ctx)
}

// drained tells how the shutdown has gone so far.
func (e *Exporter) drained(begin time.Time, before Stats) {
	after := e.Stats()
	if after.Points+after.Lost+after.Refused+after.Events+after.EventsWaiting+after.eventsGone() == 0 {
		return // there was nothing to tell of, ever
	}
	points, pointsLost := after.Points-before.Points, after.Lost+after.Refused-before.Lost-before.Refused
	events, eventsLost := after.Events-before.Events, after.eventsGone()-before.eventsGone()
	e.border.tell.drained(slog.Int64("points", points), slog.Int64("points_lost", pointsLost),
		slog.Int64("events", events), slog.Int64("events_lost", eventsLost), slog.Duration("after", time.Since(begin).Round(time.Millisecond)))
	if !e.asked.Load() {
		return
	}
	var r log.Record
	r.SetEventName(DrainEvent)
	r.SetTimestamp(time.Now())
	r.SetSeverity(log.SeverityInfo)
	if pointsLost+eventsLost > 0 {
		r.SetSeverity(log.SeverityWarn)
	}
	r.AddAttributes(
		attribute.Int64("pidometer.drain.points", points), attribute.Int64("pidometer.drain.points_lost", pointsLost),
		attribute.Int64("pidometer.drain.events", events), attribute.Int64("pidometer.drain.events_lost", eventsLost),
		attribute.Int64("pidometer.drain.milliseconds", time.Since(begin).Milliseconds()))
	e.loggers.Logger(ScopeName).Emit(context.Background(), r)
}

// eventsGone is how many events will never arrive.
func (s Stats) eventsGone() int64 {
	return s.EventsDropped + s.EventsLost + s.EventsRefused + s.EventsUntaken
}
