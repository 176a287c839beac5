package linux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// details is what inspections share: the view as it was opened. A pass goes on
// beside them, so that they touch nothing else of the backend.
type details struct {
	view   backend // handles and facts; no buffers
	calls  Caller
	parked chan struct{} // full when too many questions wait for an answer
}

// mostParked is how many questions to file systems may wait at a time for one
// that does not answer. Each takes a thread.
const mostParked = 8

func newDetails(b *backend) *details {
	calls, ok := b.kernel.(Caller)
	if !ok {
		calls = noCalls{b.kernel}
	}
	view := backend{
		kernel: b.kernel, options: b.options, word: b.word, page: b.page, boot: b.boot,
		root: b.root, proc: b.proc, self: b.self, selfErr: b.selfErr, live: b.live,
	}
	return &details{view, calls, make(chan struct{}, mostParked)}
}

// inspection reads details with buffers of its own.
type inspection struct {
	*backend
	shared  *details
	ctx     context.Context
	key     platform.Key
	dir     int  // handle of /proc/[pid]; -1 for none
	foreign bool // proc is another than the view's, and ours to close
	stat    processStat
}

// Sizes of an inspection's buffers, which grow or are refilled.
const (
	detailSize = 16 << 10
	pathSize   = 4 << 10 // PATH_MAX; a longer path is ENAMETOOLONG (do_proc_readlink in fs/proc/base.c)
)

// open prepares for reading details.
func (d *details) open(ctx context.Context) *inspection {
	view := d.view
	view.buf, view.dirents = make([]byte, detailSize), make([]byte, detailSize)
	view.link = make([]byte, max(pathSize, int(view.page)))
	view.names = map[string]string{}
	return &inspection{backend: &view, shared: d, ctx: ctx, dir: -1}
}

// inspect opens what an inspector's method needs.
func (b *backend) inspect(ctx context.Context) (*inspection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.turn.Ended() {
		return nil, fs.ErrClosed
	}
	return b.details.open(ctx), nil
}

// Inspect opens one process.
func (b *backend) Inspect(ctx context.Context, key platform.Key) (platform.Inspection, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	p.key = key
	if err := p.find(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// find opens the process's directory and makes sure that it is the one.
func (p *inspection) find() error {
	if err := p.enter(); err != nil {
		return err
	}
	start, self := p.key.Start, p.key == platform.Self
	if self {
		p.key.ID, start = uint64(p.kernel.Pid()), 0
	}
	if err := p.look(); err != nil {
		return p.unseen(p.failed("stat", p.absent(err)))
	}
	p.key.Start = p.stat.columns[statStart]
	if start != 0 && start != p.key.Start {
		return fmt.Errorf("process %d has ended, and another has its PID: %w", p.key.ID, os.ErrProcessDone)
	}
	if self {
		return nil // a /proc of another PID namespace has another number for it
	}
	return p.refuseThread()
}

// enter opens the directory.
func (p *inspection) enter() (err error) {
	if p.key == platform.Self {
		return p.enterSelf()
	}
	if p.dir, err = p.kernel.OpenDir(p.proc, p.joinNumber(p.key.ID, "")); err == nil {
		return nil
	}
	p.dir = -1
	if errors.Is(err, fs.ErrNotExist) && p.tooLarge() {
		return fmt.Errorf("no process can have the PID %d, which is above pid_max: %w", p.key.ID, os.ErrProcessDone)
	}
	return p.unseen(fmt.Errorf("process %d: %w", p.key.ID, p.absent(err)))
}

// unseen says in words that a process is not there, or not to be seen: with hidepid
// they look the same (man 5 proc).
func (p *inspection) unseen(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("there is no process %d: %w", p.key.ID, os.ErrProcessDone)
	}
	return err
}

// enterSelf opens the calling process, and the true /proc around it.
func (p *inspection) enterSelf() (err error) {
	if p.selfErr != nil {
		return fmt.Errorf("open /proc/self: %w", p.selfErr)
	}
	if p.dir, err = p.kernel.OpenDir(p.self, p.join(".")); err != nil {
		p.dir = -1
		return fmt.Errorf("open /proc/self: %w", err)
	}
	if !p.options.moved() {
		return nil
	}
	if p.proc, err = p.kernel.OpenDir(p.self, p.join("..")); err != nil {
		return fmt.Errorf("open /proc: %w", err)
	}
	p.foreign, p.live = true, true
	return nil
}

// tooLarge reports whether the number is above any PID.
func (p *inspection) tooLarge() bool {
	b, err := p.file("proc/sys/kernel/pid_max")
	if err != nil {
		return false
	}
	most, _, ok := text.UintField(b)
	return ok && p.key.ID > most
}

// refuseThread refuses the number of a thread that is not the first of its
// process: it has a directory too, which the listing of /proc does not show.
func (p *inspection) refuseThread() error {
	b, err := p.once(p.dir, p.join("status"))
	if err != nil {
		return p.failed("status", p.absent(err))
	}
	var s statusDetail
	decodeStatusDetail(b, &s)
	if s.process != 0 && s.process != p.key.ID {
		return fmt.Errorf("%d is a thread of process %d: %w", p.key.ID, s.process, os.ErrProcessDone)
	}
	return nil
}

func (p *inspection) Key() platform.Key { return p.key }

func (p *inspection) Close() (err error) {
	if p.dir >= 0 {
		err = p.kernel.Close(p.dir)
		p.dir = -1
	}
	if p.foreign {
		err = errors.Join(err, p.kernel.Close(p.proc))
		p.foreign = false
	}
	return err
}

// absent says that what is not there has ended.
func (p *inspection) absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return os.ErrProcessDone
	}
	return err
}

// failed names the source that failed.
func (p *inspection) failed(name string, err error) error {
	return fmt.Errorf("/proc/%d/%s: %w", p.key.ID, name, err)
}

// look reads stat. It fails for a process that is no more.
func (p *inspection) look() error {
	b, err := p.once(p.dir, p.join("stat"))
	switch {
	case err != nil:
		return err
	case !decodePidStat(b, &p.stat):
		return errContent
	case p.stat.dead():
		return os.ErrProcessDone
	}
	return nil
}

// Flags of a task (include/linux/sched.h), in a column of stat.
const (
	statFlags    = 9
	taskExiting  = 0x4
	taskOfKernel = 0x200000
)

func (p *processStat) is(flag uint64) bool { return p.columns[statFlags]&flag != 0 }

// leaving reports a task that has let go of what it owned, or is about to. The flag
// is set first (do_exit in kernel/exit.c), so that what was read before it was seen
// missing is whole.
func (p *processStat) leaving() bool { return p.state == 'Z' || p.is(taskExiting) }

// kin is what kind of process has a detail.
type kin uint8

const (
	anyLiving  kin = iota // all but zombies
	ofPrograms            // and but kernel threads
)

// detail reads one detail with get, from the directory that get is given. It looks
// at the process afterwards: what was read while it ended may be half of the truth,
// and the errors of single files do not tell the four answers apart. For a kernel
// thread environ is ESRCH, and for a zombie EACCES or empty, seen on Linux 6.18.
func detail[T any](p *inspection, name string, of kin, get func(dir int) (T, error)) (v T, err error) {
	if err := p.usable(); err != nil {
		return v, p.failed(name, err)
	}
	v, err = get(p.dir)
	why := p.standing(of)
	if why == nil && p.stat.leaving() {
		v, err = elsewhere(p, get)
		why = p.standing(of)
	}
	if why == nil {
		why = p.explain(err)
	}
	if why != nil {
		var none T
		return none, p.failed(name, why)
	}
	return v, nil
}

// usable refuses what is closed or called off.
func (p *inspection) usable() error {
	if p.dir < 0 {
		return fs.ErrClosed
	}
	return p.ctx.Err()
}

// standing looks at the process and returns why it cannot have a detail.
func (p *inspection) standing(of kin) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if err := p.look(); err != nil {
		return p.absent(err)
	}
	switch {
	case p.stat.ended():
		return platform.ErrZombie
	case of == ofPrograms && p.stat.is(taskOfKernel):
		return platform.ErrKernelThread
	}
	return nil
}

// explain tells why a file of a living process is not there: this kernel was built
// without.
func (p *inspection) explain(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: this kernel has no such file", errors.ErrUnsupported)
}

// elsewhere reads a detail of a process whose first thread has ended and let go of
// what the others still own, through one of those. If all of them are leaving, the
// process is done.
func elsewhere[T any](p *inspection, get func(dir int) (T, error)) (v T, err error) {
	ids, err := p.threadIDs(p.dir)
	if err != nil {
		return v, err
	}
	err = os.ErrProcessDone
	for _, id := range ids {
		if id == p.key.ID {
			continue
		}
		if v, err = through(p, id, get); err == nil {
			break
		}
	}
	return v, err
}

// through reads a detail in the directory of one thread.
func through[T any](p *inspection, id uint64, get func(dir int) (T, error)) (v T, err error) {
	task, err := p.kernel.OpenDir(p.dir, p.join("task"))
	if err != nil {
		return v, err
	}
	defer p.kernel.Close(task)
	dir, err := p.kernel.OpenDir(task, p.joinNumber(id, ""))
	if err != nil {
		return v, err
	}
	defer p.kernel.Close(dir)
	if v, err = get(dir); err != nil {
		return v, p.absent(err)
	}
	b, err := p.once(dir, p.join("stat"))
	var stat processStat
	if err != nil || !decodePidStat(b, &stat) || stat.leaving() || stat.dead() {
		err = os.ErrProcessDone
	}
	return v, err
}

// threadIDs lists task under dir.
func (p *inspection) threadIDs(dir int) ([]uint64, error) {
	return p.entries(dir, "task")
}

// entries lists the numbers in a folder under dir.
func (p *inspection) entries(dir int, name string) (ids []uint64, err error) {
	fd, err := p.backend.open(dir, name)
	if err != nil {
		return nil, err
	}
	ids, err = p.list(fd, nil)
	p.kernel.Close(fd)
	return ids, err
}

// bounded asks a file system, which may never answer, and waits no longer than the
// budget. What ask uses it must own: it may still be at it when bounded returns. It
// was not asked at all if too many wait already.
func (p *inspection) bounded(ask func() error) (asked bool, err error) {
	select {
	case p.shared.parked <- struct{}{}:
	default:
		return false, os.ErrDeadlineExceeded
	}
	done := make(chan error, 1)
	go func() {
		err := ask()
		<-p.shared.parked
		done <- err
	}()
	budget := p.options.Budget
	if budget <= 0 {
		budget = defaultBudget
	}
	timer := time.NewTimer(budget)
	defer timer.Stop()
	select {
	case err = <-done:
	case <-timer.C:
		err = os.ErrDeadlineExceeded
	case <-p.ctx.Done():
		err = p.ctx.Err()
	}
	return true, err
}
