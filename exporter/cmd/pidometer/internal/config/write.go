package config

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.yaml.in/yaml/v3"

	"github.com/pidometer/pidometer/exporter"
)

// Effective is everything that decides what the sidecar does.
type Effective struct {
	Settings []exporter.Setting
	Resource []Attribute
	LogLevel Valued
	Own      []Own
}

// Attribute is one of the resource, and where it was said.
type Attribute struct {
	attribute.KeyValue
	From string
}

// Valued is a value and where it was said.
type Valued struct{ Value, From string }

// Own is one key of our section, with a value or a list of them.
type Own struct {
	Key    string
	Values []string
	List   bool
	From   string
}

// Mask stands for what is secret.
const Mask = "***"

// Write writes a file that says all of it, with where each value comes from. Values
// of headers are masked. Read gives back the rest as it is.
func Write(w io.Writer, e Effective) error {
	root := mapping()
	add(root, "file_format", quoted(fileFormat), "")
	e.providers(root)
	if len(e.Resource) > 0 {
		add(root, "resource", mapping("attributes", attributes(e.Resource)), "")
	}
	own := mapping()
	for _, o := range e.Own {
		add(own, o.Key, o.node(), o.From)
	}
	n := own
	for _, name := range slices.Backward(sectionPath) {
		n = mapping(name, n)
	}
	root.Content = append(root.Content, n.Content...)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return err
	}
	return encoder.Close()
}

// providers writes what is known as variables.
func (e Effective) providers(root *yaml.Node) {
	disabled := e.setting("OTEL_SDK_DISABLED")
	add(root, "disabled", scalar(disabled.Value), disabled.From)
	add(root, "log_level", scalar(e.LogLevel.Value), e.LogLevel.From)
	for i := range signals {
		e.provider(root, &signals[i])
	}
}

// provider writes metrics, or events. None of them are no list, and no provider.
func (e Effective) provider(root *yaml.Node, s *signal) {
	kind := e.setting(s.kind)
	if kind.Value == "none" && s.provider == "meter_provider" {
		add(root, s.provider, mapping(s.list, list()), kind.From)
	}
	if kind.Value == "none" {
		return
	}
	item := mapping()
	for _, p := range s.places {
		v := e.setting(p.variable)
		add(item, p.path, scalar(v.Value), v.From)
	}
	exporter := mapping()
	if kind.Value == "console" {
		add(exporter, "console", mapping(), kind.From)
	} else {
		protocol := e.setting(s.prefix + "PROTOCOL")
		i := slices.IndexFunc(protocols, func(p place) bool { return p.variable == protocol.Value })
		add(exporter, protocols[i].path, e.otlp(s, protocols[i].path), protocol.From)
	}
	add(item, "exporter", exporter, "")
	add(root, s.provider, mapping(s.list, list(mapping(s.item, item))), "")
}

// otlp writes an exporter over OTLP. The endpoint has its scheme, so that nothing is
// left to say about security.
func (e Effective) otlp(s *signal, protocol string) *yaml.Node {
	n, tls := mapping(), mapping()
	for _, p := range otlpPlaces {
		if !s.has(protocol, p.path) || p.path == "tls/insecure" || p.path == "headers_list" {
			continue
		}
		v := e.setting(s.prefix + p.variable)
		name, within := strings.CutPrefix(p.path, "tls/")
		switch {
		case v.Value == "":
		case p.path == "headers":
			add(n, p.path, masked(v.Value), v.From)
		case p.path == "temporality_preference":
			add(n, p.path, scalar(strings.Replace(strings.ToLower(v.Value), "lowmemory", "low_memory", 1)), v.From)
		case within:
			add(tls, name, scalar(v.Value), v.From)
		default:
			add(n, p.path, scalar(v.Value), v.From)
		}
	}
	if len(tls.Content) > 0 {
		add(n, "tls", tls, "")
	}
	return n
}

func (e Effective) setting(variable string) exporter.Setting {
	i := slices.IndexFunc(e.Settings, func(s exporter.Setting) bool { return s.Variable == variable })
	return e.Settings[i]
}

// masked writes headers without their values.
func masked(text string) *yaml.Node {
	n := list()
	for pair := range strings.SplitSeq(text, ",") {
		if key, _, ok := strings.Cut(pair, "="); ok {
			n.Content = append(n.Content, mapping("name", scalar(strings.TrimSpace(key)), "value", quoted(Mask)))
		}
	}
	return n
}

// attributes writes those of the resource with their types.
func attributes(all []Attribute) *yaml.Node {
	n := list()
	for _, a := range all {
		kind, value := typeOf(a.Value)
		item := mapping("name", scalar(string(a.Key)), "value", value)
		if kind != "string" {
			add(item, "type", scalar(kind), "")
		}
		comment(item.Content[1], a.From)
		n.Content = append(n.Content, item)
	}
	return n
}

// typeOf spells a value and its type as the schema does.
func typeOf(v attribute.Value) (string, *yaml.Node) {
	switch v.Type() {
	case attribute.BOOL:
		return "bool", scalar(strconv.FormatBool(v.AsBool()))
	case attribute.INT64:
		return "int", scalar(strconv.FormatInt(v.AsInt64(), 10))
	case attribute.FLOAT64:
		return "double", scalar(strconv.FormatFloat(v.AsFloat64(), 'g', -1, 64))
	case attribute.BOOLSLICE:
		return "bool_array", sequence(v.AsBoolSlice(), strconv.FormatBool)
	case attribute.INT64SLICE:
		return "int_array", sequence(v.AsInt64Slice(), func(n int64) string { return strconv.FormatInt(n, 10) })
	case attribute.FLOAT64SLICE:
		return "double_array", sequence(v.AsFloat64Slice(), func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) })
	case attribute.STRINGSLICE:
		n := list()
		for _, s := range v.AsStringSlice() {
			n.Content = append(n.Content, text(s))
		}
		return "string_array", n
	}
	return "string", text(v.AsString())
}

func sequence[T any](values []T, spell func(T) string) *yaml.Node {
	n := list()
	for _, v := range values {
		n.Content = append(n.Content, scalar(spell(v)))
	}
	return n
}

func (o Own) node() *yaml.Node {
	if !o.List {
		return scalar(o.Values[0])
	}
	n := list()
	for _, v := range o.Values {
		n.Content = append(n.Content, text(v))
	}
	return n
}

func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		add(n, pairs[i].(string), pairs[i+1].(*yaml.Node), "")
	}
	return n
}

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

// scalar is a value as it stands: a number, a word, true.
func scalar(value string) *yaml.Node {
	if value == "" {
		return quoted("")
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: escape(value)}
	if n.ShortTag() == "!!null" {
		return quoted(value)
	}
	return n
}

// text is a value that is text even if it looks like something else.
func text(value string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(escape(value))
	return n
}

func quoted(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: escape(value), Style: yaml.DoubleQuotedStyle}
}

func add(n *yaml.Node, key string, value *yaml.Node, from string) {
	k := &yaml.Node{Kind: yaml.ScalarNode, Value: key}
	switch {
	case len(value.Content) > 0:
		comment(k, from)
	case value.Kind != yaml.ScalarNode:
		value.Style = yaml.FlowStyle // an empty one stands on the line of its key
		fallthrough
	default:
		comment(value, from)
	}
	n.Content = append(n.Content, k, value)
}

func comment(n *yaml.Node, from string) {
	if from != "" {
		n.LineComment = fmt.Sprintf("# %s", from)
	}
}
