package sysctl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pidometer/pidometer/platform"
)

// life is what is remembered of a process from pass to pass.
type life struct {
	start uint64 // as in its key
	boot  uint64 // when the kernel started by the clock, as it was set when first seen
	seen  uint64 // the pass
}

// Visit is one process while it is read.
type Visit struct {
	Row   Row
	Key   platform.Key
	State platform.State
	Known bool // the state, by the row
	set   platform.SourceSet
	life  *life
}

// tableGives is what a row gives beside its members, and StateGives its state.
var (
	tableGives = []platform.Given{{Field: platform.ProcessParent}, {Field: platform.ProcessUser}, {Field: platform.ProcessUptime}, {Field: platform.ProcessNice}}
	StateGives = []platform.Given{{Field: platform.ProcessState}, {Field: platform.ProcessRunning}, {Field: platform.ProcessSleeping},
		{Field: platform.ProcessStopped}, {Field: platform.ProcessDefunct}}
)

// processes asks for the table of all processes, once in a pass. A table that breaks
// off tells of nobody: the rest of it would look as if it had ended.
func (p *Pass) processes() error {
	if p.pass.asked {
		return p.pass.err
	}
	p.pass.asked = true
	if p.pass.err = p.readTable(); p.pass.err != nil {
		p.pass.err = fmt.Errorf("read %s: %w", p.dialect.Table.Name, p.pass.err)
	}
	return p.pass.err
}

func (p *Pass) readTable() (err error) {
	t := &p.dialect.Table
	p.rows = p.rows[:0]
	clear(p.places)
	if p.pass.boot, err = p.bootTime(); err != nil {
		return err
	}
	answer, err := p.askTable()
	if err != nil {
		return err
	}
	now, _ := p.kernel.Clocks()
	p.pass.now = now / 1e3
	if !t.each(answer, p.index) {
		p.rows = p.rows[:0]
		clear(p.places)
		return ErrContent
	}
	return nil
}

func (p *Pass) askTable() ([]byte, error) {
	t := &p.dialect.Table
	mib := []int32{ctlKern, t.MIB, t.All, 0}
	if t.Bare {
		mib = mib[:3]
	}
	if t.Whole || t.Fixed {
		return grow(&p.table, func(buf []byte) (int, error) { return p.kernel.Sysctl(mib, buf) })
	}
	return askRecords(p.kernel, &p.table, t.Size, mib)
}

// index notes where a PID is. The list of zombies is read behind that of the living, so
// that one who ends in between may be in both: the first row counts.
func (p *Pass) index(r Row) {
	pid := p.dialect.Table.pid(r)
	if p.dialect.Table.own(r) {
		return
	}
	if _, twice := p.places[pid]; !twice {
		p.places[pid] = len(p.rows)
		p.rows = append(p.rows, r)
	}
}

// identify returns who a process is. A zombie does not tell when it was created: it is
// who it was while it lived, and has no start where nobody saw that.
func (b *Backend) identify(r Row) (platform.Key, *life) {
	t := &b.dialect.Table
	pid := t.pid(r)
	was := b.known[pid]
	start := uint64(0)
	switch {
	case t.live(r):
		start = b.startOf(t.start(r), was)
	case was != nil:
		start = was.start
	}
	if was == nil || was.start != start {
		was = &life{start: start, boot: b.pass.boot}
		b.known[pid] = was
	}
	was.seen = b.passes
	return platform.Key{ID: pid, Start: start}, was
}

// startOf returns the start of a process as its key has it. Where the kernel keeps it
// since its own start, both times are rounded down to microseconds after the clock was
// set, so that their difference may be one off.
func (b *Backend) startOf(micros uint64, was *life) uint64 {
	if b.dialect.Absolute {
		return micros
	}
	start := max(micros, b.pass.boot) - b.pass.boot
	if was != nil && start+1 >= was.start && start <= was.start+1 {
		return was.start
	}
	return start
}

// forget drops who is not there any more, after a pass that asked for everybody.
func (b *Backend) forget() {
	if !b.pass.walked {
		return
	}
	for pid, l := range b.known {
		if l.seen != b.passes {
			delete(b.known, pid)
		}
	}
}

// readProcesses visits every process.
func (p *Pass) readProcesses(set platform.SourceSet) (more bool, err error) {
	if set == 0 {
		return true, nil
	}
	if err := p.processes(); err != nil {
		p.sink.Miss(0, reasonOf(err))
		return true, err
	}
	for _, r := range p.rows {
		if err := p.ctx.Err(); err != nil {
			return false, err
		}
		if !p.tell(r, set) {
			return false, nil
		}
	}
	p.pass.walked = true
	return true, nil
}

// readProcess visits one process. Those that began after the table was asked for are
// not in it: a pass has one moment.
func (p *Pass) readProcess(key platform.Key, set platform.SourceSet) error {
	if set == 0 {
		return nil
	}
	if err := p.processes(); err != nil {
		p.sink.Miss(0, reasonOf(err))
		return err
	}
	if key == platform.Self {
		key = platform.Key{ID: p.kernel.Pid()}
	}
	i, ok := p.places[key.ID]
	if !ok {
		return os.ErrProcessDone
	}
	if now, _ := p.identify(p.rows[i]); key.Start != 0 && key.Start != now.Start {
		return os.ErrProcessDone
	}
	p.tell(p.rows[i], set)
	return nil
}

// tell makes the sample of a process and hands it over.
func (p *Pass) tell(r Row, set platform.SourceSet) (more bool) {
	v := &p.pass.visit
	*v = Visit{Row: r, set: set}
	v.Key, v.life = p.identify(r)
	v.State, v.Known = p.dialect.State(r)
	p.sample.Reset(platform.Process, v.Key)
	if set.Has(0) {
		p.setRow(v)
	}
	for i := range (set &^ 1).All() {
		if err := p.readSource(v, i); err != nil {
			p.sink.Miss(i, reasonOf(err))
		}
	}
	return p.sink.Sample(&p.sample)
}

// readSource reads a source behind the table. A zombie owns nothing any more.
func (p *Pass) readSource(v *Visit, i int) error {
	s := &p.dialect.Processes[i-1]
	if v.State == platform.StateDefunct && !s.Dead {
		return os.ErrProcessDone
	}
	return s.Read(p, v)
}

// setRow sets what the row tells. Of a zombie the kernel fills in little more than its
// identity.
func (p *Pass) setRow(v *Visit) {
	t, s := &p.dialect.Table, &p.sample
	s.SetText(platform.ProcessCommand, t.command(v.Row))
	s.Set(platform.ProcessParent, v.Row.U32(t.Parent))
	s.Set(platform.ProcessUser, v.Row.U32(t.User))
	s.SetSigned(platform.ProcessNice, t.nice(v.Row))
	if v.Known && !t.Stateless {
		SetState(s, v.State)
	}
	if !t.live(v.Row) {
		return
	}
	for _, m := range t.Members {
		s.Set(m.Field, m.Value(v.Row, p.page))
	}
	if cpu, ok := t.cpu(v.Row); ok {
		s.Set(platform.ProcessCPUNumber, cpu)
	}
	p.setUptime(v)
}

// setUptime sets how long a process lives. A clock that was set since it was first seen
// has moved the kernel's own start by as much.
func (p *Pass) setUptime(v *Visit) {
	began, now := v.Key.Start, p.pass.now
	if p.dialect.Absolute {
		began += p.pass.boot - v.life.boot // modulo 2^64 where it was set back
	} else {
		began += p.pass.boot
	}
	if began <= now {
		p.sample.Set(platform.ProcessUptime, (now-began)*1e3)
	}
}

// SetState sets the state of a process, and the four that say whether it is one of them.
func SetState(s *platform.Sample, state platform.State) {
	s.Set(platform.ProcessState, uint64(state))
	for i, f := range [...]platform.Field{platform.ProcessRunning, platform.ProcessSleeping, platform.ProcessStopped, platform.ProcessDefunct} {
		var is uint64
		if state == platform.State(i) {
			is = 1
		}
		s.Set(f, is)
	}
}

// reasonOf says why a source gave nothing.
func reasonOf(err error) platform.Reason {
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return platform.Gone
	case errors.Is(err, fs.ErrPermission):
		return platform.Denied
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrNotExist):
		return platform.Unsupported
	}
	return platform.Unknown
}
