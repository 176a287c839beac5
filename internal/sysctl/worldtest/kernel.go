package worldtest

import (
	"encoding/binary"
	"io/fs"
	"os"
	"slices"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Kernel tells of a [World] in the dialect of a system. Every call is counted, and fails
// where Fail says so.
type Kernel struct {
	World *World
	// Fail returns an error to answer a call with: its name is that of the table or file.
	Fail func(call string) error
	// Cut shortens answers to so many bytes, unless it is 0.
	Cut   int
	Calls map[string]int

	*simkernel.Queues

	open bool // OpenBSD
	h    headers
	mibs map[[3]int32]string
}

// NetBSD returns a kernel of NetBSD 10 that tells of a world, OpenBSD one of OpenBSD 7.
func NetBSD(w *World) *Kernel {
	k := &Kernel{World: w, Calls: map[string]int{}, h: netbsdHeaders(), mibs: netbsdMIBs}
	k.Queues = &simkernel.Queues{Kevents: simkernel.KeventOf(true, ""), Read: 0, Proc: 4, Timer: 6, Apart: true, Find: k.find}
	w.Hear = append(w.Hear, k.Queues)
	return k
}

// OpenBSD is described at [NetBSD].
func OpenBSD(w *World) *Kernel {
	k := &Kernel{World: w, Calls: map[string]int{}, h: openbsdHeaders(), mibs: openbsdMIBs, open: true}
	k.Queues = &simkernel.Queues{Kevents: simkernel.KeventOf(false, ""), Read: 0xffff, Proc: 0xfffb, Timer: 0xfff9, Find: k.find}
	w.Hear = append(w.Hear, k.Queues)
	return k
}

// The numbers of what the two tell, by as many of them as it takes (sys/sysctl.h).
var (
	netbsdMIBs = map[[3]int32]string{
		{1, 83}: "boottime", {1, 47}: "proc", {1, 77}: "file", {1, 48}: "args", {1, 51}: "cpu", {1, 12}: "clockrate",
		{1, 1}: "ostype", {1, 2}: "osrelease", {1, 10}: "hostname", {6, 1}: "machine", {6, 7}: "pagesize", {6, 3}: "ncpu",
		{1, 6}: "maxproc", {1, 7}: "maxfiles", {2, 2}: "loadavg", {2, 5}: "uvmexp", {6, 9}: "disk", {4, 34}: "route",
	}
	openbsdMIBs = map[[3]int32]string{
		{1, 21}: "boottime", {1, 66}: "proc", {1, 73}: "file", {1, 55}: "args", {1, 85}: "cpu", {1, 12}: "clockrate",
		{1, 1}: "ostype", {1, 2}: "osrelease", {1, 10}: "hostname", {6, 1}: "machine", {6, 7}: "pagesize", {6, 3}: "ncpu",
		{1, 6}: "maxproc", {1, 7}: "maxfiles", {1, 56}: "nfiles", {2, 2}: "loadavg", {2, 4}: "uvmexp", {6, 9}: "disk", {4, 17}: "route",
		{6, 11}: "sensors", {6, 12}: "cpuspeed", {6, 18}: "uuid", {10, 0}: "bcachestat",
	}
)

// find tells of who has a PID. Nobody is denied: of those that a world denies, arguments
// alone are.
func (k *Kernel) find(pid uint64) (status uint64, found, zombie, denied bool) {
	p := k.World.Find(pid)
	if p == nil {
		return 0, false, false, false
	}
	return p.Status, true, p.State == Zombie, false
}

// call counts a call, and says whether it fails.
func (k *Kernel) call(name string) error {
	k.Calls[name]++
	if k.Fail != nil {
		return k.Fail(name)
	}
	return nil
}

// Sysctl answers what has numbers.
func (k *Kernel) Sysctl(mib []int32, buf []byte) (int, error) {
	name, ok := k.mibs[[3]int32{mib[0], mib[1]}]
	if !ok {
		return 0, fs.ErrNotExist
	}
	if err := k.call(name); err != nil {
		return 0, err
	}
	answer, err := k.answer(name, mib[2:])
	return k.write(answer, buf), err
}

func (k *Kernel) write(answer, buf []byte) int {
	if k.Cut != 0 && len(answer) > k.Cut {
		answer = answer[:k.Cut]
	}
	copy(buf, answer)
	return len(answer)
}

func (k *Kernel) answer(name string, args []int32) ([]byte, error) {
	w := k.World
	switch name {
	case "boottime":
		fraction := w.Boot % 1e6
		if !k.open {
			fraction *= 1000
		}
		return words64(w.Boot/1e6, fraction), nil
	case "clockrate":
		if k.open {
			return words32(100, 10000, Hz, Hz), nil
		}
		return words32(100, 10000, 0, Hz, Hz), nil
	case "loadavg":
		return append(words32(2048, 1024, 512, 0), words64(2048)...), nil
	case "ncpu":
		return words32(uint32(len(w.CPUs))), nil
	case "bcachestat":
		return words64(10, 300, 7, 0, 0), nil
	case "proc":
		return k.processes(args)
	case "file":
		return k.files(args), nil
	case "args":
		return k.arguments(args)
	case "cpu":
		return k.cpu(int(args[0])), nil
	case "uvmexp":
		return k.memory(), nil
	case "disk":
		return k.disks(), nil
	case "route":
		return k.interfaces(), nil
	case "sensors":
		return sensor(args)
	}
	if n, ok := numbers[name]; ok {
		return words32(n), nil
	}
	return append([]byte(named[name]), 0), nil
}

var (
	numbers = map[string]uint32{"pagesize": Page, "maxproc": 1310, "maxfiles": 7030, "nfiles": 200, "cpuspeed": 2593}
	named   = map[string]string{"ostype": "BSD", "osrelease": "10.1", "hostname": "box", "machine": "amd64", "uuid": "some-uuid"}
)

// records cuts rows to the size that was asked for.
func records(rows [][]byte, size int32) (all []byte) {
	all = make([]byte, 0, len(rows)*int(size))
	for _, row := range rows {
		all = append(all, row[:size]...)
	}
	return all
}

func (k *Kernel) processes(args []int32) ([]byte, error) {
	if int(args[2]) > k.h.process.Size {
		return nil, os.ErrInvalid
	}
	var rows [][]byte
	for _, p := range k.World.Processes {
		if args[0] == 1 && p.PID != uint64(args[1]) { // KERN_PROC_PID
			continue
		}
		row := k.process(p)
		rows = append(rows, row)
		for i := range p.Threads {
			if k.open && args[0]&0x40000000 != 0 && p.State != Zombie {
				thread := slices.Clone(row)
				k.h.process.Put(thread, "p_tid", 1000+i)
				rows = append(rows, thread)
			}
		}
	}
	return records(rows, args[2]), nil
}

func (k *Kernel) process(p *Process) []byte {
	s := k.h.process
	b := make([]byte, s.Size)
	s.PutAll(b, []Value{{"p_pid", p.PID}, {"p_ppid", p.Parent}, {"p_uid", p.UID}, {"p_ruid", p.UID}, {"p_nice", uint64(20 + p.Nice)}})
	s.PutText(b, "p_comm", p.Command)
	stat := [...]uint64{Running: 7, Sleeping: 3, Stopped: 4, Zombie: 5}[p.State]
	s.Put(b, "p_stat", stat)
	if p.System {
		s.Put(b, "p_flag", 0x200)
	}
	if k.open {
		s.Put(b, "p_tid", ^uint64(0))
	} else {
		s.Put(b, "p_realstat", [...]uint64{Running: 2, Sleeping: 2, Stopped: 4, Zombie: 5}[p.State])
	}
	if p.State == Zombie {
		return b
	}
	k.living(b, p)
	return b
}

// living fills in what is known of a process that lives.
func (k *Kernel) living(b []byte, p *Process) {
	start := p.Born
	if k.open {
		start = k.World.Boot + p.Start
		k.h.process.Put(b, "p_vm_map_size", p.Map*Page)
	} else {
		k.h.process.PutAll(b, []Value{{"p_nlwps", p.Threads}, {"p_vm_msize", p.Map}})
	}
	k.h.process.PutAll(b, []Value{
		{"p_uvalid", 1}, {"p_ustart_sec", start / 1e6}, {"p_ustart_usec", start % 1e6}, {"p_cpuid", p.CPU},
		{"p_uutime_sec", p.User / 1e6}, {"p_uutime_usec", p.User % 1e6}, {"p_ustime_sec", p.Sys / 1e6}, {"p_ustime_usec", p.Sys % 1e6},
		{"p_vm_rssize", p.Resident}, {"p_vm_tsize", p.Text}, {"p_vm_dsize", p.Data}, {"p_vm_ssize", p.Stack}, {"p_uru_maxrss", p.Peak},
		{"p_uru_minflt", p.Minor}, {"p_uru_majflt", p.Major}, {"p_uru_inblock", p.Reads}, {"p_uru_oublock", p.Writes},
		{"p_uru_nvcsw", p.Waits}, {"p_uru_nivcsw", p.Switches},
	})
}

// files answers kern.file2 and kern.file: by process, or all sockets on OpenBSD.
func (k *Kernel) files(args []int32) []byte {
	var rows [][]byte
	for _, p := range k.World.Processes {
		if k.open && args[0] == 2 && !p.System && p.State != Zombie {
			rows = append(rows, k.file(p, File{FD: -2}))
		}
		for _, f := range p.Files {
			if args[0] == 2 || f.Socket {
				rows = append(rows, k.file(p, f))
			}
		}
	}
	return records(rows, args[2])
}

func (k *Kernel) file(p *Process, f File) []byte {
	s := k.h.file
	b := make([]byte, s.Size)
	s.Put(b, "pid", p.PID)
	s.Put(b, "fd", uint64(f.FD))
	switch {
	case f.Socket && k.open:
		s.PutAll(b, []Value{{"protocol", f.Protocol}, {"family", family(f)}, {"tstate", f.State}})
	case f.Socket:
		s.PutAll(b, []Value{{"ftype", 2}, {"fdata", f.Address}})
	}
	return b
}

func family(f File) uint64 {
	if f.Six {
		return 24
	}
	return 2
}

// arguments answers argv, the environment and the path.
func (k *Kernel) arguments(args []int32) ([]byte, error) {
	p := k.World.Find(uint64(args[0]))
	switch {
	case p == nil:
		return nil, os.ErrProcessDone
	case p.System || p.State == Zombie:
		return nil, os.ErrInvalid
	case p.Denied:
		return nil, fs.ErrPermission
	}
	list := p.Arguments
	switch args[1] {
	case 3:
		list = []string{"HOME=/", "A="}
	case 5:
		list = []string{p.Path}
	}
	if !k.open {
		return join(list), nil
	}
	const base = 0x7f00_0000_1000
	at := (base + 8*uint64(len(list)+1))
	var b []byte
	for _, s := range list {
		b = binary.LittleEndian.AppendUint64(b, at)
		at += uint64(len(s)) + 1
	}
	return append(binary.LittleEndian.AppendUint64(b, 0), join(list)...), nil
}

func join(list []string) (b []byte) {
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	return b
}

// Named answers what has a name, on NetBSD.
func (k *Kernel) Named(name string, args []int32, buf []byte) (int, error) {
	if err := k.call(name); err != nil {
		return 0, err
	}
	lists := map[string]struct {
		protocol uint64
		six      bool
	}{
		"net.inet.tcp.pcblist": {6, false}, "net.inet6.tcp6.pcblist": {6, true},
		"net.inet.udp.pcblist": {17, false}, "net.inet6.udp6.pcblist": {17, true},
	}
	list, ok := lists[name]
	switch {
	case name == "machdep.dmi.system-uuid" && !k.open:
		return k.write([]byte("some-uuid\x00"), buf), nil
	case !ok || k.open:
		return 0, fs.ErrNotExist
	}
	var rows [][]byte
	for _, p := range k.World.Processes {
		for _, f := range p.Files {
			if f.Socket && f.Protocol == list.protocol && f.Six == list.six {
				b := make([]byte, k.h.socket.Size)
				k.h.socket.PutAll(b, []Value{{"sockaddr", f.Address}, {"tstate", f.State}})
				rows = append(rows, b)
			}
		}
	}
	return k.write(records(rows, args[2]), buf), nil
}

// Pid is that of a process that lives.
func (k *Kernel) Pid() uint64 { return 1 }

// Clocks tells the world's time.
func (k *Kernel) Clocks() (now, uptime uint64) {
	return (k.World.Boot + k.World.Uptime) * 1000, k.World.Uptime * 1000
}

func words32(v ...uint32) (b []byte) {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func words64(v ...uint64) (b []byte) {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}
