package exporter

import (
	"math/bits"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// The sizes below are those of OTLP's protobuf encoding (opentelemetry-proto
// v1.11, metrics.proto and common.proto), exact for strings and the longest
// possible for numbers, so that a request never turns out larger than reckoned.
// All fields used have numbers under 16: one byte of tag.

const (
	fixed  = 9  // a tag and eight bytes
	number = 11 // a tag and the longest varint
)

// message is the size of n bytes as a string or message field.
func message(n int) int { return 1 + varint(n) + n }

func varint(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }

func sizeAttrs(attrs []attribute.KeyValue) int {
	n := 0
	for _, kv := range attrs {
		n += message(sizeAttr(kv))
	}
	return n
}

func sizeAttr(kv attribute.KeyValue) int {
	return message(len(kv.Key)) + message(sizeValue(kv.Value))
}

func sizeValue(v attribute.Value) int {
	switch v.Type() {
	case attribute.STRING:
		return message(len(v.AsString()))
	case attribute.STRINGSLICE:
		return message(sum(v.AsStringSlice(), func(s string) int { return message(message(len(s))) }))
	case attribute.SLICE:
		return message(sum(v.AsSlice(), func(v attribute.Value) int { return message(sizeValue(v)) }))
	case attribute.MAP:
		return message(sizeAttrs(v.AsMap()))
	case attribute.BYTESLICE:
		return message(len(v.AsByteSlice()))
	case attribute.INT64SLICE:
		return message(len(v.AsInt64Slice()) * message(number))
	case attribute.FLOAT64SLICE:
		return message(len(v.AsFloat64Slice()) * message(number))
	case attribute.BOOLSLICE:
		return message(len(v.AsBoolSlice()) * message(number))
	}
	return number
}

func sum[T any](s []T, f func(T) int) int {
	n := 0
	for _, e := range s {
		n += f(e)
	}
	return n
}

// sizeMetric is the size of what stands around the points of a metric.
func sizeMetric(m *metricdata.Metrics) int {
	const nesting = 4*number + 4 // lengths of metric and data, temporality, monotonic
	return message(len(m.Name)) + message(len(m.Description)) + message(len(m.Unit)) + nesting
}

// sizeScope is the size of what stands around the metrics of a scope.
func sizeScope(s *metricdata.ScopeMetrics) int {
	const nesting = 3 * number
	attrs := s.Scope.Attributes
	return message(len(s.Scope.Name)) + message(len(s.Scope.Version)) + message(len(s.Scope.SchemaURL)) +
		sizeAttrs(attrs.ToSlice()) + nesting
}

func sizeExemplars[N int64 | float64](exemplars []metricdata.Exemplar[N]) int {
	return sum(exemplars, func(e metricdata.Exemplar[N]) int {
		return message(2*fixed + message(len(e.SpanID)) + message(len(e.TraceID)) + sizeAttrs(e.FilteredAttributes))
	})
}
