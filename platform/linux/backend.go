// Package linux reads a Linux host through /proc and /sys. Its decoders take
// bytes and build on every operating system; only read_linux.go makes system
// calls.
package linux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/internal/turn"
	"github.com/pidometer/pidometer/platform"
)

// Options choose what a backend looks at. The zero value is this machine.
type Options struct {
	// Root moves the whole view: a folder that holds proc, sys and etc, such as
	// /host in a container, or a recorded tree. "" means /.
	Root string
	// AllDevices reports partitions, stacked and memory disks, virtual interfaces
	// and every mount of a file system too.
	AllDevices bool
	// Budget is how long a file system or a device file may take to answer before
	// the pass goes on without it. 0 means one second.
	Budget time.Duration
	// MapsCeiling is how much memory a process may have resident for its unique,
	// proportional and swapped memory to be read: the kernel takes 15 us for each MB,
	// and the process may have to wait meanwhile. 0 means 4 GiB.
	MapsCeiling uint64
	// MapsBudget is the time in a pass after which no more of it is read. 0 means one
	// second.
	MapsBudget time.Duration
	// Kernel replaces the system calls. nil means the real ones.
	Kernel Kernel
}

const defaultBudget = time.Second

// Sizes of the lent buffers. Both grow or are refilled when something is larger.
const (
	readSize   = 64 << 10
	direntSize = 64 << 10 // about 2700 processes per call
)

// tick is the unit of Key.Start. USER_HZ is 100 on every architecture that Go
// runs on: only alpha and ia64 ever had another (asm/param.h).
const tick = tickNanos * time.Nanosecond

// backend is one view of one kernel.
type backend struct {
	kernel  Kernel
	options Options
	word    uint8 // bits of the kernel's unsigned long
	page    uint64
	boot    platform.Boot
	sources []platform.Source
	turn    *turn.Turn // of the reader that is open

	root    int   // handle of Options.Root
	proc    int   // handle of proc under it
	self    int   // handle of this process in the true /proc
	selfErr error // why there is no self
	live    bool  // proc is a procfs, whose owners and sizes mean something
	sized   bool  // and the size of a descriptor directory is how many it holds

	buf     []byte // lent to one read at a time
	dirents []byte
	path    []byte // the path under construction
	comm    []byte // of the process being read
	args    []byte // of the process being read, if too long to be remembered
	environ []byte // of the process being read
	link    []byte
	pids    []uint64
	numbers []uint64 // threads or descriptors of one process
	threads []thread
	names   map[string]string
	sample  platform.Sample

	host      *host    // of hostState
	details   *details // what inspections share
	known     map[place]*known
	lookup    lookup
	owners    owners
	cgroups   cgroups
	offspring offspring
	networks  networks
	online    onlineCPUs
	passes    uint64 // the passes begun so far
	pass      pass   // the one that goes on
}

// pass is what is kept for one pass.
type pass struct {
	visit          visit
	moments        [2]moment     // of the view, and of the true /proc where that is another
	walked         bool          // every process was visited
	maps           time.Duration // spent on what mappings take
	numbered, ours bool          // whether it is known that PIDs mean the same to system calls, and whether they do
	related        bool          // children were counted
	// Whether it was asked which CPUs are online, and whether it is known.
	onlineRead, onlineKnown bool
}

// New opens the view that the options choose.
func New(o Options) (platform.Backend, error) {
	if o.Root == "" {
		o.Root = "/"
	}
	kernel := o.Kernel
	if kernel == nil {
		var err error
		if kernel, err = newKernel(); err != nil {
			return nil, err
		}
	}
	b := &backend{
		kernel: kernel, options: o, word: wordOf(kernel.Machine()), page: kernel.PageSize(),
		turn: turn.New(),
		root: -1, proc: -1,
		buf: make([]byte, readSize), dirents: make([]byte, direntSize), args: make([]byte, shortArgs), link: make([]byte, linkSize),
		names: map[string]string{}, known: map[place]*known{}, lookup: lookup{answer: make(chan bool, 1)},
	}
	// Under another root the PID of this process may be somebody else's.
	b.self, b.selfErr = kernel.OpenRoot("/proc/self")
	if err := b.openView(); err != nil {
		b.closeHandles()
		return nil, err
	}
	b.live = b.isLive()
	b.sized = b.live && b.sizesCount()
	b.sources = Sources(b.word)
	b.details = newDetails(b)
	return b, nil
}

// Sources returns what a backend can read on a kernel whose unsigned long has
// word bits, 64 or 32: processes first, then the host.
func Sources(word uint8) []platform.Source {
	return append(pidSources(word), hostSources(word)...)
}

// wordOf returns the width of unsigned long on a machine type of uname. Those of
// 64 bits say so in their name, with one exception.
func wordOf(machine string) uint8 {
	if machine == "" || machine == "s390x" || strings.Contains(machine, "64") {
		return 64
	}
	return 32
}

var errNotRoot = fmt.Errorf("holds no proc: a root is a folder with proc, sys and etc in it: %w", fs.ErrNotExist)

// openView opens the root and proc in it, and reads what never changes.
func (b *backend) openView() (err error) {
	if b.root, err = b.kernel.OpenRoot(b.options.Root); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s: a root is a folder with proc, sys and etc in it: %w", b.options.Root, err)
	} else if err != nil {
		return fmt.Errorf("open root %s: %w", b.options.Root, err)
	}
	if b.proc, err = b.kernel.OpenDir(b.root, b.join("proc")); err != nil {
		return b.notRoot(err)
	}
	content, err := b.file("proc/stat")
	if err != nil {
		return b.notRoot(err)
	}
	seconds, ok := decodeBootTime(content)
	if !ok {
		return fmt.Errorf("%s/proc/stat has no btime", strings.TrimSuffix(b.options.Root, "/"))
	}
	b.boot = platform.Boot{Time: time.Unix(int64(seconds), 0), Tick: tick}
	if id, err := b.file("proc/sys/kernel/random/boot_id"); err == nil {
		b.boot.ID = string(text.Trim(id))
	}
	return nil
}

// notRoot explains that a root has no proc, or that nothing is mounted on it.
func (b *backend) notRoot(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s %w", b.options.Root, errNotRoot)
	}
	return fmt.Errorf("open %s/proc: %w", strings.TrimSuffix(b.options.Root, "/"), err)
}

// isLive tells a procfs, whose directories all have the size 0, from a copy of
// one on a file system.
func (b *backend) isLive() bool {
	st, err := b.kernel.Stat(b.proc, b.join("."))
	return err == nil && st.Size == 0
}

func (b *backend) Sources() []platform.Source { return b.sources }
func (b *backend) Boot() platform.Boot        { return b.boot }

// Begin waits for the reader before to be closed.
func (b *backend) Begin(ctx context.Context) (platform.Reader, error) {
	if err := b.turn.Take(ctx); err != nil {
		return nil, err
	}
	b.passes++
	b.pass = pass{}
	return &reader{b, ctx}, nil
}

// Close waits for the reader to be closed. The backend is of no use afterwards.
func (b *backend) Close() error { return b.turn.End(b.closeHandles) }

func (b *backend) closeHandles() (err error) {
	for _, fd := range [...]*int{&b.self, &b.proc, &b.root} {
		if *fd >= 0 {
			err = errors.Join(err, b.kernel.Close(*fd))
			*fd = -1
		}
	}
	return err
}

// reader is one pass. Without a backend it is closed.
type reader struct {
	*backend
	ctx context.Context
}

func (r *reader) Read(set platform.SourceSet, sink platform.Sink) error {
	if r.backend == nil {
		return fs.ErrClosed
	}
	more, err := r.readProcesses(set&processSources, sink)
	if !more || r.ctx.Err() != nil || set&^processSources == 0 {
		return err
	}
	return errors.Join(err, r.readHost(set, numPidSources, sink))
}

func (r *reader) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	if r.backend == nil {
		return fs.ErrClosed
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.readProcess(key, set&processSources, sink)
}

func (r *reader) Close() error {
	if r.backend == nil {
		return nil
	}
	b := r.backend
	r.backend = nil
	b.forget(b.pass.walked)
	b.turn.Give()
	return nil
}
