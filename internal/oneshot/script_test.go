package oneshot

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// script is a kernel that tells what a test says. Its walk source gives cheap
// fields of every process, its dear source one that only selected ones get.
type script struct {
	boot      platform.Boot
	processes []*process
	disks     map[string]uint64
	disksFail bool
	stopAfter int    // processes until the walk breaks off; 0: never
	calls     int    // reads of one process
	io        int    // processes whose disk reads were asked for
	now       uint64 // start of the next process
	sample    platform.Sample
}

type process struct {
	id, start     uint64
	user, system  uint64
	rss, reads    uint64
	parent        uint64
	switches      uint64
	unreadable    bool // its disk reads, for now
	command, path raw
	state         platform.State
}

const (
	walkSource = iota
	ioSource
	dearSource
	diskSource
)

func newScript() *script {
	return &script{now: 1000, boot: platform.Boot{Time: time.Unix(1000, 0), Tick: 10 * time.Millisecond}, disks: map[string]uint64{}}
}

func (k *script) Sources() []platform.Source {
	given := func(fields ...platform.Field) (g []platform.Given) {
		for _, f := range fields {
			g = append(g, platform.Given{Field: f})
		}
		return g
	}
	return []platform.Source{
		walkSource: {Name: "walk", Entity: platform.Process, Clock: true, Files: 1, Texts: []platform.Text{platform.ProcessCommand},
			Gives: given(platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessMemoryRSS, platform.ProcessState, platform.ProcessParent)},
		ioSource:   {Name: "io", Entity: platform.Process, Files: 1, Gives: given(platform.ProcessDiskReads)},
		dearSource: {Name: "dear", Entity: platform.Process, Files: 1, Dear: true, Gives: given(platform.ProcessSwitchesVoluntary), Texts: []platform.Text{platform.ProcessExecutable}},
		diskSource: {Name: "disks", Entity: platform.Disk, Gives: []platform.Given{
			{Field: platform.DiskReadBytes}, {Field: platform.DiskReadTime, Bits: 32, Step: 1e6, PerSecond: 4096e9}}},
	}
}

func (k *script) Boot() platform.Boot                                { return k.boot }
func (k *script) Begin(ctx context.Context) (platform.Reader, error) { return k, ctx.Err() }
func (k *script) Close() error                                       { return nil }
func (k *script) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	k.calls++
	for _, p := range k.processes {
		if p.id == key.ID && p.start == key.Start || key == platform.Self && p.id == 1 {
			k.tell(p, set.With(walkSource), sink)
			return nil
		}
	}
	return fmt.Errorf("process %d: %w", key.ID, os.ErrProcessDone)
}

func (k *script) Read(set platform.SourceSet, sink platform.Sink) error {
	if set.Has(diskSource) {
		k.tellDisks(sink)
	}
	if !set.Has(walkSource) {
		return nil
	}
	for i, p := range k.processes {
		if k.stopAfter > 0 && i == k.stopAfter {
			return context.DeadlineExceeded
		}
		k.tell(p, set, sink)
	}
	return nil
}

func (k *script) tellDisks(sink platform.Sink) {
	if k.disksFail {
		sink.Miss(diskSource, platform.Denied)
		return
	}
	for name, bytes := range k.disks {
		k.sample.Reset(platform.Disk, platform.Key{Name: name})
		k.sample.Set(platform.DiskReadBytes, bytes)
		k.sample.Set(platform.DiskReadTime, bytes*1e6)
		sink.Sample(&k.sample)
	}
}

func (k *script) tell(p *process, set platform.SourceSet, sink platform.Sink) {
	s := &k.sample
	s.Reset(platform.Process, platform.Key{ID: p.id, Start: p.start})
	s.Set(platform.ProcessCPUUser, p.user)
	s.Set(platform.ProcessCPUSystem, p.system)
	s.Set(platform.ProcessMemoryRSS, p.rss)
	s.Set(platform.ProcessState, uint64(p.state))
	s.Set(platform.ProcessParent, p.parent)
	s.SetText(platform.ProcessCommand, p.command)
	if set.Has(ioSource) {
		k.io++
		if p.unreadable {
			sink.Miss(ioSource, platform.Denied)
		} else {
			s.Set(platform.ProcessDiskReads, p.reads)
		}
	}
	if set.Has(dearSource) {
		s.Set(platform.ProcessSwitchesVoluntary, p.switches)
		if p.path != nil {
			s.SetText(platform.ProcessExecutable, p.path)
		}
	}
	sink.Sample(s)
}

// raw keeps the fake kernel from allocating what a real one would lend.
type raw []byte

// clock is a time that a test moves.
type clock struct{ now time.Time }

func newClock() *clock                   { return &clock{time.Unix(100000, 0)} }
func (c *clock) read() time.Time         { return c.now }
func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

var wanted = platform.Want{
	Fields: platform.Fields(platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessMemoryRSS,
		platform.ProcessDiskReads, platform.ProcessSwitchesVoluntary),
	Texts: platform.Texts(platform.ProcessCommand, platform.ProcessExecutable),
}

func newPass(k *script, c *clock, processes Processes, limit int) *Pass {
	return New(Config{Backend: k, Want: wanted, Processes: processes, Limit: limit, Now: c.read})
}

// collect runs one pass and returns what f shows, by PID; the remainder has PID 0.
func collect(p *Pass, f platform.Field) map[uint64]uint64 {
	shown := map[uint64]uint64{}
	p.Collect(context.Background(), func(p *Pass) {
		for r := range p.Rows(platform.Process) {
			if v, ok := r.Value(f); ok {
				shown[r.Key.ID] = v
			}
		}
	})
	return shown
}
