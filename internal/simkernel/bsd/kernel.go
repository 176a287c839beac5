// Package bsd renders a made-up machine as the kernels of NetBSD 10 and OpenBSD 7 answer: the
// structures of their headers by their C declarations, and no offset from anywhere else. Its
// [Kernel] is that of packages platform/netbsd and platform/openbsd.
package bsd

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Kernel answers for a world as it is whenever it is asked.
type Kernel struct {
	*simkernel.World
	*simkernel.Queues
	simkernel.Answers
	// System says that all processes are the kernel's own.
	System bool
	// Offline is the number of a CPU that is switched off, on OpenBSD.
	Offline int
	// Further is how many further mappings everybody has, on OpenBSD.
	Further int

	open bool // OpenBSD
	headers
	mibs map[[2]int32]string
}

// NetBSD returns a kernel of NetBSD 10 that tells of a world.
func NetBSD(w *simkernel.World) *Kernel {
	k := &Kernel{World: w, Answers: simkernel.Answers{Calls: map[string]int{}}, Offline: -1, headers: netBSD, mibs: netBSDNumbers}
	k.Queues = &simkernel.Queues{Kevents: simkernel.KeventOf(true, ""), Read: 0, Proc: 4, Timer: 6, Apart: true, Find: k.find}
	w.Hear = append(w.Hear, k.Queues)
	return k
}

// OpenBSD returns a kernel of OpenBSD 7 that tells of a world.
func OpenBSD(w *simkernel.World) *Kernel {
	k := &Kernel{World: w, Answers: simkernel.Answers{Calls: map[string]int{}}, Offline: -1, headers: openBSD, mibs: openBSDNumbers, open: true}
	k.Queues = &simkernel.Queues{Kevents: simkernel.KeventOf(false, ""), Read: 0xffff, Proc: 0xfffb, Timer: 0xfff9, Find: k.find}
	w.Hear = append(w.Hear, k.Queues)
	return k
}

// The numbers of what the two tell (sys/sysctl.h).
var (
	netBSDNumbers = map[[2]int32]string{
		{1, 83}: "boottime", {1, 47}: "proc", {1, 77}: "file", {1, 48}: "args", {1, 51}: "cpu", {1, 12}: "clockrate", {1, 64}: "lwp",
		{1, 1}: "ostype", {1, 2}: "osrelease", {1, 10}: "hostname", {6, 1}: "machine", {6, 7}: "pagesize", {6, 3}: "ncpu",
		{1, 6}: "maxproc", {1, 7}: "maxfiles", {2, 2}: "loadavg", {2, 5}: "uvmexp", {2, 16}: "map", {6, 9}: "disk", {4, 34}: "route",
	}
	openBSDNumbers = map[[2]int32]string{
		{1, 21}: "boottime", {1, 66}: "proc", {1, 73}: "file", {1, 55}: "args", {1, 78}: "cwd", {1, 80}: "vmmap", {1, 85}: "cpu", {1, 12}: "clockrate",
		{1, 1}: "ostype", {1, 2}: "osrelease", {1, 10}: "hostname", {6, 1}: "machine", {6, 7}: "pagesize", {6, 3}: "ncpu",
		{1, 6}: "maxproc", {1, 7}: "maxfiles", {1, 56}: "nfiles", {2, 2}: "loadavg", {2, 4}: "uvmexp", {6, 9}: "disk", {4, 17}: "route",
		{6, 11}: "sensors", {6, 12}: "cpuspeed", {6, 18}: "uuid", {10, 0}: "bcachestat",
	}
)

// Page and Hz are the size of a page, and the rate of the statistics clock.
const (
	Page = 4096
	Hz   = 100
)

// find tells of who has a PID. Of those that a world denies details alone are denied.
func (k *Kernel) find(pid uint64) (status uint64, found, zombie, denied bool) {
	p := k.World.Find(pid)
	if p == nil {
		return 0, false, false, false
	}
	return p.Status, true, p.State == simkernel.Zombie, false
}

// limits are those of a process on NetBSD: proc.[pid].rlimit.
const limits = "limits"

// Sysctl answers what has a name of numbers.
func (k *Kernel) Sysctl(mib []int32, buf []byte) (int, error) {
	name, ok := k.mibs[[2]int32{mib[0], mib[1]}]
	if mib[0] == 10 && !k.open {
		name, ok = limits, true
	}
	if !ok {
		return 0, fs.ErrNotExist
	}
	if err := k.Call(name); err != nil {
		return 0, err
	}
	if name == "vmmap" {
		return k.maps(mib[2], buf)
	}
	b, err := k.answer(name, mib)
	return k.Write(b, buf, err)
}

// answers are those of tables.
var answers = map[string]func(*Kernel, []int32) ([]byte, error){
	"proc": (*Kernel).processes, "file": (*Kernel).files, "args": (*Kernel).arguments, "cwd": (*Kernel).folder, "lwp": (*Kernel).lwps,
	"map": (*Kernel).regions, limits: (*Kernel).limit, "sensors": (*Kernel).sensor,
	"cpu":      func(k *Kernel, args []int32) ([]byte, error) { return k.cpu(int(args[0])), nil },
	"uvmexp":   func(k *Kernel, _ []int32) ([]byte, error) { return k.uvm(), nil },
	"disk":     func(k *Kernel, _ []int32) ([]byte, error) { return k.diskTable(), nil },
	"route":    func(k *Kernel, _ []int32) ([]byte, error) { return k.links(), nil },
	"boottime": (*Kernel).bootTime,
	"clockrate": func(k *Kernel, _ []int32) ([]byte, error) {
		if k.open {
			return simkernel.Words32(100, 10000, Hz, Hz), nil
		}
		return simkernel.Words32(100, 10000, 0, Hz, Hz), nil
	},
	"loadavg": func(*Kernel, []int32) ([]byte, error) {
		return append(simkernel.Words32(2048, 1024, 512, 0), simkernel.Words64(2048)...), nil
	},
	"ncpu":       func(k *Kernel, _ []int32) ([]byte, error) { return simkernel.Words32(uint32(len(k.CPUs))), nil },
	"bcachestat": func(*Kernel, []int32) ([]byte, error) { return simkernel.Words64(10, 300, 7, 0, 0), nil },
}

func (k *Kernel) answer(name string, mib []int32) ([]byte, error) {
	if of := answers[name]; of != nil {
		return of(k, mib[2:])
	}
	if n, ok := numbers[name]; ok {
		return simkernel.Words32(n), nil
	}
	return append([]byte(words[name]), 0), nil
}

var (
	numbers = map[string]uint32{"pagesize": Page, "maxproc": 1310, "maxfiles": 7030, "nfiles": 200, "cpuspeed": 2593}
	words   = map[string]string{"ostype": "BSD", "osrelease": "10.1", "hostname": "box", "machine": "amd64", "uuid": "some-uuid"}
)

// bootTime answers a struct timeval on OpenBSD, and a struct timespec on NetBSD.
func (k *Kernel) bootTime([]int32) ([]byte, error) {
	fraction := uint64(k.Boot.Nanosecond())
	if k.open {
		fraction /= 1000
	}
	return simkernel.Words64(uint64(k.Boot.Unix()), fraction), nil
}

// records cuts rows to the size that was asked for.
func records(rows [][]byte, size int32) []byte {
	all := make([]byte, 0, len(rows)*int(size))
	for _, row := range rows {
		all = append(all, row[:size]...)
	}
	return all
}

// Operations of kern.proc.
const (
	onePID  = 1
	threads = 0x40000000
)

func (k *Kernel) processes(args []int32) ([]byte, error) {
	if int(args[2]) > k.process.Size {
		return nil, os.ErrInvalid
	}
	var rows [][]byte
	for _, p := range k.Processes {
		if args[0]&0xff == onePID && p.PID != uint64(args[1]) {
			continue
		}
		row := k.row(p)
		rows = append(rows, row)
		if args[0]&threads != 0 && p.State != simkernel.Zombie {
			rows = append(rows, k.threadRows(p, row)...)
		}
	}
	return records(rows, args[2]), nil
}

// Priority is that of everybody.
const Priority = 42

// row is what a kernel tells of a process.
func (k *Kernel) row(p *simkernel.Process) []byte {
	s := k.process
	b := make([]byte, s.Size)
	for member, v := range map[string]uint64{"pid": p.PID, "ppid": p.Parent, "sid": p.Session(), "_pgid": p.Group(), "uid": p.UID, "ruid": p.UID + 1, "svuid": p.UID + 2,
		"gid": 21, "rgid": 20, "svgid": 22, "ngroups": 2, "groups[0]": 30, "groups[1]": 31, "tdev": ^uint64(0), "nice": uint64(20 + p.Nice),
		"priority": Priority, "stat": [...]uint64{7, 3, 4, 5}[p.State]} {
		s.Put(b, member, v)
	}
	s.PutText(b, "comm", p.Name)
	if p.HasTerminal() {
		s.Put(b, "tdev", simkernel.TerminalDevice)
	}
	if k.System {
		s.Put(b, "flag", 0x200)
	}
	if k.open {
		s.Put(b, "tid", ^uint64(0))
	} else {
		s.Put(b, "realstat", [...]uint64{2, 2, 4, 5}[p.State])
	}
	if p.State != simkernel.Zombie {
		k.living(b, p)
	}
	return b
}

// living fills in what is known of a process that lives: when it was made is what the clock
// said then on NetBSD, and told by the kernel's own start on OpenBSD.
func (k *Kernel) living(b []byte, p *simkernel.Process) {
	start := p.Clock
	if k.open {
		start = k.Since(p.Born)
	}
	members := map[string]uint64{"uvalid": 1, "ustart_sec": seconds(start), "ustart_usec": micros(start), "cpuid": p.CPU,
		"uutime_sec": seconds(p.User), "uutime_usec": micros(p.User), "ustime_sec": seconds(p.System), "ustime_usec": micros(p.System),
		"vm_rssize": p.Resident / Page, "uru_maxrss": p.PeakResident / 1024, "uru_minflt": p.FaultsMinor, "uru_majflt": p.FaultsMajor,
		"uru_inblock": p.BlocksRead, "uru_oublock": p.BlocksWritten, "uru_nvcsw": p.Voluntary, "uru_nivcsw": p.Involuntary}
	if k.open {
		members["vm_tsize"], members["vm_dsize"], members["vm_ssize"] = 1, p.Virtual/Page-3, 2
		members["vm_map_size"] = p.Virtual // of UVM, in bytes
	} else {
		members["nlwps"], members["vm_msize"] = p.Threads, p.Virtual/Page
	}
	for member, v := range members {
		k.process.Put(b, member, v)
	}
}

func seconds(d time.Duration) uint64 { return uint64(d / time.Second) }
func micros(d time.Duration) uint64  { return uint64(d % time.Second / time.Microsecond) }

// Named answers what has a name, on NetBSD.
func (k *Kernel) Named(name string, args []int32, buf []byte) (int, error) {
	if err := k.Call(name); err != nil {
		return 0, err
	}
	if k.open {
		return 0, errors.ErrUnsupported
	}
	if name == "machdep.dmi.system-uuid" {
		return k.Write([]byte("some-uuid\x00"), buf, nil)
	}
	list, ok := lists[name]
	if !ok {
		return 0, fs.ErrNotExist
	}
	var rows [][]byte
	for _, p := range k.Processes {
		if p.State != simkernel.Zombie && list(p) {
			rows = append(rows, k.pcb(p, name))
		}
	}
	return k.Write(records(rows, args[2]), buf, nil)
}

// Pid is the observer.
func (k *Kernel) Pid() uint64 { return k.Self }

// Clocks tells the world's time.
func (k *Kernel) Clocks() (now, uptime uint64) { return uint64(k.Since(k.Now)), uint64(k.Now) }
