package worldtest

import (
	"context"
	"flag"
	"fmt"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

var (
	seeds = flag.Uint64("seeds", 1000, "how many worlds are simulated")
	seed  = flag.Uint64("seed", 0, "simulate the world of this seed alone, unless 0")
)

const steps = 200

// Simulate lets worlds change from step to step, and compares what a backend reads with
// the truth after each.
func Simulate(t *testing.T, kernel func(*World) *Kernel, open func(*Kernel) (platform.Backend, error)) {
	t.Helper()
	first, last := uint64(1), *seeds
	if *seed != 0 {
		first, last = *seed, *seed
	}
	for s := first; s <= last; s++ {
		if err := simulate(s, kernel, open); err != nil {
			t.Fatalf("%v\nreplay with: go test -run '^%s$' -seed %d", err, t.Name(), s)
		}
	}
	t.Logf("%d worlds of %d steps", last-first+1, steps)
}

func simulate(seed uint64, kernel func(*World) *Kernel, open func(*Kernel) (platform.Backend, error)) error {
	k := kernel(NewWorld(seed))
	b, err := open(k)
	if err != nil {
		return err
	}
	defer b.Close()
	for step := range steps {
		if err := k.compare(b); err != nil {
			return fmt.Errorf("seed %d, step %d: %w", seed, step, err)
		}
		k.World.Step()
	}
	return nil
}

// entity tells one sample from another.
type entity struct {
	of  platform.Entity
	key platform.Key
}

// reading collects samples as plain values.
type reading struct {
	fields map[entity]map[string]uint64
	texts  map[entity]map[string]string
	misses int
}

func (r *reading) Sample(s *platform.Sample) bool {
	e := entity{s.Entity, s.Key}
	fields, texts := map[string]uint64{}, map[string]string{}
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			fields[f.String()] = v
		}
	}
	firstText, texted := s.Entity.Texts()
	for x := firstText; x < firstText+texted; x++ {
		if v, ok := s.Text(x); ok {
			texts[x.String()] = string(v)
		}
	}
	r.fields[e], r.texts[e] = fields, texts
	return true
}

func (r *reading) Miss(int, platform.Reason) { r.misses++ }

// compare reads everything and compares it with the truth.
func (k *Kernel) compare(b platform.Backend) error {
	got := &reading{map[entity]map[string]uint64{}, map[entity]map[string]string{}, 0}
	pass, err := b.Begin(context.Background())
	if err != nil {
		return err
	}
	defer pass.Close()
	all := platform.SourceSet(1)<<len(b.Sources()) - 1
	if err := pass.Read(all, got); err != nil {
		return err
	}
	want := map[entity]map[string]uint64{}
	for _, p := range k.World.Processes {
		e := entity{platform.Process, platform.Key{ID: p.PID, Start: k.start(p)}}
		want[e] = k.truth(p)
		if err := same(got.texts[e], k.words(p)); err != nil {
			return fmt.Errorf("%v: %w", e, err)
		}
	}
	k.devices(want)
	for e, fields := range got.fields {
		wanted, ok := want[e]
		if !ok && (e.of == platform.Process || e.of == platform.Disk || e.of == platform.Network || e.of == platform.CPU) {
			return fmt.Errorf("%v is not there", e)
		}
		if err := same(fields, wanted); ok && err != nil {
			return fmt.Errorf("%v: %w", e, err)
		}
		delete(want, e)
	}
	for e := range want {
		return fmt.Errorf("%v is missing", e)
	}
	return nil
}

// same compares two sets of values, each way.
func same[V comparable](got, want map[string]V) error {
	for name, v := range want {
		if g, ok := got[name]; !ok || g != v {
			return fmt.Errorf("%s is %v (%v), want %v", name, g, ok, v)
		}
	}
	for name, v := range got {
		if _, ok := want[name]; !ok {
			return fmt.Errorf("%s is %v, want none", name, v)
		}
	}
	return nil
}

// start is that of a process's key: since the kernel's start, or by the clock.
func (k *Kernel) start(p *Process) uint64 {
	if k.open {
		return p.Start
	}
	return p.Born
}

// truth is what a backend should tell of a process.
func (k *Kernel) truth(p *Process) map[string]uint64 {
	of := map[string]uint64{"process.parent": p.Parent, "process.user": p.UID, "process.nice": uint64(int64(p.Nice)), "process.state": uint64(p.State)}
	for i, name := range [...]string{"process.state.running", "process.state.sleeping", "process.state.stopped", "process.state.defunct"} {
		of[name] = 0
		if i == p.State {
			of[name] = 1
		}
	}
	if p.State == Zombie {
		return of
	}
	virtual := p.Map
	if k.open {
		virtual = p.Text + p.Data + p.Stack
		of["process.memory.address_space"] = p.Map * Page
	}
	for name, v := range map[string]uint64{
		"process.cpu.user": p.User * 1000, "process.cpu.system": p.Sys * 1000, "process.cpu.number": p.CPU,
		"process.memory.rss": p.Resident * Page, "process.memory.virtual": virtual * Page, "process.memory.text": p.Text * Page,
		"process.memory.rss.peak": p.Peak * 1024, "process.faults.minor": p.Minor, "process.faults.major": p.Major,
		"process.disk.reads": p.Reads, "process.disk.writes": p.Writes, "process.threads": p.Threads,
		"process.switches.voluntary": p.Waits, "process.switches.involuntary": p.Switches,
		"process.uptime": (k.World.Uptime - p.Start) * 1000,
	} {
		of[name] = v
	}
	if len(p.Files) > 0 || k.open && !p.System {
		k.opened(of, p)
	}
	return of
}

// states are the names of the numbers of netinet/tcp_fsm.h.
var states = [...]string{"closed", "listen", "syn_sent", "syn_received", "established", "close_wait", "fin_wait_1", "closing",
	"last_ack", "fin_wait_2", "time_wait"}

func (k *Kernel) opened(of map[string]uint64, p *Process) {
	of["process.open_files"], of["process.udp"] = uint64(len(p.Files)), 0
	for _, s := range states {
		of["process.tcp."+s] = 0
	}
	for _, f := range p.Files {
		switch {
		case f.Socket && f.Protocol == 6:
			of["process.tcp."+states[f.State]]++
		case f.Socket:
			of["process.udp"]++
		}
	}
}

// words are the texts of a process.
func (k *Kernel) words(p *Process) map[string]string {
	of := map[string]string{"process.command": p.Command}
	if p.State == Zombie {
		return of
	}
	if name, ok := map[uint64]string{0: "root", 1000: "user"}[p.UID]; ok {
		of["process.owner"] = name
	}
	if p.System || p.Denied {
		return of
	}
	of["process.arguments"] = string(join(p.Arguments))
	of["process.environment"] = "HOME=/\x00A=\x00"
	if !k.open {
		of["process.executable"] = p.Path
	}
	return of
}

// devices is the truth of CPUs, disks and interfaces. The loopback is no device.
func (k *Kernel) devices(want map[entity]map[string]uint64) {
	const tick = 1e9 / Hz
	for i, t := range k.World.CPUs {
		if k.open && i == k.World.Offline {
			continue
		}
		of := map[string]uint64{"cpu.user": t[0] * tick, "cpu.nice": t[1] * tick, "cpu.system": t[2] * tick, "cpu.interrupt": t[3] * tick, "cpu.idle": t[4] * tick}
		if k.open {
			of["cpu.frequency"], of["cpu.frequency.live"] = 2593e6, 2593e6
		}
		want[entity{platform.CPU, platform.Key{ID: uint64(i)}}] = of
	}
	for _, d := range k.World.Disks {
		want[entity{platform.Disk, platform.Key{Name: d.Name}}] = map[string]uint64{"disk.reads": d.Reads, "disk.writes": d.Writes,
			"disk.read.bytes": d.ReadBytes, "disk.write.bytes": d.WriteBytes, "disk.io.time": d.Busy * 1000}
	}
	for _, f := range k.World.Interfaces[1:] {
		of := map[string]uint64{"network.mtu": 1500, "network.up": 0,
			"network.receive.packets": f.In, "network.receive.bytes": f.InBytes, "network.receive.errors": f.InErrors, "network.receive.dropped": f.InDropped,
			"network.transmit.packets": f.Out, "network.transmit.bytes": f.OutBytes, "network.transmit.errors": f.OutErrors}
		if k.open {
			of["network.transmit.dropped"] = f.OutDrops
		}
		if f.Up {
			of["network.up"] = 1
		}
		if f.Speed != 0 {
			of["network.speed"] = f.Speed / 8
		}
		want[entity{platform.Network, platform.Key{Name: f.Name}}] = of
	}
}
