package linux

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/platform"
)

// simulatedKernel is a backend over a kernel in memory that is brought up to date before each pass: it
// tells of a simulated world as /proc and /sys do.
type simulatedKernel struct {
	platform.Backend
	world *simkernel.World
	tree  *world
	pids  map[uint64]bool
}

// tell opens one.
func tell(t testing.TB) func(*simkernel.World) (platform.Backend, error) {
	return func(w *simkernel.World) (platform.Backend, error) {
		o := &simulatedKernel{world: w, tree: &world{t: t, root: &node{children: map[string]*node{}}, pid: int(w.Self), machine: "x86_64"}, pids: map[uint64]bool{}}
		o.tree.before = o.deny
		o.render()
		b, err := New(Options{Kernel: locked{o.tree, new(sync.Mutex)}, AllDevices: true, Budget: time.Hour})
		o.Backend = b
		return o, err
	}
}

// Begin renders the world as it is now.
func (o *simulatedKernel) Begin(ctx context.Context) (platform.Reader, error) {
	o.render()
	return o.Backend.Begin(ctx)
}

// deny refuses what the kernel refuses of a process of somebody else.
func (o *simulatedKernel) deny(_ *world, _ int, _, path string) error {
	_, below, found := strings.Cut(path, "proc/")
	name, rest, _ := strings.Cut(below, "/")
	pid, err := strconv.ParseUint(name, 10, 64)
	if !found || err != nil {
		return nil
	}
	if p := o.world.Find(pid); p == nil || !p.Denied {
		return nil
	}
	switch rest, _, _ = strings.Cut(rest, "/"); rest {
	case "io", "fd", "environ", "exe", "smaps_rollup", "net", "cwd":
		return fs.ErrPermission
	}
	return nil
}

const simTick = 10 * time.Millisecond

// render writes down the world.
func (o *simulatedKernel) render() {
	w, t := o.world, o.tree
	stat := cpuLine("cpu", w.CPUs)
	for i := range w.CPUs {
		stat += cpuLine(fmt.Sprint("cpu", i), w.CPUs[i:i+1])
	}
	t.write("proc/stat", fmt.Sprintf("%sintr 5\nctxt %d\nbtime %d\nprocesses %d\nprocs_running 1\nprocs_blocked 0\n", stat, w.Switches, w.Boot.Unix(), w.Forks))
	t.write("proc/uptime", fmt.Sprintf("%d.%02d 1.00\n", w.Now/time.Second, w.Now%time.Second/simTick))
	t.write("proc/meminfo", fmt.Sprintf("MemTotal: %d kB\nMemFree: %d kB\nMemAvailable: 1 kB\n", w.Memory/1024, w.Free/1024))
	t.write("proc/sys/kernel/random/boot_id", "4a8a5b1e-0000\n")
	t.write("etc/passwd", "root:x:0:0::/:\nuser:x:1000:1000::/:\n")
	disks := ""
	for i, d := range w.Disks {
		disks += fmt.Sprintf("   8 %7d %s %d 0 %d %d %d 0 %d %d 0 %d 0\n", i, d.Name, d.Reads, d.ReadBytes/512, d.ReadTime.Milliseconds(),
			d.Writes, d.WriteBytes/512, d.WriteTime.Milliseconds(), d.Busy.Milliseconds())
	}
	t.write("proc/diskstats", disks)
	o.renderLinks()
	o.renderProcesses()
}

func cpuLine(name string, cpus []simkernel.CPU) string {
	var s simkernel.CPU
	for _, c := range cpus {
		s = simkernel.CPU{User: s.User + c.User, Nice: s.Nice + c.Nice, System: s.System + c.System, Interrupt: s.Interrupt + c.Interrupt, Idle: s.Idle + c.Idle}
	}
	return fmt.Sprintf("%s %d %d %d %d 0 %d 0 0 0 0\n", name, s.User/simTick, s.Nice/simTick, s.System/simTick, s.Idle/simTick, s.Interrupt/simTick)
}

func (o *simulatedKernel) renderLinks() {
	dev := "Inter-|   Receive |  Transmit\n face |bytes |bytes\n"
	for _, i := range o.world.Interfaces {
		dev += fmt.Sprintf("%6s: %d %d %d %d 0 0 0 0 %d %d %d 0 0 0 0 0\n", i.Name, i.ReceivedBytes, i.ReceivedPackets, i.ReceiveErrors, i.ReceiveDropped,
			i.SentBytes, i.SentPackets, i.SendErrors)
		state := "down"
		if i.Up {
			state = "up"
		}
		o.tree.write("sys/class/net/"+i.Name+"/operstate", state+"\n")
		o.tree.write("sys/class/net/"+i.Name+"/mtu", fmt.Sprintln(i.MTU))
	}
	o.tree.write("proc/net/dev", dev)
}

func (o *simulatedKernel) renderProcesses() {
	for pid := range o.pids {
		if p := o.world.Find(pid); p == nil {
			o.tree.end(pid)
			delete(o.pids, pid)
		}
	}
	for _, p := range o.world.Processes {
		if o.pids[p.PID] {
			o.tree.end(p.PID)
		}
		o.pids[p.PID] = true
		dir := fmt.Sprintf("proc/%d/", p.PID)
		o.tree.write(dir+"stat", simStat(p.PID, p))
		o.tree.write(dir+"status", simStatus(p, p.Voluntary, p.Involuntary))
		for n := range p.Threads {
			id, voluntary, involuntary := p.PID, p.Voluntary, p.Involuntary
			if n > 0 {
				id, voluntary, involuntary = p.Thread(n), 0, 0
			}
			o.tree.write(fmt.Sprintf("%stask/%d/status", dir, id), simStatus(p, voluntary, involuntary))
			o.tree.write(fmt.Sprintf("%stask/%d/stat", dir, id), simStat(id, p))
		}
		if p.State != simkernel.Zombie {
			o.tree.write(dir+"statm", fmt.Sprintf("%d %d 0 1 0 1 0\n", p.Virtual/4096, p.Resident/4096))
			o.tree.symlink(dir+"exe", p.Executable())
		}
		o.tree.write(dir+"io", fmt.Sprintf("rchar: 0\nwchar: 0\nsyscr: %d\nsyscw: %d\nread_bytes: %d\nwrite_bytes: %d\ncancelled_write_bytes: 0\n",
			p.BlocksRead, p.BlocksWritten, p.BlocksRead*512, p.BlocksWritten*512))
		o.tree.symlink(dir+"fd/0", "/dev/null")
	}
}

// simStat is /proc/[pid]/stat.
func simStat(id uint64, p *simkernel.Process) string {
	return fmt.Sprintf("%d (%s) %c %d %d 1 0 -1 0 %d 0 %d 0 %d %d %d %d 20 %d %d 0 %d %d %d 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 %d 0 0 0 0 0\n",
		id, p.Name, "RSTZ"[p.State], p.Parent, p.Group(), p.FaultsMinor, p.FaultsMajor, p.User/simTick, p.System/simTick, p.ChildUser/simTick, p.ChildSystem/simTick,
		p.Nice, p.Threads, p.Born/simTick, p.Virtual, p.Resident/4096, p.CPU)
}

// simStatus is /proc/[pid]/status. Of a zombie its memory is not in it.
func simStatus(p *simkernel.Process, voluntary, involuntary uint64) string {
	memory := ""
	if p.State != simkernel.Zombie {
		memory = fmt.Sprintf("VmSize:\t%d kB\nVmHWM:\t%d kB\nVmRSS:\t%d kB\n", p.Virtual/1024, p.PeakResident/1024, p.Resident/1024)
	}
	return fmt.Sprintf("Name:\t%s\nState:\t%c\nPPid:\t%d\nUid:\t%d\t%d\t%d\t%d\n%sThreads:\t%d\nvoluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n",
		strings.ReplaceAll(p.Name, "\t", `\t`), "RSTZ"[p.State], p.Parent, p.UID+1, p.UID, p.UID+2, p.UID, memory, p.Threads, voluntary, involuntary)
}

// ioFields are the fields of /proc/[pid]/io.
var ioFields = []platform.Field{platform.ProcessDiskReadBytes, platform.ProcessDiskWriteBytes, platform.ProcessDiskReads, platform.ProcessDiskWrites}

// simulated is how Linux tells of a world.
func simulated(t testing.TB) simkernel.Dialect {
	return simkernel.Dialect{
		Open: tell(t),
		// Ticks since the kernel's start.
		Start: func(_ *simkernel.World, p *simkernel.Process) uint64 { return uint64(p.Born / simTick) },
		Undead: append([]platform.Field{platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual, platform.ProcessMemoryPeak, platform.ProcessUser,
			platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary}, ioFields...),
		Refused: ioFields,
	}
}

// What this backend reads is what is so, in every world that is simulated for the other kernels
// too, and after every step of it.
func TestSimulation(t *testing.T) {
	simkernel.Simulate(t, worlds, func(seed uint64) error { return simkernel.Check(simulated(t), seed, 8, simkernel.Steps) })
}

// Nothing is kept of what is gone: 10,000 passes leave memory and descriptors as they were.
func TestFlat(t *testing.T) {
	d := simulated(t)
	simkernel.Flat(t, d, func(w *simkernel.World) (platform.Backend, func() int) {
		b, err := d.Open(w)
		if err != nil {
			t.Fatal(err)
		}
		return b, b.(*simulatedKernel).tree.leaked
	})
}
