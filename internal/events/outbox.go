package events

import (
	"context"
	"maps"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	"github.com/pidometer/pidometer/semconv"
)

const (
	// perSecond is how many events of one name are sent in a second; what a fork bomb
	// costs is bounded by it.
	perSecond = 1000
	// roomFor is how many events may wait to be handed to a LoggerProvider that is slow.
	roomFor = 8192
	// silence is the least time between two events that tell of limited ones, unless a
	// pass comes between.
	silence = 10 * time.Second
)

// item is an event that waits. complete, if not nil, adds what is read at the last
// moment, outside of all locks.
type item struct {
	event    string
	at       time.Time
	severity semconv.Severity
	attrs    []attribute.KeyValue
	complete func([]attribute.KeyValue) []attribute.KeyValue
}

// outbox hands events over in order, from one goroutine: a LoggerProvider may take
// its time.
type outbox struct {
	logger log.Logger
	now    func() time.Time

	mu      sync.Mutex
	items   []item
	busy    bool
	closed  bool
	ready   chan struct{} // has an element while there may be something to do
	idle    chan struct{} // closed when all is handed over; nil while nobody waits
	second  time.Time
	sent    map[string]int       // in this second
	excess  map[string]int       // since it was last told
	toldAt  map[string]time.Time // of the excess
	emitted map[string]uint64
	limited map[string]uint64
	panics  uint64
}

func newOutbox(logger log.Logger, now func() time.Time) *outbox {
	return &outbox{logger: logger, now: now, ready: make(chan struct{}, 1), sent: map[string]int{},
		excess: map[string]int{}, toldAt: map[string]time.Time{}, emitted: map[string]uint64{}, limited: map[string]uint64{}}
}

// put adds an event, unless there were too many of its name in this second, or too
// many wait.
func (o *outbox) put(i item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	o.tellExcess(now)
	if now.Sub(o.second) >= time.Second || now.Before(o.second) {
		o.second = now
		clear(o.sent)
	}
	if o.sent[i.event] >= perSecond || len(o.items) >= roomFor {
		o.limited[i.event]++
		o.excess[i.event]++
		return
	}
	o.sent[i.event]++
	o.append(i)
}

func (o *outbox) append(i item) {
	if o.closed {
		return
	}
	o.items = append(o.items, i)
	o.wake()
}

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// tellExcess tells of what was not sent before this second.
func (o *outbox) tellExcess(now time.Time) {
	if len(o.excess) == 0 {
		return
	}
	for name, n := range o.excess {
		if now.Sub(o.toldAt[name]) < silence {
			continue
		}
		o.toldAt[name] = now
		delete(o.excess, name)
		o.append(item{event: semconv.EventLimited, at: now, severity: semconv.Warn,
			attrs: []attribute.KeyValue{semconv.LimitedEvent.String(name), semconv.LimitedCount.Int(n)}})
	}
}

// run hands over until close.
func (o *outbox) run() {
	for range o.ready {
		for {
			batch, more := o.take()
			for _, i := range batch {
				o.emit(i)
			}
			if !more {
				break
			}
		}
	}
}

// take returns what waits, and whether there was anything.
func (o *outbox) take() (batch []item, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch, o.items = o.items, nil
	o.busy = len(batch) > 0
	if !o.busy && o.idle != nil {
		close(o.idle)
		o.idle = nil
	}
	return batch, o.busy
}

// emit hands one event over. A panic of the provider is its own fault and ends nobody.
func (o *outbox) emit(i item) {
	defer o.count(i.event)
	if i.complete != nil {
		i.attrs = i.complete(i.attrs)
	}
	var r log.Record
	r.SetEventName(i.event)
	r.SetTimestamp(i.at)
	r.SetSeverity(log.Severity(i.severity))
	r.AddAttributes(i.attrs...)
	o.logger.Emit(context.Background(), r)
}

func (o *outbox) count(event string) {
	p := recover()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.emitted[event]++
	if p != nil {
		o.panics++
	}
}

// settle waits until everything is handed over, or for d.
func (o *outbox) settle(d time.Duration) {
	o.mu.Lock()
	if len(o.items) == 0 && !o.busy {
		o.mu.Unlock()
		return
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
	}
	idle := o.idle
	o.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// flushExcess tells of all that was not sent, however lately it was told before.
func (o *outbox) flushExcess() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.toldAt)
	o.tellExcess(o.now())
}

// close ends run. Nothing may be put any more.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		close(o.ready)
	}
}

// counts returns how many events of each name were handed over, and how many were not.
func (o *outbox) counts() (emitted, limited map[string]uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.emitted), maps.Clone(o.limited)
}
