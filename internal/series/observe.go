package series

import (
	"context"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/monotonic"
	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// Own is a metric about the passes, or about what they cost this process. The names
// follow the rules of the semantic conventions under a prefix of our own, since these
// have none for a program that measures others.
type Own struct {
	semconv.Metric
	Keys []attribute.Key // of its points
}

// Attributes of these metrics.
const (
	sourceKey = attribute.Key("pidometer.source.name")
	reasonKey = attribute.Key("pidometer.miss.reason")
	fallKey   = attribute.Key("pidometer.fall.cause")
	modeKey   = attribute.Key("cpu.mode")
	eventKey  = semconv.LimitedEvent
)

// The places of [OwnMetrics].
const (
	ownPasses = iota
	ownCut
	ownDuration
	ownPoints
	ownPanics
	ownMisses
	ownFalls
	ownCPU
	ownMemory
	ownFiles
	ownGoroutines
	OwnEvents // the places that a [Companion] tells of
	OwnLimited
	OwnWakeups
	OwnOverruns
)

// OwnMetrics are all of them.
var OwnMetrics = []Own{
	ownPasses: {semconv.Metric{Name: "pidometer.pass.count", Unit: "{pass}", Kind: semconv.Counter,
		Brief: "Passes that were made."}, nil},
	ownCut: {semconv.Metric{Name: "pidometer.pass.cut", Unit: "{pass}", Kind: semconv.Counter,
		Brief: "Passes that did not reach their end, so that the rest shows what it showed before."}, nil},
	ownDuration: {semconv.Metric{Name: "pidometer.pass.duration", Unit: "s", Kind: semconv.Gauge, Div: 1,
		Brief: "Time that the last pass took."}, nil},
	ownPoints: {semconv.Metric{Name: "pidometer.point.count", Unit: "{point}", Kind: semconv.UpDownCounter,
		Brief: "Points that the last pass gave."}, nil},
	ownPanics: {semconv.Metric{Name: "pidometer.panics", Unit: "{panic}", Kind: semconv.Counter,
		Brief: "Collections that recovered from a panic, which is a fault of pidometer."}, nil},
	ownMisses: {semconv.Metric{Name: "pidometer.source.misses", Unit: "{read}", Kind: semconv.Counter,
		Brief: "Reads of a source that gave nothing. The reason stuck is a timeout."}, []attribute.Key{sourceKey, reasonKey}},
	ownFalls: {semconv.Metric{Name: "pidometer.counter.falls", Unit: "{reading}", Kind: semconv.Counter,
		Brief: "Readings of counters that fell, by what that was taken for: jitter, wrap or restart."}, []attribute.Key{fallKey}},
	ownCPU: {semconv.Metric{Name: "pidometer.cpu.time", Unit: "s", Kind: semconv.Counter, Div: 1,
		Brief: "CPU time of this process."}, []attribute.Key{modeKey}},
	ownMemory: {semconv.Metric{Name: "pidometer.memory.usage", Unit: "By", Kind: semconv.UpDownCounter,
		Brief: "Resident memory of this process."}, nil},
	ownFiles: {semconv.Metric{Name: "pidometer.file_descriptor.count", Unit: "{file_descriptor}", Kind: semconv.UpDownCounter,
		Brief: "Open file descriptors of this process."}, nil},
	ownGoroutines: {semconv.Metric{Name: "pidometer.goroutine.count", Unit: "{goroutine}", Kind: semconv.UpDownCounter,
		Brief: "Goroutines of this process."}, nil},
	OwnEvents: {semconv.Metric{Name: "pidometer.event.count", Unit: "{event}", Kind: semconv.Counter,
		Brief: "Events that were handed to the LoggerProvider."}, []attribute.Key{eventKey}},
	OwnLimited: {semconv.Metric{Name: "pidometer.event.limited", Unit: "{event}", Kind: semconv.Counter,
		Brief: "Events that were not, since there were too many of the name in a second."}, []attribute.Key{eventKey}},
	OwnWakeups: {semconv.Metric{Name: "pidometer.event.wakeups", Unit: "{wakeup}", Kind: semconv.Counter,
		Brief: "Times that the kernel woke this process to tell what happened."}, nil},
	OwnOverruns: {semconv.Metric{Name: "pidometer.event.overruns", Unit: "{overrun}", Kind: semconv.Counter,
		Brief: "Times that the kernel dropped what nobody read in time. The next pass tells what has become of the processes."}, nil},
}

// causes are how falls are told, by verdict. Growing is none.
var causes = map[monotonic.Verdict]string{monotonic.Held: "jitter", monotonic.Wrapped: "wrap", monotonic.Restarted: "restart"}

// Observe yields a value for each of [OwnMetrics], by its place. It makes no pass.
// Of the own process nothing is told where the passes tell it anyway. A zero start is
// when the reader was opened.
func (r *Reader) Observe(ctx context.Context, yield func(metric int, set attribute.Set, start time.Time, v Number)) {
	plain := func(metric int, n int64) { yield(metric, *attribute.EmptySet(), time.Time{}, Number{Int: n}) }
	s := r.pass.Stats()
	plain(ownPasses, int64(s.Passes))
	plain(ownCut, int64(s.Errors))
	plain(ownPoints, r.points.Load())
	plain(ownPanics, r.panics.Load())
	yield(ownDuration, *attribute.EmptySet(), time.Time{}, Number{Float: s.Took.Seconds()})
	for miss, n := range s.Misses {
		yield(ownMisses, attribute.NewSet(sourceKey.String(miss.Source), reasonKey.String(miss.Why.String())), time.Time{}, Number{Int: int64(n)})
	}
	for verdict, cause := range causes {
		yield(ownFalls, attribute.NewSet(fallKey.String(cause)), time.Time{}, Number{Int: int64(s.Verdicts[verdict])})
	}
	if !r.self {
		r.observeProcess(ctx, yield)
	}
	if r.beside != nil {
		r.beside.Told(func(metric int, event string, n uint64) {
			set := *attribute.EmptySet()
			if event != "" {
				set = attribute.NewSet(eventKey.String(event))
			}
			yield(metric, set, time.Time{}, Number{Int: int64(n)})
		})
	}
}

// observeProcess tells what the passes cost this process, all else that it does
// included.
func (r *Reader) observeProcess(ctx context.Context, yield func(int, attribute.Set, time.Time, Number)) {
	yield(ownGoroutines, *attribute.EmptySet(), time.Time{}, Number{Int: int64(runtime.NumGoroutine())})
	r.pass.Own(ctx, func(s *platform.Sample) {
		for mode, f := range map[string]platform.Field{"user": platform.ProcessCPUUser, "system": platform.ProcessCPUSystem} {
			if v, ok := s.Get(f); ok {
				yield(ownCPU, attribute.NewSet(modeKey.String(mode)), r.pass.Boot().Created(s.Key.Start), Number{Float: float64(v) / 1e9})
			}
		}
		for metric, f := range map[int]platform.Field{ownMemory: platform.ProcessMemoryRSS, ownFiles: platform.ProcessOpenFiles} {
			if v, ok := s.Get(f); ok {
				yield(metric, *attribute.EmptySet(), time.Time{}, Number{Int: int64(v)})
			}
		}
	})
}

// Panicked counts a collection that recovered from a panic.
func (r *Reader) Panicked() { r.panics.Add(1) }

// Health returns how the last pass went.
func (r *Reader) Health() oneshot.Health { return r.pass.Health() }
