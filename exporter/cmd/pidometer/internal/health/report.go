// Package health tells over HTTP how the sidecar does: /healthz whether it reads, and
// /readyz whether it delivers. Both answer with the same report.
package health

import (
	"time"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
)

// Report is the body of an answer.
type Report struct {
	Status   string   `json:"status"` // ok or failing, of the path that was asked
	Reasons  []string `json:"reasons,omitempty"`
	Version  string   `json:"version"`
	Pass     Pass     `json:"pass"`
	Sources  []Source `json:"sources"`
	Exporter Exporter `json:"exporter"`
}

// Pass is the last pass.
type Pass struct {
	Count   uint64     `json:"count"`
	Time    *time.Time `json:"time,omitempty"` // absent before the first
	Seconds float64    `json:"seconds"`
	Whole   bool       `json:"whole"`
}

// Source is one source of the kernel in the last pass: ok, partial, which is to be
// expected and healthy, or failing.
type Source struct {
	Name   string            `json:"name"`
	State  string            `json:"state"`
	Missed map[string]uint32 `json:"missed,omitempty"` // entities, by reason
}

// Exporter is what becomes of the passes: starting before the first delivery, then ok
// or failing, and idle where nothing is to be sent.
type Exporter struct {
	State       string     `json:"state"`
	Endpoint    string     `json:"endpoint"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
	Error       string     `json:"error,omitempty"`
	Points      Delivery   `json:"points"`
	Events      Delivery   `json:"events"`
	EventError  string     `json:"event_error,omitempty"` // no reason to be not ready: metrics go their own way
}

// Delivery counts what became of points or events so far.
type Delivery struct {
	Delivered int64 `json:"delivered"`
	Lost      int64 `json:"lost"`
	Refused   int64 `json:"refused"`
	Waiting   int64 `json:"waiting"`
}

// Subject is whose health it is.
type Subject struct {
	Health   func() instrumentation.Health
	Stats    func() exporter.Stats
	Endpoint string
	Idle     bool
	Overdue  time.Duration // after which a pass is missed
	Begun    time.Time
}

// Read makes the report for /healthz: it fails if passes have ceased or do not get to
// their end, and for a source that fails. A process that belongs to somebody else, a
// receiver that is down: neither is mended by starting this program anew.
func (s *Subject) Read() Report {
	r := s.report()
	if s.Idle {
		return r.judged(nil)
	}
	var reasons []string
	last := s.Begun
	if r.Pass.Time != nil {
		last = *r.Pass.Time
	}
	if late := time.Since(last); late > s.Overdue {
		reasons = append(reasons, "no pass for "+late.Round(time.Second).String())
	}
	if r.Pass.Count > 0 && !r.Pass.Whole {
		reasons = append(reasons, "the last pass did not get to its end")
	}
	for _, source := range r.Sources {
		if source.State == instrumentation.Failing.String() {
			reasons = append(reasons, source.Name+" is failing")
		}
	}
	return r.judged(reasons)
}

// Deliver makes the report for /readyz: it fails before the first delivery and while
// deliveries fail.
func (s *Subject) Deliver() Report {
	r := s.report()
	switch r.Exporter.State {
	case starting:
		return r.judged([]string{"nothing has been delivered so far"})
	case failing:
		return r.judged([]string{"the last delivery failed"})
	}
	return r.judged(nil)
}

// The states of a report and of the exporter.
const (
	fine     = "ok"
	failing  = "failing"
	starting = "starting"
	idle     = "idle"
)

func (r Report) judged(reasons []string) Report {
	r.Status, r.Reasons = fine, reasons
	if len(reasons) > 0 {
		r.Status = failing
	}
	return r
}

func (s *Subject) report() Report {
	h := s.Health()
	r := Report{Version: instrumentation.Version, Exporter: s.exporter(), Sources: []Source{},
		Pass: Pass{Count: h.Passes, Time: known(h.At), Seconds: h.Took.Seconds(), Whole: h.Passes > 0 && !h.Cut}}
	for _, source := range h.Sources {
		r.Sources = append(r.Sources, Source{source.Name, source.State.String(), source.Missed})
	}
	return r
}

func (s *Subject) exporter() Exporter {
	stats := s.Stats()
	e := Exporter{State: fine, Endpoint: s.Endpoint, LastSuccess: known(stats.LastSuccess),
		Points: Delivery{Delivered: stats.Points, Lost: stats.Lost, Refused: stats.Refused},
		Events: Delivery{Delivered: stats.Events, Lost: stats.EventsDropped + stats.EventsLost + stats.EventsUntaken,
			Refused: stats.EventsRefused, Waiting: stats.EventsWaiting}}
	switch {
	case s.Idle:
		e.State = idle
	case stats.LastError != nil:
		e.State, e.Error = failing, stats.LastError.Error()
	case stats.LastSuccess.IsZero():
		e.State = starting
	}
	if stats.LastEventError != nil {
		e.EventError = stats.LastEventError.Error()
	}
	return e
}

// known is nil for no time at all.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
