// Package solaris renders a made-up machine as a kernel of illumos answers: the structures
// of its headers by their C declarations, and no offset from anywhere else. Its [Kernel]
// is that of package platform/solaris.
package solaris

import (
	"encoding/binary"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Kernel answers for a world as it is whenever it is asked.
type Kernel struct {
	*simkernel.World
	simkernel.Answers
	Long  int    // psinfo is longer by so many bytes than on illumos
	Extra string // a further argument of everybody, unless ""
	Core  bool   // everybody is a process of the kernel's own
	Old   bool   // there is no fdinfo, and no lwpname
	Bound uint64 // the CPU, counted from 1, that everybody is bound to, unless 0
	Set   bool   // everybody is bound to a set of processors

	boot   int64 // as the clock was set then: nothing moves it (clkset in clock.c)
	number uint64
	chain  []entry
	kids   int
	Closed int // how often it was closed
}

// New returns a kernel for a world.
func New(w *simkernel.World) *Kernel {
	return &Kernel{World: w, Answers: simkernel.Answers{Calls: map[string]int{}}, boot: w.Boot.Unix()}
}

// Page is the size of a page.
const Page = 4096

// entry is one statistic of the chain.
type entry struct {
	module   string
	instance int
	name     string
	class    string
	kind     int // 1 for named values, 3 for input and output
	kid      int
	size     int
	of       any // the disk or the interface that it is of
	data     func(*Kernel) []byte
}

// write copies an answer, and cuts it.
func (k *Kernel) write(answer, buf []byte) int {
	if k.Cut != 0 && len(answer) > k.Cut {
		answer = answer[:k.Cut]
	}
	return copy(buf, answer)
}

// Names lists /proc, the files of a process, or the devices.
func (k *Kernel) Names(dir string) ([]string, error) {
	switch {
	case dir == "/proc":
		names := []string{"self"}
		for _, p := range k.Processes {
			names = append(names, strconv.FormatUint(p.PID, 10))
		}
		return names, k.Call(dir)
	case strings.HasPrefix(dir, "/dev/"):
		return k.Folder(dir)
	case k.Old && strings.HasSuffix(dir, "/fdinfo"):
		return nil, fs.ErrNotExist
	}
	p, err := k.owned(dir)
	if err != nil {
		return nil, err
	}
	if p.Closed {
		return []string{"4", "5", "9"}, nil
	}
	return []string{"4", "3", "5", "9"}, nil
}

// process returns whom a path is of, and the rest of it.
func (k *Kernel) process(path string) (p *simkernel.Process, file string, err error) {
	number, file, _ := strings.Cut(strings.TrimPrefix(path, "/proc/"), "/")
	pid, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, "", fs.ErrNotExist
	}
	if p = k.Find(pid); p == nil || p.State == simkernel.Zombie && file != "psinfo" && file != "usage" {
		return nil, "", fs.ErrNotExist
	}
	call := file
	if strings.HasSuffix(file, "/lwpname") {
		call = "lwpname"
	}
	return p, file, k.Call(call)
}

// owned returns whose file it is that others may not read.
func (k *Kernel) owned(path string) (*simkernel.Process, error) {
	p, _, err := k.process(path)
	if err == nil && p.Denied {
		return nil, fs.ErrPermission
	}
	return p, err
}

// file is a file of a process: what is in it, and whether others may read it.
type file struct {
	public  bool
	content func(*Kernel, *simkernel.Process) []byte
}

var files = map[string]file{
	"psinfo": {true, func(k *Kernel, p *simkernel.Process) []byte { return append(k.psinfo(p), make([]byte, k.Long)...) }},
	"usage":  {true, (*Kernel).usage}, "lpsinfo": {true, (*Kernel).lpsinfo}, "lusage": {true, (*Kernel).lusage},
	"status": {false, func(_ *Kernel, p *simkernel.Process) []byte { return status(p) }},
	"cred":   {false, cred}, "xmap": {false, xmap},
}

// Read answers the files of a process.
func (k *Kernel) Read(path string, offset uint64, buf []byte) (int, error) {
	p, name, err := k.process(path)
	if err != nil {
		return 0, err
	}
	f, known := files[name]
	if p.Denied && !f.public {
		return 0, fs.ErrPermission
	}
	switch folder, number, _ := strings.Cut(name, "/"); {
	case known:
		return k.write(f.content(k, p), buf), nil
	case name == "as":
		base, memory := k.stackOf(p)
		if offset < base || offset >= base+uint64(len(memory)) {
			return 0, fs.ErrInvalid
		}
		return k.write(memory[offset-base:], buf), nil
	case folder == "fdinfo":
		return k.write(k.fdinfo(p, number), buf), nil
	case folder == "lwp" && !k.Old:
		return k.write(k.lwpname(p, number), buf), nil
	}
	return 0, fs.ErrNotExist
}

func putTime(b []byte, d time.Duration) {
	timestruc.Put(b, "sec", uint64(d/time.Second))
	timestruc.Put(b, "nsec", uint64(d%time.Second))
}

// letters are states: a zombie's is set apart.
var letters = map[simkernel.State]string{simkernel.Running: "O\x06", simkernel.Sleeping: "S\x01", simkernel.Stopped: "T\x04", simkernel.Zombie: "Z\x03"}

func (k *Kernel) psinfo(p *simkernel.Process) []byte {
	b := make([]byte, psinfo.Size)
	put := func(member string, v uint64) { psinfo.Put(b, member, v) }
	lwp := func(member string, v uint64) { psinfo.PutIn(b, "lwp", lwpsinfo, member, v) }
	put("flag", 1<<25)
	if k.Core {
		put("flag", 1)
	}
	put("pid", p.PID)
	put("ppid", p.Parent)
	put("pgid", p.Group())
	put("sid", p.Session())
	put("uid", p.UID+1)
	put("euid", p.UID)
	put("gid", 20)
	put("egid", 21)
	lwp("sname", uint64(letters[p.State][0]))
	lwp("state", uint64(letters[p.State][1]))
	if p.State == simkernel.Zombie {
		return b // prgetpsinfo fills in no more
	}
	put("ttydev", 1<<64-1)
	if p.HasTerminal() {
		put("ttydev", simkernel.TerminalDevice)
	}
	lwp("pri", 59)
	lwp("bindpro", k.Bound-1)
	lwp("bindpset", 1<<32-1)
	if k.Set {
		lwp("bindpset", 3)
	}
	put("nlwp", p.Threads)
	put("size", p.Virtual/1024)
	put("rssize", p.Resident/1024)
	putTime(b[psinfo.Offset("start"):], p.Clock)
	psinfo.PutText(b, "fname", p.Name)
	base := stack(p)
	put("argc", uint64(len(k.arguments(p))))
	put("argv", base)
	put("envp", base+uint64((1+len(k.arguments(p)))*width(p)))
	put("dmodel", uint64(width(p)/4))
	lwp("nice", uint64(p.Nice+20))
	lwp("onpro", p.CPU)
	lwpsinfo.PutText(b[psinfo.Offset("lwp"):], "clname", "TS")
	return b
}

func (k *Kernel) usage(p *simkernel.Process) []byte {
	b := make([]byte, prusage.Size)
	trap := p.System / 2 / simkernel.Tick * simkernel.Tick
	for member, d := range map[string]time.Duration{"tstamp": k.Now, "create": p.Born, "rtime": k.Now - p.Born, "utime": p.User, "stime": p.System - trap, "ttime": trap} {
		putTime(b[prusage.Offset(member):], d)
	}
	for member, v := range map[string]uint64{"count": p.Threads, "minf": p.FaultsMinor, "majf": p.FaultsMajor, "inblk": p.BlocksRead, "oublk": p.BlocksWritten,
		"vctx": p.Voluntary, "ictx": p.Involuntary, "nswap": 91, "sigs": 92, "sysc": 93, "ioch": 94} {
		prusage.Put(b, member, v)
	}
	return b
}

func status(p *simkernel.Process) []byte {
	b := make([]byte, pstatus.Size)
	for member, v := range map[string]uint64{"brkbase": HeapAt, "brksize": 4096, "stkbase": StackAt, "stksize": 4096} {
		pstatus.Put(b, member, v)
	}
	for member, d := range map[string]time.Duration{"utime": p.User, "stime": p.System, "cutime": p.ChildUser, "cstime": p.ChildSystem} {
		putTime(b[pstatus.Offset(member):], d)
	}
	return b
}

// width is that of a pointer: programs with odd PIDs have 32 bits.
func width(p *simkernel.Process) int {
	if p.PID%2 == 1 {
		return 4
	}
	return 8
}

func (k *Kernel) arguments(p *simkernel.Process) []string {
	all := p.Arguments()
	if k.Extra != "" {
		all = append(all, k.Extra)
	}
	return all
}

// stackOf is the top of a process's stack, and where it begins: pointers to the arguments, to
// the texts of the environment, and all texts.
func (k *Kernel) stackOf(p *simkernel.Process) (at uint64, all []byte) {
	base, size := stack(p), width(p)
	vectors := [][]string{k.arguments(p), p.Environment()}
	heads := (len(vectors[0]) + len(vectors[1]) + 2) * size
	var text []byte
	pointer := func(v uint64) {
		all = append(all, binary.LittleEndian.AppendUint64(nil, v)[:size]...)
	}
	for _, vector := range vectors {
		for _, s := range vector {
			pointer(base + uint64(heads+len(text)))
			text = append(append(text, s...), 0)
		}
		pointer(0)
	}
	return base, append(all, text...)
}

// stack is where the top of a stack begins: of 64 bits beyond what is an offset of a file.
func stack(p *simkernel.Process) uint64 {
	if width(p) == 4 {
		return 0x0804_7000
	}
	return 0xffff_fc7f_ffdf_f000
}

// entries are the statistics that there are now.
func (k *Kernel) entries() (all []entry) {
	named := func(module string, instance int, name, class string, of any, values func(*Kernel) []byte) {
		all = append(all, entry{module, instance, name, class, 1, 0, 0, of, values})
	}
	named("unix", 0, "system_misc", "misc", nil, (*Kernel).misc)
	named("unix", 0, "system_pages", "pages", nil, (*Kernel).pages)
	named("tcp", 0, "tcp", "mib2", nil, (*Kernel).tcp)
	for i := range k.CPUs {
		named("cpu", i, "sys", "misc", nil, func(k *Kernel) []byte { return k.cpu(i) })
		named("cpu", i, "vm", "misc", nil, (*Kernel).vm)
		named("cpu_info", i, "cpu_info"+strconv.Itoa(i), "misc", nil, func(*Kernel) []byte { return info(i) })
	}
	for _, d := range k.Disks {
		all = append(all, entry{"sd", 0, d.Name, "disk", 3, 0, 0, d, func(*Kernel) []byte { return disk(d) }})
		all = append(all, entry{"sd", 0, d.Name + ",a", "partition", 3, 0, 0, d, func(*Kernel) []byte { return disk(d) }})
	}
	named("lo", 0, "lo0", "net", nil, (*Kernel).vm)
	for _, i := range k.Interfaces {
		named("link", 0, i.Name, "net", i, func(*Kernel) []byte { return link(i) })
		named("link", 6, i.Name, "net", i, func(*Kernel) []byte { return link(i) }) // lent to a zone
	}
	return all
}

// refresh gives new statistics numbers, and the chain a new one when it has changed.
func (k *Kernel) refresh() {
	now := k.entries()
	same := func(a, b entry) bool {
		return a.module == b.module && a.instance == b.instance && a.name == b.name && a.of == b.of
	}
	if slices.EqualFunc(now, k.chain, same) {
		return
	}
	k.number++
	for i := range now {
		k.kids++
		now[i].kid, now[i].size = k.kids, len(now[i].data(k))
	}
	k.chain = now
}

// Chain answers the number of the chain.
func (k *Kernel) Chain() (uint64, error) {
	k.refresh()
	return k.number, k.Call("chain")
}

// Statistic answers one of the chain, and the whole chain for number 0.
func (k *Kernel) Statistic(head, data []byte) (int, error) {
	kid := int(binary.LittleEndian.Uint32(head[kstat.Offset("kid"):]))
	name, answer := "headers", []byte(nil)
	if kid == 0 {
		for _, e := range k.chain {
			answer = append(answer, k.head(e)...)
		}
	} else {
		at := slices.IndexFunc(k.chain, func(e entry) bool { return e.kid == kid })
		if at < 0 {
			return 0, os.ErrProcessDone
		}
		e := k.chain[at]
		name, answer = e.module+" "+e.class, e.data(k)
		if e.module == "unix" || e.module == "cpu" {
			name = e.module + " " + e.name
		}
		kstat.Put(head, "data_size", uint64(len(answer)))
	}
	if err := k.Call(name); err != nil {
		return 0, err
	}
	kstat.Put(head, "snaptime", uint64(k.Now))
	if k.Cut != 0 && len(answer) > k.Cut {
		answer = answer[:k.Cut]
	}
	copy(data, answer)
	return len(answer), nil
}

func (k *Kernel) head(e entry) []byte {
	b := make([]byte, kstat.Size)
	kstat.Put(b, "kid", uint64(e.kid))
	kstat.PutText(b, "module", e.module)
	kstat.Put(b, "instance", uint64(e.instance))
	kstat.PutText(b, "name", e.name)
	kstat.PutText(b, "class", e.class)
	kstat.Put(b, "type", uint64(e.kind))
	kstat.Put(b, "data_size", uint64(e.size))
	kstat.Put(b, "snaptime", uint64(k.Now))
	return b
}

// datum is one named value. Its type is that of the kernel: 1 to 4 are numbers of 32 and
// 64 bits, with a sign and without.
type datum struct {
	name  string
	kind  int
	value uint64
}

// Where a named value has its number, which is asked for once: values are rendered millions of
// times.
var nameOf, typeOf, valueOf = kstatNamed.At("name"), kstatNamed.Offset("data_type"), kstatNamed.Offset("value")

// values renders named values, behind one that is a text and before another.
func values(list ...datum) []byte {
	const behind = "a text behind\x00"
	all := make([]byte, (len(list)+2)*kstatNamed.Size, (len(list)+2)*kstatNamed.Size+len(behind))
	put := func(i int, d datum) {
		b := all[i*kstatNamed.Size:]
		copy(b[nameOf.Offset:nameOf.Offset+nameOf.Count-1], d.name)
		b[typeOf] = byte(d.kind)
		v := d.value
		if d.kind == 1 || d.kind == 2 {
			v = v&(1<<32-1) | 0xdeadbeef<<32
		}
		binary.LittleEndian.PutUint64(b[valueOf:], v)
	}
	put(0, datum{"text", 0, 0x2064616562})
	for i, d := range list {
		put(i+1, d)
	}
	put(len(list)+1, datum{"long", 9, 1 << 40})
	return append(all, behind...)
}

func (k *Kernel) misc() []byte {
	return values(datum{"ncpus", 2, uint64(len(k.CPUs))}, datum{"boot_time", 2, uint64(k.boot)}, datum{"avenrun_1min", 2, 256},
		datum{"avenrun_5min", 2, 128}, datum{"avenrun_15min", 2, 64}, datum{"nproc", 2, uint64(len(k.Processes))})
}

func (k *Kernel) pages() []byte {
	return values(datum{"physmem", 4, k.Memory / Page}, datum{"freemem", 4, k.Free / Page}, datum{"availrmem", 4, 7})
}

func (k *Kernel) tcp() []byte {
	return values(datum{"inSegs", 2, 11}, datum{"outSegs", 2, 12}, datum{"retransSegs", 2, 13}, datum{"activeOpens", 2, 14}, datum{"passiveOpens", 2, 15},
		datum{"attemptFails", 2, 16}, datum{"estabResets", 4, 1<<32 + 17})
}

func (k *Kernel) cpu(i int) []byte {
	c, first := k.CPUs[i], uint64(0)
	if i == 0 {
		first = 1 // what is a sum is on the first
	}
	return values(datum{"cpu_nsec_idle", 4, uint64(c.Idle)}, datum{"cpu_nsec_user", 4, uint64(c.User)}, datum{"cpu_nsec_kernel", 4, uint64(c.System)},
		datum{"cpu_nsec_intr", 4, uint64(c.Interrupt)}, datum{"pswitch", 4, first * k.Switches}, datum{"intr", 4, 5}, datum{"syscall", 4, 7},
		datum{"sysfork", 4, first * (k.Forks - 1)}, datum{"sysvfork", 4, first})
}

func (k *Kernel) vm() []byte {
	return values(datum{"hat_fault", 4, 1}, datum{"as_fault", 4, 20}, datum{"maj_fault", 4, 3}, datum{"anonpgin", 4, 4}, datum{"anonpgout", 4, 5})
}

// info is that of a CPU: two are in a core.
func info(i int) []byte {
	return values(datum{"clock_MHz", 3, 2712}, datum{"chip_id", 3, 0}, datum{"core_id", 1, uint64(i / 2)}, datum{"current_clock_Hz", 4, 2_701_000_000})
}

func disk(d *simkernel.Disk) []byte {
	b := make([]byte, kstatIO.Size)
	for member, v := range map[string]uint64{"nread": d.ReadBytes, "nwritten": d.WriteBytes, "reads": d.Reads, "writes": d.Writes,
		"rtime": uint64(d.Busy), "wlentime": 1000, "rlentime": 2000, "wcnt": 3, "rcnt": 4} {
		kstatIO.Put(b, member, v)
	}
	return b
}

func link(i *simkernel.Interface) []byte {
	state := uint64(0)
	if i.Up {
		state = 1
	}
	return values(datum{"ifspeed", 4, 1e9}, datum{"rbytes", 2, i.ReceivedBytes}, datum{"rbytes64", 4, i.ReceivedBytes}, datum{"obytes64", 4, i.SentBytes},
		datum{"ipackets64", 4, i.ReceivedPackets}, datum{"opackets64", 4, i.SentPackets}, datum{"ierrors", 2, i.ReceiveErrors}, datum{"oerrors", 2, i.SendErrors},
		datum{"norcvbuf", 2, i.ReceiveDropped}, datum{"noxmtbuf", 2, 0}, datum{"link_state", 2, state}, datum{"link_duplex", 2, 2})
}

// Usage answers a file system, and one that is full.
func (k *Kernel) Usage(point string) (v [7]uint64, err error) {
	switch err := k.Call("statvfs"); {
	case err != nil:
		return v, err
	case point == "/home", point == "/net":
		panic("a server was asked")
	case point == "/ro":
		return [7]uint64{2048, 1000, 0, 0, 10, 0, 77}, nil
	case point == "/devices":
		return v, nil
	}
	return [7]uint64{512, 1000, 200, 190, 50, 20, 78}, nil
}

// System answers who the machine is.
func (k *Kernel) System() ([5]string, error) {
	return [5]string{"SunOS", "box", "5.11", "illumos-0123456789", "i86pc"}, k.Call("uname")
}

// Pid is the observer.
func (k *Kernel) Pid() uint64 { return k.Self }

// Close counts.
func (k *Kernel) Close() error { k.Closed++; return nil }
