package instrumentation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/platform"
)

// patient is a kernel of which a test can make one thing fail at a time.
type patient struct {
	cpu, disk uint64
	misses    map[int][]platform.Reason // by source, for the next pass
	broken    bool                      // the next pass does not begin
	panics    bool
	sample    platform.Sample
}

const (
	patientCPU = iota
	patientDisk
	patientFiles
	patientProcess
)

func (k *patient) Sources() []platform.Source {
	given := func(f platform.Field) []platform.Given { return []platform.Given{{Field: f, Bits: 32}} }
	return []platform.Source{
		patientCPU:     {Name: "cpu", Entity: platform.Host, Gives: []platform.Given{{Field: platform.HostCPUUser}}},
		patientDisk:    {Name: "disk", Entity: platform.Disk, Gives: given(platform.DiskReads)},
		patientFiles:   {Name: "filesystems", Entity: platform.Filesystem, Gives: given(platform.FilesystemUsed)},
		patientProcess: {Name: "process", Entity: platform.Process, Clock: true, Gives: []platform.Given{{Field: platform.ProcessCPUUser}, {Field: platform.ProcessMemoryRSS}}},
	}
}
func (k *patient) Boot() platform.Boot {
	return platform.Boot{Time: time.Unix(1e9, 0), Tick: time.Second}
}
func (k *patient) Close() error { return nil }
func (k *patient) Begin(context.Context) (platform.Reader, error) {
	if k.broken {
		return nil, errors.New("broken")
	}
	return healing{k}, nil
}

// healing is a reader of a patient, whose faults last for one pass.
type healing struct{ *patient }

func (k healing) Close() error {
	k.misses = nil
	return nil
}

func (k healing) Process(_ platform.Key, _ platform.SourceSet, sink platform.Sink) error {
	k.sample.Reset(platform.Process, platform.Key{ID: 1, Start: 7})
	k.sample.Set(platform.ProcessCPUUser, 3e9)
	k.sample.Set(platform.ProcessMemoryRSS, 4096)
	sink.Sample(&k.sample)
	return nil
}

func (k healing) Read(set platform.SourceSet, sink platform.Sink) error {
	if k.panics {
		panic("fault")
	}
	for source, reasons := range k.misses {
		for _, why := range reasons {
			sink.Miss(source, why)
		}
	}
	tell := func(source int, key platform.Key, f platform.Field, v uint64) {
		if set.Has(source) && (source == patientFiles || len(k.misses[source]) == 0) {
			k.sample.Reset(f.Info().Entity, key)
			k.sample.Set(f, v)
			sink.Sample(&k.sample)
		}
	}
	tell(patientCPU, platform.Key{}, platform.HostCPUUser, k.cpu)
	tell(patientDisk, platform.Key{Name: "sda"}, platform.DiskReads, k.disk)
	for i := range 4 - len(k.misses[patientFiles]) {
		tell(patientFiles, platform.Key{Name: string(rune('a' + i))}, platform.FilesystemUsed, 1)
	}
	return nil
}

// observed is a patient that is looked at, all in one goroutine and on a clock that
// jumps from pass to pass.
type observed struct {
	*patient
	*Registration
	reader *sdkmetric.ManualReader
}

func observe(t *testing.T, options ...Option) observed {
	t.Helper()
	k := &patient{cpu: 1e12, disk: 1 << 31}
	r, reader, _ := begin(t, append([]Option{withBackend(k), WithProcesses(None), WithSelfObservation()}, options...)...)
	return observed{k, r, reader}
}

// pass makes a pass and returns all values of pidometer.* by name and attributes.
func (o observed) pass(t *testing.T) map[string]float64 {
	t.Helper()
	time.Sleep(time.Second) // of a clock that stands still else
	values := map[string]float64{}
	var data metricdata.ResourceMetrics
	if err := o.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			for set, v := range points(m.Data) {
				values[m.Name+set] = v
			}
		}
	}
	maps.DeleteFunc(values, func(name string, _ float64) bool { return name[:4] != "pido" })
	return values
}

func points(data metricdata.Aggregation) map[string]float64 {
	values := map[string]float64{}
	note := func(set attribute.Set, v float64) {
		name := ""
		for _, kv := range set.ToSlice() {
			name += " " + kv.Value.AsString()
		}
		values[name] = v
	}
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			note(p.Attributes, float64(p.Value))
		}
	case metricdata.Sum[float64]:
		for _, p := range d.DataPoints {
			note(p.Attributes, p.Value)
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			note(p.Attributes, p.Value)
		}
	}
	return values
}

// levels go up and down, or up with every pass.
var levels = []string{"pidometer.pass.count", "pidometer.pass.duration", "pidometer.point.count", "pidometer.goroutine.count",
	"pidometer.memory.usage", "pidometer.cpu.time user"}

// Each fault moves exactly one counter, by one.
func TestEachFaultMovesOneCounter(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault func(*patient)
		moves string
	}{
		{"nothing", func(k *patient) { k.cpu += 1e9; k.disk++ }, ""},
		{"denied", miss(patientDisk, platform.Denied), "pidometer.source.misses denied disk"},
		{"gone", miss(patientFiles, platform.Gone), "pidometer.source.misses gone filesystems"},
		{"stuck", miss(patientFiles, platform.Stuck), "pidometer.source.misses stuck filesystems"},
		{"unknown", miss(patientCPU, platform.Unknown), "pidometer.source.misses unknown cpu"},
		{"jitter", func(k *patient) { k.cpu -= 1e9 }, "pidometer.counter.falls jitter"},
		{"restart", func(k *patient) { k.cpu = 5 }, "pidometer.counter.falls restart"},
		{"wrap", func(k *patient) { k.disk = 5 }, "pidometer.counter.falls wrap"},
		{"no pass", func(k *patient) { k.broken = true }, "pidometer.pass.cut"},
		{"panic", func(k *patient) { k.panics = true }, "pidometer.panics"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := observe(t)
				o.disk = 1<<32 - 1
				before := o.pass(t)
				test.fault(o.patient)
				after := o.pass(t)
				var moved []string
				for name, v := range after {
					switch {
					case slices.Contains(levels, name):
					case v == before[name]+1:
						moved = append(moved, name)
					case v != before[name]:
						t.Errorf("%s moved by %v", name, v-before[name])
					}
				}
				if want := slices.DeleteFunc([]string{test.moves}, func(s string) bool { return s == "" }); !slices.Equal(moved, want) {
					t.Errorf("moved %v, want %v", moved, want)
				}
				if after["pidometer.pass.count"] != 2 {
					t.Errorf("%v passes", after["pidometer.pass.count"])
				}
			})
		})
	}
}

func miss(source int, why platform.Reason) func(*patient) {
	return func(k *patient) { k.misses = map[int][]platform.Reason{source: {why}} }
}

// Three states for each source, judged by the share of entities: what is to be
// expected is healthy however often it happens.
func TestHealth(t *testing.T) {
	for _, test := range []struct {
		name   string
		source int
		misses []platform.Reason
		want   State
	}{
		{"fine", patientFiles, nil, Fine},
		{"all denied", patientFiles, []platform.Reason{platform.Denied, platform.Denied, platform.Denied, platform.Denied}, Partial},
		{"one of four stuck", patientFiles, []platform.Reason{platform.Stuck}, Partial},
		{"half of four stuck", patientFiles, []platform.Reason{platform.Stuck, platform.Unknown}, Failing},
		{"three of four stuck", patientFiles, []platform.Reason{platform.Stuck, platform.Stuck, platform.Stuck}, Failing},
		{"the host's, denied", patientCPU, []platform.Reason{platform.Denied}, Partial},
		{"the host's, broken", patientCPU, []platform.Reason{platform.Unknown}, Failing},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := observe(t)
				if h := o.Health(); h.Passes != 0 || !h.At.IsZero() || h.Cut {
					t.Errorf("before the first pass: %+v", h)
				}
				o.misses = map[int][]platform.Reason{test.source: test.misses}
				o.pass(t)
				for _, s := range o.Health().Sources {
					want, missed := Fine, 0
					if s.Name == (*patient)(nil).Sources()[test.source].Name {
						want, missed = test.want, len(test.misses)
					}
					n := 0
					for _, m := range s.Missed {
						n += int(m)
					}
					if s.State != want || n != missed {
						t.Errorf("%+v, want %v and %d missed", s, want, missed)
					}
				}
				o.pass(t)
				for _, s := range o.Health().Sources {
					if s.State != Fine || s.Missed != nil {
						t.Errorf("after a pass without a fault: %+v", s)
					}
				}
				o.broken = true
				o.pass(t)
				if h := o.Health(); h.Passes != 3 || !h.Cut || time.Since(h.At) != 0 {
					t.Errorf("%+v", h)
				}
			})
		})
	}
}

// Nobody gets these metrics without asking, and a program that reports itself gets
// its own cost as process.* only.
func TestSelfObservationIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, reader, _ := begin(t)
		if got := (observed{nil, r, reader}).pass(t); len(got) > 0 {
			t.Errorf("%v", got)
		}
		all := observe(t).pass(t)
		if all["pidometer.cpu.time user"] != 3 || all["pidometer.memory.usage"] != 4096 || all["pidometer.goroutine.count"] < 1 || all["pidometer.point.count"] != 6 {
			t.Errorf("%v", all)
		}
		self := observe(t, WithProcesses(Self)).pass(t)
		if _, ok := self["pidometer.cpu.time user"]; ok || self["pidometer.pass.count"] != 1 {
			t.Errorf("%v", self)
		}
	})
	if len(SelfMetrics()) != 15 {
		t.Errorf("%d metrics", len(SelfMetrics()))
	}
}

// The CPU time of the own process counts since it was created, all else since Start.
func TestSelfObservationStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := observe(t)
		o.pass(t)
		at, ok := o.StartTime("pidometer.cpu.time", attribute.NewSet(attribute.String("cpu.mode", "user")))
		if want := time.Unix(1e9+7, 0); !ok || !at.Equal(want) {
			t.Errorf("%v, %v, want %v", at, ok, want)
		}
		if at, ok := o.StartTime("pidometer.pass.count", *attribute.EmptySet()); ok {
			t.Errorf("%v", at)
		}
	})
}
