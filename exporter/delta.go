package exporter

import (
	"maps"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// seriesKey names a series within one exporter.
type seriesKey struct {
	scope  instrumentation.Scope
	metric string
	set    attribute.Distinct
}

// mark is where a series stood.
type mark[N int64 | float64] struct {
	start, time time.Time
	value       N
	pass        uint64 // when the series was last seen
}

// ledger makes deltas of cumulative points. The SDK's own deltas of observable
// counters hand out the whole past as the first one, go negative, and are lost
// with the request that carried them (sdk/metric v1.47.0, seen 2026-11-22). Here
// what was not delivered is part of the next delta.
type ledger[N int64 | float64] struct {
	delivered, pending map[seriesKey]mark[N]
	gone               int // series forgotten since the maps were made
}

func (l *ledger[N]) begin() {
	if l.delivered == nil {
		l.delivered, l.pending = make(map[seriesKey]mark[N]), make(map[seriesKey]mark[N])
	}
	clear(l.pending)
}

// subtract turns points into deltas, in place, and returns those that are any.
func (l *ledger[N]) subtract(scope instrumentation.Scope, metric string, pts []metricdata.DataPoint[N], previous time.Time, pass uint64) []metricdata.DataPoint[N] {
	kept := pts[:0]
	for _, p := range pts {
		key := seriesKey{scope, metric, p.Attributes.Equivalent()}
		if l.delta(key, &p, previous, pass) {
			kept = append(kept, p)
		}
	}
	return kept
}

// doubt is how much earlier than it was a birth may be told: the creation of a
// process in whole-second boot time plus ticks, the appearance of a device at the
// begin of the pass before, whose points the SDK stamps when it ends.
const doubt = 2 * time.Second

// delta makes p the difference to what was delivered of its series, and reports
// whether it is one. A series first seen counts from its birth if that may lie after
// the previous pass, else from now: its past has been told by others or never
// will be.
func (l *ledger[N]) delta(key seriesKey, p *metricdata.DataPoint[N], previous time.Time, pass uint64) bool {
	now := mark[N]{p.StartTime, p.Time, p.Value, pass}
	old, ok := l.delivered[key]
	ok = ok && old.start.Equal(p.StartTime)
	if !ok && !previous.IsZero() && p.StartTime.After(previous.Add(-doubt)) {
		old, ok = mark[N]{start: p.StartTime, time: p.StartTime}, true
	}
	if !ok || p.Value < old.value {
		l.delivered[key] = now
		return false
	}
	old.pass = pass
	l.delivered[key] = old
	l.pending[key] = now
	p.Value -= old.value
	p.StartTime = old.time
	return true
}

// commit takes the deltas among these points for delivered.
func (l *ledger[N]) commit(scope instrumentation.Scope, metric string, pts []metricdata.DataPoint[N]) {
	for i := range pts {
		key := seriesKey{scope, metric, pts[i].Attributes.Equivalent()}
		if m, ok := l.pending[key]; ok {
			l.delivered[key] = m
		}
	}
}

// prune forgets series that three passes have not shown. A map keeps the room of all
// that was ever in it, and doubles it where keys come and go (Go 1.26, seen
// 2026-11-23): once more are gone than are left, both are made anew.
func (l *ledger[N]) prune(pass uint64) {
	for key, m := range l.delivered {
		if m.pass+3 < pass {
			delete(l.delivered, key)
			l.gone++
		}
	}
	if l.gone > len(l.delivered) {
		l.delivered, l.gone = afresh(l.delivered), 0
		l.pending = make(map[seriesKey]mark[N], len(l.delivered))
	}
}

// afresh returns a map with no more room than it needs.
func afresh[K comparable, V any](m map[K]V) map[K]V {
	made := make(map[K]V, len(m))
	maps.Copy(made, m)
	return made
}
