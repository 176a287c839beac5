package sysctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pidometer/pidometer/platform"
)

// Detail is one detail of a process: where a kernel tells it, and how that is read. The
// zero value is one that it does not tell.
type Detail[T any] struct {
	Reads []string // by the kernel's own names
	Needs string   // the right that it takes, "" for none
	Lacks string   // why the kernel does not tell it, where Of is nil
	// Kernel says that the kernel's own processes have it too.
	Kernel bool
	Of     func(*Inspection, *Visit) (T, error)
}

// Details is what a kernel tells of one process beyond what is a metric.
type Details struct {
	Identity IdentityTable
	// Kernel reports whether a row is of a process of the kernel's own.
	Kernel           func(Row) bool
	Arguments        Detail[[]string]
	Environment      Detail[[]string]
	Executable       Detail[platform.Link]
	WorkingDirectory Detail[platform.Link]
	Root             Detail[platform.Link]
	Affinity         Detail[platform.Affinity]
	OpenFiles        Detail[[]platform.OpenFile]
	Connections      Detail[[]platform.Connection]
	Threads          Detail[[]platform.Thread]
	MemoryMaps       Detail[[]platform.MemoryMap]
	Limits           Detail[[]platform.Limit]
	Sessions         Detail[[]platform.Session] // of the host: it is read without a process
}

// source declares a detail, unless the kernel does not tell it.
func (d *Detail[T]) source(name string, e platform.Entity) []platform.DetailSource {
	if d.Of == nil {
		return nil
	}
	return []platform.DetailSource{{Detail: name, Entity: e, Reads: d.Reads, Needs: d.Needs}}
}

// DetailSources tells where the backend of a dialect reads each detail.
func (d *Dialect) DetailSources() (all []platform.DetailSource) {
	t, details := d.Table.Name, &d.Details
	told := func(name string, e platform.Entity, reads ...string) {
		all = append(all, platform.DetailSource{Detail: name, Entity: e, Reads: reads})
	}
	told("Identity", platform.Process, append([]string{t}, details.Identity.Reads...)...)
	for _, sources := range [][]platform.DetailSource{
		details.Arguments.source("Arguments", platform.Process), details.Environment.source("Environment", platform.Process),
		details.Executable.source("Executable", platform.Process), details.WorkingDirectory.source("WorkingDirectory", platform.Process),
		details.Root.source("Root", platform.Process), details.Affinity.source("Affinity", platform.Process),
		details.OpenFiles.source("OpenFiles", platform.Process), details.Connections.source("Connections", platform.Process),
		details.Threads.source("Threads", platform.Process), details.MemoryMaps.source("MemoryMaps", platform.Process),
		details.Limits.source("Limits", platform.Process),
	} {
		all = append(all, sources...)
	}
	for _, kin := range [...]string{"Children", "Descendants", "Parents"} {
		told(kin, platform.Process, t)
	}
	told("Interfaces", platform.Host, interfaceList)
	told("Mounts", platform.Host, d.Mount.Name)
	return append(all, details.Sessions.source("Sessions", platform.Host)...)
}

// Inspection is one process laid open. It has memory of its own, and asks who has the PID
// before and after each question: what it tells is of the process that it was opened for.
type Inspection struct {
	*Pass
	key    platform.Key
	ended  bool // it was a zombie when it was opened
	closed bool
}

// inspect opens what a method of an inspector needs: a view with buffers of its own.
func (b *Backend) inspect(ctx context.Context) (*Inspection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.turn.Ended() {
		return nil, fs.ErrClosed
	}
	dialect := b.dialect
	if dialect.Again != nil {
		dialect = dialect.Again()
	}
	view := &Backend{
		kernel: b.kernel, dialect: dialect, options: b.options, page: b.page, boot: b.boot, sources: b.sources, turn: b.turn,
		table: make([]byte, 2*dialect.Table.Size), files: make([]byte, 4<<10), buf: make([]byte, 4<<10),
		known: map[uint64]*life{}, places: map[uint64]int{},
	}
	return &Inspection{Pass: &Pass{Backend: view, ctx: ctx}}, nil
}

// Inspect implements [platform.Inspector].
func (b *Backend) Inspect(ctx context.Context, key platform.Key) (platform.Inspection, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	if key == platform.Self {
		key = platform.Key{ID: b.kernel.Pid()}
	}
	p.key = key
	v, err := p.find()
	if err != nil {
		return nil, err
	}
	p.key, p.ended = v.Key, v.Known && v.State == platform.StateDefunct
	return p, nil
}

// find asks who has the PID now.
func (p *Inspection) find() (*Visit, error) {
	if err := p.usable(); err != nil {
		return nil, err
	}
	r, err := p.rowOf(p.key.ID, &p.table)
	if errors.Is(err, os.ErrProcessDone) {
		return nil, fmt.Errorf("there is no process %d: %w", p.key.ID, os.ErrProcessDone)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p.dialect.Table.Name, err)
	}
	p.pass = state{}
	if p.pass.boot, err = p.bootTime(); err != nil {
		return nil, err
	}
	clear(p.known)
	v := &Visit{Row: r}
	v.Key, v.life = p.identify(r)
	v.State, v.Known = p.dialect.State(r)
	if !p.same(v) {
		return nil, fmt.Errorf("process %d has ended, and another has its PID: %w", p.key.ID, os.ErrProcessDone)
	}
	if p.key.Start != 0 {
		v.Key.Start = p.key.Start
	}
	return v, nil
}

func (p *Inspection) usable() error {
	if p.closed {
		return fs.ErrClosed
	}
	return p.ctx.Err()
}

// same reports whether who has the PID is who it was. A zombie that does not tell when it
// was created is taken for that process: nobody gets the PID before it is waited for. One that
// was opened as such lives no more. What is kept since the kernel's own start is rounded
// (startOf).
func (p *Inspection) same(v *Visit) bool {
	was, now := p.key.Start, v.Key.Start
	switch {
	case now == was, !p.dialect.Table.live(v.Row):
		return true
	case was == 0:
		return !p.ended
	}
	return !p.dialect.Absolute && now+1 >= was && now <= was+1
}

// owned asks who has the PID now, for what a zombie does not have.
func (p *Inspection) owned() (*Visit, error) {
	v, err := p.find()
	if err == nil && v.Known && v.State == platform.StateDefunct {
		err = platform.ErrZombie
	}
	return v, err
}

// tell reads a detail.
func tell[T any](p *Inspection, d *Detail[T], name string) (told T, err error) {
	v, err := p.owned()
	if err != nil {
		return told, err
	}
	if !d.Kernel && p.dialect.Details.Kernel != nil && p.dialect.Details.Kernel(v.Row) {
		return told, platform.ErrKernelThread
	}
	if d.Of == nil {
		return told, fmt.Errorf("%s: %s: %w", name, d.Lacks, errors.ErrUnsupported)
	}
	found, err := d.Of(p, v)
	if _, gone := p.owned(); gone != nil {
		return told, gone // it ended meanwhile: what was read may be of somebody else
	}
	if err != nil {
		return told, fmt.Errorf("%s: %w", d.Reads[0], err)
	}
	return found, nil
}

// Key returns the process's identity.
func (p *Inspection) Key() platform.Key { return p.key }

// Close ends the inspection.
func (p *Inspection) Close() error {
	p.closed = true
	return nil
}

// Arguments returns the argument vector.
func (p *Inspection) Arguments() ([]string, error) {
	return tell(p, &p.dialect.Details.Arguments, "arguments")
}

// Environment returns the environment that the program was started with.
func (p *Inspection) Environment() ([]string, error) {
	return tell(p, &p.dialect.Details.Environment, "environment")
}

// Executable returns the program file.
func (p *Inspection) Executable() (platform.Link, error) {
	return tell(p, &p.dialect.Details.Executable, "executable")
}

// WorkingDirectory returns the current folder.
func (p *Inspection) WorkingDirectory() (platform.Link, error) {
	return tell(p, &p.dialect.Details.WorkingDirectory, "working directory")
}

// Root returns the folder that is the process's /.
func (p *Inspection) Root() (platform.Link, error) {
	return tell(p, &p.dialect.Details.Root, "root")
}

// Affinity returns the CPUs that the process may run on.
func (p *Inspection) Affinity() (platform.Affinity, error) {
	return tell(p, &p.dialect.Details.Affinity, "affinity")
}

// OpenFiles returns the regular files that the process has open.
func (p *Inspection) OpenFiles() ([]platform.OpenFile, error) {
	return tell(p, &p.dialect.Details.OpenFiles, "open files")
}

// Connections returns the sockets of the process.
func (p *Inspection) Connections() ([]platform.Connection, error) {
	return tell(p, &p.dialect.Details.Connections, "connections")
}

// Threads returns the threads by their ID.
func (p *Inspection) Threads() ([]platform.Thread, error) {
	return tell(p, &p.dialect.Details.Threads, "threads")
}

// MemoryMaps returns the mappings by address.
func (p *Inspection) MemoryMaps() ([]platform.MemoryMap, error) {
	return tell(p, &p.dialect.Details.MemoryMaps, "memory maps")
}

// Limits returns the resource limits.
func (p *Inspection) Limits() ([]platform.Limit, error) {
	return tell(p, &p.dialect.Details.Limits, "limits")
}

// IOPriority is unsupported: on all of these the nice value is the only priority that a
// process is told to have.
func (p *Inspection) IOPriority() (platform.IOPriority, error) {
	return tell(p, &Detail[platform.IOPriority]{Lacks: "the kernel has none for a process to read of another"}, "I/O priority")
}

// SocketStats is unsupported: TCP_INFO is told to whoever has the socket.
func (p *Inspection) SocketStats() ([]platform.SocketStats, error) {
	return tell(p, &Detail[[]platform.SocketStats]{Lacks: "the kernel tells it to the process that has the socket alone"}, "statistics of sockets")
}

// Sessions implements [platform.Inspector].
func (b *Backend) Sessions(ctx context.Context) ([]platform.Session, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	d := &p.dialect.Details.Sessions
	if d.Of == nil {
		return nil, fmt.Errorf("sessions: %s: %w", d.Lacks, errors.ErrUnsupported)
	}
	sessions, err := d.Of(p, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Reads[0], err)
	}
	return sessions, nil
}

// Strings takes apart strings that end in a NUL byte each. One that is not ended is one too.
func Strings(b []byte) []string {
	all := []string{}
	for len(b) > 0 {
		s := cString(b)
		all = append(all, string(s))
		b = b[min(len(s)+1, len(b)):]
	}
	return all
}
