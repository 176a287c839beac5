package linux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/pidometer/pidometer/platform"
)

var _ platform.Watcher = (*backend)(nil)

// listener is one source that a watch listens to.
type listener interface {
	// drain hands over what has happened. It never waits. failed says that its
	// descriptor reports an error. An error that matches errDeaf means that it will
	// hear nothing any more.
	drain(failed bool, yield func(*platform.Occurrence)) error
	close()
}

// errDeaf marks a listener that is of no use any more.
var errDeaf = errors.New("nothing more is heard of it")

// occurrenceSource is a source and how it is opened. A listener adds its descriptor to
// the poll of the watch with itself as what is ready; one without is drained at every
// Read.
type occurrenceSource struct {
	platform.OccurrenceSource
	open func(*watch) (listener, error)
}

// occurrenceSources are the sources, the best of a kind first.
var occurrenceSources = []occurrenceSource{
	{connectorOccurrences, openConnector},
	{taskstatsOccurrences, openTaskstats},
	{pidfdOccurrences, openPidfds},
	{kmsgOccurrences, openKmsg},
	{groupOccurrences, openGroupKills},
	{vmstatOccurrences, openOOMCount},
	{systemdOccurrences, openSystemd},
	{psiOccurrences, openPSI},
}

func (b *backend) Occurrences() []platform.OccurrenceSource { return Occurrences() }

// Occurrences returns what a Linux kernel can be listened to for, the best source of a
// kind first.
func Occurrences() []platform.OccurrenceSource {
	all := make([]platform.OccurrenceSource, len(occurrenceSources))
	for i, s := range occurrenceSources {
		all[i] = s.OccurrenceSource
	}
	return all
}

// Watch opens the best source of each kind that is wanted, and tries the others.
func (b *backend) Watch(ctx context.Context, o platform.WatchOptions) (platform.Watch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	kernel, ok := b.kernel.(Listener)
	if !ok {
		return nil, fmt.Errorf("this kernel is recorded, and nothing happens in it: %w", errors.ErrUnsupported)
	}
	poll, err := kernel.OpenPoll()
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	w := &watch{backend: b, kernel: kernel, poll: poll, buf: make([]byte, kmsgRoom)}
	var heard platform.OccurrenceKindSet
	for _, s := range occurrenceSources {
		if wanted := s.Tells & o.Kinds; wanted != 0 {
			w.consider(s, wanted&^heard == 0)
			if !s.Followed && w.tiers[len(w.tiers)-1].Err == nil {
				heard |= wanted
			}
		}
	}
	return w, nil
}

// watch is a [platform.Watch] over the sources that could be opened.
type watch struct {
	backend *backend
	kernel  Listener
	poll    Poll
	tiers   []platform.Tier

	mu        sync.Mutex
	closed    bool
	listeners []listener
	silent    []listener // those that no descriptor tells of
	pidfds    *pidfds    // nil for none
	ready     [16]Ready
	buf       []byte // lent to one read at a time
	path      []byte
	statBuf   [statRoom]byte
	stat      processStat
	groups    cgroupPaths
	groupBuf  [groupRoom]byte
}

// consider opens a source and notes how that went. One that is spared shows that it
// would work, and is closed.
func (w *watch) consider(s occurrenceSource, spared bool) {
	l, err := s.open(w)
	w.tiers = append(w.tiers, platform.Tier{Source: s.OccurrenceSource, Err: err, Spared: spared && err == nil})
	switch {
	case err != nil:
	case spared:
		w.drop(l)
	default:
		w.listeners = append(w.listeners, l)
	}
}

// listen adds a descriptor of a listener to the poll.
func (w *watch) listen(fd int, on PollEvents, l listener) error { return w.poll.Add(fd, on, l) }

// drop closes a listener and forgets it.
func (w *watch) drop(l listener) {
	l.close()
	w.silent = omit(w.silent, l)
	w.listeners = omit(w.listeners, l)
}

func omit(list []listener, l listener) []listener {
	return slices.DeleteFunc(list, func(have listener) bool { return have == l })
}

func (w *watch) Tiers() []platform.Tier { return w.tiers }

func (w *watch) Wait(ctx context.Context) error { return w.poll.Wait(ctx) }

// Read drains what is ready, and what never says so.
func (w *watch) Read(yield func(*platform.Occurrence)) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	n, err := w.poll.Ready(w.ready[:])
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, r := range w.inOrder(w.ready[:n]) {
		err = errors.Join(err, w.drain(r.Of.(listener), r.Failed, yield))
	}
	for _, l := range slices.Clone(w.silent) {
		err = errors.Join(err, w.drain(l, false, yield))
	}
	return err
}

// inOrder puts the ends of processes first and their exit records behind them. The kernel
// writes the record first (do_exit in kernel/exit.c): so the record of each end that is
// read is read too, and one without its end is of a process whose end is still to come,
// and not of whoever has its PID next.
func (w *watch) inOrder(ready []Ready) []Ready {
	var records *taskstats
	for _, l := range w.listeners {
		if t, ok := l.(*taskstats); ok {
			records = t
		}
	}
	ends := slices.IndexFunc(ready, func(r Ready) bool { _, ok := r.Of.(*connector); return ok })
	if records == nil || ends < 0 {
		return ready
	}
	rest := slices.DeleteFunc(slices.Clone(ready), func(r Ready) bool { return r.Of == ready[ends].Of || r.Of == any(records) })
	failed := slices.ContainsFunc(ready, func(r Ready) bool { return r.Of == any(records) && r.Failed })
	return append([]Ready{ready[ends], {records, failed}}, rest...)
}

func (w *watch) drain(l listener, failed bool, yield func(*platform.Occurrence)) error {
	err := l.drain(failed, yield)
	if errors.Is(err, errDeaf) {
		w.drop(l)
	}
	return err
}

func (w *watch) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	w.closed = true
	for _, l := range w.listeners {
		l.close()
	}
	return w.poll.Close()
}
