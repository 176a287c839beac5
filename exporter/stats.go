package exporter

import (
	"sync"
	"time"
)

// Stats is what became of all passes and events so far.
type Stats struct {
	Passes      int64     // passes sent or tried
	Failed      int64     // passes of which something was lost
	Requests    int64     // requests made
	Points      int64     // points that the receiver took
	Lost        int64     // points that never arrived
	Refused     int64     // points that the receiver threw away (partial success)
	Repaired    int64     // strings and attribute sets of metrics that were not valid UTF-8
	Merged      int64     // points that shared scope, metric and attributes with another, and became one with it
	Outages     int64     // times at which passes began to fail
	LastSuccess time.Time // of a whole pass
	LastError   error     // nil after a whole pass

	Events           int64     // events that the receiver took
	EventsWaiting    int64     // events that have not been sent, or are being sent
	EventsDropped    int64     // events that went, oldest first, because too many waited
	EventsLost       int64     // events that no second attempt would have delivered, or that a shutdown left behind
	EventsRefused    int64     // events that the receiver threw away (partial success)
	EventsUntaken    int64     // events thrown away because the receiver takes none at all
	EventsRepaired   int64     // strings of events that were not valid UTF-8
	EventRequests    int64     // requests made
	EventOutages     int64     // times at which requests began to fail
	LastEventSuccess time.Time // of a request with events
	LastEventError   error     // nil after a request with events that arrived
}

// counters is Stats while it grows.
type counters struct {
	mu sync.Mutex
	s  Stats
}

func (c *counters) pass(o outcome, repaired int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Passes++
	c.s.Requests += o.requests
	c.s.Points += o.sent
	c.s.Lost += o.lost
	c.s.Refused += o.refused
	c.s.Repaired = repaired
	c.s.Merged += o.merged
	if o.err != nil && c.s.LastError == nil {
		c.s.Outages++
	}
	c.s.LastError = o.err
	if o.err != nil {
		c.s.Failed++
		return
	}
	c.s.LastSuccess = time.Now()
}

// events counts the outcome of a request.
func (c *counters) events(o eventOutcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.EventRequests += o.requests
	c.s.Events += o.sent
	c.s.EventsLost += o.lost
	c.s.EventsRefused += o.refused
	c.s.EventsUntaken += o.untaken
	if o.err != nil && c.s.LastEventError == nil && o.untaken == 0 {
		c.s.EventOutages++
	}
	if c.s.LastEventError = o.err; o.err == nil {
		c.s.LastEventSuccess = time.Now()
	}
}

func (c *counters) dropped(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.EventsDropped += int64(n)
}

func (c *counters) repaired(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.EventsRepaired += n
}

func (c *counters) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.s
}

// Stats tells what has been sent and lost so far.
func (d *Decorator) Stats() Stats { return d.count.stats() }
