// Package document writes what one pass produced for other programs to read: as
// JSON for people with jq, and as one OTLP/JSON request.
package document

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Schema names the form of the JSON. It changes when a reader would break.
const Schema = "pidometer.once/1"

// Once is the JSON document: docs/json.md describes it.
type Once struct {
	Schema   string         `json:"schema"`
	Time     time.Time      `json:"time"`
	Resource map[string]any `json:"resource"`
	Metrics  []Metric       `json:"metrics"`
}

// Metric is one metric of the document.
type Metric struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Kind   string  `json:"kind"` // counter, updowncounter or gauge
	Points []Point `json:"points"`
}

// Point is one value. Start is when a counter's series began.
type Point struct {
	Attributes map[string]any `json:"attributes"`
	Value      any            `json:"value"`
	Start      *time.Time     `json:"start,omitempty"`
}

// JSON writes one document on one line.
func JSON(w io.Writer, host []attribute.KeyValue, scopes []metricdata.ScopeMetrics) error {
	doc := Once{Schema: Schema, Resource: object(attribute.NewSet(host...)), Metrics: []Metric{}}
	for _, scope := range scopes {
		for _, m := range scope.Metrics {
			kind, points, at := render(m.Data)
			doc.Metrics = append(doc.Metrics, Metric{m.Name, m.Unit, kind, points})
			doc.Time = at.UTC()
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}

func render(data metricdata.Aggregation) (kind string, points []Point, at time.Time) {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return renderSum(d)
	case metricdata.Sum[float64]:
		return renderSum(d)
	case metricdata.Gauge[int64]:
		points, at = renderPoints(d.DataPoints, false)
	case metricdata.Gauge[float64]:
		points, at = renderPoints(d.DataPoints, false)
	}
	return "gauge", points, at
}

func renderSum[N int64 | float64](d metricdata.Sum[N]) (kind string, points []Point, at time.Time) {
	kind = "updowncounter"
	if d.IsMonotonic {
		kind = "counter"
	}
	points, at = renderPoints(d.DataPoints, d.IsMonotonic)
	return kind, points, at
}

func renderPoints[N int64 | float64](data []metricdata.DataPoint[N], start bool) (points []Point, at time.Time) {
	for _, p := range data {
		made := Point{Attributes: object(p.Attributes), Value: number(p.Value)}
		if start {
			at := p.StartTime.UTC()
			made.Start = &at
		}
		points, at = append(points, made), p.Time
	}
	return points, at
}

// number keeps JSON valid: it has no word for what is no number.
func number[N int64 | float64](v N) any {
	if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return v
}

func object(set attribute.Set) map[string]any {
	o := make(map[string]any, set.Len())
	for _, kv := range set.ToSlice() {
		o[string(kv.Key)] = kv.Value.AsInterface()
	}
	return o
}
