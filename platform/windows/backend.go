// Package windows reads a Windows host. One NtQuerySystemInformation tells of all
// processes and threads, without opening any of them. Its decoders take the bytes
// that the kernel wrote and build on every operating system; only files named after
// Windows make system calls.
package windows

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

// Options choose what a backend looks at. The zero value is this machine.
type Options struct {
	// AllDevices reports filter, virtual and disabled network interfaces, and network
	// and optical drives too.
	AllDevices bool
	// Budget is how long the volumes may take to answer before a pass goes on without
	// them. 0 means one second.
	Budget time.Duration
	// MapsCeiling is how much memory a process may have in its working set for its
	// unique memory to be read: the kernel looks up every page. 0 means 4 GiB.
	MapsCeiling uint64
	// MapsBudget is the time in a pass after which no more of it is read. 0 means one
	// second.
	MapsBudget time.Duration
	// Kernel replaces the system calls. nil means the real ones.
	Kernel Kernel
}

const defaultBudget = time.Second

// tick is the unit of FILETIME and of all times in the kernel's structures.
const (
	tickNanos = 100
	tick      = tickNanos * time.Nanosecond
	second    = uint64(time.Second / tick)
)

// unixEpoch is 1970-01-01 as FILETIME, which counts from 1601-01-01.
const unixEpoch = 116_444_736_000_000_000

// processBuffer is the first size of the table of all processes, enough for some 200
// processes with ten threads each. It grows.
const processBuffer = 256 << 10

// backend is this machine.
type backend struct {
	kernel  Kernel
	options Options
	word    int
	// extended says that the table of processes has what was added to it later.
	extended bool
	boot     platform.Boot
	started  uint64 // FILETIME of boot.Time
	sources  []platform.Source
	turn     *turn.Turn // of the reader that is open

	table    []byte // lent to the table of processes for one pass
	buf      []byte // lent to one other answer at a time
	pages    []byte // lent to questions about pages
	text     []byte // of the process being read
	entries  []entry
	places   map[uint64]int   // index of a PID in entries
	owned    map[uint64]owned // by PID
	masks    []uint64         // of the processor groups, nil if not asked for yet
	threads  []threadCount
	sample   platform.Sample
	known    map[uint64]*known
	host     *host
	counting counting
	passes   uint64
	pass     pass
}

// pass is what is kept for one pass.
type pass struct {
	asked      bool // for the table of processes
	err        error
	table      processTable
	now        uint64        // FILETIME
	ghosts     int           // rows of processes that are being taken down
	walked     bool          // every process was visited
	maps       time.Duration // spent on what is in memory
	socketed   bool          // sockets were counted
	socketsErr error
	drives     []dosDrive // nil if not asked for yet
	processed  visit
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
	b := &backend{
		kernel: kernel, options: o, word: kernel.Word(),
		turn:  turn.New(),
		table: make([]byte, processBuffer), buf: make([]byte, 4<<10),
		places: map[uint64]int{}, known: map[uint64]*known{},
		sources: Sources(),
	}
	if err := b.readBoot(); err != nil {
		return nil, err
	}
	b.extended = b.extends()
	b.host = newHost(b)
	return b, nil
}

// Sources returns what a backend can read: processes first, then the host.
func Sources() []platform.Source { return append(processSources(), hostSources()...) }

// timeOfDaySize is what is asked for of SYSTEM_TIMEOFDAY_INFORMATION, which every
// version has; a buffer larger than the whole is refused. Of it BootTime and
// CurrentTime are read. Both are kept in step with the clock, so that two observers of one
// boot agree unless the clock was set between them, which moves no process: their
// times of creation are absolute.
const timeOfDaySize = 32

// readBoot reads when the kernel started, in 64 bits of 100 ns: the 32-bit
// milliseconds of GetTickCount wrap after 49.7 days.
func (b *backend) readBoot() error {
	n, err := b.kernel.System(classTimeOfDay, b.buf[:timeOfDaySize])
	if err != nil {
		return fmt.Errorf("read SystemTimeOfDayInformation: %w", err)
	}
	started, ok := decodeBootTime(b.buf[:min(n, timeOfDaySize)])
	if !ok {
		return fmt.Errorf("SystemTimeOfDayInformation of %d bytes: %w", n, errContent)
	}
	b.started = started
	b.boot = platform.Boot{Time: timeOf(started), Tick: tick, Epoch: time.Unix(0, 0)}
	return nil
}

// decodeBootTime reads SYSTEM_TIMEOFDAY_INFORMATION, and returns the whole second in
// which the kernel started, as FILETIME.
func decodeBootTime(b []byte) (started uint64, ok bool) {
	if len(b) < timeOfDaySize {
		return 0, false
	}
	started = layout.U64(b, 0)
	now := layout.U64(b, 8)
	if started < unixEpoch || started > now {
		return 0, false
	}
	return started - started%second, true
}

// timeOf returns a FILETIME as a time.
func timeOf(filetime uint64) time.Time {
	since := int64(filetime - unixEpoch)
	return time.Unix(since/int64(second), since%int64(second)*tickNanos)
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
func (b *backend) Close() error { return b.turn.End(func() error { return nil }) }

// reader is one pass. Without a backend it is closed.
type reader struct {
	*backend
	ctx context.Context
}

func (r *reader) Read(set platform.SourceSet, sink platform.Sink) error {
	if r.backend == nil {
		return fs.ErrClosed
	}
	more, err := r.readProcesses(set&allProcessSources, sink)
	if !more || r.ctx.Err() != nil || set&^allProcessSources == 0 {
		return err
	}
	return errors.Join(err, r.readHost(set, sink))
}

func (r *reader) Process(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	if r.backend == nil {
		return fs.ErrClosed
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.readProcess(key, set&allProcessSources, sink)
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
