package exporter

import (
	"sync"
	"time"
)

// Bounds of the events that wait for a receiver that does not answer.
const (
	// DefaultEvents is the most events that wait if neither [WithEventQueue] nor
	// OTEL_BLRP_MAX_QUEUE_SIZE says otherwise: those of ten minutes at 160 a second.
	DefaultEvents = 100_000
	// DefaultEventBytes is the most memory that they take if [WithEventQueue] does
	// not say otherwise. An event with three attributes took 220 bytes, one with ten
	// 560, of which 59,000 fit: those of ten minutes at 98 a second (2026-11-23; the
	// heap grew by 2 to 12 % less).
	DefaultEventBytes = 32 << 20
	// recordOverhead is what a record takes beside its encoding: two pointers, a
	// length and a capacity, and what the allocator rounds up.
	recordOverhead = 64
)

// queueBounds is what a queue holds at most, and how many events need not wait for
// others.
type queueBounds struct{ events, bytes, batch int }

// queue holds events in the order in which they came, up to a number and an amount
// of memory. What is too much goes at the old end: after a long outage the newest
// events say most of how things are.
type queue struct {
	most, mostBytes int
	count           *counters

	mu      sync.Mutex
	records []record
	bytes   int // of the records
	taken   int // by the sender, and not settled
	held    int // bytes of those
	added   uint64
	settled uint64 // delivered, or given up
	dropped int    // since the last overflown
	closed  bool
	changed chan struct{} // closed at any change
}

func newQueue(most, mostBytes int, count *counters) *queue {
	return &queue{most: most, mostBytes: mostBytes, count: count, changed: make(chan struct{})}
}

func (r record) size() int { return len(r.bytes) + recordOverhead }

// add takes one more record, and drops what is then too much. It never waits.
func (q *queue) add(r record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.records = append(q.records, r)
	q.bytes += r.size()
	q.added++
	dropped := 0
	for len(q.records) > 0 && (len(q.records)+q.taken > q.most || q.bytes+q.held > q.mostBytes) {
		q.forget(1)
		dropped++
	}
	q.settled += uint64(dropped)
	q.dropped += dropped
	q.count.dropped(dropped)
	q.tell()
}

// overflown returns how many records were dropped since it was last asked.
func (q *queue) overflown() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.dropped
	q.dropped = 0
	return int64(n)
}

// forget takes n records off the old end.
func (q *queue) forget(n int) {
	for i := range n {
		q.bytes -= q.records[i].size()
		q.records[i] = record{}
	}
	if q.records = q.records[n:]; len(q.records) == 0 {
		q.records = nil
	}
}

func (q *queue) tell() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// take hands out the n oldest records, which still count until they are settled.
func (q *queue) take(n int) []record {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.records))
	batch := append([]record(nil), q.records[:n]...)
	before := q.bytes
	q.forget(n)
	q.taken += n
	q.held += before - q.bytes
	return batch
}

// settle forgets records that were handed out.
func (q *queue) settle(batch []record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range batch {
		q.held -= r.size()
	}
	q.taken -= len(batch)
	q.settled += uint64(len(batch))
	q.tell()
}

// clear drops all that waits and returns how many records that were.
func (q *queue) clear() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.records)
	q.forget(n)
	q.settled += uint64(n)
	q.tell()
	return n
}

// close lets nothing more in.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.tell()
}

// level is how full the queue is.
type level struct {
	waiting int // not handed out
	all     int
	added   uint64
	settled uint64
	closed  bool
	changed <-chan struct{}
}

func (q *queue) level() level {
	q.mu.Lock()
	defer q.mu.Unlock()
	return level{len(q.records), len(q.records) + q.taken, q.added, q.settled, q.closed, q.changed}
}

// wait returns when enough records wait, when the first of them has waited for
// delay, or when somebody hurries; false when the queue is closed and empty.
func (q *queue) wait(enough int, delay time.Duration, hurry <-chan struct{}) bool {
	var due <-chan time.Time
	for {
		l := q.level()
		switch {
		case l.closed:
			return l.waiting > 0
		case l.waiting >= enough:
			return true
		case l.waiting > 0 && due == nil:
			timer := time.NewTimer(delay)
			defer timer.Stop()
			due = timer.C
		}
		select {
		case <-l.changed:
		case <-due:
			return true
		case <-hurry:
			if q.level().waiting > 0 {
				return true
			}
		}
	}
}
