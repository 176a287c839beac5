package solaris

import (
	"context"
	"errors"
	"time"
)

// defaultBudget is how long a file system may take to answer, unless an option says so.
const defaultBudget = time.Second

// errStuck says that a file system has not answered within its budget.
var errStuck = errors.New("no answer within the budget")

// answer is what statvfs(2) said.
type answer struct {
	v   [7]uint64
	err error
}

// usageOf asks a file system what is used of it, and waits no longer than the budget. One
// that does not answer keeps its goroutine, and none is asked until it has: a pool that is
// suspended costs one budget, and one thread.
func (p *pass) usageOf(point string) ([7]uint64, error) {
	if p.parked != nil {
		select {
		case <-p.parked:
			p.parked = nil
		default:
			return [7]uint64{}, errStuck
		}
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.budget)
	defer cancel()
	got, kernel := make(chan answer, 1), p.kernel
	go func() {
		v, err := kernel.Usage(point)
		got <- answer{v, err}
	}()
	select {
	case a := <-got:
		return a.v, a.err
	case <-ctx.Done():
		p.parked = got
		return [7]uint64{}, errStuck
	}
}
