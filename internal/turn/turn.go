// Package turn lets those who look at a kernel take turns: passes, and what has to wait
// for one. Whoever waits can give up, which a mutex does not allow.
package turn

import (
	"context"
	"io/fs"
	"sync/atomic"
)

// Turn is had by one at a time, and by nobody after its end.
type Turn struct {
	held chan struct{} // full while somebody has it
	over atomic.Bool
}

// New returns a turn that nobody has.
func New() *Turn { return &Turn{held: make(chan struct{}, 1)} }

// Take waits for the turn. The error is the context's if that ends first, and
// [fs.ErrClosed] after the end. Whoever takes it has to give it back.
func (t *Turn) Take(ctx context.Context) error {
	select {
	case t.held <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.over.Load() {
		t.Give()
		return fs.ErrClosed
	}
	return nil
}

// Give gives the turn back.
func (t *Turn) Give() { <-t.held }

// End waits for whoever has the turn, and calls last before anybody else could take
// it. Nobody takes it afterwards.
func (t *Turn) End(last func() error) error {
	t.held <- struct{}{}
	defer t.Give()
	t.over.Store(true)
	return last()
}

// Ended reports whether the turn has ended.
func (t *Turn) Ended() bool { return t.over.Load() }
