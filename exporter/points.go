package exporter

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// points is the data of one metric, whatever its kind.
type points interface {
	len() int
	// set is the attribute set of point i, to be read or replaced.
	set(i int) *attribute.Set
	// size is that of point i in a request, given that of its attributes.
	size(i, attrs int) int
	// exemplars hands out the attributes of the exemplars of point i.
	exemplars(i int, f func(*[]attribute.KeyValue))
	// part is the data with only the points from i up to j.
	part(i, j int) metricdata.Aggregation
	swap(i, j int)
	// merge makes point i of two that are the same series.
	merge(i, j int)
}

// pointsOf opens data; it is nil for a kind that is not known.
func pointsOf(data metricdata.Aggregation) points {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return numbers[int64]{d.DataPoints, d}
	case metricdata.Sum[float64]:
		return numbers[float64]{d.DataPoints, d}
	case metricdata.Gauge[int64]:
		return numbers[int64]{d.DataPoints, d}
	case metricdata.Gauge[float64]:
		return numbers[float64]{d.DataPoints, d}
	case metricdata.Histogram[int64]:
		return histogram[int64](d)
	case metricdata.Histogram[float64]:
		return histogram[float64](d)
	case metricdata.ExponentialHistogram[int64]:
		return exponential[int64](d)
	case metricdata.ExponentialHistogram[float64]:
		return exponential[float64](d)
	case metricdata.Summary:
		return summary(d)
	}
	return nil
}

// numbers are the points of a gauge or a sum.
type numbers[N int64 | float64] struct {
	points []metricdata.DataPoint[N]
	whole  metricdata.Aggregation
}

func (n numbers[N]) len() int                 { return len(n.points) }
func (n numbers[N]) set(i int) *attribute.Set { return &n.points[i].Attributes }
func (n numbers[N]) size(i, attrs int) int {
	return message(3*fixed + attrs + sizeExemplars(n.points[i].Exemplars))
}
func (n numbers[N]) exemplars(i int, f func(*[]attribute.KeyValue)) {
	eachExemplar(n.points[i].Exemplars, f)
}
func (n numbers[N]) swap(i, j int) { n.points[i], n.points[j] = n.points[j], n.points[i] }
func (n numbers[N]) merge(i, j int) {
	_, adds := n.whole.(metricdata.Sum[N])
	mergePoint(&n.points[i], n.points[j], adds)
}
func (n numbers[N]) part(i, j int) metricdata.Aggregation {
	if s, ok := n.whole.(metricdata.Sum[N]); ok {
		s.DataPoints = n.points[i:j]
		return s
	}
	return metricdata.Gauge[N]{DataPoints: n.points[i:j]}
}

type histogram[N int64 | float64] metricdata.Histogram[N]

func (h histogram[N]) len() int                 { return len(h.DataPoints) }
func (h histogram[N]) set(i int) *attribute.Set { return &h.DataPoints[i].Attributes }
func (h histogram[N]) size(i, attrs int) int {
	p := &h.DataPoints[i]
	return message(6*fixed + attrs + message(8*len(p.Bounds)) + message(8*len(p.BucketCounts)) + sizeExemplars(p.Exemplars))
}
func (h histogram[N]) exemplars(i int, f func(*[]attribute.KeyValue)) {
	eachExemplar(h.DataPoints[i].Exemplars, f)
}
func (h histogram[N]) swap(i, j int) {
	h.DataPoints[i], h.DataPoints[j] = h.DataPoints[j], h.DataPoints[i]
}
func (h histogram[N]) merge(i, j int) {
	if !h.DataPoints[j].Time.Before(h.DataPoints[i].Time) {
		h.DataPoints[i] = h.DataPoints[j]
	}
}
func (h histogram[N]) part(i, j int) metricdata.Aggregation {
	h.DataPoints = h.DataPoints[i:j]
	return metricdata.Histogram[N](h)
}

type exponential[N int64 | float64] metricdata.ExponentialHistogram[N]

func (e exponential[N]) len() int                 { return len(e.DataPoints) }
func (e exponential[N]) set(i int) *attribute.Set { return &e.DataPoints[i].Attributes }
func (e exponential[N]) size(i, attrs int) int {
	p := &e.DataPoints[i]
	buckets := message(number+message(10*len(p.PositiveBucket.Counts))) + message(number+message(10*len(p.NegativeBucket.Counts)))
	return message(8*fixed + number + attrs + buckets + sizeExemplars(p.Exemplars))
}
func (e exponential[N]) exemplars(i int, f func(*[]attribute.KeyValue)) {
	eachExemplar(e.DataPoints[i].Exemplars, f)
}
func (e exponential[N]) swap(i, j int) {
	e.DataPoints[i], e.DataPoints[j] = e.DataPoints[j], e.DataPoints[i]
}
func (e exponential[N]) merge(i, j int) {
	if !e.DataPoints[j].Time.Before(e.DataPoints[i].Time) {
		e.DataPoints[i] = e.DataPoints[j]
	}
}
func (e exponential[N]) part(i, j int) metricdata.Aggregation {
	e.DataPoints = e.DataPoints[i:j]
	return metricdata.ExponentialHistogram[N](e)
}

type summary metricdata.Summary

func (s summary) len() int                 { return len(s.DataPoints) }
func (s summary) set(i int) *attribute.Set { return &s.DataPoints[i].Attributes }
func (s summary) size(i, attrs int) int {
	return message(4*fixed + attrs + len(s.DataPoints[i].QuantileValues)*message(2*fixed))
}
func (s summary) exemplars(int, func(*[]attribute.KeyValue)) {}
func (s summary) swap(i, j int) {
	s.DataPoints[i], s.DataPoints[j] = s.DataPoints[j], s.DataPoints[i]
}
func (s summary) merge(i, j int) {
	if !s.DataPoints[j].Time.Before(s.DataPoints[i].Time) {
		s.DataPoints[i] = s.DataPoints[j]
	}
}
func (s summary) part(i, j int) metricdata.Aggregation {
	s.DataPoints = s.DataPoints[i:j]
	return metricdata.Summary(s)
}

func eachExemplar[N int64 | float64](exemplars []metricdata.Exemplar[N], f func(*[]attribute.KeyValue)) {
	for i := range exemplars {
		f(&exemplars[i].FilteredAttributes)
	}
}
