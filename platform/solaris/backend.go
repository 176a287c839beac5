// Package solaris reads a host that runs illumos or Solaris. A process tells of itself in
// binary files under /proc, and all else in /dev/kstat, whose chain of statistics is read
// when its number changes. Its decoders take the bytes that the kernel wrote and build on
// every operating system; only files named after Solaris make system calls, which Go
// builds on illumos too.
//
// Structures are those of 64-bit programs on amd64, the one architecture of Go's ports.
package solaris

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pidometer/pidometer/internal/turn"
	"github.com/pidometer/pidometer/platform"
)

// Options choose what a backend looks at. The zero value is this machine.
type Options struct {
	// AllDevices reports file systems without storage of their own too.
	AllDevices bool
	// Budget is how long a file system may take to answer before a pass goes on without
	// it. 0 means a second.
	Budget time.Duration
	// Kernel replaces the system calls. nil means the real ones.
	Kernel Kernel
}

// Kernel is the handful of calls that this backend makes. [Options.Kernel] replaces the
// real one with a simulated or a failing one. Its methods take and return nothing but
// built-in types, and errors are those of the standard library where it has one:
// [io/fs.ErrPermission], [io/fs.ErrNotExist] and [os.ErrProcessDone].
type Kernel interface {
	// Names lists a folder.
	Names(dir string) ([]string, error)
	// Read reads a file from an offset on, and returns how much of buf is filled.
	Read(path string, offset uint64, buf []byte) (n int, err error)
	// File reads a whole file.
	File(path string) ([]byte, error)
	// Link returns where a symbolic link leads.
	Link(path string) (string, error)
	// Status is stat(2) of a path: st_mode and st_rdev.
	Status(path string) (mode, device uint64, err error)
	// Ioctl makes a call of a socket of an address family, which reads and writes request. What
	// the socket does not know matches [errors.ErrUnsupported].
	Ioctl(family int, command uint32, request []byte) error
	// Messages sends a request to the modules tcp and udp on a stream of /dev/arp: putmsg(2).
	// next is called with the control part of each answer and returns room for its data, which
	// is filled before it is called again; nil means that no more is wanted.
	Messages(request []byte, next func(control []byte) (room []byte)) error
	// Swap is swapctl(2), and Info is sysinfo(2). Both return what the calls return.
	Swap(command int, table []byte) (n int, err error)
	Info(command int, text []byte) (n int, err error)
	// Chain returns the number of the chain of statistics, which changes with it:
	// KSTAT_IOC_CHAIN_ID.
	Chain() (number uint64, err error)
	// Statistic reads a statistic: KSTAT_IOC_READ. head is a struct kstat with its number
	// and is filled, data takes what it tells. If n is more than data holds nothing of use
	// was written, and it is called again with more room. One that is not there any more
	// is an error that matches [os.ErrProcessDone].
	Statistic(head, data []byte) (n int, err error)
	// Usage is statvfs(2) of a mount point: f_frsize, f_blocks, f_bfree, f_bavail,
	// f_files, f_ffree and f_fsid. It is called beside all others, and may never return.
	Usage(point string) (v [7]uint64, err error)
	// System is uname(2): sysname, nodename, release, version and machine.
	System() (words [5]string, err error)
	// Pid is the calling process.
	Pid() uint64
	// Close ends it. The backend calls it at its own end.
	Close() error
}

// New opens this machine, or what the options put in its place.
func New(o Options) (platform.Backend, error) {
	kernel := o.Kernel
	if kernel == nil {
		var err error
		if kernel, err = newKernel(); err != nil {
			return nil, err
		}
	}
	b := &backend{kernel: kernel, all: o.AllDevices, budget: o.Budget, sources: Sources(), processes: processTable(), hosts: hostTable(), turn: turn.New(),
		data: make([]byte, 16<<10), known: map[uint64]*life{}}
	if b.budget <= 0 {
		b.budget = defaultBudget
	}
	boot, err := b.bootTime()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read unix:0:system_misc of /dev/kstat: %w", err), kernel.Close())
	}
	b.boot = platform.Boot{Time: time.Unix(int64(boot), 0), Epoch: time.Unix(0, 0), Tick: time.Nanosecond}
	return b, nil
}

// Calls returns the calls of this machine, for those who want to see what passes by. On
// other systems it is an error that matches [errors.ErrUnsupported].
func Calls() (Kernel, error) { return newKernel() }

// Sources returns what a backend can read: processes first, then the host.
func Sources() (sources []platform.Source) {
	for _, s := range processTable() {
		sources = append(sources, s.Source)
	}
	for _, s := range hostTable() {
		sources = append(sources, s.Source)
	}
	return sources
}

// backend is one machine.
type backend struct {
	budget    time.Duration
	parked    chan answer // of a file system that has not answered yet
	kernel    Kernel
	all       bool
	boot      platform.Boot
	sources   []platform.Source
	processes []processSource
	hosts     []hostSource
	turn      *turn.Turn
	chain     chain
	data      []byte // lent to one answer at a time
	known     map[uint64]*life
	passes    uint64
	owners    map[uint64][]byte
	sample    platform.Sample
	info      [infoSize]byte
	usage     [usageSize]byte
	status    [statusSize]byte
	request   [linkSize]byte // about an interface

	vectors, strings       memory
	arguments, environment []byte // lent to one sample
}

// Sources implements [platform.Backend].
func (b *backend) Sources() []platform.Source { return b.sources }

// Boot implements [platform.Backend].
func (b *backend) Boot() platform.Boot { return b.boot }

// Begin implements [platform.Backend]. It waits for the reader before to be closed.
func (b *backend) Begin(ctx context.Context) (platform.Reader, error) {
	if err := b.turn.Take(ctx); err != nil {
		return nil, err
	}
	b.passes++
	b.owners = nil
	b.chain.asked = false
	return &pass{backend: b, ctx: ctx}, nil
}

// Close implements [platform.Backend]. It waits for the reader to be closed.
func (b *backend) Close() error { return b.turn.End(b.kernel.Close) }

// pass is one pass. Without a backend it is closed.
type pass struct {
	*backend
	ctx    context.Context
	set    platform.SourceSet
	sink   platform.Sink
	walked bool
	cpus   []cpu
}

// processSet is the set of all sources of a process.
func (b *backend) processSet() platform.SourceSet { return 1<<len(b.processes) - 1 }

// Read implements [platform.Reader].
func (p *pass) Read(set platform.SourceSet, sink platform.Sink) error {
	if p.backend == nil {
		return fs.ErrClosed
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	p.set, p.sink = set, sink
	more, err := p.readProcesses(set & p.processSet())
	if !more || p.ctx.Err() != nil || set&^p.processSet() == 0 {
		return err
	}
	return errors.Join(err, p.readHost())
}

// Process implements [platform.Reader].
func (p *pass) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	if p.backend == nil {
		return fs.ErrClosed
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if set &= p.processSet(); set == 0 {
		return nil
	}
	p.sink = sink
	return p.readProcess(key, set)
}

// Close implements [platform.Reader].
func (p *pass) Close() error {
	if p.backend == nil {
		return nil
	}
	b := p.backend
	p.backend = nil
	if p.walked {
		b.forget()
	}
	b.turn.Give()
	return nil
}

// errContent says that an answer is shorter than its structure, or does not read as one.
var errContent = errors.New("unexpected content")

// errStopped says that the sink wants no more.
var errStopped = errors.New("stopped by the sink")

// hand hands the sample on. The error is of a sink that wants no more.
func (p *pass) hand() error {
	if !p.sink.Sample(&p.sample) || p.ctx.Err() != nil {
		return errStopped
	}
	return nil
}

// reasonOf says why a source gave nothing.
func reasonOf(err error) platform.Reason {
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return platform.Gone
	case errors.Is(err, errStuck):
		return platform.Stuck
	case errors.Is(err, fs.ErrPermission):
		return platform.Denied
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrNotExist):
		return platform.Unsupported
	}
	return platform.Unknown
}

// level declares a source of fields of which no width matters.
func level(name string, e platform.Entity, cost int, fields ...platform.Field) platform.Source {
	s := platform.Source{Name: name, Entity: e, Cost: cost}
	for _, f := range fields {
		s.Gives = append(s.Gives, platform.Given{Field: f})
	}
	return s
}
