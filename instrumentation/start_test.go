package instrumentation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/platform"
)

// crowd is a kernel with as many processes as a test wants.
type crowd struct {
	processes int
	broken    bool // panics
	sample    platform.Sample
}

func (k *crowd) Sources() []platform.Source {
	return []platform.Source{{Name: "all", Entity: platform.Process, Clock: true, Texts: []platform.Text{platform.ProcessCommand},
		Gives: []platform.Given{{Field: platform.ProcessCPUUser}, {Field: platform.ProcessCPUSystem}, {Field: platform.ProcessMemoryRSS}, {Field: platform.ProcessState}}},
		{Name: "host", Gives: []platform.Given{{Field: platform.HostCPUUser}}}}
}
func (k *crowd) Boot() platform.Boot {
	return platform.Boot{Time: time.Unix(1e9, 0), Tick: 10 * time.Millisecond}
}
func (k *crowd) Begin(context.Context) (platform.Reader, error) { return k, nil }
func (k *crowd) Close() error                                   { return nil }
func (k *crowd) Process(_ platform.Key, _ platform.SourceSet, sink platform.Sink) error {
	k.tell(1, sink)
	return nil
}
func (k *crowd) Read(set platform.SourceSet, sink platform.Sink) error {
	if k.broken {
		panic("broken")
	}
	if set.Has(1) {
		k.sample.Reset(platform.Host, platform.Key{})
		k.sample.Set(platform.HostCPUUser, 5e9)
		sink.Sample(&k.sample)
	}
	for i := range k.processes {
		if set.Has(0) {
			k.tell(uint64(i+1), sink)
		}
	}
	return nil
}
func (k *crowd) tell(pid uint64, sink platform.Sink) {
	k.sample.Reset(platform.Process, platform.Key{ID: pid, Start: pid})
	for _, f := range []platform.Field{platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessMemoryRSS} {
		k.sample.Set(f, pid*1e9)
	}
	k.sample.Set(platform.ProcessState, 0)
	k.sample.SetText(platform.ProcessCommand, []byte("x"))
	sink.Sample(&k.sample)
}

func withBackend(b platform.Backend) Option { return option(func(c *config) { c.backend = b }) }

// begin starts over a fake kernel and a reader of its own.
func begin(t *testing.T, options ...Option) (*Registration, *sdkmetric.ManualReader, *sdkmetric.MeterProvider) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	r, err := Start(append([]Option{WithMeterProvider(provider), withBackend(&crowd{processes: 3})}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Unregister() })
	return r, reader, provider
}

// read collects and returns the points of one metric.
func read(t *testing.T, reader *sdkmetric.ManualReader, name string) []metricdata.DataPoint[float64] {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[float64]); ok && m.Name == name {
				return sum.DataPoints
			}
		}
	}
	return nil
}

func TestSecondStartIsRefused(t *testing.T) {
	r, _, provider := begin(t)
	if _, err := Start(WithMeterProvider(provider), withBackend(&crowd{})); !errors.Is(err, errTwice) {
		t.Fatalf("second Start: %v", err)
	}
	if err := r.Unregister(); err != nil {
		t.Fatal(err)
	}
	again, err := Start(WithMeterProvider(provider), withBackend(&crowd{}))
	if err != nil {
		t.Fatalf("after Unregister: %v", err)
	}
	again.Unregister()
}

// A program may call Start before it sets its global provider. The delegate that
// Start then got forwards to that provider: a second Start on it would double.
func TestGlobalDelegateIsTheSameProvider(t *testing.T) {
	before := otel.GetMeterProvider()
	r, err := Start(withBackend(&crowd{}))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unregister()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	otel.SetMeterProvider(provider)
	if otel.GetMeterProvider() == before {
		t.Fatal("the global provider did not change")
	}
	if _, err := Start(WithMeterProvider(provider), withBackend(&crowd{})); !errors.Is(err, errTwice) {
		t.Errorf("Start on what the delegate forwards to: %v", err)
	}
	if _, err := Start(withBackend(&crowd{})); !errors.Is(err, errTwice) {
		t.Errorf("Start on the global provider again: %v", err)
	}
}

// odd is a provider that can't be a map key.
type odd struct {
	noop.MeterProvider
	_ []int
}

func TestUncomparableProvider(t *testing.T) {
	r, err := Start(WithMeterProvider(odd{}), withBackend(&crowd{}))
	if err != nil {
		t.Fatal(err)
	}
	r.Unregister()
}

func TestUnknownMetricIsAnError(t *testing.T) {
	provider := sdkmetric.NewMeterProvider()
	_, err := Start(WithMeterProvider(provider), withBackend(&crowd{}), WithMetrics("process.cpu.tme"))
	if err == nil || !strings.Contains(err.Error(), "process.cpu.time") {
		t.Errorf("error %v, want one that suggests process.cpu.time", err)
	}
	r, err := Start(WithMeterProvider(provider), withBackend(&crowd{}))
	if err != nil {
		t.Fatalf("a refused Start still holds the provider: %v", err)
	}
	r.Unregister()
}

// The own process carries no identity; that of the host has the same attributes,
// so the two must be told apart by the metric.
func TestSelfHasNoIdentity(t *testing.T) {
	r, reader, _ := begin(t)
	own := read(t, reader, "process.cpu.time")
	if len(own) != 2 || own[0].Attributes.Len() != 1 {
		t.Fatalf("points %v", own)
	}
	mode := attribute.NewSet(attribute.String("cpu.mode", "user"))
	if at, ok := r.StartTime("process.cpu.time", mode); !ok || !at.Equal(time.Unix(1e9, 0).Add(10*time.Millisecond)) {
		t.Errorf("the process starts at %v %v", at, ok)
	}
	if at, ok := r.StartTime("system.cpu.time", mode); !ok || !at.Equal(time.Unix(1e9, 0)) {
		t.Errorf("the host starts at %v %v", at, ok)
	}
	if _, ok := r.StartTime("process.cpu.time", attribute.NewSet()); ok {
		t.Error("an unknown series has a start")
	}
}

// 3,000 processes stay under the limit of 2,000 series that an SDK has by default.
func TestTopNeverOverflows(t *testing.T) {
	_, reader, _ := begin(t, withBackend(&crowd{processes: 3000}), WithProcesses(Top))
	got := read(t, reader, "process.cpu.time")
	if len(got) > 2*61 || len(got) < 2*31 {
		t.Errorf("%d points, want those of 31 to 61 series of two modes", len(got))
	}
	for _, p := range got {
		if p.Attributes.HasValue("otel.metric.overflow") {
			t.Error("the SDK's limit was passed")
		}
	}
}

func TestReadersSeeTheSameSums(t *testing.T) {
	readers := []*sdkmetric.ManualReader{sdkmetric.NewManualReader(), sdkmetric.NewManualReader()}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(readers[0]), sdkmetric.WithReader(readers[1]))
	r, err := Start(WithMeterProvider(provider), withBackend(&crowd{processes: 5}), WithProcesses(All))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Unregister()
	var got [2]string
	var wait sync.WaitGroup
	for i, reader := range readers {
		wait.Go(func() {
			var lines []string
			for _, p := range read(t, reader, "process.cpu.time") {
				lines = append(lines, fmt.Sprint(p.Attributes.Encoded(attribute.DefaultEncoder()), p.Value))
			}
			slices.Sort(lines)
			got[i] = strings.Join(lines, ";")
		})
	}
	wait.Wait()
	if got[0] != got[1] || got[0] == "" {
		t.Errorf("one reader sees %s, the other %s", got[0], got[1])
	}
}

// A panic costs the application nothing: its own metrics are collected.
func TestPanicIsContained(t *testing.T) {
	kernel := &crowd{processes: 1}
	r, reader, provider := begin(t, withBackend(kernel))
	counter, err := provider.Meter("application").Float64Counter("application.counter")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(context.Background(), 1)
	kernel.broken = true
	if got := read(t, reader, "application.counter"); len(got) != 1 {
		t.Errorf("the application's counter has %d points", len(got))
	}
	if r.Err() == nil {
		t.Error("the panic is not told")
	}
}

// Another collection after a panic must not wait for ever.
func TestPanicLeavesNoLock(t *testing.T) {
	kernel := &crowd{processes: 1, broken: true}
	_, reader, _ := begin(t, withBackend(kernel))
	read(t, reader, "process.cpu.time")
	kernel.broken = false
	if got := read(t, reader, "process.cpu.time"); len(got) == 0 {
		t.Error("nothing after the panic was over")
	}
}

func TestUnregisterEnds(t *testing.T) {
	r, reader, _ := begin(t)
	if len(read(t, reader, "process.cpu.time")) == 0 {
		t.Fatal("nothing to begin with")
	}
	if err := errors.Join(r.Unregister(), r.Unregister()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, reader, "process.cpu.time"); len(got) != 0 {
		t.Errorf("%d points after Unregister", len(got))
	}
}

func TestWithoutHost(t *testing.T) {
	_, reader, _ := begin(t, WithoutHost())
	if got := read(t, reader, "system.cpu.time"); len(got) != 0 {
		t.Errorf("%d points of the host", len(got))
	}
	if got := read(t, reader, "process.cpu.time"); len(got) == 0 {
		t.Error("no points of the process")
	}
}

var _ metric.MeterProvider = odd{}
