package exporter

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"
)

func TestRunTwice(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	waiting := &blocker{Context: ctx, waits: make(chan struct{})}
	first := make(chan error)
	calls := 0
	go func() {
		_, err := Run(waiting, func(context.Context) error { calls++; return io.ErrUnexpectedEOF })
		first <- err
	}()
	<-waiting.waits
	if _, err := Run(ctx, func(context.Context) error { calls += 10; return nil }); !errors.Is(err, ErrRunning) {
		t.Error(err)
	}
	cancel()
	if err := <-first; err != io.ErrUnexpectedEOF || calls != 1 {
		t.Errorf("%v, %d calls", err, calls)
	}
	if sig, err := Run(ctx, func(context.Context) error { return nil }); sig != nil || err != nil {
		t.Errorf("the next Run: %v, %v", sig, err)
	}
}

// blocker closes a channel when somebody waits for it.
type blocker struct {
	context.Context
	waits chan struct{}
	once  sync.Once
}

func (b *blocker) Done() <-chan struct{} {
	b.once.Do(func() { close(b.waits) })
	return b.Context.Done()
}

func TestRunChecks(t *testing.T) {
	if _, err := Run(t.Context(), nil); err == nil {
		t.Error("nothing to flush is taken")
	}
	if _, err := Run(t.Context(), func(context.Context) error { return nil }, WithDeadline(0)); err == nil {
		t.Error("no deadline is taken")
	}
}

func TestRunDeadline(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Run(over, func(ctx context.Context) error {
		if ctx.Err() != nil {
			t.Error("the deadline is not fresh")
		}
		<-ctx.Done()
		return ctx.Err()
	}, WithDeadline(20*time.Millisecond))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
