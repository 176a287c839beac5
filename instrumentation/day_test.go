package instrumentation_test

import (
	"context"
	"flag"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

var (
	hours  = flag.Int("hours", 0, "how many simulated hours each part of TestDay lives through; 0: as many as its table says")
	births = flag.Int("births", 100_000, "how many processes are born in 24 simulated hours")
	seed   = flag.Uint64("day-seed", 1, "of what happens in TestDay")
)

// collect makes one pass, as a reader does, and hands it to an exporter.
type collect func(context.Context, sdkmetric.Exporter)

// instruments measures a machine by asynchronous instruments.
func instruments(t *testing.T, m *machine, p instrumentation.Processes, next *exporter.Decorator) collect {
	reader := sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(next.Temporality))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithCardinalityLimit(0))
	r, err := instrumentation.Start(instrumentation.WithBackend(m), instrumentation.WithMeterProvider(provider), instrumentation.WithProcesses(p))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Unregister() })
	next.UseStartTimes(r.StartTime)
	return func(ctx context.Context, e sdkmetric.Exporter) {
		var data metricdata.ResourceMetrics // the SDK would keep in it what earlier passes held
		if err := reader.Collect(ctx, &data); err != nil {
			t.Fatal(err)
		}
		e.Export(ctx, &data)
	}
}

// produced measures a machine by a producer.
func produced(t *testing.T, m *machine, p instrumentation.Processes, _ *exporter.Decorator) collect {
	source, err := producer.New(instrumentation.WithBackend(m), instrumentation.WithProcesses(p))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return func(ctx context.Context, e sdkmetric.Exporter) {
		scopes, _ := source.Produce(ctx)
		e.Export(ctx, &metricdata.ResourceMetrics{Resource: resource.Empty(), ScopeMetrics: scopes})
	}
}

// A day in the life of a machine: no sum falls, no delta is negative, and their total
// is, to the digit, what the machine counted; of what is gone nothing is kept.
func TestDay(t *testing.T) {
	for _, test := range []struct {
		name      string
		open      func(*testing.T, *machine, instrumentation.Processes, *exporter.Decorator) collect
		processes instrumentation.Processes
		delta     bool
		hours     int
	}{
		{"top of instruments in deltas", instruments, instrumentation.Top, true, 24},
		{"all of a producer in sums", produced, instrumentation.All, false, 24},
		{"top of instruments in sums", instruments, instrumentation.Top, false, 3},
		{"all of a producer in deltas", produced, instrumentation.All, true, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(400)) // the heap is small, and the processes short-lived
			length := test.hours
			switch {
			case *hours > 0:
				length = *hours
			case raceEnabled:
				length = 2
			}
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(*seed, time.Now())
				c := newConsumer(t, test.delta)
				border := exporter.Decorate(c, exporter.WithScopes(instrumentation.ScopeName))
				day(t, length, m, c, border, test.open(t, m, test.processes, border))
				if test.delta {
					c.compare(m.told)
				}
			})
		})
	}
}

// day lives through the hours, a pass each minute. Each hour ends in a rest, after
// which the same machine is left, and no more memory may be held than after the first.
func day(t *testing.T, hours int, m *machine, c *consumer, border *exporter.Decorator, pass collect) {
	const settle = 6 // passes until what is gone is forgotten
	var first, most uint64
	for minute := range hours * 60 {
		resting := minute%60 >= 60-settle
		if minute%60 == 60-settle {
			m.rest()
		}
		n := 0
		if !resting {
			m.churn(minute)
			n = (*births*(minute/60+1) - 24*m.born) / 24 / (60 - settle - minute%60)
		}
		time.Sleep(time.Minute) // of the simulation
		m.live(time.Minute, n)
		pass(t.Context(), border)
		c.end()
		if minute%60 != 59 {
			continue
		}
		c.lines = maps.Collect(maps.All(c.lines)) // with no room for what is gone
		if live := heap(); first == 0 {
			first = live
		} else {
			most = max(most, live)
		}
	}
	t.Logf("%d births, %d passes, %d points, %d wraps and restarts in sight; live heap after an hour %d KiB, later %d KiB at most (%+.2f %%)",
		m.born, m.passes, c.points, c.resets, first>>10, most>>10, 100*(float64(most)/float64(first)-1))
	if want := *births * hours / 24; m.born < want {
		t.Errorf("%d births, want %d", m.born, want)
	}
	if float64(most) > 1.05*float64(first) {
		t.Errorf("live heap grew from %d bytes to %d", first, most)
	}
}

// heap returns the bytes that are held on to. Pools are empty after two collections.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// consumer is a backend that believes what it is sent, and checks it.
type consumer struct {
	t      *testing.T
	delta  bool
	pass   int
	points int
	resets int
	lines  map[lineKey]line
	totals map[string]uint64 // of integer deltas, by metric
}

// lineKey is a series as a consumer sees it, whatever its start.
type lineKey struct {
	metric string
	set    attribute.Distinct
}

type line struct {
	start, end time.Time
	value      float64
	pass       int
}

func newConsumer(t *testing.T, delta bool) *consumer {
	return &consumer{t: t, delta: delta, lines: map[lineKey]line{}, totals: map[string]uint64{}}
}

func (c *consumer) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	if c.delta {
		return sdkmetric.DeltaTemporalitySelector(k)
	}
	return metricdata.CumulativeTemporality
}

func (c *consumer) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}

func (c *consumer) ForceFlush(context.Context) error { return nil }
func (c *consumer) Shutdown(context.Context) error   { return nil }

func (c *consumer) Export(_ context.Context, rm *metricdata.ResourceMetrics) error {
	for _, s := range rm.ScopeMetrics {
		for _, m := range s.Metrics {
			switch sum := m.Data.(type) {
			case metricdata.Sum[int64]:
				take(c, m.Name, sum)
			case metricdata.Sum[float64]:
				take(c, m.Name, sum)
			}
		}
	}
	return nil
}

func take[N int64 | float64](c *consumer, metric string, sum metricdata.Sum[N]) {
	if !sum.IsMonotonic {
		return
	}
	if (sum.Temporality == metricdata.DeltaTemporality) != c.delta {
		c.t.Errorf("%s has temporality %v", metric, sum.Temporality)
	}
	for _, p := range sum.DataPoints {
		c.points++
		key := lineKey{metric, p.Attributes.Equivalent()}
		old, ok := c.lines[key]
		now := line{p.StartTime, p.Time, float64(p.Value), c.pass}
		switch {
		case ok && old.pass == c.pass:
			c.t.Errorf("%s %v is told twice in pass %d", metric, p.Attributes, c.pass)
		case p.StartTime.IsZero() || p.StartTime.After(p.Time):
			c.t.Errorf("%s %v starts at %v, and is of %v", metric, p.Attributes, p.StartTime, p.Time)
		case p.Value < 0:
			c.t.Errorf("%s %v is %v", metric, p.Attributes, p.Value)
		case ok && c.delta && p.StartTime.Before(old.end):
			c.t.Errorf("%s %v of pass %d starts at %v, within the delta before, which ends at %v", metric, p.Attributes, c.pass, p.StartTime, old.end)
		case ok && !c.delta:
			c.succeed(metric, p.Attributes, old, now)
		}
		c.lines[key] = now
		if c.delta && !doubtful(p.Attributes) {
			c.totals[metric] += uint64(p.Value)
		}
	}
}

// doubtful reports whether a series is of a device that is not in the books in full.
func doubtful(set attribute.Set) bool {
	for _, kv := range set.ToSlice() {
		if slices.Contains(offTheBooks, kv.Value.AsString()) {
			return true
		}
	}
	return false
}

// succeed checks a cumulative point against the one before.
func (c *consumer) succeed(metric string, set attribute.Set, old, now line) {
	switch {
	case now.start.Equal(old.start) && now.value < old.value:
		c.t.Errorf("%s %v fell from %v to %v in pass %d", metric, set, old.value, now.value, c.pass)
	case now.start.Before(old.start):
		c.t.Errorf("the start of %s %v fell from %v to %v in pass %d", metric, set, old.start, now.start, c.pass)
	case !now.start.Equal(old.start):
		c.resets++
	}
}

// end ends a pass. Series that are long gone are forgotten, as by a backend.
func (c *consumer) end() {
	c.pass++
	for key, l := range c.lines {
		if l.pass < c.pass-4 {
			delete(c.lines, key)
		}
	}
}

// compare holds the deltas against the books of the machine.
func (c *consumer) compare(told map[string]uint64) {
	for metric, want := range told {
		switch got := c.totals[metric]; {
		case metric == "" || got == want:
		default:
			c.t.Errorf("the deltas of %s come to %d, the machine counted %d: %d too many", metric, got, want, int64(got-want))
		}
	}
}
