package windows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// inspection is one process laid open. It has a view with buffers of its own, and
// asks for the table of processes anew for each question, which proves that the
// process is still there and costs no handle.
type inspection struct {
	reader
	key    platform.Key
	closed bool
}

// inspect opens what an inspector's method needs.
func (b *backend) inspect(ctx context.Context) (*inspection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.turn.Ended() {
		return nil, fs.ErrClosed
	}
	view := &backend{
		kernel: b.kernel, options: b.options, word: b.word, extended: b.extended, boot: b.boot, started: b.started,
		buf: make([]byte, 4<<10), table: make([]byte, processBuffer),
		places: map[uint64]int{}, known: map[uint64]*known{},
	}
	return &inspection{reader: reader{view, ctx}}, nil
}

// Inspect opens one process.
func (b *backend) Inspect(ctx context.Context, key platform.Key) (platform.Inspection, error) {
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
	p.key = v.key
	return p, nil
}

// find looks the process up in a new table.
func (p *inspection) find() (*visit, error) {
	if p.closed {
		return nil, fs.ErrClosed
	}
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	p.pass = pass{}
	p.text = p.text[:0]
	if err := p.processes(); err != nil {
		return nil, err
	}
	i, ok := p.places[p.key.ID]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no process %d: %w", p.key.ID, os.ErrProcessDone)
	case p.key.Start != 0 && p.keyOf(p.entries[i]).Start != p.key.Start:
		return nil, fmt.Errorf("process %d has ended, and another has its PID: %w", p.key.ID, os.ErrProcessDone)
	}
	return p.begin(p.entries[i], 0, nil), nil
}

// owned looks the process up for what only a program has.
func (p *inspection) owned() (*visit, error) {
	v, err := p.find()
	switch {
	case err != nil:
		return nil, err
	case v.ended:
		return nil, platform.ErrZombie
	case v.key.ID == systemPid:
		return nil, platform.ErrKernelThread
	}
	return v, nil
}

// Key returns the process's identity.
func (p *inspection) Key() platform.Key { return p.key }

// Close ends the inspection.
func (p *inspection) Close() error {
	p.closed = true
	return nil
}

// servicesSession is the session that services run in (session 0 isolation, since
// Windows Vista).
const servicesSession = 0

// Identity returns who the process is. What Windows has no word for is unknown: user
// IDs, process groups, nice values.
func (p *inspection) Identity() (platform.Identity, error) {
	v, err := p.find()
	if err != nil {
		return platform.Identity{}, err
	}
	t := &p.pass.table
	priority := int(int32(t.u32(v.entry, t.proc.basePriority)))
	id := platform.Identity{
		Key: v.key, Command: string(p.lend(t.name(v.entry))), Parent: p.parentOf(v.entry), Priority: &priority,
		CPU: cpuTimes(t.u64(v.entry, t.proc.user), t.u64(v.entry, t.proc.kernel)),
	}
	if state, ok := t.state(v); ok {
		id.State = &state
	}
	id.PriorityClass = p.priorityClass(v)
	id.Terminal = p.terminal(t.u32(v.entry, t.proc.sess))
	if !v.ended {
		if h, err := p.open(v); err == nil {
			if owner, err := p.kernel.Owner(h); err == nil {
				id.Owner = &owner
			}
		}
	}
	p.release(v)
	return id, nil
}

// terminal returns the name of a session of the terminal services, such as Console or
// RDP-Tcp#0. That of the services has nobody at it.
func (p *inspection) terminal(session uint64) *string {
	sessions, err := p.kernel.Sessions()
	if err != nil {
		return nil
	}
	for _, s := range sessions {
		if name := s.Station; uint64(s.ID) == session {
			if session == servicesSession {
				name = ""
			}
			return &name
		}
	}
	return nil
}

func cpuTimes(user, kernel uint64) platform.CPUTimes {
	return platform.CPUTimes{User: time.Duration(user) * tick, System: time.Duration(kernel) * tick}
}

// parentOf returns the PID of the parent, 0 for one that is not known.
func (b *backend) parentOf(e entry) uint64 {
	t := &b.pass.table
	parent := t.size(e, t.proc.parent)
	if i, ok := b.places[parent]; ok && b.keyOf(b.entries[i]).Start > b.keyOf(e).Start {
		return 0
	}
	return parent
}

// words reads a source of a text that is a list of strings, each followed by a NUL.
func (p *inspection) words(source int, t platform.Text) ([]string, error) {
	s, err := p.read(source, t)
	if err != nil {
		return nil, err
	}
	if s == "" {
		return []string{}, nil
	}
	return strings.Split(strings.TrimSuffix(s, "\x00"), "\x00"), nil
}

// read reads a source of one text.
func (p *inspection) read(source int, t platform.Text) (string, error) {
	v, err := p.owned()
	if err != nil {
		return "", err
	}
	p.sample.Reset(platform.Process, v.key)
	err = processReads[source](&p.reader, v)
	p.release(v)
	if err != nil {
		return "", named(processSources()[source].Name, err)
	}
	b, _ := p.sample.Text(t)
	return string(b), nil
}

// named tells the source of an error.
func named(source string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", source, err)
}

// Arguments returns the argument vector, as Windows splits command lines.
func (p *inspection) Arguments() ([]string, error) {
	return p.words(fromCommandLine, platform.ProcessArguments)
}

// Environment returns the environment as it is now.
func (p *inspection) Environment() ([]string, error) {
	return p.words(fromEnvironment, platform.ProcessEnvironment)
}

// Executable returns the program file.
func (p *inspection) Executable() (platform.Link, error) {
	path, err := p.read(fromImage, platform.ProcessExecutable)
	return platform.Link{Path: path}, err
}

// WorkingDirectory returns the current folder, which ends in a backslash only if it
// is a drive's first.
func (p *inspection) WorkingDirectory() (platform.Link, error) {
	v, err := p.owned()
	if err != nil {
		return platform.Link{}, err
	}
	wide, err := p.peekString(v, func(l *parametersOffsets) int { return l.directory })
	p.release(v)
	if err != nil {
		return platform.Link{}, named("RTL_USER_PROCESS_PARAMETERS", err)
	}
	path := string(text.AppendUTF16(nil, wide))
	if len(path) > len(`C:\`) {
		path = strings.TrimSuffix(path, `\`)
	}
	return platform.Link{Path: path}, nil
}

// unsupported is the answer for what Windows does not have, or what is not read there.
func (p *inspection) unsupported(what string) error {
	if _, err := p.owned(); err != nil {
		return err
	}
	return fmt.Errorf("%s: not told on Windows: %w", what, errors.ErrUnsupported)
}

// Root is unsupported: every process sees the same file systems.
func (p *inspection) Root() (platform.Link, error) {
	return platform.Link{}, p.unsupported("root")
}

// SocketStats is unsupported.
func (p *inspection) SocketStats() ([]platform.SocketStats, error) {
	return nil, p.unsupported("statistics of sockets")
}

// Limits is unsupported: what there is belongs to jobs.
func (p *inspection) Limits() ([]platform.Limit, error) {
	return nil, p.unsupported("resource limits")
}

// Affinity returns the CPUs that the process may run on.
func (p *inspection) Affinity() (platform.Affinity, error) {
	v, err := p.owned()
	if err != nil {
		return platform.Affinity{}, err
	}
	cpus, err := p.cpusOf(v)
	p.release(v)
	if err != nil {
		return platform.Affinity{}, named("ProcessBasicInformation", err)
	}
	return platform.Affinity{CPUs: cpus}, nil
}

// IOPriority returns the priority of the process's I/O, which has no levels.
func (p *inspection) IOPriority() (platform.IOPriority, error) {
	v, err := p.owned()
	if err != nil {
		return platform.IOPriority{}, err
	}
	defer p.release(v)
	h, err := p.open(v)
	if err != nil {
		return platform.IOPriority{}, named("ProcessIoPriority", err)
	}
	answer, err := p.ask(h, classIOPriority)
	if err != nil {
		return platform.IOPriority{}, named("ProcessIoPriority", err)
	}
	class, ok := decodeIOPriority(answer)
	if !ok {
		return platform.IOPriority{}, named("ProcessIoPriority", errContent)
	}
	return platform.IOPriority{Class: class}, nil
}
