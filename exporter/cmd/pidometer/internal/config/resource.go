package config

import (
	"net/url"
	"strings"

	"go.opentelemetry.io/contrib/otelconf"
	"go.opentelemetry.io/otel/attribute"
	"go.yaml.in/yaml/v3"
)

// resource reads the attributes of the resource: those of the list in one string,
// and over them the typed ones.
func (f *File) resource(root *yaml.Node) error {
	_, n := lookUp(root, "resource")
	if n == nil || isNull(n) {
		return nil
	}
	for key := range f.keys(n) {
		switch key.Value {
		case "attributes", "attributes_list":
		default:
			return f.wrong(key, "resource: pidometer has nothing for %q; there are attributes and attributes_list", key.Value)
		}
	}
	if _, list := lookUp(n, "attributes_list"); list != nil && !isNull(list) {
		if err := f.attributesList(list); err != nil {
			return err
		}
	}
	_, list := lookUp(n, "attributes")
	for i, a := range f.model.Resource.Attributes {
		item := resolved(list.Content[i])
		kv, ok := typed(a)
		if !ok {
			return f.wrong(item, "attributes: the value of %s is not of its type", a.Name)
		}
		f.Resource = append(f.Resource, Attribute{kv, f.at(item.Line)})
	}
	return nil
}

// attributesList reads key=value,key=value as OTEL_RESOURCE_ATTRIBUTES has it.
func (f *File) attributesList(n *yaml.Node) error {
	attrs, ok := Pairs(n.Value)
	if !ok {
		return f.wrong(n, "attributes_list: write key=value,key=value, percent-encoded")
	}
	for _, kv := range attrs {
		f.Resource = append(f.Resource, Attribute{kv, f.at(n.Line)})
	}
	return nil
}

// Pairs takes apart what OTEL_RESOURCE_ATTRIBUTES may hold.
func Pairs(text string) (attrs []attribute.KeyValue, ok bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, found := strings.Cut(pair, "=")
		plain, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !found || key == "" || err != nil {
			return nil, false
		}
		attrs = append(attrs, attribute.String(key, plain))
	}
	return attrs, true
}

// typed gives an attribute the type that the file says.
func typed(a otelconf.AttributeNameValue) (attribute.KeyValue, bool) {
	kind := otelconf.AttributeTypeString
	if a.Type != nil {
		kind = *a.Type
	}
	key := attribute.Key(a.Name)
	switch kind {
	case otelconf.AttributeTypeString:
		v, ok := a.Value.(string)
		return key.String(v), ok
	case otelconf.AttributeTypeBool:
		v, ok := a.Value.(bool)
		return key.Bool(v), ok
	case otelconf.AttributeTypeInt:
		v, ok := a.Value.(int)
		return key.Int(v), ok
	case otelconf.AttributeTypeDouble:
		v, ok := double(a.Value)
		return key.Float64(v), ok
	}
	return many(key, kind, a.Value)
}

// many is an attribute of several values.
func many(key attribute.Key, kind otelconf.AttributeType, value any) (attribute.KeyValue, bool) {
	list, ok := value.([]any)
	if !ok {
		return attribute.KeyValue{}, false
	}
	switch kind {
	case otelconf.AttributeTypeStringArray:
		v, ok := each(list, func(x any) (string, bool) { s, ok := x.(string); return s, ok })
		return key.StringSlice(v), ok
	case otelconf.AttributeTypeBoolArray:
		v, ok := each(list, func(x any) (bool, bool) { b, ok := x.(bool); return b, ok })
		return key.BoolSlice(v), ok
	case otelconf.AttributeTypeIntArray:
		v, ok := each(list, func(x any) (int, bool) { n, ok := x.(int); return n, ok })
		return key.IntSlice(v), ok
	case otelconf.AttributeTypeDoubleArray:
		v, ok := each(list, double)
		return key.Float64Slice(v), ok
	}
	return attribute.KeyValue{}, false
}

// each converts every value, or says that it can't.
func each[T any](list []any, convert func(any) (T, bool)) (all []T, ok bool) {
	for _, x := range list {
		v, ok := convert(x)
		if !ok {
			return nil, false
		}
		all = append(all, v)
	}
	return all, true
}

// double takes a number with or without a point.
func double(x any) (float64, bool) {
	if n, ok := x.(int); ok {
		return float64(n), true
	}
	v, ok := x.(float64)
	return v, ok
}
