package linux

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// mount is one mount point and what is mounted on it.
type mount struct {
	point  string
	device uint64
	whole  bool // all of the file system, not a part that is mounted by itself
	kind   []byte
	source []byte
	mode   []byte
	pass   uint64
	space  *capacity
}

// capacity asks for the space of one mounted file system.
type capacity struct {
	question
	Statfs
	device uint64
	kind   string
	source []byte // true name of /dev/root, if that is known
}

// origin tells file systems apart: by the device number, or by the source where
// the kernel prints no number.
type origin struct {
	device uint64
	source string
}

// mounts is the mount table.
type mounts struct {
	kernel Kernel
	view   int    // handle of the root
	root   string // path of the root, which mount points lie under
	all    bool
	points map[string]*mount
	best   map[origin]int // place of the mount in chosen
	chosen []*mount
	listed []*mount // of the pass, in the kernel's order
	point  []byte   // one mount point with its blanks
	pass   uint64
}

func (t *mounts) init(k Kernel, view int, o Options) {
	t.kernel, t.view, t.all = k, view, o.AllDevices
	t.root = strings.TrimRight(o.Root, "/")
	t.points = map[string]*mount{}
	t.best = map[origin]int{}
}

// read brings the table up to date. Of several mounts on one mount point only the
// last can be reached.
func (t *mounts) read(b []byte, decode func([]byte) (mountLine, bool)) {
	t.pass++
	t.listed = t.listed[:0]
	for line := range text.Lines(text.Whole(b)) {
		if l, ok := decode(line); ok {
			t.see(l)
		}
	}
	for point, m := range t.points {
		if m.pass != t.pass {
			delete(t.points, point)
		}
	}
	t.choose()
}

// see takes one line.
func (t *mounts) see(l mountLine) {
	t.point = text.Unoctal(t.point[:0], l.point)
	m, ok := t.points[string(t.point)]
	if !ok {
		m = &mount{point: string(t.point)}
		t.points[m.point] = m
	}
	if m.pass != t.pass {
		m.pass = t.pass
		t.listed = append(t.listed, m)
	}
	m.device = l.device
	m.whole = l.whole
	m.source = text.Unoctal(m.source[:0], l.source)
	m.kind = append(m.kind[:0], l.kind...)
	m.mode = append(m.mode[:0], l.mode...)
}

// question returns the question for the space of m. What took the place of
// another file system has its own: the old one's may never be answered.
func (t *mounts) question(m *mount) *question {
	if s := m.space; s != nil && s.device == m.device && s.kind == string(m.kind) {
		return &s.question
	}
	path := t.root + m.point
	s := &capacity{device: m.device, kind: string(m.kind), source: t.rootDevice(m)}
	s.ask = func() (err error) {
		s.Statfs, err = t.kernel.Statfs(path)
		return err
	}
	m.space = s
	return &s.question
}

// rootDevice returns the true name of what the kernel mounted at boot and calls
// /dev/root, which no device has (init/do_mounts.c).
func (t *mounts) rootDevice(m *mount) []byte {
	if string(m.source) != "/dev/root" || m.device == 0 {
		return nil
	}
	link := fmt.Appendf(nil, "sys/dev/block/%d:%d\x00", m.device>>20, m.device&(1<<20-1))
	target := make([]byte, 512)
	n, err := t.kernel.ReadLink(t.view, link, target)
	if err != nil || n == len(target) {
		return nil
	}
	name := target[bytes.LastIndexByte(target[:n], '/')+1 : n]
	return append([]byte("/dev/"), bytes.ReplaceAll(name, []byte("!"), []byte("/"))...)
}

// choose picks the mounts to report: one for each file system, unless all are
// wanted. Bind mounts and containers' mounts show the same space again and again.
func (t *mounts) choose() {
	t.chosen = t.chosen[:0]
	clear(t.best)
	for _, m := range t.listed {
		if !t.reports(m) {
			continue
		}
		key, folds := m.origin()
		place, taken := t.best[key]
		switch {
		case t.all || !folds:
			t.chosen = append(t.chosen, m)
		case !taken:
			t.best[key] = len(t.chosen)
			t.chosen = append(t.chosen, m)
		case m.betterThan(t.chosen[place]):
			t.chosen[place] = m
		}
	}
}

// origin returns what m has in common with other mounts of its file system, if
// that can be told.
func (m *mount) origin() (key origin, ok bool) {
	if m.device != 0 {
		return origin{device: m.device}, true
	}
	if len(m.source) > 0 && m.source[0] == '/' {
		return origin{source: string(m.source)}, true
	}
	return origin{}, false
}

// deviceName returns what is mounted.
func (m *mount) deviceName() []byte {
	if m.space.source != nil {
		return m.space.source
	}
	return m.source
}

// betterThan reports whether m stands for its file system rather than n: the
// mount of all of it, then the one with the shorter mount point.
func (m *mount) betterThan(n *mount) bool {
	if m.whole != n.whole {
		return m.whole
	}
	if len(m.point) != len(n.point) {
		return len(m.point) < len(n.point)
	}
	return m.point < n.point
}

// reports reports whether a mount is asked for its space. An automount point is
// never asked, since that would mount it (user_statfs in fs/statfs.c).
func (t *mounts) reports(m *mount) bool {
	if string(m.kind) == "autofs" {
		return false
	}
	return t.all || !isPseudo(m.kind, m.point == "/")
}

// isPseudo reports whether a type of file system has no space of its own to
// speak of: views of the kernel, memory, images that are always full, and layers
// over other file systems, unless the whole system lives on one.
func isPseudo(kind []byte, isRoot bool) bool {
	switch string(kind) {
	case "proc", "sysfs", "cgroup", "cgroup2", "cpuset", "devtmpfs", "devpts", "securityfs",
		"selinuxfs", "smackfs", "debugfs", "tracefs", "bpf", "pstore", "mqueue", "hugetlbfs",
		"fusectl", "configfs", "binfmt_misc", "rpc_pipefs", "nfsd", "nsfs", "efivarfs",
		"ramfs", "rootfs":
		return true
	case "overlay", "squashfs", "tmpfs":
		return !isRoot
	}
	return false
}

// askFilesystems reads the mount table and asks every chosen mount.
func (p *hostPass) askFilesystems() {
	table := &p.host.mounts
	table.chosen = table.chosen[:0]
	if !p.wants(fromMounts) {
		return
	}
	b, decode, err := p.mountTable()
	if err != nil {
		p.miss(fromMounts, missReason(err))
		return
	}
	table.read(b, decode)
	for _, m := range table.chosen {
		p.host.guard.ask(table.question(m))
	}
}

// mountTable reads the mounts of this view: those of this process, or, in a moved
// view, those of its first process.
func (p *hostPass) mountTable() (b []byte, decode func([]byte) (mountLine, bool), err error) {
	if p.options.moved() {
		if b, err = p.file("proc/1/mountinfo"); err == nil {
			return b, decodeMountinfo, nil
		}
	}
	if b, err = p.file("proc/self/mountinfo"); err == nil {
		return b, decodeMountinfo, nil
	}
	b, err = p.file("proc/mounts")
	return b, decodeMount, err
}

// sendFilesystems hands on the file systems.
func (p *hostPass) sendFilesystems() bool {
	if !p.wants(fromMounts) {
		return true
	}
	if !p.wait() {
		return false
	}
	for _, m := range p.host.mounts.chosen {
		if !p.sendFilesystem(m) {
			return false
		}
	}
	return true
}

// sendFilesystem hands on what is known of a mount. One that did not answer is
// there all the same.
func (p *hostPass) sendFilesystem(m *mount) bool {
	err := m.space.answer()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.miss(fromMounts, platform.Gone)
		return true
	case err != nil:
		p.miss(fromMounts, missReason(err))
	case m.space.Blocks == 0:
		return true
	}
	s := &p.host.sample
	s.Reset(platform.Filesystem, platform.Key{ID: m.device, Name: m.point})
	s.SetText(platform.FilesystemDevice, m.deviceName())
	s.SetText(platform.FilesystemType, m.kind)
	s.SetText(platform.FilesystemMode, m.mode)
	if err == nil {
		m.space.set(s)
	}
	return p.send()
}

// set sets the fields the way df(1) counts: what the superuser keeps for himself
// is neither used nor free.
func (f *Statfs) set(s *platform.Sample) {
	if high, _ := bits.Mul64(f.Blocks, f.Unit); high != 0 || f.Free > f.Blocks {
		return
	}
	free := min(f.Avail, f.Free)
	s.Set(platform.FilesystemTotal, f.Blocks*f.Unit)
	s.Set(platform.FilesystemUsed, (f.Blocks-f.Free)*f.Unit)
	s.Set(platform.FilesystemFree, free*f.Unit)
	s.Set(platform.FilesystemReserved, (f.Free-free)*f.Unit)
	f.setInodes(s)
}

// setInodes sets nothing for file systems that make inodes as they are needed,
// such as btrfs.
func (f *Statfs) setInodes(s *platform.Sample) {
	if f.Files == 0 || f.FreeFiles > f.Files {
		return
	}
	s.Set(platform.FilesystemInodes, f.Files)
	s.Set(platform.FilesystemInodesUsed, f.Files-f.FreeFiles)
	s.Set(platform.FilesystemInodesFree, f.FreeFiles)
}
