package exporter

import (
	"context"
	"errors"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	wire "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"go.opentelemetry.io/otel/sdk/resource"
)

// pace is how long the sender of events waits, and for what.
type pace struct {
	delay time.Duration // for more events, after the first
	first time.Duration // after a failed request; twice as long after each further one,
	last  time.Duration // up to this
	probe time.Duration // before a receiver that takes no events is asked again
}

// defaultPace leaves the delay to the environment.
var defaultPace = pace{first: firstRetry, last: lastRetry, probe: time.Minute}

// sender delivers the events of a queue, in order and one request at a time. What
// cannot be delivered waits, except for what no receiver would take.
type sender struct {
	queue    *queue
	carrier  carrier
	resource *wire.Resource
	schema   string
	base     int // bytes of an empty request
	pace     pace
	timeout  time.Duration // of one request
	enough   int           // events that need not wait for more
	tell     *teller
	count    *counters

	batch   []record // taken from the queue
	most    int      // events in one request; less after one that was too large
	backoff time.Duration
	hurry   chan struct{} // holds one token when somebody waits for the sender
	done    chan struct{}

	mu     sync.Mutex
	ctx    context.Context // of requests
	abort  context.CancelFunc
	ending bool   // ctx is that of the shutdown
	begun  uint64 // requests
	failed uint64 // the last request that failed,
	why    error  // and why
	cut    bool   // the last request was cut off by the shutdown
}

func newSender(c config, carrier carrier, timeout time.Duration, res *resource.Resource, tell *teller, count *counters) *sender {
	var f fixer
	s := &sender{
		queue: newQueue(c.queue.events, c.queue.bytes, count), carrier: carrier, tell: tell, count: count,
		resource: &wire.Resource{Attributes: f.attrs(res.Attributes())}, schema: f.string(res.SchemaURL()),
		pace: c.pace, timeout: timeout, enough: c.queue.batch, most: c.queue.batch,
		hurry: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.base = message(message(proto.Size(s.resource))+message(len(s.schema))) + number
	s.ctx, s.abort = context.WithCancel(context.Background())
	go s.run()
	return s
}

func (s *sender) run() {
	defer close(s.done)
	for s.queue.wait(s.enough, s.pace.delay, s.hurry) {
		s.batch = s.queue.take(s.enough)
		s.deliver()
		if s.over() {
			return
		}
	}
}

// deliver sends the batch until it is settled, or until a shutdown has no time left.
func (s *sender) deliver() {
	for len(s.batch) > 0 && !s.over() {
		n := s.fit()
		taken, err := s.request(s.batch[:n])
		s.settle(n, taken, err)
	}
}

// fit returns how many records of the batch go into one request.
func (s *sender) fit() int {
	bytes := s.base
	var inside *scope
	for i, r := range s.batch[:min(s.most, len(s.batch))] {
		if r.scope != inside {
			inside = r.scope
			bytes += inside.bytes
		}
		if bytes += len(r.bytes); bytes > maxRequest && i > 0 {
			return i
		}
	}
	return min(s.most, len(s.batch))
}

// compose makes the request that holds records, in their order.
func (s *sender) compose(records []record) *collector.ExportLogsServiceRequest {
	all := &logs.ResourceLogs{Resource: s.resource, SchemaUrl: s.schema}
	for i := 0; i < len(records); {
		inside := records[i].scope
		var encoded []byte
		for ; i < len(records) && records[i].scope == inside; i++ {
			encoded = append(encoded, records[i].bytes...)
		}
		part := &logs.ScopeLogs{Scope: (*common.InstrumentationScope)(inside.wire), SchemaUrl: inside.url}
		part.ProtoReflect().SetUnknown(encoded) // is sent as it is
		all.ScopeLogs = append(all.ScopeLogs, part)
	}
	return &collector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{all}}
}

// request sends records once.
func (s *sender) request(records []record) (*collector.ExportLogsServiceResponse, error) {
	parent := s.begin()
	ctx := parent
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(parent, s.timeout)
		defer cancel()
	}
	taken, err := s.carrier.carry(ctx, s.compose(records))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = err != nil && parent != s.ctx && parent.Err() != nil
	return taken, err
}

func (s *sender) begin() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	return s.ctx
}

// fail notes the failure of the last request, if it is one, for those who wait.
func (s *sender) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed, s.why = s.begun, err
	}
}

// over reports whether a shutdown has used up its time.
func (s *sender) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending && s.ctx.Err() != nil
}

// settle decides what becomes of the first n records of the batch after a request.
func (s *sender) settle(n int, taken *collector.ExportLogsServiceResponse, err error) {
	verdict, pause := judge(err)
	if verdict == smaller {
		verdict = s.shrink(n)
	}
	o := eventOutcome{requests: 1, err: err, dropped: s.queue.overflown()}
	switch verdict {
	case arrived:
		o.refused = taken.GetPartialSuccess().GetRejectedLogRecords()
		o.notice = taken.GetPartialSuccess().GetErrorMessage()
		o.sent = int64(n) - o.refused
	case hopeless:
		o.lost = int64(n)
	case untaken:
		o.untaken = int64(len(s.batch) + s.queue.clear())
		n = len(s.batch)
	case smaller, later:
		n = 0
	}
	s.count.events(o)
	if verdict != smaller && !s.cut {
		s.tell.events(o)
		s.fail(err)
	}
	s.finish(n)
	s.rest(verdict, pause)
}

// finish settles the first n records of the batch.
func (s *sender) finish(n int) {
	settled := s.batch[:n]
	s.batch = s.batch[n:]
	s.queue.settle(settled)
}

// leastRefusal is the size below which no receiver says in earnest that a record is
// too large: then ResourceExhausted speaks of its load.
const leastRefusal = 4096

// shrink halves what is sent at once. Of a single record it says what becomes of it.
func (s *sender) shrink(n int) verdict {
	switch {
	case n > 1:
		s.most = (n + 1) / 2
		return smaller
	case len(s.batch[0].bytes) > leastRefusal:
		return hopeless
	}
	s.most = s.enough
	return later
}

// rest waits as long as the outcome of a request asks for.
func (s *sender) rest(v verdict, pause time.Duration) {
	switch {
	case s.cut:
	case v == later:
		s.backoff = min(max(2*s.backoff, s.pace.first), s.pace.last)
		s.sleep(max(s.backoff, pause), pause == 0)
	case v == untaken:
		s.backoff = 0
		s.sleep(s.pace.probe, false)
	default:
		s.backoff = 0
	}
}

// sleep returns early when somebody hurries and, unless the receiver has asked to be
// left alone, when a connection that was lost is there again.
func (s *sender) sleep(d time.Duration, wake bool) {
	s.mu.Lock()
	ctx := s.ctx
	if s.ending {
		d = min(d, s.pace.first)
	}
	idle := s.ending && len(s.batch) == 0
	s.mu.Unlock()
	if idle {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var connected <-chan struct{}
	if wake {
		connected = s.carrier.connected(ctx)
	}
	select {
	case <-s.hurry:
	case <-connected:
	case <-ctx.Done():
	}
}

// push makes the sender go on at once.
func (s *sender) push() {
	select {
	case s.hurry <- struct{}{}:
	default:
	}
}

// flush waits until everything that is in the queue now is settled, or a request
// that began after now has failed.
func (s *sender) flush(ctx context.Context) error {
	s.mu.Lock()
	begun := s.begun
	s.mu.Unlock()
	target := s.queue.level().added
	for {
		l := s.queue.level()
		if l.settled >= target {
			return nil
		}
		s.push()
		if err := s.failedSince(begun); err != nil {
			return err
		}
		select {
		case <-l.changed:
		case <-s.done:
			return errors.New("the exporter is shut down")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *sender) failedSince(n uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed > n {
		return s.why
	}
	return nil
}

// drain begins the end, once: requests have until the end of ctx, and short pauses
// between them. The one that runs is soon over if the receiver answers; if not, a
// quarter of the time is enough for it.
func (s *sender) drain(ctx context.Context) {
	s.mu.Lock()
	if s.ending {
		s.mu.Unlock()
		return
	}
	old := s.abort
	s.ctx, s.abort = context.WithCancel(ctx)
	s.ending = true
	s.mu.Unlock()
	s.push()
	quarter, cancel := withPart(ctx, 4)
	go func() {
		defer cancel()
		defer old()
		select {
		case <-quarter.Done():
		case <-s.done:
		}
	}()
}

// shutdown delivers what is left, and returns what could not be delivered.
func (s *sender) shutdown(ctx context.Context) error {
	s.drain(ctx)
	s.queue.close()
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	s.mu.Lock()
	abort := s.abort
	s.mu.Unlock()
	abort()
	<-s.done
	err := s.carrier.close()
	left := len(s.batch) + s.queue.clear()
	s.finish(len(s.batch))
	if left > 0 {
		o := eventOutcome{lost: int64(left), err: &leftError{left, s.why}, dropped: s.queue.overflown()}
		s.count.events(o)
		s.tell.events(o)
		err = errors.Join(o.err, err)
	}
	return err
}
