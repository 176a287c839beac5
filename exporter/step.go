package exporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Step is work for the end of a process, such as closing a database. It is done once,
// whatever the paths that lead to the end: by [Run], which is given it by
// [WithSteps], by a deferred [Step.Do], or by both. Make one with [NewStep].
type Step struct {
	name string
	f    func(context.Context) error
	once sync.Once
	err  error
}

// NewStep returns a step. The name is what an error is known by.
func NewStep(name string, f func(context.Context) error) *Step {
	return &Step{name: name, f: f}
}

// Do does the step, or waits until it is done, and returns what came of it.
func (s *Step) Do(ctx context.Context) error {
	s.once.Do(func() {
		if err := s.f(ctx); err != nil {
			s.err = fmt.Errorf("%s: %w", s.name, err)
		}
	})
	return s.err
}

// WithSteps lets [Run] do steps, one after the other and in this order, before it
// flushes, so that what they measure is still sent. A step that is named twice is
// done once. Each has an equal part of the time that is left, and so has the flush: a
// step that takes longer is left behind, and told.
func WithSteps(steps ...*Step) RunOption {
	return runOptionFunc(func(c runConfig) runConfig {
		c.steps = append(c.steps, steps...)
		return c
	})
}

// checkSteps refuses what could not be done later.
func checkSteps(steps []*Step) error {
	for i, s := range steps {
		if s == nil || s.f == nil {
			return fmt.Errorf("step %d has nothing to do", i+1)
		}
	}
	return nil
}

// distinctSteps leaves the first of those that are named twice.
func distinctSteps(steps []*Step) []*Step {
	seen := make(map[*Step]bool)
	var distinct []*Step
	for _, s := range steps {
		if !seen[s] {
			seen[s] = true
			distinct = append(distinct, s)
		}
	}
	return distinct
}

// doSteps does steps in order; each has its part of the time of ctx.
func doSteps(ctx context.Context, steps []*Step) error {
	var errs []error
	for i, s := range steps {
		part, cancel := withPart(ctx, time.Duration(len(steps)-i+1))
		errs = append(errs, s.doWithin(part))
		cancel()
	}
	return errors.Join(errs...)
}

// doWithin returns at the end of ctx at the latest.
func (s *Step) doWithin(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.Do(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s: left behind: %w", s.name, ctx.Err())
	}
}
