package worldtest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/platform"
)

// Simulate lets worlds change from step to step, and compares what a backend reads with
// the truth after each. worlds is how many, unless a flag says so.
func Simulate(t *testing.T, worlds uint64, kernel func(*World) *Kernel, open func(*Kernel) (platform.Backend, error)) {
	t.Helper()
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simulate(seed, kernel, open) })
}

func simulate(seed uint64, kernel func(*World) *Kernel, open func(*Kernel) (platform.Backend, error)) error {
	k := kernel(NewWorld(seed))
	b, err := open(k)
	if err != nil {
		return err
	}
	defer b.Close()
	for step := range simkernel.Steps {
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

// expected is what a backend should tell of one entity.
type expected struct {
	fields []value
	texts  map[platform.Text]string
}

type value struct {
	field platform.Field
	v     uint64
}

// judge compares samples with what is expected, as they come.
type judge struct {
	want map[entity]expected
	err  error
}

// compared are the kinds of entities that a world tells all of.
var compared = [platform.Entities]bool{platform.Process: true, platform.CPU: true, platform.Disk: true, platform.Network: true}

// Sample ends the read at the first difference.
func (j *judge) Sample(s *platform.Sample) bool {
	if !compared[s.Entity] {
		return true
	}
	e := entity{s.Entity, s.Key}
	want, ok := j.want[e]
	if !ok {
		j.err = fmt.Errorf("%v is not there", e)
		return false
	}
	delete(j.want, e)
	if err := want.compare(s); err != nil {
		j.err = fmt.Errorf("%v: %w", e, err)
	}
	return j.err == nil
}

// Miss is of those that are denied or gone, whose fields are then missed as well.
func (j *judge) Miss(int, platform.Reason) {}

func (x *expected) compare(s *platform.Sample) error {
	for _, w := range x.fields {
		if got, ok := s.Get(w.field); !ok || got != w.v {
			return fmt.Errorf("%v is %d (%v), want %d", w.field, got, ok, w.v)
		}
	}
	if s.Len() != len(x.fields) {
		return fmt.Errorf("%d fields, want %d", s.Len(), len(x.fields))
	}
	if s.Entity != platform.Process {
		return nil
	}
	first, n := s.Entity.Texts()
	for t := first; t < first+n; t++ {
		got, ok := s.Text(t)
		if want, wanted := x.texts[t]; ok != wanted || string(got) != want {
			return fmt.Errorf("%v is %q (%v), want %q (%v)", t, got, ok, want, wanted)
		}
	}
	return nil
}

// compare reads everything and compares it with the truth.
func (k *Kernel) compare(b platform.Backend) error {
	j := &judge{want: map[entity]expected{}}
	for _, p := range k.World.Processes {
		j.want[entity{platform.Process, platform.Key{ID: p.PID, Start: k.start(p)}}] = expected{k.truth(p), k.words(p)}
	}
	k.devices(j.want)
	pass, err := b.Begin(context.Background())
	if err != nil {
		return err
	}
	defer pass.Close()
	all := platform.SourceSet(1)<<len(b.Sources()) - 1
	if err := errors.Join(pass.Read(all, j), j.err); err != nil {
		return err
	}
	for e := range j.want {
		return fmt.Errorf("%v is missing", e)
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
func (k *Kernel) truth(p *Process) []value {
	of := []value{{platform.ProcessParent, p.Parent}, {platform.ProcessUser, p.UID}, {platform.ProcessNice, uint64(int64(p.Nice))},
		{platform.ProcessState, uint64(p.State)}}
	for i, f := range [...]platform.Field{platform.ProcessRunning, platform.ProcessSleeping, platform.ProcessStopped, platform.ProcessDefunct} {
		is := uint64(0)
		if i == p.State {
			is = 1
		}
		of = append(of, value{f, is})
	}
	if p.State == Zombie {
		return of
	}
	virtual := p.Map
	if k.open {
		virtual = p.Text + p.Data + p.Stack
		of = append(of, value{platform.ProcessAddressSpace, p.Map * Page})
	}
	of = append(of, value{platform.ProcessCPUUser, p.User * 1000}, value{platform.ProcessCPUSystem, p.Sys * 1000},
		value{platform.ProcessCPUNumber, p.CPU}, value{platform.ProcessMemoryRSS, p.Resident * Page},
		value{platform.ProcessMemoryVirtual, virtual * Page}, value{platform.ProcessMemoryText, p.Text * Page},
		value{platform.ProcessMemoryPeak, p.Peak * 1024}, value{platform.ProcessFaultsMinor, p.Minor}, value{platform.ProcessFaultsMajor, p.Major},
		value{platform.ProcessDiskReads, p.Reads}, value{platform.ProcessDiskWrites, p.Writes}, value{platform.ProcessThreads, p.Threads},
		value{platform.ProcessSwitchesVoluntary, p.Waits}, value{platform.ProcessSwitchesInvoluntary, p.Switches},
		value{platform.ProcessUptime, (k.World.Uptime - p.Start) * 1000})
	if len(p.Files) > 0 || k.open && !p.System {
		of = opened(of, p)
	}
	return of
}

// states are the numbers of netinet/tcp_fsm.h.
var states = [...]platform.Field{platform.ProcessTCPClosed, platform.ProcessTCPListen, platform.ProcessTCPSynSent, platform.ProcessTCPSynReceived,
	platform.ProcessTCPEstablished, platform.ProcessTCPCloseWait, platform.ProcessTCPFinWait1, platform.ProcessTCPClosing,
	platform.ProcessTCPLastAck, platform.ProcessTCPFinWait2, platform.ProcessTCPTimeWait}

func opened(of []value, p *Process) []value {
	var tcp [len(states)]uint64
	udp := uint64(0)
	for _, f := range p.Files {
		switch {
		case f.Socket && f.Protocol == 6:
			tcp[f.State]++
		case f.Socket:
			udp++
		}
	}
	of = append(of, value{platform.ProcessOpenFiles, uint64(len(p.Files))}, value{platform.ProcessUDP, udp})
	for i, n := range tcp {
		of = append(of, value{states[i], n})
	}
	return of
}

// words are the texts of a process.
func (k *Kernel) words(p *Process) map[platform.Text]string {
	of := map[platform.Text]string{platform.ProcessCommand: p.Command}
	if p.State == Zombie {
		return of
	}
	if name, ok := map[uint64]string{0: "root", 1000: "user"}[p.UID]; ok {
		of[platform.ProcessOwner] = name
	}
	if p.System || p.Denied {
		return of
	}
	of[platform.ProcessArguments] = string(join(p.Arguments))
	of[platform.ProcessEnvironment] = "HOME=/\x00A=\x00"
	if !k.open {
		of[platform.ProcessExecutable] = p.Path
	}
	return of
}

// devices is the truth of CPUs, disks and interfaces. The loopback is no device.
func (k *Kernel) devices(want map[entity]expected) {
	const tick = 1e9 / Hz
	for i, t := range k.World.CPUs {
		if k.open && i == k.World.Offline {
			continue
		}
		of := []value{{platform.CPUUser, t[0] * tick}, {platform.CPUNice, t[1] * tick}, {platform.CPUSystem, t[2] * tick},
			{platform.CPUInterrupt, t[3] * tick}, {platform.CPUIdle, t[4] * tick}}
		if k.open {
			of = append(of, value{platform.CPUFrequency, 2593e6}, value{platform.CPUFrequencyLive, 2593e6})
		}
		want[entity{platform.CPU, platform.Key{ID: uint64(i)}}] = expected{fields: of}
	}
	for _, d := range k.World.Disks {
		want[entity{platform.Disk, platform.Key{Name: d.Name}}] = expected{fields: []value{{platform.DiskReads, d.Reads}, {platform.DiskWrites, d.Writes},
			{platform.DiskReadBytes, d.ReadBytes}, {platform.DiskWriteBytes, d.WriteBytes}, {platform.DiskIOTime, d.Busy * 1000}}}
	}
	for _, f := range k.World.Interfaces[1:] {
		want[entity{platform.Network, platform.Key{Name: f.Name}}] = expected{fields: k.link(f)}
	}
}

func (k *Kernel) link(f Interface) []value {
	up := uint64(0)
	if f.Up {
		up = 1
	}
	of := []value{{platform.NetworkMTU, 1500}, {platform.NetworkUp, up},
		{platform.NetworkReceivePackets, f.In}, {platform.NetworkReceiveBytes, f.InBytes},
		{platform.NetworkReceiveErrors, f.InErrors}, {platform.NetworkReceiveDropped, f.InDropped},
		{platform.NetworkTransmitPackets, f.Out}, {platform.NetworkTransmitBytes, f.OutBytes}, {platform.NetworkTransmitErrors, f.OutErrors}}
	if k.open {
		of = append(of, value{platform.NetworkTransmitDropped, f.OutDrops})
	}
	if f.Speed != 0 {
		of = append(of, value{platform.NetworkSpeed, f.Speed / 8})
	}
	return of
}
