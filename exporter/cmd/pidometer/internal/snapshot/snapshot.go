// Package snapshot makes what one or two passes produced easy to ask: the value
// of a metric, its growth between the passes, and everything about one process.
package snapshot

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Point is one value with its attributes.
type Point struct {
	Set   attribute.Set
	Value float64
	Start time.Time // zero for a gauge
}

// Snapshot is one look at a host, with the look before it if there was one.
type Snapshot struct {
	Host        attribute.Set
	now, before look
}

// look is the points of one pass, by metric.
type look struct {
	at     time.Time
	points map[string][]Point
	index  map[key]float64
}

type key struct {
	metric string
	series attribute.Distinct
}

// New takes the attributes of the host and what one or two passes produced.
func New(host []attribute.KeyValue, passes ...[]metricdata.ScopeMetrics) *Snapshot {
	s := &Snapshot{Host: attribute.NewSet(host...)}
	for _, p := range passes {
		s.before, s.now = s.now, newLook(p)
	}
	return s
}

func newLook(scopes []metricdata.ScopeMetrics) look {
	l := look{points: map[string][]Point{}, index: map[key]float64{}}
	for _, scope := range scopes {
		for _, m := range scope.Metrics {
			l.take(m)
		}
	}
	return l
}

func (l *look) take(m metricdata.Metrics) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		add(l, m.Name, data.DataPoints)
	case metricdata.Sum[float64]:
		add(l, m.Name, data.DataPoints)
	case metricdata.Gauge[int64]:
		add(l, m.Name, data.DataPoints)
	case metricdata.Gauge[float64]:
		add(l, m.Name, data.DataPoints)
	}
}

func add[N int64 | float64](l *look, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		l.at = p.Time
		l.points[name] = append(l.points[name], Point{p.Attributes, float64(p.Value), p.StartTime})
		l.index[key{name, p.Attributes.Equivalent()}] = float64(p.Value)
	}
}

// Points returns the points of a metric in the order of the pass.
func (s *Snapshot) Points(metric string) []Point { return s.now.points[metric] }

// Value returns the first point of a metric that carries all of the attributes.
func (s *Snapshot) Value(metric string, attrs ...attribute.KeyValue) (float64, bool) {
	p, ok := s.find(metric, attrs)
	return p.Value, ok
}

// Rate returns the growth per second of the first point of a metric that carries
// all of the attributes, between the two passes.
func (s *Snapshot) Rate(metric string, attrs ...attribute.KeyValue) (float64, bool) {
	p, ok := s.find(metric, attrs)
	if !ok {
		return 0, false
	}
	return s.Growth(metric, p)
}

// Growth returns the growth per second of one point between the two passes. What
// began after the first of them grew by all that it has.
func (s *Snapshot) Growth(metric string, p Point) (float64, bool) {
	over := s.now.at.Sub(s.before.at).Seconds()
	before, ok := s.before.index[key{metric, p.Set.Equivalent()}]
	if !ok && !s.before.at.IsZero() {
		ok = p.Start.After(s.before.at)
	}
	if !ok || over <= 0 {
		return 0, false
	}
	return (p.Value - before) / over, true
}

func (s *Snapshot) find(metric string, attrs []attribute.KeyValue) (Point, bool) {
	for _, p := range s.now.points[metric] {
		if Carries(p.Set, attrs) {
			return p, true
		}
	}
	return Point{}, false
}

// Carries reports whether a set holds all of the attributes.
func Carries(set attribute.Set, attrs []attribute.KeyValue) bool {
	for _, a := range attrs {
		if v, ok := set.Value(a.Key); !ok || v != a.Value {
			return false
		}
	}
	return true
}

// Text returns a string attribute of a set, "" where there is none.
func Text(set attribute.Set, k attribute.Key) string {
	v, _ := set.Value(k)
	if v.Type() != attribute.STRING {
		return ""
	}
	return v.AsString()
}
