package main_test

import (
	"flag"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/pidometer/pidometer/internal/otlptest"
)

var churnTime = flag.Duration("churn", 4*time.Second, "how long TestRunUnderChurn runs")

// While processes come and go every pass arrives, no series falls or is told
// twice, and the processes that lived through a pass are there.
func TestRunUnderChurn(t *testing.T) {
	for _, processes := range []string{"top", "all"} {
		t.Run(processes, func(t *testing.T) {
			r := otlptest.Start(t)
			s := sidecarTo(t, r, "--processes", processes)
			stop := churn(t)
			time.Sleep(*churnTime) // how long the world turns: the flag's own meaning
			stop()
			s.Process.Signal(syscall.SIGTERM)
			s.ended(t)
			b := newLedger(t)
			for _, q := range r.Requests() {
				b.read(q)
			}
			b.close()
			if want := int(*churnTime / time.Second); len(b.passes) < want {
				t.Errorf("%d passes in %v, want %d", len(b.passes), *churnTime, want)
			}
			if len(b.last) == 0 {
				t.Error("no series")
			}
			t.Logf("%d passes, %d points, %d counters", len(b.passes), b.points, len(b.last))
		})
	}
}

// churn starts and ends processes, some hundred a second, until it is stopped.
func churn(t *testing.T) (stop func()) {
	t.Helper()
	quit := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
					exec.Command("true").Run()
				}
			}
		})
	}
	return func() { close(quit); wait.Wait() }
}

// ledger is what a consumer that believes start times makes of the points.
type ledger struct {
	t      *testing.T
	points int
	passes map[uint64]bool
	last   map[string]float64 // counters by series and start
	now    map[string]bool    // series of this request
}

func newLedger(t *testing.T) *ledger {
	return &ledger{t: t, passes: map[uint64]bool{}, last: map[string]float64{}, now: map[string]bool{}}
}

func (l *ledger) read(q *otlptest.Request) {
	clear(l.now)
	otlptest.Walk([]*otlptest.Request{q}, func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) {
		for _, p := range append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...) {
			l.point(m, p)
		}
	})
}

func (l *ledger) point(m *metrics.Metric, p *metrics.NumberDataPoint) {
	l.points++
	series := m.GetName() + text(p.GetAttributes())
	if l.now[series] {
		l.t.Errorf("%s is told twice in one pass", series)
	}
	l.now[series] = true
	if m.GetName() == "system.uptime" {
		l.passes[p.GetTimeUnixNano()] = true
	}
	if !m.GetSum().GetIsMonotonic() {
		return
	}
	key := fmt.Sprint(series, "since", p.GetStartTimeUnixNano())
	value := p.GetAsDouble() + float64(p.GetAsInt())
	if value < l.last[key] {
		l.t.Errorf("%s fell from %v to %v", series, l.last[key], value)
	}
	if p.GetStartTimeUnixNano() == 0 || p.GetStartTimeUnixNano() > p.GetTimeUnixNano() {
		l.t.Errorf("%s starts at %d, after its time %d", series, p.GetStartTimeUnixNano(), p.GetTimeUnixNano())
	}
	l.last[key] = value
}

func (l *ledger) close() {
	if l.points == 0 {
		l.t.Error("no points")
	}
}

func text(attributes []*common.KeyValue) (s string) {
	for _, a := range attributes {
		s += "," + a.GetKey() + "=" + a.GetValue().String()
	}
	return s
}
