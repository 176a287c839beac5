package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// Errors of [Run].
var (
	// ErrRunning is returned by a second Run while the first one waits.
	ErrRunning = errors.New("Run is running already")
	// ErrLeft is returned if a second signal came before the flush was over.
	ErrLeft = errors.New("left at a second signal, before all was delivered")
)

// RunOption changes what [Run] does.
type RunOption interface {
	applyRun(runConfig) runConfig
}

type runConfig struct {
	signals  []os.Signal
	steps    []*Step
	deadline time.Duration
	log      *slog.Logger
}

type runOptionFunc func(runConfig) runConfig

func (f runOptionFunc) applyRun(c runConfig) runConfig { return f(c) }

// WithSignals replaces the signals that [Run] waits for, SIGTERM alone by default.
// A program that a person starts on a terminal adds [os.Interrupt].
func WithSignals(signals ...os.Signal) RunOption {
	return runOptionFunc(func(c runConfig) runConfig {
		c.signals = signals
		return c
	})
}

// WithDeadline sets how long the flush of [Run] may take, [DefaultDeadline] by
// default.
func WithDeadline(d time.Duration) RunOption {
	return runOptionFunc(func(c runConfig) runConfig {
		c.deadline = d
		return c
	})
}

func (o LoggerOption) applyRun(c runConfig) runConfig {
	c.log = o.log
	return c
}

// running is true while a Run waits: signals belong to the process.
var running atomic.Bool

// Run waits for SIGTERM or for the end of ctx, then does the steps of [WithSteps] in
// order and calls flush, each once and with a fresh deadline, and returns which signal
// it was (nil if ctx ended) and what steps and flush returned. [Exporter.Shutdown] is
// such a flush.
//
// It is made for the end of main, together with [Exit]:
//
//	exporter.Exit(exporter.Run(ctx, exp.Shutdown))
//
// A service that ends in its own way needs Run alone: it neither resets handlers nor
// ends the process. What cannot be done is an error at once, without any waiting: no
// flush, a step without a function, a deadline that is not above zero, and a Run while
// another one waits, since signals belong to the process.
//
// Channels that others have registered with [signal.Notify] get the signal too. A
// signal that is ignored when Run begins stays ignored: by [signal.Ignore], and for
// SIGINT and SIGHUP also by whoever started the process (Go takes no notice of
// others that were ignored before it: sigInstallGoHandler in package runtime). A
// second signal makes Run return at once, with [ErrLeft]. When Run returns, it no
// longer catches signals. SIGKILL, SIGSTOP and [os.Exit] cannot be caught by anybody:
// the process ends, or stops, without any flush.
//
// Windows sends no SIGTERM. Go makes one of the closing of the console, of logging off
// and of shutting down, and [os.Interrupt] of CTRL+C and CTRL+BREAK (package os/signal,
// "Windows").
func Run(ctx context.Context, flush func(context.Context) error, opts ...RunOption) (os.Signal, error) {
	c := runConfig{signals: []os.Signal{syscall.SIGTERM}, deadline: DefaultDeadline}
	for _, o := range opts {
		c = o.applyRun(c)
	}
	if err := c.check(flush); err != nil {
		return nil, err
	}
	if !running.CompareAndSwap(false, true) {
		return nil, ErrRunning
	}
	defer running.Store(false)
	signals, stop := c.notify()
	defer stop()
	sig := c.wait(ctx, signals)
	return sig, c.flush(ctx, flush, signals)
}

func (c runConfig) check(flush func(context.Context) error) error {
	switch {
	case flush == nil:
		return errors.New("Run has nothing to flush")
	case c.deadline <= 0:
		return fmt.Errorf("deadline %v is not above zero", c.deadline)
	}
	return checkSteps(c.steps)
}

// notify subscribes to those signals that are not ignored. None at all would mean
// every signal to signal.Notify.
func (c runConfig) notify() (<-chan os.Signal, func()) {
	ch := make(chan os.Signal, 2)
	for _, s := range c.signals {
		if !signal.Ignored(s) {
			signal.Notify(ch, s)
		}
	}
	return ch, func() { signal.Stop(ch) }
}

func (c runConfig) wait(ctx context.Context, signals <-chan os.Signal) os.Signal {
	select {
	case sig := <-signals:
		if c.log != nil {
			c.log.Info(fmt.Sprintf("signal %v received by process with PID %d", sig, os.Getpid()))
		}
		return sig
	case <-ctx.Done():
		return nil
	}
}

// flush calls f and waits for it, for the deadline, or for one signal more. ctx
// gives its values only: it may be over.
func (c runConfig) flush(ctx context.Context, f func(context.Context) error, signals <-chan os.Signal) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.deadline)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.end(ctx, f) }()
	select {
	case err := <-done:
		return err
	case <-signals:
		return ErrLeft
	case <-ctx.Done():
		return last(done, ctx)
	}
}

// end does what is to be done, in order. A step that fails keeps nobody from flushing.
func (c runConfig) end(ctx context.Context, f func(context.Context) error) error {
	err := doSteps(ctx, distinctSteps(c.steps))
	flushed := f(ctx)
	if err == nil {
		return flushed
	}
	return errors.Join(err, flushed)
}

// last prefers the answer that came with the deadline to the deadline itself.
func last(done <-chan error, ctx context.Context) error {
	grace := time.NewTimer(100 * time.Millisecond)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		return fmt.Errorf("flush: %w", ctx.Err())
	}
}
