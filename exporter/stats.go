package exporter

import (
	"sync"
	"time"
)

// Stats is what became of all passes so far.
type Stats struct {
	Passes      int64     // passes sent or tried
	Failed      int64     // passes of which something was lost
	Requests    int64     // requests made
	Points      int64     // points that the receiver took
	Lost        int64     // points that never arrived
	Refused     int64     // points that the receiver threw away (partial success)
	Repaired    int64     // strings and attribute sets that were not valid UTF-8
	LastSuccess time.Time // of a whole pass
	LastError   error     // nil after a whole pass
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
	c.s.LastError = o.err
	if o.err != nil {
		c.s.Failed++
		return
	}
	c.s.LastSuccess = time.Now()
}

// Stats tells what has been sent and lost so far.
func (d *Decorator) Stats() Stats {
	d.count.mu.Lock()
	defer d.count.mu.Unlock()
	return d.count.s
}
