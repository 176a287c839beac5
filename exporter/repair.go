package exporter

import (
	"slices"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/pidometer/pidometer/internal/text"
)

// One string that is not valid UTF-8, anywhere in a request, makes protobuf refuse
// the whole request (seen with otlpmetricgrpc v1.47.0, 2026-11-22; protobuf
// specification, "string must always contain UTF-8"). Everything here returns what
// it was given, not a copy, where nothing is wrong.

// known is what is remembered of one attribute set between two passes.
type known struct {
	set   attribute.Set // repaired
	bytes int           // its size in a request
	bad   bool          // it was not valid and has been replaced
	pass  uint64        // when it was last seen

	metric uint64 // the metric that has shown it last,
	at     int    // and as which point
}

// repairer remembers attribute sets, so that each is looked through once.
type repairer struct {
	sets     map[attribute.Distinct]*known
	pass     uint64
	metric   uint64 // counts metrics
	seen     int
	gone     int // sets forgotten since the map was made
	repaired int64
}

func (r *repairer) begin() {
	if r.sets == nil {
		r.sets = make(map[attribute.Distinct]*known)
	}
	r.pass++
	r.seen = 0
}

// end forgets the sets that this pass did not show.
func (r *repairer) end() {
	if r.seen == len(r.sets) {
		return
	}
	for key, k := range r.sets {
		if k.pass != r.pass {
			delete(r.sets, key)
			r.gone++
		}
	}
	if r.gone > len(r.sets) {
		r.sets, r.gone = afresh(r.sets), 0
	}
}

// look returns what is known of a set, or of the one that replaces it if it was not
// valid.
func (r *repairer) look(set *attribute.Set) *known {
	key := set.Equivalent()
	k, ok := r.sets[key]
	if !ok {
		k = learn(*set)
		r.sets[key] = k
	}
	if k.pass != r.pass {
		k.pass = r.pass
		r.seen++
	}
	if k.bad {
		*set = k.set
		r.repaired++
		return r.look(set)
	}
	return k
}

func learn(set attribute.Set) *known {
	k := &known{set: set}
	if attrs := set.ToSlice(); slices.ContainsFunc(attrs, badAttr) {
		k.set, k.bad = attribute.NewSet(repairAll(attrs)...), true
	}
	k.bytes = sizeAttrs(k.set.ToSlice())
	return k
}

func (r *repairer) string(s *string) {
	if !utf8.ValidString(*s) {
		*s = text.Repair(*s)
		r.repaired++
	}
}

func (r *repairer) attrs(attrs *[]attribute.KeyValue) {
	if slices.ContainsFunc(*attrs, badAttr) {
		*attrs = repairAll(slices.Clone(*attrs))
		r.repaired++
	}
}

func (r *repairer) scope(s *instrumentation.Scope) {
	r.string(&s.Name)
	r.string(&s.Version)
	r.string(&s.SchemaURL)
	if s.Attributes.Len() > 0 {
		r.look(&s.Attributes)
	}
}

// resource returns res, or a repaired one in its place.
func (r *repairer) resource(res *resource.Resource) *resource.Resource {
	url := res.SchemaURL()
	set := *res.Set()
	if r.look(&set); set == *res.Set() && utf8.ValidString(url) {
		return res
	}
	r.string(&url)
	return resource.NewWithAttributes(url, set.ToSlice()...)
}

func badAttr(kv attribute.KeyValue) bool {
	return !utf8.ValidString(string(kv.Key)) || badValue(kv.Value)
}

func badValue(v attribute.Value) bool {
	switch v.Type() {
	case attribute.STRING:
		return !utf8.ValidString(v.AsString())
	case attribute.STRINGSLICE:
		return slices.ContainsFunc(v.AsStringSlice(), func(s string) bool { return !utf8.ValidString(s) })
	case attribute.SLICE:
		return slices.ContainsFunc(v.AsSlice(), badValue)
	case attribute.MAP:
		return slices.ContainsFunc(v.AsMap(), badAttr)
	}
	return false
}

// repairAll repairs attrs in place and returns them.
func repairAll(attrs []attribute.KeyValue) []attribute.KeyValue {
	for i, kv := range attrs {
		if badAttr(kv) {
			attrs[i] = attribute.KeyValue{Key: attribute.Key(text.Repair(string(kv.Key))), Value: repairValue(kv.Value)}
		}
	}
	return attrs
}

func repairValue(v attribute.Value) attribute.Value {
	if !badValue(v) {
		return v
	}
	switch v.Type() {
	case attribute.STRINGSLICE:
		return attribute.StringSliceValue(each(v.AsStringSlice(), text.Repair))
	case attribute.SLICE:
		return attribute.SliceValue(each(v.AsSlice(), repairValue)...)
	case attribute.MAP:
		return attribute.MapValue(repairAll(v.AsMap())...)
	}
	return attribute.StringValue(text.Repair(v.AsString()))
}

// each applies f to the elements of s, a copy of the caller's own.
func each[T any](s []T, f func(T) T) []T {
	for i := range s {
		s[i] = f(s[i])
	}
	return s
}
