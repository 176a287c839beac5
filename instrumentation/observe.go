package instrumentation

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/internal/series"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// WithSelfObservation reports the passes themselves too, under names that begin with
// pidometer: how long they take, what they could not read and why, which counters
// fell, and what this process costs. A service that did not ask for it gets none of
// that. [SelfMetrics] lists them.
func WithSelfObservation() Option {
	return option(func(c *config) { c.observed = true })
}

// SelfMetric is a metric that [WithSelfObservation] adds.
type SelfMetric struct {
	Name, Unit, Brief string
	Kind              semconv.Kind
	Attributes        []attribute.Key
}

// SelfMetrics returns what [WithSelfObservation] adds.
func SelfMetrics() (all []SelfMetric) {
	for _, m := range series.OwnMetrics {
		all = append(all, SelfMetric{m.Name, m.Unit, m.Brief, m.Kind, slices.Clone(m.Keys)})
	}
	return all
}

// State is how a source did in the last pass.
type State uint8

// The states of a source. What is denied, gone, unsupported or skipped is to be
// expected and no fault of anybody: [Partial] is a healthy state.
const (
	Fine    = State(oneshot.Fine)    // it told everything that it was asked for
	Partial = State(oneshot.Partial) // it missed what is to be expected, or a small part of the rest
	Failing = State(oneshot.Failing) // unexpectedly it told nothing of half of the entities or more
)

// String returns the state as a health report has it: ok, partial or failing.
func (s State) String() string { return [...]string{"ok", "partial", "failing"}[s] }

// Health is how the last pass went. It takes no pass to know it.
type Health struct {
	Passes  uint64         // made so far
	At      time.Time      // when the last one began; zero before the first
	Took    time.Duration  // how long it took
	Cut     bool           // it did not get to its end
	Sources []SourceHealth // those that a pass reads
}

// SourceHealth is how one source of the kernel did in the last pass.
type SourceHealth struct {
	Name   string            // the kernel's own, such as /proc/[pid]/io
	State  State             // judged by the share of entities, not by one of them
	Missed map[string]uint32 // entities of which it told nothing, by reason; nil for none
}

// Health returns how the last pass went.
func (r *Registration) Health() Health { return HealthOf(r.reader) }

// HealthOf is for package producer.
func HealthOf(reader *series.Reader) Health {
	h := reader.Health()
	health := Health{Passes: h.Passes, At: h.At, Took: h.Took, Cut: h.Cut}
	for _, s := range h.Sources {
		source := SourceHealth{Name: s.Name, State: State(s.State)}
		for why, n := range s.Missed {
			if n > 0 && source.Missed == nil {
				source.Missed = map[string]uint32{}
			}
			if n > 0 {
				source.Missed[platform.Reason(why).String()] = n
			}
		}
		health.Sources = append(health.Sources, source)
	}
	return health
}

// createOwn makes the instruments of self-observation, if it is wanted.
func (r *Registration) createOwn(meter metric.Meter, wanted bool) (observables []metric.Observable, err error) {
	if !wanted {
		return nil, nil
	}
	for i := range series.OwnMetrics {
		made, observable, err := newInstrument(meter, &series.OwnMetrics[i].Metric)
		if err != nil {
			return nil, err
		}
		r.own = append(r.own, made)
		observables = append(observables, observable)
	}
	return observables, nil
}

// observeOwn tells of the pass that has just been made.
func (r *Registration) observeOwn(ctx context.Context, observer metric.Observer) {
	defer r.recover()
	if r.own == nil {
		return
	}
	r.reader.Observe(ctx, func(i int, set attribute.Set, at time.Time, v series.Number) {
		if !at.IsZero() {
			r.starts.set(start{series.OwnMetrics[i].Name, set.Equivalent()}, at)
		}
		if in := r.own[i]; in.float != nil {
			observer.ObserveFloat64(in.float, v.Float, metric.WithAttributeSet(set))
		} else {
			observer.ObserveInt64(in.integer, v.Int, metric.WithAttributeSet(set))
		}
	})
}
