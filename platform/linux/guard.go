package linux

import (
	"context"
	"os"
	"sync"
	"time"
)

// crowd bounds the goroutines of a guard, those included that wait for a kernel
// that does not answer: each of them may hold a thread, and the runtime ends a
// program with more than 10000 (runtime/debug.SetMaxThreads).
const crowd = 256

// stages divide the budget: at the end of each, if questions are still open, twice
// as many goroutines ask. After half of the stages the whole crowd is under way.
const stages = 16

// guard asks the kernel what it may never answer: the space of a file system
// whose server is gone, the frequency of a CPU whose driver hangs. All questions
// of a pass share one budget. As long as they are answered they are asked one by
// one, since parallel readers bring some drivers down (issue 2500 of Prometheus
// node_exporter). A question without an answer keeps its goroutine, is left alone
// while that waits, and costs later passes nothing.
type guard struct {
	budget time.Duration
	timer  *time.Timer
	worker func()        // guard.work, bound once so that starting it does not allocate
	done   chan struct{} // tells that no question is open

	mu     sync.Mutex
	queue  []*question
	open   int // questions of this round without an answer
	round  uint64
	asking int // goroutines started in this round
	alive  int // goroutines, those of earlier rounds included
}

// question is one thing to ask, over and over. What ask writes belongs to the
// goroutine until answer has returned nil, and again from the next guard.ask on.
type question struct {
	ask func() error // must not touch what is lent to the reader

	busy     bool // queued or asked; under guard.mu
	answered bool // within the round
	err      error
}

func newGuard(budget time.Duration) *guard {
	if budget <= 0 {
		budget = defaultBudget
	}
	g := &guard{budget: budget, done: make(chan struct{}, 1)}
	g.worker = g.work
	return g
}

// ask puts a question into the round, unless its last asker still waits.
func (g *guard) ask(q *question) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q.answered = false
	if q.busy {
		return
	}
	q.busy = true
	g.queue = append(g.queue, q)
	g.open++
}

// idle reports whether nobody asks a question, so that what it is about may change.
func (g *guard) idle(q *question) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !q.busy
}

// start begins to ask what was put into the round. Each further call doubles the
// goroutines that ask.
func (g *guard) start() {
	g.mu.Lock()
	n := min(max(g.asking, 1), len(g.queue), crowd-g.alive)
	g.asking += n
	g.alive += n
	g.mu.Unlock()
	for range n {
		go g.worker()
	}
}

// work asks until nothing is left to ask.
func (g *guard) work() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.queue) > 0 {
		last := len(g.queue) - 1
		q := g.queue[last]
		g.queue = g.queue[:last]
		round := g.round
		g.mu.Unlock()
		err := q.ask()
		g.mu.Lock()
		g.finish(q, round, err)
	}
	g.alive--
}

// finish takes an answer, or throws it away if its round is over.
func (g *guard) finish(q *question, round uint64, err error) {
	q.busy = false
	if g.round != round {
		return
	}
	q.answered, q.err = true, err
	g.open--
	if g.open == 0 {
		g.signal()
	}
}

// signal wakes await. A signal that nobody has taken yet is enough.
func (g *guard) signal() {
	select {
	case g.done <- struct{}{}:
	default:
	}
}

// wait returns when every question of the round is answered, the budget is spent
// or ctx ends, and closes the round.
func (g *guard) wait(ctx context.Context) {
	if !g.settled() {
		g.await(ctx)
	}
	g.end()
}

// end closes the round: what was not answered by now is not answered in it.
func (g *guard) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, q := range g.queue {
		q.busy = false
		g.queue[i] = nil
	}
	g.queue = g.queue[:0]
	g.open, g.asking = 0, 0
	g.round++
}

// settled reports whether no question of the round is open.
func (g *guard) settled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open == 0
}

// await waits for the end of the round, stage by stage.
func (g *guard) await(ctx context.Context) {
	for range stages {
		if g.stage(ctx) {
			return
		}
		g.start()
	}
}

// stage waits for a part of the budget, and reports whether the round is over.
func (g *guard) stage(ctx context.Context) bool {
	if g.timer == nil {
		g.timer = time.NewTimer(g.budget / stages)
	} else {
		g.timer.Reset(g.budget / stages)
	}
	defer g.timer.Stop()
	for {
		select {
		case <-g.done: // may be left over from before the last question was put
			if g.settled() {
				return true
			}
		case <-g.timer.C:
			return false
		case <-ctx.Done():
			return true
		}
	}
}

// answer returns nil if what the question was for is there, the kernel's error,
// or [os.ErrDeadlineExceeded]. It is called between wait and the next ask.
func (q *question) answer() error {
	if !q.answered {
		return os.ErrDeadlineExceeded
	}
	return q.err
}
