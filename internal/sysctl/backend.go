package sysctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/turn"
	"github.com/pidometer/pidometer/platform"
)

// Dialect is what tells one kernel from another.
type Dialect struct {
	Table Table
	// State is the state of a process by its row.
	State func(Row) (platform.State, bool)
	// BootMIB is the time when the kernel started: seconds of 64 bits, and a fraction
	// of so many nanoseconds a unit behind them.
	BootMIB  []int32
	BootUnit uint64
	// Absolute says that the start of a process is what the clock said then. Otherwise
	// it is kept since the kernel's start, and shifted when the clock is set.
	Absolute bool
	// Processes are the sources of a process behind the table, Hosts those of all else.
	Processes []ProcessSource
	Hosts     []HostSource
	Interface InterfaceTable
	Mount     MountTable
	Disk      DiskTable
	Login     LoginTable
	// Details is what is told of one process alone. Again makes a dialect with memory of
	// its own for who asks for that, nil where there is none that is lent.
	Details Details
	Again   func() *Dialect
}

// ProcessSource reads something of a process beside its row in the table.
type ProcessSource struct {
	platform.Source
	Dead bool // it is read of zombies too
	Read func(*Pass, *Visit) error
}

// HostSource reads something of the host, of its devices, or of both.
type HostSource struct {
	platform.Source
	// Host reads into the sample of the host. nil for a source of devices alone.
	Host func(*Pass) error
	// Each hands on samples by [Pass.Send]. It is not called where Host failed.
	Each func(*Pass) error
}

// Options choose what a backend looks at.
type Options struct {
	AllDevices bool // pseudo file systems, virtual interfaces and memory disks too
	Kernel     Kernel
}

// Backend is one machine.
type Backend struct {
	kernel  Kernel
	dialect *Dialect
	options Options
	page    uint64
	boot    platform.Boot
	sources []platform.Source
	turn    *turn.Turn

	table  []byte // lent to the table of processes for one pass
	files  []byte // lent to the table of open files
	buf    []byte // lent to one other answer at a time
	known  map[uint64]*life
	passes uint64
	places map[uint64]int
	rows   []Row
	sample platform.Sample
	pass   state
}

// state is what is kept for one pass.
type state struct {
	asked     bool // for the table of processes
	err       error
	boot      uint64 // microseconds since 1970
	now       uint64 // likewise
	walked    bool
	counted   bool // open files
	fileErr   error
	counts    map[uint64]*FileCount
	threads   map[uint64]uint64
	threadErr error
	speed     uint64 // Hz, 0 if not known
	speeds    []Speed
	timed     bool // the times of CPUs are read, which are handed on later
	owners    map[uint64][]byte
	cpus      []CPUTime
	visit     Visit
}

// Constants of sys/sysctl.h that both have.
const (
	ctlVM       = 2
	ctlHW       = 6
	hwPageSize  = 7
	firstBuffer = 64 << 10 // some hundred processes; it grows
)

// Sources returns what a backend of a dialect can read: processes first.
func (d *Dialect) Sources() []platform.Source {
	t := &d.Table
	sources := []platform.Source{{Name: t.Name, Entity: platform.Process, Clock: true, Cost: 1,
		Texts: []platform.Text{platform.ProcessCommand}, Gives: t.given()}}
	for _, s := range d.Processes {
		sources = append(sources, s.Source)
	}
	for _, s := range d.Hosts {
		sources = append(sources, s.Source)
	}
	return sources
}

// New opens a machine.
func New(d *Dialect, o Options) (*Backend, error) {
	b := &Backend{
		kernel: o.Kernel, dialect: d, options: o, sources: d.Sources(), turn: turn.New(),
		table: make([]byte, firstBuffer), files: make([]byte, firstBuffer), buf: make([]byte, 4<<10),
		known: map[uint64]*life{}, places: map[uint64]int{},
	}
	page, err := b.number(ctlHW, hwPageSize)
	if err != nil {
		return nil, fmt.Errorf("read hw.pagesize: %w", err)
	}
	b.page = page
	boot, err := b.bootTime()
	if err != nil {
		return nil, err
	}
	b.boot = platform.Boot{Time: time.Unix(int64(boot/1e6), 0), Tick: time.Microsecond}
	if d.Absolute {
		b.boot.Epoch = time.Unix(0, 0)
	}
	return b, nil
}

// number reads an int.
func (b *Backend) number(mib ...int32) (uint64, error) {
	var buf [8]byte
	n, err := b.kernel.Sysctl(mib, buf[:])
	if err == nil && n != 4 && n != 8 {
		err = fmt.Errorf("%d bytes: %w", n, ErrContent)
	}
	if err != nil {
		return 0, err
	}
	return layout.Word(buf[:], 0, n), nil
}

// bootTime returns when the kernel started, in microseconds since 1970. It moves with
// the clock.
func (b *Backend) bootTime() (micros uint64, err error) {
	var buf [16]byte
	n, err := b.kernel.Sysctl(b.dialect.BootMIB, buf[:])
	if err != nil {
		return 0, fmt.Errorf("read kern.boottime: %w", err)
	}
	now, _ := b.kernel.Clocks()
	micros, ok := decodeBootTime(buf[:min(n, len(buf))], b.dialect.BootUnit)
	if !ok || micros > now/1e3+1e6 {
		return 0, fmt.Errorf("kern.boottime of %d bytes: %w", n, ErrContent)
	}
	return micros, nil
}

// decodeBootTime reads a struct timeval or timespec of 64 bits, which has a fraction
// in units of so many nanoseconds.
func decodeBootTime(b []byte, unit uint64) (micros uint64, ok bool) {
	const mostSeconds = 1 << 40
	if len(b) < 16 {
		return 0, false
	}
	seconds, fraction := layout.U64(b, 0), uint64(layout.U32(b, 8))
	return seconds*1e6 + fraction*unit/1e3, seconds > 0 && seconds < mostSeconds && fraction*unit < 1e9
}

// Sources implements [platform.Backend].
func (b *Backend) Sources() []platform.Source { return b.sources }

// Boot implements [platform.Backend].
func (b *Backend) Boot() platform.Boot { return b.boot }

// Begin implements [platform.Backend]. It waits for the reader before to be closed.
func (b *Backend) Begin(ctx context.Context) (platform.Reader, error) {
	if err := b.turn.Take(ctx); err != nil {
		return nil, err
	}
	b.passes++
	b.pass = state{}
	return &Pass{b, ctx, 0, nil}, nil
}

// Close implements [platform.Backend]. It waits for the reader to be closed.
func (b *Backend) Close() error { return b.turn.End(func() error { return nil }) }

// Pass is one pass. Without a backend it is closed.
type Pass struct {
	*Backend
	ctx  context.Context
	set  platform.SourceSet
	sink platform.Sink
}

// processSet is the set of all sources of a process.
func (b *Backend) processSet() platform.SourceSet {
	return platform.SourceSet(1)<<(1+len(b.dialect.Processes)) - 1
}

// Read implements [platform.Reader].
func (p *Pass) Read(set platform.SourceSet, sink platform.Sink) error {
	if p.Backend == nil {
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
func (p *Pass) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	if p.Backend == nil {
		return fs.ErrClosed
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	p.sink = sink
	return p.readProcess(key, set&p.processSet())
}

// Close implements [platform.Reader].
func (p *Pass) Close() error {
	if p.Backend == nil {
		return nil
	}
	b := p.Backend
	p.Backend = nil
	b.forget()
	b.turn.Give()
	return nil
}

// File reads a whole file.
func (b *Backend) File(path string) ([]byte, error) { return b.kernel.File(path) }

// Number is that of the pass, from 1.
func (b *Backend) Number() uint64 { return b.passes }

// Kernel returns what answers.
func (b *Backend) Kernel() Kernel { return b.kernel }

// Page returns the size of a page in bytes.
func (b *Backend) Page() uint64 { return b.page }

// All reports whether devices that are no hardware are wanted too.
func (b *Backend) All() bool { return b.options.AllDevices }

// Sample returns the sample that is being filled.
func (b *Backend) Sample() *platform.Sample { return &b.sample }

// Ask reads what has a name of numbers. The answer is lent until the next one.
func (b *Backend) Ask(mib ...int32) ([]byte, error) {
	return grow(&b.buf, func(buf []byte) (int, error) { return b.kernel.Sysctl(mib, buf) })
}

// AskNumber reads an int or a quad.
func (b *Backend) AskNumber(mib ...int32) (uint64, error) { return b.number(mib...) }

// AskNamed reads what has a name, and numbers behind it.
func (b *Backend) AskNamed(name string, args ...int32) ([]byte, error) {
	return grow(&b.buf, func(buf []byte) (int, error) { return b.kernel.Named(name, args, buf) })
}

// AskBy reads by a call that is one kernel's alone. The answer is lent as that of [Backend.Ask].
func (b *Backend) AskBy(call func(buf []byte) (n int, err error)) ([]byte, error) {
	return grow(&b.buf, call)
}

// AskRecords reads records of the given size: the name, the size and how many of them
// there is room for.
func (b *Backend) AskRecords(size int, mib ...int32) ([]byte, error) {
	return askRecords(b.kernel, &b.buf, size, mib)
}

// AskFiles reads the table of open files, which is lent until it is asked for again.
func (b *Backend) AskFiles(size int, mib ...int32) ([]byte, error) {
	return askRecords(b.kernel, &b.files, size, mib)
}

func askRecords(k Kernel, buf *[]byte, size int, mib []int32) ([]byte, error) {
	name := append(append([]int32{}, mib...), int32(size), 0)
	return grow(buf, func(buf []byte) (int, error) {
		name[len(name)-1] = int32(len(buf) / size)
		return k.Sysctl(name, buf)
	})
}
