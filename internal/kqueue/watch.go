package kqueue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Who looks up a process by its PID: who it is now, who made it and what it is called. One
// that is gone is an error that matches [os.ErrProcessDone].
type Who func(pid uint64) (sysctl.Known, error)

// Watcher makes watches. A backend embeds it, which makes a [platform.Watcher] of it.
type Watcher struct {
	Kernel any // a [Kernel], or one that nothing can be heard of
	Layout *Layout
	Errno  sysctl.Errno
	Who    Who
	Source platform.OccurrenceSource
}

// Occurrences implements [platform.Watcher].
func (w *Watcher) Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{w.Source}
}

// wishes are the notes that a kind takes.
var wishes = map[platform.OccurrenceKind]uint32{
	platform.ProcessStarted:  noteFork | noteTrack,
	platform.ProcessExecuted: noteExec,
	platform.ProcessExited:   noteExit,
}

// Watch implements [platform.Watcher].
func (w *Watcher) Watch(ctx context.Context, o platform.WatchOptions) (platform.Watch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q := &watch{Watcher: w, turn: make(chan struct{}, 1), followed: map[uint64]*followed{}}
	for kind, notes := range wishes {
		if o.Kinds.Has(kind) && w.Source.Tells.Has(kind) {
			q.notes |= notes
		}
	}
	if q.notes == 0 {
		return q, nil
	}
	k, ok := w.Kernel.(Kernel)
	if !ok {
		return nil, fmt.Errorf("this kernel has no %s: %w", w.Source.Name, errors.ErrUnsupported)
	}
	q.kernel = k
	q.tiers = []platform.Tier{{Source: w.Source, Err: q.open()}}
	return q, nil
}

// watch is a [platform.Watch]. It has two queues: one of processes, and one that Wait
// waits for, which the first is in. So waiting takes no event away from Read.
type watch struct {
	*Watcher
	kernel Kernel // nil where nothing is wanted
	notes  uint32
	tiers  []platform.Tier
	turn   chan struct{} // full while somebody waits in the kernel

	mu       sync.Mutex
	opened   bool // the queues are
	closed   bool
	ended    chan struct{} // of those that wait for nothing; closed with the watch
	queue    int
	waiting  int
	followed map[uint64]*followed
	buf      []byte
	change   []byte
}

// followed is a process that is followed, and whose end is not told yet.
type followed struct {
	key       platform.Key
	estimated bool
}

// perRead is how many events one call hands over.
const perRead = 64

func (w *watch) open() (err error) {
	if w.queue, err = w.make(); err != nil {
		return err
	}
	if w.waiting, err = w.make(); err != nil {
		w.kernel.CloseQueue(w.queue)
		return err
	}
	if err := w.apply(w.waiting, event{ident: uint64(w.queue), filter: w.Layout.Read, flags: evAdd}); err != nil {
		w.kernel.CloseQueue(w.waiting)
		w.kernel.CloseQueue(w.queue)
		return err
	}
	w.opened, w.buf = true, make([]byte, perRead*w.Layout.Size)
	return nil
}

func (w *watch) make() (int, error) {
	queue, failed, errno := w.kernel.Kqueue()
	if failed {
		return 0, fmt.Errorf("kqueue: %w", w.Errno.Error(errno))
	}
	return queue, nil
}

// repeats bounds how often a call is made that a signal cut short.
const repeats = 5

// apply makes a change.
func (w *watch) apply(queue int, e event) error {
	w.change = w.Layout.append(w.change[:0], e)
	_, err := w.call(queue, w.change, nil)
	return err
}

// call is kevent(2) without waiting. The changes are made even if a signal cuts the call
// short (kevent(2) of FreeBSD, EINTR): to make them again changes nothing.
func (w *watch) call(queue int, changes, events []byte) (n int, err error) {
	for range repeats {
		n, failed, errno := w.kernel.Kevent(queue, changes, events, false)
		switch {
		case !failed:
			return n, nil
		case errno != w.Errno.Interrupted:
			return 0, fmt.Errorf("kevent: %w", w.Errno.Error(errno))
		}
	}
	return 0, fmt.Errorf("kevent: %w", w.Errno.Error(w.Errno.Interrupted))
}

// Tiers implements [platform.Watch].
func (w *watch) Tiers() []platform.Tier { return w.tiers }

// Follow implements [platform.Watch]. The process is followed first and identified then:
// whoever has the PID from then on is the one that is followed.
func (w *watch) Follow(key platform.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	if !w.opened {
		return nil
	}
	if have := w.followed[key.ID]; have != nil && same(key, have.key) {
		have.key, have.estimated = key, false // the caller knows it exactly
		return nil
	}
	if err := w.add(key.ID); err != nil {
		return fmt.Errorf("process %d: %w", key.ID, err)
	}
	now, err := w.Who(key.ID)
	if err == nil && !same(key, now.Key) {
		err = fmt.Errorf("another has the PID %d: %w", key.ID, os.ErrProcessDone)
	}
	if err != nil {
		w.drop(key.ID)
		return err
	}
	w.followed[key.ID] = &followed{key: key}
	return nil
}

// add puts a process into the queue: without the note of how it ends where that is refused.
func (w *watch) add(pid uint64) error {
	e := event{ident: pid, filter: w.Layout.Proc, flags: evAdd, notes: w.notes}
	if w.Layout.Status != 0 && w.notes&noteExit != 0 {
		e.notes |= w.Layout.Status
		err := w.apply(w.queue, e)
		if !errors.Is(err, fs.ErrPermission) {
			return err
		}
		e.notes = w.notes
	}
	return w.apply(w.queue, e)
}

// same reports whether two keys are of one process. A kernel that keeps the start since its
// own start may be a microsecond off after the clock was set.
func same(a, b platform.Key) bool {
	return a.ID == b.ID && a.Start <= b.Start+1 && b.Start <= a.Start+1
}

// Unfollow implements [platform.Watch].
func (w *watch) Unfollow(key platform.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if have := w.followed[key.ID]; !w.closed && have != nil && same(key, have.key) {
		w.drop(key.ID)
	}
}

// drop takes a process out of the queue. One that has ended is out of it already.
func (w *watch) drop(pid uint64) {
	delete(w.followed, pid)
	w.apply(w.queue, event{ident: pid, filter: w.Layout.Proc, flags: evDelete})
}

// Read implements [platform.Watch].
func (w *watch) Read(yield func(*platform.Occurrence)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	if !w.opened {
		return nil
	}
	looks := mostLooks
	for range mostReads {
		n, err := w.call(w.queue, nil, w.buf)
		if err != nil {
			return err
		}
		for i := range min(n, perRead) {
			if e, ok := w.Layout.decode(w.buf[i*w.Layout.Size:]); ok && e.filter == w.Layout.Proc && e.flags&evError == 0 {
				w.tell(e, &looks, yield)
			}
		}
		if n < perRead {
			break
		}
	}
	return nil
}

const (
	// mostReads is how many calls one Read makes: what is left stays ready.
	mostReads = 1 << 10
	// mostLooks is how many new processes one Read asks for their start and name. Those
	// beyond are told by their PID.
	mostLooks = 256
)

// tell tells what became of one process: it was made, runs another program, has ended.
// On OpenBSD, and NetBSD before 10, all of that may come at once, and the parent is then
// not told: data has the exit status (filt_proc, kern_event.c).
func (w *watch) tell(e event, looks *int, yield func(*platform.Occurrence)) {
	ended := e.notes&noteExit != 0
	if e.notes&noteTrackErr != 0 { // a process was made and could not be followed
		yield(&platform.Occurrence{Kind: platform.OccurrencesLost, Count: 1})
	}
	var now sysctl.Known
	if e.notes&(noteChild|noteExec) != 0 && !ended && *looks > 0 {
		*looks--
		now, _ = w.Who(e.ident) // gone meanwhile: its end follows
	}
	if e.notes&noteChild != 0 {
		w.begin(e, now, yield)
	}
	who := w.followed[e.ident]
	if who == nil {
		return
	}
	if e.notes&noteExec != 0 {
		yield(&platform.Occurrence{Kind: platform.ProcessExecuted, Key: who.key, Estimated: who.estimated, Command: now.Command})
	}
	if ended {
		delete(w.followed, e.ident)
		yield(&platform.Occurrence{Kind: platform.ProcessExited, Key: who.key, Estimated: who.estimated, Exit: w.Layout.exit(e)})
	}
}

// begin tells of a process that one that is followed has made.
func (w *watch) begin(e event, now sysctl.Known, yield func(*platform.Occurrence)) {
	o := platform.Occurrence{Kind: platform.ProcessStarted, Key: platform.Key{ID: e.ident}, Command: now.Command}
	if e.notes&noteExit == 0 {
		o.Parent = uint64(e.data)
	}
	if now.Key.ID == e.ident && (o.Parent == 0 || now.Parent == o.Parent || now.Parent == 1) {
		o.Key, o.Estimated = now.Key, now.Key.Start != 0 && now.Shifting
	}
	w.followed[e.ident] = &followed{key: o.Key, estimated: o.Estimated}
	yield(&o)
}
