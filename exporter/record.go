package exporter

import (
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/pidometer/pidometer/internal/text"
)

// record is an event as it waits: encoded, so that its size is known to the byte.
type record struct {
	scope *scope
	bytes []byte // field log_records of opentelemetry.proto.logs.v1.ScopeLogs
}

// recordField is the number of that field.
const recordField = 2

// scope is an instrumentation scope, repaired, and the size of what it adds to a
// request.
type scope struct {
	wire  *common.InstrumentationScope
	url   string
	bytes int
}

// encoder makes records. It repairs every string: one that is not valid UTF-8 would
// cost the whole request.
type encoder struct {
	mu     sync.Mutex
	scopes map[instrumentation.Scope]*scope
	count  *counters
}

func (e *encoder) encode(r *sdklog.Record) (record, error) {
	var f fixer
	wire := &logs.LogRecord{
		TimeUnixNano:           nanos(r.Timestamp()),
		ObservedTimeUnixNano:   nanos(r.ObservedTimestamp()),
		SeverityNumber:         logs.SeverityNumber(r.Severity()),
		SeverityText:           f.string(r.SeverityText()),
		EventName:              f.string(r.EventName()),
		Attributes:             make([]*common.KeyValue, 0, r.AttributesLen()),
		DroppedAttributesCount: uint32(max(r.DroppedAttributes(), 0)),
		Flags:                  uint32(r.TraceFlags()),
	}
	if body := r.Body(); body.Type() != attribute.EMPTY {
		wire.Body = f.value(body)
	}
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		wire.Attributes = append(wire.Attributes, f.attr(kv))
		return true
	})
	if id := r.TraceID(); id.IsValid() {
		wire.TraceId = id[:]
	}
	if id := r.SpanID(); id.IsValid() {
		wire.SpanId = id[:]
	}
	inside := e.scope(r.InstrumentationScope(), &f)
	e.count.repaired(f.repaired)
	b := protowire.AppendTag(nil, recordField, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(proto.Size(wire)))
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, wire)
	return record{inside, b}, err
}

// scope returns the one of this name and version, and so on; there are as many as
// the SDK has loggers.
func (e *encoder) scope(s instrumentation.Scope, f *fixer) *scope {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.scopes[s]
	if ok {
		return known
	}
	known = &scope{
		wire: &common.InstrumentationScope{Name: f.string(s.Name), Version: f.string(s.Version), Attributes: f.attrs(s.Attributes.ToSlice())},
		url:  f.string(s.SchemaURL),
	}
	known.bytes = message(message(proto.Size(known.wire)) + message(len(known.url)) + number)
	if e.scopes == nil {
		e.scopes = make(map[instrumentation.Scope]*scope)
	}
	e.scopes[s] = known
	return known
}

// nanos is a time as OTLP has it; 0 is unknown.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(t.UnixNano(), 0))
}

// fixer turns attributes into those of OTLP, repaired, and counts the repairs.
type fixer struct{ repaired int64 }

func (f *fixer) string(s string) string {
	fixed := text.Repair(s)
	if fixed != s {
		f.repaired++
	}
	return fixed
}

func (f *fixer) attrs(attrs []attribute.KeyValue) []*common.KeyValue {
	wire := make([]*common.KeyValue, len(attrs))
	for i, kv := range attrs {
		wire[i] = f.attr(kv)
	}
	return wire
}

func (f *fixer) attr(kv attribute.KeyValue) *common.KeyValue {
	return &common.KeyValue{Key: f.string(string(kv.Key)), Value: f.value(kv.Value)}
}

func (f *fixer) value(v attribute.Value) *common.AnyValue {
	switch v.Type() {
	case attribute.BOOL:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: v.AsBool()}}
	case attribute.INT64:
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: v.AsInt64()}}
	case attribute.FLOAT64:
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v.AsFloat64()}}
	case attribute.STRING:
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: f.string(v.AsString())}}
	case attribute.BYTESLICE:
		return &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: v.AsByteSlice()}}
	case attribute.MAP:
		return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: f.attrs(v.AsMap())}}}
	case attribute.SLICE:
		return array(v.AsSlice(), f.value)
	case attribute.STRINGSLICE:
		return array(v.AsStringSlice(), func(s string) *common.AnyValue { return f.value(attribute.StringValue(s)) })
	case attribute.INT64SLICE:
		return array(v.AsInt64Slice(), func(n int64) *common.AnyValue { return f.value(attribute.Int64Value(n)) })
	case attribute.FLOAT64SLICE:
		return array(v.AsFloat64Slice(), func(n float64) *common.AnyValue { return f.value(attribute.Float64Value(n)) })
	case attribute.BOOLSLICE:
		return array(v.AsBoolSlice(), func(b bool) *common.AnyValue { return f.value(attribute.BoolValue(b)) })
	}
	return &common.AnyValue{}
}

func array[T any](s []T, f func(T) *common.AnyValue) *common.AnyValue {
	a := &common.ArrayValue{Values: make([]*common.AnyValue, len(s))}
	for i, v := range s {
		a.Values[i] = f(v)
	}
	return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: a}}
}
