package instrumentation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/internal/otlptest"
	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	simdarwin "github.com/pidometer/pidometer/internal/simkernel/darwin"
	simdragonfly "github.com/pidometer/pidometer/internal/simkernel/dragonfly"
	simfreebsd "github.com/pidometer/pidometer/internal/simkernel/freebsd"
	simsolaris "github.com/pidometer/pidometer/internal/simkernel/solaris"
	simwindows "github.com/pidometer/pidometer/internal/simkernel/windows"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/darwin"
	"github.com/pidometer/pidometer/platform/dragonfly"
	"github.com/pidometer/pidometer/platform/freebsd"
	"github.com/pidometer/pidometer/platform/netbsd"
	"github.com/pidometer/pidometer/platform/openbsd"
	"github.com/pidometer/pidometer/platform/solaris"
	"github.com/pidometer/pidometer/platform/windows"
)

// kernels are the systems whose answers can be made up, and whether they tell the times and the
// memory of processes that deny them.
var kernels = []struct {
	name    string
	open    func(*simkernel.World) (platform.Backend, error)
	refuses bool
}{
	{"darwin", func(w *simkernel.World) (platform.Backend, error) {
		return darwin.New(darwin.Options{Kernel: simdarwin.New(w)})
	}, true},
	{"freebsd", func(w *simkernel.World) (platform.Backend, error) {
		return freebsd.New(freebsd.Options{Kernel: simfreebsd.New(w)})
	}, false},
	{"dragonfly", func(w *simkernel.World) (platform.Backend, error) {
		return dragonfly.New(dragonfly.Options{Kernel: simdragonfly.New(w)})
	}, false},
	{"openbsd", func(w *simkernel.World) (platform.Backend, error) {
		return openbsd.New(openbsd.Options{Kernel: bsd.OpenBSD(w)})
	}, false},
	{"netbsd", func(w *simkernel.World) (platform.Backend, error) {
		return netbsd.New(netbsd.Options{Kernel: bsd.NetBSD(w)})
	}, false},
	{"solaris", func(w *simkernel.World) (platform.Backend, error) {
		return solaris.New(solaris.Options{Kernel: simsolaris.New(w), Budget: time.Hour})
	}, false},
	{"windows", func(w *simkernel.World) (platform.Backend, error) {
		return windows.New(windows.Options{Kernel: simwindows.New(w, 8), Budget: time.Hour})
	}, false},
}

// journey is a world on its way to a receiver.
type journey struct {
	name     string
	world    *simkernel.World
	refuses  bool
	exp      *exporter.Exporter
	receiver *otlptest.Receiver
}

// What is so in a world is what arrives at a receiver of OTLP, of every kernel: everybody's
// memory and CPU time, and what interfaces moved. All worlds live at the same time, as a pass
// that is younger than apart would be shared.
func TestWorldsArrive(t *testing.T) {
	const seeds, passes, apart = 20, 8, 210 * time.Millisecond
	var journeys []*journey
	for _, k := range kernels {
		for seed := range uint64(seeds) {
			w := simkernel.New(seed, 8)
			w.Steady = true
			b, err := k.open(w)
			if err != nil {
				t.Fatal(err)
			}
			journeys = append(journeys, depart(t, b, &journey{name: fmt.Sprintf("%s, seed %d", k.name, seed), world: w, refuses: k.refuses}))
		}
	}
	for pass := range passes {
		for _, j := range journeys {
			if err := j.arrive(t.Context()); err != nil {
				t.Errorf("%s, pass %d (%s): %v", j.name, pass, j.world.Happens, err)
			}
			for range 5 {
				j.world.Step()
			}
		}
		time.Sleep(apart)
	}
}

// depart connects a world to a receiver of its own.
func depart(t *testing.T, b platform.Backend, j *journey) *journey {
	t.Helper()
	j.receiver = otlptest.Start(t)
	var err error
	if j.exp, err = exporter.New(t.Context(), exporter.WithEndpoint(j.receiver.Addr), exporter.WithInterval(time.Hour)); err != nil {
		t.Fatal(err)
	}
	r, err := instrumentation.Start(instrumentation.WithBackend(b), instrumentation.WithMeterProvider(j.exp.MeterProvider()),
		instrumentation.WithProcesses(instrumentation.All), instrumentation.WithRawCounters())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = j.exp.Shutdown(context.Background())
		r.Unregister()
	})
	return j
}

func (j *journey) arrive(ctx context.Context) error {
	if err := j.exp.ForceFlush(ctx); err != nil {
		return err
	}
	requests := j.receiver.Requests()
	return compare(j.world, arrived(requests[len(requests)-1:]), j.refuses)
}

// arrived are the points of requests by what they are of.
func arrived(requests []*otlptest.Request) map[string]float64 {
	points := map[string]float64{}
	otlptest.Walk(requests, func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) {
		for _, p := range append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...) {
			v := p.GetAsDouble()
			if _, ok := p.Value.(*metrics.NumberDataPoint_AsInt); ok {
				v = float64(p.GetAsInt())
			}
			points[m.Name+" "+attributes(p.Attributes, "process.pid", "cpu.mode", "network.interface.name", "network.io.direction")] = v
		}
	})
	return points
}

// attributes are the values of those of the given names.
func attributes(all []*commonpb.KeyValue, names ...string) string {
	var values []string
	for _, name := range names {
		for _, kv := range all {
			if kv.Key != name {
				continue
			}
			if s := kv.Value.GetStringValue(); s != "" {
				values = append(values, s)
			} else {
				values = append(values, fmt.Sprint(kv.Value.GetIntValue()))
			}
		}
	}
	return strings.Join(values, " ")
}

// compare compares what has arrived with a world.
func compare(w *simkernel.World, points map[string]float64, refuses bool) error {
	want := map[string]float64{}
	for _, p := range w.Processes {
		if p.State == simkernel.Zombie || refuses && p.Denied {
			continue
		}
		want[fmt.Sprintf("process.memory.usage %d", p.PID)] = float64(p.Resident)
		want[fmt.Sprintf("process.cpu.time %d user", p.PID)] = p.User.Seconds()
		want[fmt.Sprintf("process.cpu.time %d system", p.PID)] = p.System.Seconds()
	}
	for _, i := range w.Interfaces {
		want["system.network.io "+i.Name+" receive"] = float64(i.ReceivedBytes)
		want["system.network.io "+i.Name+" transmit"] = float64(i.SentBytes)
	}
	for name, v := range want {
		if got, ok := points[name]; !ok || got-v > 1e-6 || v-got > 1e-6 {
			return fmt.Errorf("%s is %v (%v), want %v", name, got, ok, v)
		}
	}
	return nil
}
