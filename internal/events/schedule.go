package events

import (
	"container/heap"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/semconv"
)

const (
	// statesPerMinute is the most entity.state in any minute.
	statesPerMinute = 1000
	// burst of them may come at once; the others flow. Both together make a minute's.
	burst = statesPerMinute / 4
	flow  = statesPerMinute - burst
)

// schedule is the processes by when their next entity.state is due.
type schedule struct {
	interval time.Duration
	due      byDue
	budget   float64   // how many may be sent now
	at       time.Time // when that was so
}

// byDue is a heap.
type byDue []*life

func (d byDue) Len() int           { return len(d) }
func (d byDue) Less(i, j int) bool { return d[i].due.Before(d[j].due) }
func (d byDue) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i+1, j+1
}

func (d *byDue) Push(x any) {
	l := x.(*life)
	*d = append(*d, l)
	l.place = len(*d)
}

func (d *byDue) Pop() any {
	old := *d
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	l.place = 0
	return l
}

// now makes a process due.
func (s *schedule) now(l *life) { s.set(l, time.Time{}) }

func (s *schedule) set(l *life, due time.Time) {
	l.due = due
	if l.place > 0 {
		heap.Fix(&s.due, l.place-1)
		return
	}
	heap.Push(&s.due, l)
}

func (s *schedule) remove(l *life) {
	if l.place > 0 {
		heap.Remove(&s.due, l.place-1)
	}
}

// refill grows the budget with the time.
func (s *schedule) refill(now time.Time) {
	if s.at.IsZero() {
		s.budget = burst
	} else {
		s.budget = min(burst, s.budget+now.Sub(s.at).Minutes()*flow)
	}
	s.at = now
}

// next returns a process whose state is due and may be sent.
func (s *schedule) next(now time.Time) *life {
	if s.budget < 1 || len(s.due) == 0 || s.due[0].due.After(now) {
		return nil
	}
	s.budget--
	return s.due[0]
}

// period is the time after which every process has been reported: the interval, or
// what the budget allows so many.
func (s *schedule) period() time.Duration {
	need := time.Duration(len(s.due)) * time.Minute / flow
	if need <= s.interval {
		return s.interval
	}
	return need + need/8
}

// again sets the time of the next state. The second one comes somewhere within the
// interval, by the process's identity, so that they do not all come at once for ever;
// where the budget spreads them, they keep their order.
func (s *schedule) again(l *life, now time.Time) {
	next := s.interval
	if !l.entity && s.period() == s.interval {
		next = s.interval / 16 * time.Duration(1+(l.key.ID*7+l.key.Start)%16)
	}
	s.set(l, now.Add(next))
}

// report sends the states that are due.
func (e *Engine) report(now time.Time) {
	s := &e.schedule
	s.refill(now)
	for l := s.next(now); l != nil; l = s.next(now) {
		s.again(l, now)
		l.entity = true
		e.put(semconv.EventEntityState, now, false, item{complete: e.describer(l, true), attrs: []attribute.KeyValue{
			semconv.EntityType.String("process"), {Key: semconv.EntityID, Value: l.subject().EntityIDOf()},
			semconv.EntityReportInterval.Int64(int64(s.period().Seconds()))}})
	}
}
