package events

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

const (
	// justBooted is the uptime up to which the first pass tells of the boot.
	justBooted = 10 * time.Minute
	// leastStep is what the clock must have been set by. A clock that is slewed goes
	// half a millisecond in a second too fast at most (adjtimex(2)), so that two passes
	// would have to be half an hour apart.
	leastStep = time.Second
)

// clock compares the time of day with the uptime, which nobody can set, and which
// goes on while the host sleeps.
type clock struct {
	at     time.Time
	uptime time.Duration
	took   time.Duration // the pass: the uptime was read some time within it
}

// step returns how far the clock was set since the last call; 0 if that may be no more
// than what lies between two readings.
func (c *clock) step(at time.Time, uptime, took time.Duration) time.Duration {
	before := *c
	*c = clock{at.Round(0), uptime, took} // without the monotonic reading
	if before.at.IsZero() {
		return 0
	}
	step := c.at.Sub(before.at) - (uptime - before.uptime)
	if step.Abs() < leastStep+took+before.took {
		return 0
	}
	return step
}

// Restart is a counter that began anew.
type Restart struct {
	Metric          string
	Set             attribute.Set
	Previous, Value uint64
}

// host tells of the host what a pass found.
func (e *Engine) host(p *oneshot.Pass) {
	if e.config.Restarted != nil {
		e.config.Restarted(p, e.restarted)
	}
	row := p.Host()
	if row == nil {
		return
	}
	v, ok := row.Value(platform.HostUptime)
	if !ok {
		return
	}
	uptime := time.Duration(v)
	if step := e.clock.step(p.At(), uptime, e.config.Now().Sub(p.At())); step != 0 {
		e.put(semconv.EventClockStep, p.At(), false, item{attrs: []attribute.KeyValue{
			semconv.ClockStep.Float64(step.Round(time.Millisecond).Seconds())}})
	}
	if e.passes == 0 && uptime < justBooted {
		e.put(semconv.EventBoot, p.At().Add(-uptime), false, item{attrs: appendKnown(nil, semconv.BootID, e.boot.ID)})
	}
}

// restarted tells of a counter that began anew.
func (e *Engine) restarted(r Restart) {
	attrs := []attribute.KeyValue{semconv.RestartMetric.String(r.Metric),
		semconv.RestartPrevious.Int64(int64(r.Previous)), semconv.RestartValue.Int64(int64(r.Value))}
	if r.Set.Len() > 0 {
		attrs = append(attrs, attribute.KeyValue{Key: semconv.RestartAttributes, Value: attribute.MapValue(r.Set.ToSlice()...)})
	}
	e.put(semconv.EventCounterRestart, time.Time{}, false, item{attrs: attrs})
}
