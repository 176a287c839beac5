// Package dragonfly renders a made-up machine as a DragonFly kernel answers: the structures of
// its headers by their C declarations, and no offset from anywhere else. Its [Kernel] is that
// of package platform/dragonfly.
package dragonfly

import (
	"fmt"
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
}

// New returns a kernel for a world.
func New(w *simkernel.World) *Kernel {
	k := &Kernel{World: w, Answers: simkernel.Answers{Calls: map[string]int{}}}
	k.Queues = &simkernel.Queues{Kevents: simkernel.KeventOf(false, ""), Read: 0xffff, Proc: 0xfffb, Timer: 0xfff9, Apart: true, Find: k.find}
	w.Hear = append(w.Hear, k.Queues)
	return k
}

func (k *Kernel) find(pid uint64) (status uint64, found, zombie, denied bool) {
	p := k.World.Find(pid)
	if p == nil {
		return 0, false, false, false
	}
	return p.Status, true, p.State == simkernel.Zombie, false
}

// Page is the size of a page.
const Page = 4096

var words = map[[2]int32]string{{1, 1}: "DragonFly", {1, 2}: "6.4-RELEASE", {1, 10}: "box", {6, 1}: "x86_64"}

// Sysctl answers what has a name of numbers.
func (k *Kernel) Sysctl(mib []int32, buf []byte) (int, error) {
	name := [2]int32{mib[0], mib[1]}
	call := fmt.Sprint(mib[:2])
	if name == [2]int32{1, 14} {
		call = fmt.Sprint(mib[:3])
	}
	if err := k.Call(call); err != nil {
		return 0, err
	}
	switch name {
	case [2]int32{1, 6}:
		return k.Write(simkernel.Words32(7000), buf, nil)
	case [2]int32{6, 7}:
		return k.Write(simkernel.Words32(Page), buf, nil)
	case [2]int32{1, 21}:
		return k.Write(simkernel.Words64(uint64(k.Boot.Unix()), uint64(k.Boot.Nanosecond()/1000)), buf, nil)
	case [2]int32{2, 2}:
		return k.Write(append(simkernel.Words32(2048, 1024, 512, 0), simkernel.Words64(2048)...), buf, nil)
	case [2]int32{4, 17}:
		return k.Write(k.links(), buf, nil)
	case [2]int32{1, 14}:
		b, err := k.process(mib[2:])
		return k.Write(b, buf, err)
	}
	word, ok := words[name]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return k.Write(append([]byte(word), 0), buf, nil)
}

// process answers kern.proc. The kernel's own threads have no PID, and a zombie is not found by
// its own (sysctl_kern_proc).
func (k *Kernel) process(args []int32) (all []byte, err error) {
	const threads = 0x10
	if args[0]&^threads == 0 {
		if len(args) != 1 {
			return nil, fs.ErrInvalid
		}
		for _, p := range k.Processes {
			all = append(all, k.rows(p, args[0]&threads != 0)...)
		}
		own := make([]byte, kinfoProc.Size)
		kinfoProc.Put(own, "pid", ^uint64(0))
		return append(all, own...), nil
	}
	p := k.World.Find(uint64(args[1]))
	if p == nil || p.State == simkernel.Zombie {
		if args[0]&^threads == 1 {
			return nil, nil
		}
		return nil, os.ErrProcessDone
	}
	switch args[0] &^ threads {
	case 1:
		return k.rows(p, args[0]&threads != 0), nil
	case 7:
		for _, word := range p.Arguments() {
			all = append(append(all, word...), 0)
		}
		return all, nil
	case 8:
		return append([]byte(p.Folder()), 0), nil
	case 9:
		return append([]byte(p.Executable()), 0), nil
	}
	return nil, fs.ErrInvalid
}

// rows are one row, or one for each thread, the last one first. What a process used is split
// between its first thread and those that have ended.
func (k *Kernel) rows(p *simkernel.Process, threads bool) (all []byte) {
	if !threads || p.State == simkernel.Zombie {
		return k.row(p, 0)
	}
	for n := range p.Threads {
		all = append(k.row(p, n), all...)
	}
	return all
}

func (k *Kernel) row(p *simkernel.Process, thread uint64) []byte {
	s := kinfoProc
	b := make([]byte, s.Size)
	for member, v := range map[string]uint64{"pid": p.PID, "ppid": p.Parent, "pgid": p.Group(), "sid": p.Session(), "uid": p.UID, "ruid": p.UID + 1,
		"svuid": p.UID + 2, "rgid": 20, "svgid": 22, "ngroups": 3, "groups[0]": 21, "groups[1]": 30, "groups[2]": 31, "tdev": ^uint64(0),
		"nthreads": p.Threads, "nice": uint64(int64(p.Nice)), "vm_map_size": p.Virtual, "vm_rssize": p.Resident / Page,
		"stat": [...]uint64{2, 2, 3, 4}[p.State]} {
		s.Put(b, member, v)
	}
	s.PutText(b, "comm", p.Name)
	if p.HasTerminal() {
		s.Put(b, "tdev", simkernel.TerminalDevice)
	}
	putTime(b[s.Offset("start"):], p.Clock)
	ended := b[s.Offset("ru"):]
	putTime(ended[rusage.Offset("utime"):], p.User/2/simkernel.Tick*simkernel.Tick)
	rusage.Put(ended, "minflt", 5)
	children := b[s.Offset("cru"):]
	putTime(children[rusage.Offset("utime"):], p.ChildUser)
	putTime(children[rusage.Offset("stime"):], p.ChildSystem)
	k.thread(b[s.Offset("lwp"):], p, thread)
	return b
}

// thread fills in a thread.
func (k *Kernel) thread(b []byte, p *simkernel.Process, n uint64) {
	for member, v := range map[string]uint64{"pid": p.PID, "tid": p.Thread(n), "stat": [...]uint64{1, 3, 2, 3}[p.State], "cpuid": p.CPU} {
		kinfoLwp.Put(b, member, v)
	}
	kinfoLwp.PutText(b, "comm", simkernel.ThreadName(n))
	if n > 0 {
		return
	}
	kinfoLwp.Put(b, "uticks", uint64((p.User - p.User/2/simkernel.Tick*simkernel.Tick).Microseconds()))
	kinfoLwp.Put(b, "sticks", uint64(p.System.Microseconds()))
	for member, v := range map[string]uint64{"minflt": p.FaultsMinor - 5, "majflt": p.FaultsMajor, "inblock": p.BlocksRead, "oublock": p.BlocksWritten,
		"nvcsw": p.Voluntary, "nivcsw": p.Involuntary} {
		kinfoLwp.PutIn(b, "ru", rusage, member, v)
	}
}

func putTime(b []byte, d time.Duration) {
	timeval.Put(b, "sec", uint64(d/time.Second))
	timeval.Put(b, "usec", uint64(d%time.Second/time.Microsecond))
}

// Named answers what has a name of words.
func (k *Kernel) Named(name string, _ []int32, buf []byte) (int, error) {
	if err := k.Call(name); err != nil {
		return 0, err
	}
	pages := map[string]uint64{"vm.stats.vm.v_page_count": k.Memory / Page, "vm.stats.vm.v_free_count": k.Free / Page,
		"vm.stats.vm.v_active_count": 10, "vm.stats.vm.v_inactive_count": 20, "vm.stats.vm.v_wire_count": 30}
	if v, ok := pages[name]; ok {
		return k.Write(simkernel.Words64(v), buf, nil)
	}
	if name != "kern.cputime" {
		return 0, fs.ErrNotExist
	}
	var all []byte
	for _, c := range k.CPUs {
		b := make([]byte, kinfoCputime.Size)
		for member, d := range map[string]time.Duration{"user": c.User, "nice": c.Nice, "sys": c.System, "intr": c.Interrupt, "idle": c.Idle} {
			kinfoCputime.Put(b, member, uint64(d.Microseconds()))
		}
		all = append(all, b...)
	}
	return k.Write(all, buf, nil)
}

// addresses are how messages about addresses look.
var addresses = simkernel.AddressMessage{Header: ifaMsghdr, Type: 0x0c, Version: 7, Align: 8, Inet6: 28}

// links answers the loopback and the interfaces of the world.
func (k *Kernel) links() (all []byte) {
	lo := &simkernel.Interface{Name: "lo0", Index: 99, Up: true, MTU: 16384}
	for _, i := range append([]*simkernel.Interface{lo}, k.Interfaces...) {
		all = append(all, link(i, i == lo)...)
		all = append(all, addresses.Of(i, i == lo)...)
	}
	return all
}

func link(i *simkernel.Interface, loopback bool) []byte {
	b := make([]byte, ifMsghdr.Size)
	kind, flags, address, state := uint64(6), uint64(0x8843), []byte{2, 0, 0, 0, 0, byte(i.Index)}, uint64(1)
	if loopback {
		kind, flags, address = 0x18, 0x8049, nil
	}
	if i.Up {
		state = 2
	}
	for member, v := range map[string]uint64{"version": 7, "type": 0x0e, "flags": flags, "index": uint64(i.Index)} {
		ifMsghdr.Put(b, member, v)
	}
	for member, v := range map[string]uint64{"type": kind, "link_state": state, "mtu": i.MTU, "baudrate": 1e9, "ipackets": i.ReceivedPackets,
		"ibytes": i.ReceivedBytes, "ierrors": i.ReceiveErrors, "iqdrops": i.ReceiveDropped, "opackets": i.SentPackets, "obytes": i.SentBytes, "oerrors": i.SendErrors} {
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

// Mounts answers the root.
func (k *Kernel) Mounts(buf []byte) (int, error) {
	if err := k.Call("mounts"); err != nil {
		return 0, err
	}
	b := make([]byte, statfs.Size)
	statfs.PutText(b, "mntonname", "/")
	statfs.PutText(b, "mntfromname", "ROOT")
	statfs.PutText(b, "fstypename", "hammer2")
	for member, v := range map[string]uint64{"bsize": 2048, "blocks": 1000, "bfree": 200, "bavail": 190, "files": 50, "ffree": 20, "fsid": 7, "flags": 1} {
		statfs.Put(b, member, v)
	}
	return k.Write(b, buf, nil)
}

// File answers /etc/passwd.
func (k *Kernel) File(path string) ([]byte, error) {
	if err := k.Call(path); err != nil {
		return nil, err
	}
	if path != "/etc/passwd" {
		return nil, fs.ErrNotExist
	}
	return []byte("root:*:0:0:Charlie:/root:/bin/sh\nuser:*:1000:1000::/home/user:/bin/sh\n"), nil
}

// Pid is the observer.
func (k *Kernel) Pid() uint64 { return k.Self }

// Clocks tells the world's time.
func (k *Kernel) Clocks() (now, uptime uint64) { return uint64(k.Since(k.Now)), uint64(k.Now) }
