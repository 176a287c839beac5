package instrumentation

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/pidometer/pidometer/internal/events"
	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/internal/series"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/native"
	"github.com/pidometer/pidometer/semconv"
)

// Events says which events are sent. [semconv.Events] tells which there are.
type Events uint8

// The choices of [WithEvents].
const (
	// EventsOff sends none.
	EventsOff Events = iota
	// EventsDefault sends entity.state and entity.delete of processes, changes of
	// services, processes killed for want of memory, counters that began anew, a boot
	// and a clock that was set.
	EventsDefault
	// EventsAll sends process.start and process.exit too, by the best source that this
	// system and its rights allow, and pressure.
	EventsAll
)

// WithLoggerProvider sends events there: [EventsDefault], unless [WithEvents] says
// otherwise. Without it there are none.
func WithLoggerProvider(p log.LoggerProvider) Option {
	return option(func(c *config) { c.loggers = p })
}

// WithEvents chooses the events. They go to the global LoggerProvider if there is no
// [WithLoggerProvider]. Processes are told of as far as [WithProcesses] and
// [WithFilter] let passes see them: with [Self] only this one, and with a filter by
// passes alone, since the kernel knows of no filter. With [WithoutHost] there is nothing of
// services, kills and pressure.
//
// Events are made at each pass, and between passes where the kernel tells what happens:
// then a goroutine listens, and wakes up when something did. They are handed over by
// another goroutine; a pass waits for it for 50 ms at most.
func WithEvents(e Events) Option {
	return option(func(c *config) { c.events, c.eventsSet = e, true })
}

// WithReportInterval is the time after which the entity.state of a process is sent
// again. The default is ten minutes; with very many processes it is longer, since no
// more than a thousand are sent in a minute.
func WithReportInterval(d time.Duration) Option {
	return option(func(c *config) { c.report = d })
}

// wanted returns which events are sent.
func (c *config) wantedEvents() Events {
	if c.eventsSet {
		return c.events
	}
	if c.loggers != nil {
		return EventsDefault
	}
	return EventsOff
}

// accompany makes the companion of the passes, if events are wanted.
func (c *config) accompany(backend platform.Backend) (*companion, error) {
	wanted := c.wantedEvents()
	if wanted == EventsOff {
		return nil, nil
	}
	provider := c.loggers
	if provider == nil {
		provider = otel.GetLoggerProvider()
	}
	known, err := readHost(context.Background(), backend)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	p, made := c.series.Processes, new(companion)
	made.Engine = events.New(events.Config{
		Logger:  provider.Logger(ScopeName, log.WithInstrumentationVersion(Version), log.WithSchemaURL(semconv.SchemaURL)),
		All:     wanted == EventsAll,
		Backend: backend,
		Deaf:    c.foreign(backend),
		Rooted:  c.platform.Root != "",
		Host:    known[platform.HostID],

		WithoutHost: c.series.WithoutHost,
		Everyone:    (p == oneshot.Top || p == oneshot.All) && len(c.series.Filter) == 0,
		Interval:    c.report,
		GOOS:        runtime.GOOS,
		Restarted: func(p *oneshot.Pass, yield func(events.Restart)) {
			made.reader.Restarts(p, func(metric string, set attribute.Set, previous, value uint64) {
				yield(events.Restart{Metric: metric, Set: set, Previous: previous, Value: value})
			})
		},
	})
	return made, nil
}

// foreign reports whether the backend looks at a tree that another kernel made: what
// this one tells is not of it.
func (c *config) foreign(backend platform.Backend) bool {
	if c.platform.Root == "" {
		return false
	}
	own, err := native.New(native.Options{})
	if err != nil {
		return true
	}
	defer own.Close()
	return own.Boot().ID != backend.Boot().ID
}

// companion is the event engine as the passes know it.
type companion struct {
	*events.Engine
	reader *series.Reader // set before the first pass
}

func (c *companion) Told(yield func(metric int, event string, n uint64)) {
	s := c.Stats()
	for name, n := range s.Emitted {
		yield(series.OwnEvents, name, n)
		yield(series.OwnLimited, name, s.Limited[name])
	}
	yield(series.OwnWakeups, "", s.Wakeups)
	yield(series.OwnOverruns, "", s.Overruns)
}

// EventSource is where events are heard of, or could be.
type EventSource struct {
	Name string // the kernel's own name, such as proc connector
	// Err is why it is not listened to; nil if it is. The passes tell then what they
	// can.
	Err error
	// Spared says that a better source makes it needless.
	Spared bool
}

// EventSources returns where events are heard of beside the passes, and why not
// elsewhere; nil without events, and on a system that tells nothing. It never changes.
func (r *Registration) EventSources() []EventSource { return EventSourcesOf(r.reader) }

// EventSourcesOf is of use inside this module only.
func EventSourcesOf(r *series.Reader) (sources []EventSource) {
	c, ok := r.Companion().(*companion)
	if !ok {
		return nil
	}
	for _, t := range c.Tiers() {
		sources = append(sources, EventSource{t.Source.Name, t.Err, t.Spared})
	}
	return sources
}

// Look makes a pass, or shares one that is younger than 200 ms, for the sake of its
// events alone: for a program that collects no metrics. It never fails.
func (r *Registration) Look(ctx context.Context) {
	defer r.recover()
	r.reader.Look(ctx)
}
