package series

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
)

// desk is a machine of one process with fields as a test sets them. Its second
// source fails, its third tells of the same disk twice.
type desk struct {
	host, process map[platform.Field]uint64
	sample        platform.Sample
}

func (d *desk) Sources() []platform.Source {
	given := func(fields map[platform.Field]uint64) (all []platform.Given) {
		for f := range fields {
			all = append(all, platform.Given{Field: f})
		}
		return all
	}
	return []platform.Source{
		{Name: "process", Entity: platform.Process, Clock: true, Cost: 1, Gives: given(d.process)},
		{Name: "denied", Entity: platform.Network, Cost: 1, Gives: []platform.Given{{Field: platform.NetworkReceiveBytes}}},
		{Name: "twice", Entity: platform.Disk, Cost: 1, Gives: []platform.Given{{Field: platform.DiskReadBytes}}},
		{Name: "host", Cost: 1, Gives: given(d.host)},
	}
}

func (d *desk) Boot() platform.Boot                                           { return platform.Boot{Tick: 1} }
func (d *desk) Begin(context.Context) (platform.Reader, error)                { return d, nil }
func (d *desk) Close() error                                                  { return nil }
func (d *desk) Process(platform.Key, platform.SourceSet, platform.Sink) error { return nil }
func (d *desk) tell(s platform.Sink, e platform.Entity, k platform.Key, fields map[platform.Field]uint64) {
	d.sample.Reset(e, k)
	for f, v := range fields {
		d.sample.Set(f, v)
	}
	s.Sample(&d.sample)
}

func (d *desk) Read(_ platform.SourceSet, s platform.Sink) error {
	d.tell(s, platform.Process, platform.Key{ID: 1, Start: 1}, d.process)
	s.Miss(1, platform.Denied)
	for _, v := range []uint64{5, 7} {
		d.tell(s, platform.Disk, platform.Key{Name: "sda"}, map[platform.Field]uint64{platform.DiskReadBytes: v})
	}
	d.tell(s, platform.Host, platform.Key{}, d.host)
	return nil
}

func TestValues(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const minusFive = ^uint64(4)
		d := &desk{
			host: map[platform.Field]uint64{platform.HostMemoryTotal: 1000, platform.HostMemoryUsed: 250, platform.HostMemoryFree: 3000,
				platform.HostUptime: 1_500_000_000, platform.HostFaultsMinor: math.MaxUint64},
			process: map[platform.Field]uint64{platform.ProcessNice: minusFive, platform.ProcessMemoryRSS: 100},
		}
		all := walk(t, open(t, Config{Processes: oneshot.All, Metrics: []string{"*"}}, d))
		for _, test := range []struct {
			metric, set string
			want        Number
		}{
			{"system.uptime", "", Number{Float: 1.5}},                          // in seconds
			{"system.memory.utilization", "state=used", Number{Float: 0.25}},   // over another field
			{"system.memory.utilization", "state=free", Number{Float: 1}},      // a share is never above 1
			{"process.memory.utilization", "", Number{Float: 0.1}},             // over the host's
			{"process.scheduling.nice", "", Number{Int: -5}},                   // signed
			{"system.paging.faults", "type=minor", Number{Int: math.MaxInt64}}, // OTLP has no larger integer
			{"system.disk.io", "direction=read", Number{Int: 5}},               // told twice: the first holds
		} {
			if got := pick(all, test.metric, test.set); len(got) != 1 || got[0] != test.want {
				t.Errorf("%s %s: %v, want %v", test.metric, test.set, got, test.want)
			}
		}
		d.host[platform.HostMemoryTotal] = 0
		r := open(t, Config{Metrics: []string{"*"}}, d)
		if got := pick(walk(t, r), "system.memory.utilization", ""); len(got) != 0 {
			t.Errorf("a share of nothing is %v", got)
		}
		walk(t, r)
		if got := r.Missed(); len(got) != 1 || got["denied"]["denied"] != 2 {
			t.Errorf("missed %v", got)
		}
	})
}

// A rate is growth over elapsed time and over the CPUs that there are, and is there
// from the second pass on.
func TestRates(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := &desk{
			host:    map[platform.Field]uint64{platform.HostCPUUser: 0, platform.HostCPULogical: 4},
			process: map[platform.Field]uint64{platform.ProcessCPUUser: 0, platform.ProcessCPUAllowed: 2},
		}
		r := open(t, Config{Processes: oneshot.All, Metrics: []string{"-*", "*.cpu.utilization"}}, d)
		for pass, want := range []struct{ host, process []Number }{
			{nil, nil},
			{[]Number{{Float: 0.25}}, []Number{{Float: 0.5}}},
			{[]Number{{Float: 0.75}}, []Number{{Float: 1}}}, // not 1.5: ticks are coarser than the clock
			{[]Number{{}}, []Number{{}}},
		} {
			grown := []uint64{1, 1e9, 3e9, 0}[pass]
			d.host[platform.HostCPUUser] += grown
			d.process[platform.ProcessCPUUser] += grown
			all := walk(t, r)
			if got := pick(all, "system.cpu.utilization", ""); !slices.Equal(got, want.host) {
				t.Errorf("pass %d: host %v, want %v", pass, got, want.host)
			}
			if got := pick(all, "process.cpu.utilization", ""); !slices.Equal(got, want.process) {
				t.Errorf("pass %d: process %v, want %v", pass, got, want.process)
			}
		}
	})
}
