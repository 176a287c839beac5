package kqueue

import (
	"context"
	"fmt"
	"io/fs"
	"time"
)

// wakeUp is the timer that ends a wait: it fires once, a millisecond after it was set.
const wakeUp = 1

// Wait implements [platform.Watch]. Those who wait take turns: one of them is in the
// kernel, with a thread of the system. A signal cuts its call short now and then, and it
// waits again.
func (w *watch) Wait(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if !w.hears() {
		return w.idle(ctx)
	}
	defer context.AfterFunc(ctx, w.wake)()
	events := make([]byte, 2*w.Layout.Size)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.isClosed() {
			return fs.ErrClosed
		}
		n, failed, errno := w.kernel.Kevent(w.waiting, nil, events, true)
		if failed && errno != w.Errno.Interrupted {
			return fmt.Errorf("kevent: %w", w.Errno.Error(errno))
		}
		for i := range min(max(n, 0), 2) {
			if e, ok := w.Layout.decode(events[i*w.Layout.Size:]); !failed && ok && e.filter == w.Layout.Read {
				return nil
			}
		}
	}
}

// idle waits where there is nothing to wait for.
func (w *watch) idle(ctx context.Context) error {
	w.mu.Lock()
	if w.ended == nil {
		w.ended = make(chan struct{})
		if w.closed {
			close(w.ended)
		}
	}
	ended := w.ended
	w.mu.Unlock()
	select {
	case <-ended:
		return fs.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *watch) hears() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opened
}

func (w *watch) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// wake lets a wait look around. Where the kernel has no memory for the timer it is tried
// again, for as long as the watch is open: nothing else would end the wait.
func (w *watch) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.opened {
		return
	}
	if err := w.apply(w.waiting, event{ident: wakeUp, filter: w.Layout.Timer, flags: evAdd | evOneShot, data: 1}); err != nil {
		time.AfterFunc(wakeAgain, w.wake)
	}
}

// wakeAgain is the time between two tries to end a wait.
const wakeAgain = 10 * time.Millisecond

// Close implements [platform.Watch]. It waits for who is in the kernel.
func (w *watch) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return fs.ErrClosed
	}
	w.closed = true
	if w.ended != nil {
		close(w.ended)
	}
	w.mu.Unlock()
	w.wake()
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opened {
		w.opened = false
		w.kernel.CloseQueue(w.waiting)
		w.kernel.CloseQueue(w.queue)
	}
	return nil
}
