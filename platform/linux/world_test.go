package linux

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// node is a file, link or folder of a world.
type node struct {
	parent   *node
	children map[string]*node
	content  string
	link     string
	stat     Stat
	ended    bool     // a process that ended: nothing is found under it any more
	entries  [][]byte // what a walk over a folder gives, call by call
	listed   int      // changes to the world when entries were made
}

func (n *node) alive() bool {
	for ; n != nil; n = n.parent {
		if n.ended {
			return false
		}
	}
	return true
}

// world is a kernel in memory. A test changes it, between and within the calls of
// a pass, and makes single calls fail.
type world struct {
	t       testing.TB
	root    *node
	pid     int
	machine string
	handles []handle
	changes int
	calls   int
	before  func(w *world, call int, op, path string) error // nil means go on
	short   int                                             // this call reads half of what there is
	garble  int                                             // this call reads garbage
	log     []string                                        // op and path of each call, if not nil
	stuck   func(path string)                               // waits before a stat, if not nil
	quiet   bool                                            // keep no paths, and allocate nothing
	mute    bool                                            // make none of the calls of a Caller
}

type handle struct {
	node *node
	path string
	open bool
	at   int // what was read of it
}

// newWorld is a machine with a boot and three processes: 1 is this one, 42 has
// threads, 43 has none beside its first.
func newWorld(t testing.TB) *world {
	w := &world{t: t, root: &node{children: map[string]*node{}}, pid: 1, machine: "x86_64"}
	w.write("proc/stat", "cpu 1 2 3\nbtime 1700000000\n")
	w.write("proc/uptime", "1000.00 1.00\n")
	w.write("proc/sys/kernel/random/boot_id", "4a8a5b1e-0000\n")
	w.write("proc/sys/kernel/task_delayacct", "1\n")
	w.write("etc/passwd", "root:x:0:0::/:\nuser:x:1000:1000::/:\n")
	for _, p := range []task{
		{pid: 1, start: 10, name: "own", threads: 1, user: 1000, scale: 1},
		{pid: 42, start: 5000, name: "a) S 9 (b", threads: 3, user: 1000, scale: 2},
		{pid: 43, start: 6000, name: "Uid:\t0\t0\t0", threads: 1, user: 0, scale: 3},
	} {
		w.start(p)
	}
	w.write("proc/1/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
	w.write("sys/fs/cgroup/docker/cpu.max", "max 100000\n")
	w.write("sys/fs/cgroup/docker/memory.max", "2147483648\n")
	w.find("proc").children["self"] = w.find("proc/1")
	w.find("proc/1/fd").stat.Size-- // whoever lists his own has one more open
	return w
}

// task describes a process to start; its counters are multiples of scale.
type task struct {
	pid, start    uint64
	name          string
	state         string
	threads, user int
	scale         int
}

// start adds a process, in the place of one that has its PID.
func (w *world) start(p task) {
	w.end(p.pid)
	if p.state == "" {
		p.state = "S"
	}
	dir := fmt.Sprintf("proc/%d/", p.pid)
	k := p.scale
	w.write(dir+"stat", statLine(p.pid, p))
	w.write(dir+"statm", fmt.Sprintf("%d %d 3 4 0 5 0\n", 2000*k, 200*k))
	w.write(dir+"smaps_rollup", rollupLines(k))
	w.write(dir+"limits", fmt.Sprintf("Limit  Soft Limit\nMax open files            %d  %d  files\n", 1000*k, 2000*k))
	w.write(dir+"comm", "")
	w.write(dir+"status", statusLines(p, 10*k, k))
	w.write(dir+"io", fmt.Sprintf("rchar: %d\nwchar: %d\nsyscr: %d\nsyscw: %d\nread_bytes: %d\nwrite_bytes: %d\n", 1*k, 2*k, 3*k, 4*k, 4096*k, 8192*k))
	group := fmt.Sprintf("/docker/%064x", k)
	w.write(dir+"cgroup", "0::"+group+"\n")
	w.write("sys/fs/cgroup"+group+"/cpu.max", fmt.Sprintf("%d 100000\n", 50_000*k))
	w.write("sys/fs/cgroup"+group+"/memory.max", fmt.Sprintf("%d\n", uint64(k)<<30))
	w.write(dir+"cmdline", fmt.Sprintf("prog%d\x00\x00", k))
	w.write(dir+"environ", fmt.Sprintf("HOME=/home/%d\x00", k))
	w.symlink(dir+"exe", fmt.Sprintf("/bin/prog%d", k))
	for fd := range 5 * k {
		w.symlink(fmt.Sprintf("%sfd/%d", dir, fd), "/dev/null")
	}
	w.symlink(dir+"ns/net", "net:[4026531840]")
	w.write(dir+"net/tcp", "  sl  local_address\n   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 452 1 x\n")
	w.write(dir+"net/udp", "")
	w.find(dir + "fd").stat.Size = int64(5 * k)
	for i := range p.threads {
		id := p.pid + uint64(i)*1000
		w.write(fmt.Sprintf("%stask/%d/stat", dir, id), statLine(id, p))
		w.write(fmt.Sprintf("%stask/%d/status", dir, id), statusLines(p, 10*k, k))
	}
	w.find(dir + "task").stat.UID = uint32(p.user)
}

func statLine(id uint64, p task) string {
	k := p.scale
	return fmt.Sprintf("%d (%s) %s 1 1 1 0 -1 0 %d %d %d %d %d %d %d %d 20 -%d %d 0 %d %d %d 18446744073709551615%s %d 0\n",
		id, p.name, p.state, 100*k, 11*k, 10*k, 12*k, 50*k, 60*k, 7*k, 8*k, k, p.threads, p.start, 8192000*k, 190*k, strings.Repeat(" 1", 16), 6*k)
}

func rollupLines(k int) string {
	return fmt.Sprintf("1000-2000 ---p 00000000 00:00 0  [rollup]\nRss: 9 kB\nPss: %d kB\nPrivate_Clean: %d kB\nPrivate_Dirty: %d kB\n"+
		"Private_Hugetlb: %d kB\nSwap: %d kB\nSwapPss: 0 kB\n", 50*k, 10*k, 20*k, 2048*k, 5*k)
}

func statusLines(p task, voluntary, involuntary int) string {
	k, ids := p.scale, fmt.Sprintf("%d\t%d", p.pid, p.scale)
	if p.pid == 1 {
		ids = "1" // this process is in the namespace of the view
	}
	return fmt.Sprintf("Name:\t%s\nState:\tS (sleeping)\nPPid:\t1\nUid:\t9\t%d\t9\t9\nNSpid:\t%s\nVmPeak:\t%d kB\nVmSize:\t%d kB\nVmHWM:\t%d kB\nVmRSS:\t%d kB\n"+
		"RssAnon:\t%d kB\nRssFile:\t%d kB\nRssShmem:\t%d kB\nHugetlbPages:\t%d kB\nThreads:\t%d\n"+
		"SigPnd:\t0\nShdPnd:\t%d\nCpus_allowed:\tf\nvoluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n",
		p.name, p.user, ids, 9000*k, 8000*k, 900*k, 800*k, 400*k, 300*k, 100*k, 2048*k, p.threads, k%2, voluntary, involuntary)
}

// end ends a process and waits for it.
func (w *world) end(pid uint64) {
	w.changes++
	name := strconv.FormatUint(pid, 10)
	if n := w.find("proc/" + name); n != nil {
		n.ended = true
		delete(w.find("proc").children, name)
	}
}

// make returns the node with a path, which it makes if there is none.
func (w *world) make(path string) *node {
	w.changes++
	n := w.root
	for name := range strings.SplitSeq(path, "/") {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if n.children[name] == nil {
			n.children[name] = &node{parent: n}
		}
		n = n.children[name]
	}
	return n
}

func (w *world) write(path, content string) {
	n := w.make(path)
	n.content, n.stat.Size = content, int64(len(content))
	n.stat.Modified++
}

func (w *world) symlink(path, target string) { w.make(path).link = target }

func (w *world) remove(path string) {
	w.changes++
	n := w.find(path)
	maps.DeleteFunc(n.parent.children, func(_ string, c *node) bool { return c == n })
}

func (w *world) find(path string) *node {
	n, _ := w.walk(w.root, []byte(path))
	return n
}

// walk resolves a path from n.
func (w *world) walk(n *node, path []byte) (*node, error) {
	path, _, _ = bytes.Cut(path, []byte{0})
	for len(path) > 0 {
		if !n.alive() {
			return nil, os.ErrProcessDone
		}
		var name []byte
		name, path, _ = bytes.Cut(path, []byte("/"))
		switch string(name) {
		case "", ".":
		case "..":
			n = n.parent
		default:
			n = n.children[string(name)]
		}
		if n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

// call counts one call and lets the test have its way.
func (w *world) call(op string, dir int, path []byte) error {
	w.calls++
	if w.before == nil && w.log == nil {
		return nil
	}
	full := string(bytes.TrimSuffix(path, []byte{0}))
	if dir >= 0 {
		full = w.handles[dir].path + "/" + full
	}
	if w.log != nil {
		w.log = append(w.log, op+" "+full)
	}
	if w.before == nil {
		return nil
	}
	return w.before(w, w.calls, op, full)
}

// at returns an open handle.
func (w *world) at(fd int) *handle {
	if fd < 0 || fd >= len(w.handles) || !w.handles[fd].open {
		w.t.Fatalf("call on handle %d, which is not open", fd)
	}
	return &w.handles[fd]
}

// leaked returns how many handles are open.
func (w *world) leaked() (n int) {
	for _, h := range w.handles {
		if h.open {
			n++
		}
	}
	return n
}

func (w *world) hold(n *node, dir int, path []byte) int {
	i := slices.IndexFunc(w.handles, func(h handle) bool { return !h.open })
	if i < 0 {
		i, w.handles = len(w.handles), append(w.handles, handle{})
	}
	w.handles[i] = handle{node: n, open: true}
	if !w.quiet {
		w.handles[i].path = string(bytes.TrimSuffix(path, []byte{0}))
		if dir >= 0 {
			w.handles[i].path = w.handles[dir].path + "/" + w.handles[i].path
		}
	}
	return i
}

func (w *world) OpenRoot(path string) (int, error) {
	if err := w.call("root", -1, []byte(path)); err != nil {
		return -1, err
	}
	n, err := w.walk(w.root, []byte(path))
	if err != nil {
		return -1, err
	}
	return w.hold(n, -1, []byte(strings.TrimSuffix(path, "/"))), nil
}

func (w *world) OpenDir(dir int, path []byte) (int, error) { return w.open("dir", dir, path) }
func (w *world) Open(dir int, path []byte) (int, error)    { return w.open("open", dir, path) }

func (w *world) open(op string, dir int, path []byte) (int, error) {
	if err := w.call(op, dir, path); err != nil {
		return -1, err
	}
	n, err := w.walk(w.at(dir).node, path)
	if err != nil {
		return -1, err
	}
	return w.hold(n, dir, path), nil
}

func (w *world) Read(fd int, buf []byte) (int, error) {
	h := w.at(fd)
	if err := w.call("read", fd, nil); err != nil {
		return -1, err
	}
	if !h.node.alive() {
		return -1, os.ErrProcessDone
	}
	rest := h.node.content[min(h.at, len(h.node.content)):]
	if w.calls == w.short {
		rest = rest[:len(rest)/2]
		h.at = 1 << 30
	}
	n := copy(buf, rest)
	h.at += n
	if w.calls == w.garble {
		for i := range n {
			buf[i] = byte(i*151 + 128)
		}
	}
	return n, nil
}

func (w *world) Pread(fd int, buf []byte, offset int64) (int, error) {
	w.at(fd).at = int(offset)
	return w.Read(fd, buf)
}

func (w *world) ReadDir(fd int, buf []byte) (int, error) {
	h := w.at(fd)
	if err := w.call("list", fd, nil); err != nil {
		return -1, err
	}
	if !h.node.alive() {
		return -1, os.ErrProcessDone
	}
	if h.node.entries == nil || h.node.listed != w.changes {
		h.node.list()
		h.node.listed = w.changes
	}
	if h.at == len(h.node.entries) {
		return 0, nil
	}
	n := copy(buf, h.node.entries[h.at])
	h.at++
	return n, nil
}

// list makes the entries of a folder, two at a time, so that every list takes
// several calls.
func (n *node) list() {
	n.entries = [][]byte{}
	for names := range slices.Chunk(slices.Sorted(maps.Keys(n.children)), 2) {
		n.entries = append(n.entries, dirents(names...))
	}
}

func (w *world) ReadLink(dir int, path []byte, buf []byte) (int, error) {
	if err := w.call("link", dir, path); err != nil {
		return -1, err
	}
	n, err := w.walk(w.at(dir).node, path)
	if err != nil {
		return -1, err
	}
	return copy(buf, n.link), nil
}

func (w *world) Stat(dir int, path []byte) (Stat, error) {
	if w.stuck != nil {
		w.stuck(string(path))
	}
	if err := w.call("stat", dir, path); err != nil {
		return Stat{}, err
	}
	n, err := w.walk(w.at(dir).node, path)
	if err != nil {
		return Stat{}, err
	}
	return n.stat, nil
}

func (w *world) Statfs(string) (Statfs, error) { return Statfs{}, fs.ErrNotExist }

// caller is a world that knows of I/O priorities.
type caller struct {
	*world
	noCalls
}

// IOPriority is the best effort, and as level a fifth of the number of open files.
func (c caller) IOPriority(id uint64) (uint64, error) {
	w := c.world
	w.calls++
	if w.before != nil {
		if err := w.before(w, w.calls, "ioprio", fmt.Sprintf("/proc/%d/ioprio", id)); err != nil {
			return 0, err
		}
	}
	var name [20]byte
	n := w.find("proc").children[string(strconv.AppendUint(name[:0], id, 10))]
	if n == nil {
		return 0, os.ErrProcessDone
	}
	return 2<<ioprioShift | uint64(len(n.children["fd"].children)/5), nil
}

func (w *world) Close(fd int) error {
	*w.at(fd) = handle{}
	return nil
}

func (w *world) PageSize() uint64       { return 4096 }
func (w *world) Machine() string        { return w.machine }
func (w *world) Clocks() (int64, int64) { return 0, 0 }
func (w *world) Pid() int               { return w.pid }

// backend opens the world.
func (w *world) backend(o Options) *backend {
	w.t.Helper()
	o.Kernel = caller{world: w}
	if w.mute {
		o.Kernel = w
	}
	b, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return b.(*backend)
}

func (s *seen) Sample(p *platform.Sample) bool {
	id := p.Key.ID
	s.keys[p.Key] = true
	s.fields[id], s.texts[id] = map[platform.Field]uint64{}, map[platform.Text]string{}
	first, count := p.Entity.Block()
	for f := first; f < first+platform.Field(count); f++ {
		if v, ok := p.Get(f); ok {
			s.fields[id][f] = v
		}
	}
	for text := range platform.Text(platform.TextCount) {
		if b, ok := p.Text(text); ok {
			s.texts[id][text] = string(b)
		}
	}
	return s.most == 0 || len(s.keys) < s.most
}

func (s *seen) Miss(source int, why platform.Reason) {
	if s.misses[source] == nil {
		s.misses[source] = map[platform.Reason]int{}
	}
	s.misses[source][why]++
}

// read makes one pass over everything.
func read(t testing.TB, b platform.Backend, set platform.SourceSet) *seen {
	t.Helper()
	s := newSeen()
	reader, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Read(set, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (c *count) Sample(*platform.Sample) bool { c.samples++; return true }
func (c *count) Miss(int, platform.Reason)    { c.misses++ }

// walk makes one pass over the sources.
func walk(t testing.TB, b platform.Backend, set platform.SourceSet, sink platform.Sink) {
	t.Helper()
	reader, err := b.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Read(set, sink); err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
}
