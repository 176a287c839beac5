// Package freebsd renders a made-up machine as a FreeBSD kernel answers: the structures of
// its headers by their C declarations, and no offset from anywhere else. Its [Kernel] is
// that of package platform/freebsd.
package freebsd

import (
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Kernel answers for a world as it is whenever it is asked.
type Kernel struct {
	*simkernel.World
	*simkernel.Queues
	simkernel.Answers
	Long int // rows of processes are longer by so many bytes than today
	Busy int // so many times the list of disks is being changed
	// Drivers are what drives the frequency of CPUs, by their number.
	Drivers map[int]Driver
	// System says that all processes are the kernel's own.
	System bool
}

// New returns a kernel for a world.
func New(w *simkernel.World) *Kernel {
	k := &Kernel{World: w, Answers: simkernel.Answers{Calls: map[string]int{}},
		Drivers: map[int]Driver{0: {Current: 2401, Levels: []int32{2401, 2400, 1200}}}}
	k.Queues = &simkernel.Queues{Kevents: kevent, Read: 0xffff, Proc: 0xfffb, Timer: 0xfff9, Apart: true, Zombies: true, Find: k.find}
	w.Hear = append(w.Hear, k.Queues)
	return k
}

// kevent is struct kevent since FreeBSD 12.
var kevent = simkernel.KeventOf(false, "uint64 ext[4]")

// find tells of who has a PID.
func (k *Kernel) find(pid uint64) (status uint64, found, zombie, denied bool) {
	p := k.World.Find(pid)
	if p == nil {
		return 0, false, false, false
	}
	return p.Status, true, p.State == simkernel.Zombie, false
}

// Page and Hz are the size of a page, and the rate of the statistics clock.
const (
	Page = 4096
	Hz   = 100
)

// numbered are the answers to names of two numbers and what follows them.
var numbered = map[[2]int32]func(*Kernel, []int32) ([]byte, error){
	{1, 1}:  word("FreeBSD"),
	{1, 2}:  word("14.1-RELEASE"),
	{1, 6}:  number(7000),
	{1, 10}: word("box"),
	{1, 12}: func(*Kernel, []int32) ([]byte, error) { return simkernel.Words32(1000, 1000, 0, Hz, 8128), nil },
	{1, 14}: (*Kernel).process,
	{1, 15}: (*Kernel).files,
	{1, 21}: func(k *Kernel, _ []int32) ([]byte, error) {
		return simkernel.Words64(uint64(k.Boot.Unix()), uint64(k.Boot.Nanosecond()/1000)), nil
	},
	{1, 36}: word("0f7e6d5c-0000-11ee-9a55-000000000001"),
	{2, 2}: func(*Kernel, []int32) ([]byte, error) {
		return append(simkernel.Words32(2048, 1024, 512, 0), simkernel.Words64(2048)...), nil
	},
	{4, 17}: (*Kernel).interfaces,
	{6, 1}:  word("amd64"),
	{6, 5}:  func(k *Kernel, _ []int32) ([]byte, error) { return simkernel.Words64(k.Memory), nil },
	{6, 7}:  number(Page),
}

func word(s string) func(*Kernel, []int32) ([]byte, error) {
	return func(*Kernel, []int32) ([]byte, error) { return append([]byte(s), 0), nil }
}

func number(n uint32) func(*Kernel, []int32) ([]byte, error) {
	return func(*Kernel, []int32) ([]byte, error) { return simkernel.Words32(n), nil }
}

// Sysctl answers what has a name of numbers.
func (k *Kernel) Sysctl(mib []int32, buf []byte) (int, error) {
	name := fmt.Sprint(mib[:2])
	if mib[0] == 1 && mib[1] == 14 {
		name = fmt.Sprint(mib[:3])
	}
	if err := k.Call(name); err != nil {
		return 0, err
	}
	answer, ok := numbered[[2]int32{mib[0], mib[1]}]
	if !ok {
		return 0, fs.ErrNotExist
	}
	b, err := answer(k, mib[2:])
	return k.Write(b, buf, err)
}

// Named answers what has a name of words.
func (k *Kernel) Named(name string, args []int32, buf []byte) (int, error) {
	if err := k.Call(name); err != nil {
		return 0, err
	}
	if v, ok := k.numbers()[name]; ok {
		return k.Write(simkernel.Words64(v), buf, nil)
	}
	var b []byte
	switch name {
	case "kern.cp_times":
		b = k.cpus()
	case "net.inet.tcp.pcblist":
		b = k.sockets(6)
	case "net.inet.udp.pcblist":
		b = k.sockets(17)
	case "kern.devstat.all":
		b = k.disks()
	case "vm.swap_info":
		if args[0] > 1 {
			return 0, fs.ErrNotExist
		}
		b = make([]byte, xswdev.Size)
		xswdev.Put(b, "version", 2)
		xswdev.Put(b, "nblks", 1000)
		xswdev.Put(b, "used", 10)
	case "hw.ncpu":
		b = simkernel.Words32(uint32(len(k.CPUs)))
	case "dev.cpu.0.temperature":
		b = simkernel.Words32(3131) // 40.0 °C
	case "hw.acpi.battery.life":
		b = simkernel.Words32(80)
	case "hw.acpi.acline":
		b = simkernel.Words32(1)
	case "kern.smp.cores":
		b = simkernel.Words32(2)
	default:
		var err error
		b, err = k.cpufreq(name)
		return k.Write(b, buf, err)
	}
	return k.Write(b, buf, nil)
}

// numbers are those that are told one by one.
func (k *Kernel) numbers() map[string]uint64 {
	return map[string]uint64{
		"vm.stats.vm.v_free_count": k.Free / Page, "vm.stats.vm.v_active_count": 10, "vm.stats.vm.v_inactive_count": 20, "vm.stats.vm.v_wire_count": 30,
		"vfs.bufspace": 4096, "vm.stats.sys.v_swtch": k.Switches, "vm.stats.sys.v_intr": 5, "vm.stats.sys.v_soft": 6,
		"vm.stats.sys.v_syscall": 7, "vm.stats.vm.v_vm_faults": 100, "vm.stats.vm.v_io_faults": 30,
		"vm.stats.vm.v_swappgsin": 8, "vm.stats.vm.v_swappgsout": 9,
		"vm.stats.vm.v_forks": k.Forks - 1, "vm.stats.vm.v_vforks": 1, "vm.stats.vm.v_rforks": 0,
	}
}

func (k *Kernel) process(args []int32) ([]byte, error) {
	if args[0] == 8 {
		var all []byte
		for _, p := range k.Processes {
			all = append(all, k.row(p)...)
		}
		return all, nil
	}
	p := k.World.Find(uint64(args[1]))
	if p != nil && args[0] == 1 { // KERN_PROC_PID
		return k.row(p), nil
	}
	of := operations[args[0]]
	switch {
	case p == nil || p.State == simkernel.Zombie:
		return nil, os.ErrProcessDone
	case p.Denied && args[0] != 7 && args[0] != 12 && args[0] != 0x11:
		return nil, fs.ErrPermission
	case of == nil:
		return nil, fs.ErrInvalid
	}
	return of(k, p), nil
}

// operations are those of kern.proc that tell of one process.
var operations = map[int32]func(*Kernel, *simkernel.Process) []byte{
	7:  func(_ *Kernel, p *simkernel.Process) []byte { return texts(p.Arguments()) },            // KERN_PROC_ARGS
	12: func(_ *Kernel, p *simkernel.Process) []byte { return texts([]string{p.Executable()}) }, // KERN_PROC_PATHNAME
	35: func(_ *Kernel, p *simkernel.Process) []byte { return texts(p.Environment()) },          // KERN_PROC_ENV
	37: func(*Kernel, *simkernel.Process) []byte { return simkernel.Words64(1024, 1<<63-1) },    // KERN_PROC_RLIMIT
	32: (*Kernel).maps, 33: (*Kernel).descriptors, 0x11: (*Kernel).threads,
}

// texts are strings with a NUL byte behind each.
func texts(all []string) (b []byte) {
	for _, s := range all {
		b = append(append(b, s...), 0)
	}
	return b
}

// priority is that of everybody.
const priority = 120

// row is the struct kinfo_proc of a process. A zombie has kept its times, and has no
// memory.
func (k *Kernel) row(p *simkernel.Process) []byte {
	s := kinfoProc
	b := make([]byte, s.Size+k.Long)
	for member, v := range map[string]uint64{
		"structsize": uint64(len(b)), "pid": p.PID, "ppid": p.Parent, "uid": p.UID, "ruid": p.UID + 1, "size": p.Virtual,
		"rssize": p.Resident / Page, "stat": [...]uint64{2, 3, 4, 5}[p.State], "nice": uint64(int64(p.Nice)),
		"lastcpu": p.CPU, "oncpu": ^uint64(0), "numthreads": p.Threads, "tdev": ^uint64(0),
		"pgid": p.Group(), "sid": p.Session(), "svuid": p.UID + 2, "rgid": 20, "svgid": 22, "ngroups": 3, "groups[0]": 21, "groups[1]": 30,
		"groups[2]": 31, "pri[1]": priority,
	} {
		s.Put(b, member, v)
	}
	if k.System {
		s.Put(b, "flag", 0x4) // P_SYSTEM
	}
	if p.HasTerminal() {
		s.Put(b, "tdev", simkernel.TerminalDevice)
	}
	s.PutText(b, "comm", p.Name)
	putTime(b[s.Offset("start"):], k.Boot.Sub(time.Unix(0, 0))+p.Born)
	ru := b[s.Offset("rusage"):]
	putTime(ru[rusage.Offset("utime"):], p.User)
	putTime(ru[rusage.Offset("stime"):], p.System)
	for member, v := range map[string]uint64{"maxrss": p.PeakResident / 1024, "minflt": p.FaultsMinor, "majflt": p.FaultsMajor,
		"inblock": p.BlocksRead, "oublock": p.BlocksWritten, "nvcsw": p.Voluntary, "nivcsw": p.Involuntary} {
		rusage.Put(ru, member, v)
	}
	children := b[s.Offset("rusage_ch"):]
	putTime(children[rusage.Offset("utime"):], p.ChildUser)
	putTime(children[rusage.Offset("stime"):], p.ChildSystem)
	return b
}

func putTime(b []byte, d time.Duration) {
	timeval.Put(b, "sec", uint64(d/time.Second))
	timeval.Put(b, "usec", uint64(d%time.Second/time.Microsecond))
}

// address is that of the only socket of a process.
func address(p *simkernel.Process) uint64 { return 0xffff_f800_0000_0000 + p.PID<<8 }

// files answers two files of everybody who lives: one in a file system, and a socket.
func (k *Kernel) files([]int32) (all []byte, err error) {
	for _, p := range k.Processes {
		if p.State == simkernel.Zombie {
			continue
		}
		for fd, kind := range []uint64{1, 2} { // DTYPE_VNODE, DTYPE_SOCKET
			b := make([]byte, xfile.Size)
			for member, v := range map[string]uint64{"size": uint64(len(b)), "pid": p.PID, "fd": uint64(fd), "type": kind, "data": address(p)} {
				xfile.Put(b, member, v)
			}
			all = append(all, b...)
		}
	}
	return all, nil
}

// State is that of the socket of a process: of TCP if its PID is odd, else of UDP.
func State(p *simkernel.Process) (protocol, state uint64) {
	if p.PID%2 == 0 {
		return 17, 0
	}
	return 6, p.PID % 11
}

// sockets answers a list: its head, the sockets of a protocol, and the head again.
func (k *Kernel) sockets(protocol uint64) []byte {
	head := make([]byte, xinpgen.Size)
	xinpgen.Put(head, "len", uint64(len(head)))
	all := append([]byte{}, head...)
	for _, p := range k.Processes {
		of, state := State(p)
		if of != protocol || p.State == simkernel.Zombie {
			continue
		}
		inp := make([]byte, xinpcb.Size)
		xinpcb.Put(inp, "len", uint64(len(inp)))
		xinpcb.PutIn(inp, "socket", xsocket, "so", address(p))
		xinpcb.PutIn(inp, "socket", xsocket, "pcb", pcb(p))
		if protocol == 17 {
			all = append(all, inp...)
			continue
		}
		tcp := make([]byte, xtcpcb.Size)
		copy(tcp[xtcpcb.Offset("inp"):], inp)
		xtcpcb.Put(tcp, "len", uint64(len(tcp)))
		xtcpcb.Put(tcp, "state", state)
		all = append(all, tcp...)
	}
	return append(all, head...)
}

func (k *Kernel) cpus() (all []byte) {
	for _, c := range k.CPUs {
		all = append(all, simkernel.Words64(ticks(c.User), ticks(c.Nice), ticks(c.System), ticks(c.Interrupt), ticks(c.Idle))...)
	}
	return append(all, simkernel.Words64(0, 0, 0, 0, 0)...) // a number that no CPU has
}

func ticks(d time.Duration) uint64 { return uint64(d / (time.Second / Hz)) }

// disks answers the list of devices: those of the world, what is passed through to one,
// and one in memory.
func (k *Kernel) disks() []byte {
	all := simkernel.Words64(7)
	for _, d := range k.Disks {
		all = append(all, k.disk(d, 0)...)
	}
	all = append(all, k.disk(&simkernel.Disk{Name: "pass0"}, 0x100)...)
	return append(all, k.disk(&simkernel.Disk{Name: "md0"}, 0)...)
}

func (k *Kernel) disk(d *simkernel.Disk, kind uint64) []byte {
	s := devstat
	b := make([]byte, s.Size)
	name := strings.TrimRight(d.Name, "0123456789")
	s.PutText(b, "device_name", name)
	s.Put(b, "unit_number", uint64(d.Name[len(name)]-'0'))
	s.Put(b, "device_type", kind)
	for member, v := range map[string]uint64{"operations[1]": d.Reads, "operations[2]": d.Writes, "bytes[1]": d.ReadBytes, "bytes[2]": d.WriteBytes} {
		s.Put(b, member, v)
	}
	at := s.Offset("duration")
	putBintime(b[at+bintime.Size:], d.ReadTime)
	putBintime(b[at+2*bintime.Size:], d.WriteTime)
	putBintime(b[s.Offset("busy_time"):], d.Busy)
	if k.Busy > 0 {
		k.Busy--
		s.Put(b, "sequence1", 1)
	}
	return b
}

// putBintime writes seconds and 2^-64 of them, cut off as the kernel does.
func putBintime(b []byte, d time.Duration) {
	bintime.Put(b, "sec", uint64(d/time.Second))
	frac, _ := bits.Div64(uint64(d%time.Second), 0, uint64(time.Second))
	bintime.Put(b, "frac", frac)
}

// interfaces answers the loopback and those of the world, each with a message about an
// address behind.
func (k *Kernel) interfaces([]int32) (all []byte, err error) {
	lo := &simkernel.Interface{Name: "lo0", Index: 99, Up: true, MTU: 16384}
	for _, i := range append([]*simkernel.Interface{lo}, k.Interfaces...) {
		all = append(all, link(i, i == lo)...)
		all = append(all, addresses.Of(i, i == lo)...)
	}
	return all, nil
}

// addresses are how messages about addresses look.
var addresses = simkernel.AddressMessage{Header: ifaMsghdr, Type: 0x0c, Version: 5, Align: 8, Inet6: 28}

func link(i *simkernel.Interface, loopback bool) []byte {
	b := make([]byte, ifMsghdr.Size)
	kind, flags, address := uint64(6), uint64(0x8843), []byte{2, 0, 0, 0, 0, byte(i.Index)}
	if loopback {
		kind, flags, address = 0x18, 0x8049, nil
	}
	state := uint64(1)
	if i.Up {
		state = 2
	}
	ifMsghdr.Put(b, "version", 5)
	ifMsghdr.Put(b, "type", 0x0e)
	ifMsghdr.Put(b, "flags", flags)
	ifMsghdr.Put(b, "index", uint64(i.Index))
	for member, v := range map[string]uint64{"type": kind, "link_state": state, "datalen": uint64(ifData.Size), "mtu": i.MTU,
		"baudrate": 1e9, "ipackets": i.ReceivedPackets, "ibytes": i.ReceivedBytes, "ierrors": i.ReceiveErrors, "iqdrops": i.ReceiveDropped,
		"opackets": i.SentPackets, "obytes": i.SentBytes, "oerrors": i.SendErrors} {
		ifMsghdr.PutIn(b, "data", ifData, member, v)
	}
	sdl := append([]byte{0, 18, byte(i.Index), 0, byte(kind), byte(len(i.Name)), byte(len(address)), 0}, i.Name...)
	sdl = append(sdl, address...)
	sdl[0] = byte(len(sdl))
	b = append(b, sdl...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	ifMsghdr.Put(b, "msglen", uint64(len(b)))
	return b
}

// Mounts answers three mounts: the root, one that is read-only and whose reserve is used
// up, and one without storage.
func (k *Kernel) Mounts(buf []byte) (int, error) {
	if err := k.Call("mounts"); err != nil {
		return 0, err
	}
	var all []byte
	for i, point := range [...]string{"/", "/ro", "/dev"} {
		b := make([]byte, statfs.Size)
		statfs.PutText(b, "mntonname", point)
		statfs.PutText(b, "mntfromname", "/dev/ada0p2")
		statfs.PutText(b, "fstypename", [...]string{"ufs", "zfs", "devfs"}[i])
		usable := int64(190 - 195*i)
		for member, v := range map[string]uint64{"flags": uint64(i & 1), "bsize": 2048, "blocks": 1000, "bfree": 200,
			"bavail": uint64(usable), "files": 50, "ffree": 20, "fsid": uint64(7 + i)} {
			statfs.Put(b, member, v)
		}
		all = append(all, b...)
	}
	return k.Write(all, buf, nil)
}

// File answers /etc/passwd, and one who is logged in among other records.
func (k *Kernel) File(path string) ([]byte, error) {
	if err := k.Call(path); err != nil {
		return nil, err
	}
	switch path {
	case "/etc/passwd":
		return []byte("# comment\nroot:*:0:0:Charlie:/root:/bin/sh\nuser:*:1000:1000::/home/user:/bin/sh\n"), nil
	case "/var/run/utx.active":
		return k.logins(), nil
	}
	return nil, fs.ErrNotExist
}

// Pid is the observer.
func (k *Kernel) Pid() uint64 { return k.Self }

// Clocks tells the world's time.
func (k *Kernel) Clocks() (now, uptime uint64) {
	return uint64(k.Boot.UnixNano()) + uint64(k.Now), uint64(k.Now)
}
