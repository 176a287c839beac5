package exporter

import (
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// metricKey names a metric within one exporter.
type metricKey struct {
	scope      instrumentation.Scope
	name, unit string
}

// clean repairs every string, and makes one point of those that share resource,
// scope, metric and attributes. No receiver can tell such points apart: one would
// take the last, another the sum, another neither. The rule is the SDK's own for what
// it sees twice (sdk/metric v1.47.0): sums are added, of all else the last one holds.
// Duplicates come from two sources of one scope, and from attributes that differed
// only in what was repaired. It returns how many points went.
func (d *Decorator) clean(rm *metricdata.ResourceMetrics) (merged int64) {
	clear(d.shown)
	for i := range rm.ScopeMetrics {
		s := &rm.ScopeMetrics[i]
		d.repair.scope(&s.Scope)
		for j := range s.Metrics {
			m := &s.Metrics[j]
			d.repair.string(&m.Name)
			d.repair.string(&m.Description)
			d.repair.string(&m.Unit)
			d.gather(metricKey{s.Scope, m.Name, m.Unit}, m)
		}
	}
	for _, s := range rm.ScopeMetrics {
		for i := range s.Metrics {
			merged += d.cleanPoints(&s.Metrics[i])
		}
	}
	return merged
}

// gather gives the points of a metric that has been shown before to the one that has
// shown it.
func (d *Decorator) gather(key metricKey, m *metricdata.Metrics) {
	if first, twice := d.shown[key]; !twice {
		d.shown[key] = m
	} else if join(first, m.Data) {
		m.Data = nil // without points it is not sent
	}
}

// join appends points to those of a metric of the same kind. Histograms and
// summaries stay apart: two of one name are a mistake of the program.
func join(m *metricdata.Metrics, more metricdata.Aggregation) bool {
	switch more := more.(type) {
	case metricdata.Sum[int64]:
		return joinSum(m, more)
	case metricdata.Sum[float64]:
		return joinSum(m, more)
	case metricdata.Gauge[int64]:
		return joinGauge(m, more)
	case metricdata.Gauge[float64]:
		return joinGauge(m, more)
	}
	return false
}

func joinSum[N int64 | float64](m *metricdata.Metrics, more metricdata.Sum[N]) bool {
	sum, ok := m.Data.(metricdata.Sum[N])
	if !ok || sum.Temporality != more.Temporality || sum.IsMonotonic != more.IsMonotonic {
		return false
	}
	// A copy, since the SDK uses the memory of its points again.
	sum.DataPoints = append(sum.DataPoints[:len(sum.DataPoints):len(sum.DataPoints)], more.DataPoints...)
	m.Data = sum
	return true
}

func joinGauge[N int64 | float64](m *metricdata.Metrics, more metricdata.Gauge[N]) bool {
	gauge, ok := m.Data.(metricdata.Gauge[N])
	if !ok {
		return false
	}
	gauge.DataPoints = append(gauge.DataPoints[:len(gauge.DataPoints):len(gauge.DataPoints)], more.DataPoints...)
	m.Data = gauge
	return true
}

// cleanPoints is clean for the points of one metric.
func (d *Decorator) cleanPoints(m *metricdata.Metrics) (merged int64) {
	pts := pointsOf(m.Data)
	if pts == nil {
		return 0 // a kind that the SDK cannot encode either
	}
	d.repair.metric++
	kept := 0
	for i := range pts.len() {
		pts.exemplars(i, d.exemplars)
		k := d.repair.look(pts.set(i))
		if k.metric == d.repair.metric {
			pts.merge(k.at, i)
			continue
		}
		k.metric, k.at = d.repair.metric, kept
		if i > kept {
			pts.swap(kept, i)
		}
		kept++
	}
	if kept < pts.len() {
		merged = int64(pts.len() - kept)
		m.Data = pts.part(0, kept)
	}
	return merged
}

// mergePoint makes one point of two.
func mergePoint[N int64 | float64](into *metricdata.DataPoint[N], p metricdata.DataPoint[N], adds bool) {
	if !adds {
		if !p.Time.Before(into.Time) {
			*into = p
		}
		return
	}
	into.Value += p.Value
	if p.StartTime.Before(into.StartTime) {
		into.StartTime = p.StartTime
	}
	if p.Time.After(into.Time) {
		into.Time = p.Time
	}
	into.Exemplars = append(into.Exemplars[:len(into.Exemplars):len(into.Exemplars)], p.Exemplars...)
}
