package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is a value in the file and the environment variable that says the same.
type place struct{ path, variable string }

// The paths of the file. A number is a place in a list.
const (
	readerPath   = "meter_provider/readers/0"
	periodicPath = readerPath + "/periodic"
	exporterPath = periodicPath + "/exporter"
)

// places are the values that stand outside of exporters.
var places = []place{
	{"disabled", "OTEL_SDK_DISABLED"},
	{periodicPath + "/interval", "OTEL_METRIC_EXPORT_INTERVAL"},
	{periodicPath + "/timeout", "OTEL_METRIC_EXPORT_TIMEOUT"},
}

// otlpPlaces are the values within an exporter over OTLP.
var otlpPlaces = []place{
	{"endpoint", "ENDPOINT"},
	{"tls/ca_file", "CERTIFICATE"},
	{"tls/cert_file", "CLIENT_CERTIFICATE"},
	{"tls/key_file", "CLIENT_KEY"},
	{"tls/insecure", "INSECURE"},
	{"headers", "HEADERS"},
	{"headers_list", "HEADERS"},
	{"compression", "COMPRESSION"},
	{"timeout", "TIMEOUT"},
	{"temporality_preference", "TEMPORALITY_PREFERENCE"},
	{"default_histogram_aggregation", "DEFAULT_HISTOGRAM_AGGREGATION"},
}

// protocols are the exporters over OTLP, and what each is called as a variable.
var protocols = []place{{"otlp_grpc", "grpc"}, {"otlp_http", "http/protobuf"}}

const metricsPrefix = "OTEL_EXPORTER_OTLP_METRICS_"

// idle are keys that are right and have no effect: pidometer has no exemplars, and
// OTLP over HTTP is always binary here.
var idle = []string{"meter_provider/exemplar_filter", exporterPath + "/otlp_http/encoding"}

// providers turns the meter provider into variables. What pidometer would not do is
// refused, so that nobody waits for it.
func (f *File) providers(root *yaml.Node) error {
	if err := f.mapped(root, "disabled"); err != nil {
		return err
	}
	key, provider := lookUp(root, "meter_provider")
	if key == nil || isNull(provider) {
		return f.wrong(root, "without meter_provider nothing would be exported, and with a file the OTEL_* variables are not read; "+
			"write meter_provider: {readers: [{periodic: {exporter: {otlp_grpc: {endpoint: \"http://localhost:4317\"}}}}]}")
	}
	_, readers := lookUp(provider, "readers")
	if readers == nil || len(readers.Content) == 0 {
		f.set("OTEL_METRICS_EXPORTER", "none", key.Line)
	}
	if err := f.descend("meter_provider", provider); err != nil {
		return err
	}
	if f.Variables["OTEL_METRICS_EXPORTER"] == "" {
		return f.wrong(key, "meter_provider has a reader without an exporter; there are otlp_grpc, otlp_http and console")
	}
	return nil
}

// descend walks down to the values.
func (f *File) descend(path string, n *yaml.Node) error {
	switch {
	case isNull(n):
		return f.choose(path, n)
	case n.Kind == yaml.SequenceNode && path != exporterPath && !strings.HasSuffix(path, "/headers"):
		for i, item := range n.Content {
			if i > 0 {
				return f.wrong(item, "%s: pidometer has one", last(path))
			}
			if err := f.descend(path+"/"+strconv.Itoa(i), resolved(item)); err != nil {
				return err
			}
		}
		return nil
	case n.Kind == yaml.MappingNode:
		if err := f.choose(path, n); err != nil {
			return err
		}
		for key, value := range f.keys(n) {
			if err := f.child(path, key, value); err != nil {
				return err
			}
		}
		return nil
	}
	return f.leaf(path, n)
}

// child checks one key and goes on below it.
func (f *File) child(path string, key, value *yaml.Node) error {
	allowed := f.allowed(path)
	if !slices.Contains(allowed, key.Value) {
		return f.wrong(key, "%s: pidometer has nothing for %q; there are %s", last(path), key.Value, strings.Join(allowed, ", "))
	}
	return f.descend(path+"/"+key.Value, value)
}

// allowed are the keys below a path.
func (f *File) allowed(path string) (keys []string) {
	for _, p := range allPaths() {
		if rest, ok := strings.CutPrefix(p, path+"/"); ok {
			key, _, _ := strings.Cut(rest, "/")
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// allPaths are all paths that mean something.
func allPaths() []string {
	paths := slices.Clone(idle)
	for _, p := range places {
		paths = append(paths, p.path)
	}
	for _, protocol := range protocols {
		for _, p := range otlpPlaces {
			if protocol.path == "otlp_grpc" || p.path != "tls/insecure" {
				paths = append(paths, exporterPath+"/"+protocol.path+"/"+p.path)
			}
		}
	}
	return append(paths, exporterPath+"/console")
}

// choose notes which exporter it is.
func (f *File) choose(path string, n *yaml.Node) error {
	kind, ok := strings.CutPrefix(path, exporterPath+"/")
	if !ok || strings.Contains(kind, "/") {
		return nil
	}
	if have, ok := f.Variables["OTEL_METRICS_EXPORTER"]; ok {
		return f.wrong(n, "exporter: there is one already (%s); pidometer has one", have)
	}
	if kind == "console" {
		f.set("OTEL_METRICS_EXPORTER", "console", n.Line)
		return nil
	}
	f.set("OTEL_METRICS_EXPORTER", "otlp", n.Line)
	i := slices.IndexFunc(protocols, func(p place) bool { return p.path == kind })
	f.set(metricsPrefix+"PROTOCOL", protocols[i].variable, n.Line)
	return nil
}

// leaf turns one value into its variable.
func (f *File) leaf(path string, n *yaml.Node) error {
	name := variableFor(path)
	switch {
	case slices.Contains(idle, path) && strings.HasSuffix(path, "encoding") && n.Value != "protobuf":
		return f.wrong(n, "encoding %q: pidometer has protobuf", n.Value)
	case name == "":
		return nil
	case strings.HasSuffix(path, "/headers"):
		return f.headers(name, n)
	case strings.HasSuffix(path, "/headers_list") && f.Variables[name] != "":
		f.Variables[name] = n.Value + "," + f.Variables[name] // the last of a key wins
	case strings.HasSuffix(path, "/temporality_preference") && n.Value == "low_memory":
		f.set(name, "lowmemory", n.Line)
	case n.Value != "":
		f.set(name, plain(n), n.Line)
	}
	return nil
}

// plain spells a number as variables do: YAML has 0x10 and 1_000 too.
func plain(n *yaml.Node) string {
	var v int64
	if n.ShortTag() == "!!int" && n.Decode(&v) == nil {
		return strconv.FormatInt(v, 10)
	}
	return n.Value
}

// headers puts a list of names and values behind what headers_list says.
func (f *File) headers(name string, n *yaml.Node) error {
	for _, item := range n.Content {
		item = resolved(item)
		_, key := lookUp(item, "name")
		_, value := lookUp(item, "value")
		if key == nil || value == nil {
			return f.wrong(item, "headers: an entry has a name and a value")
		}
		if isNull(value) {
			continue // ignored, as the schema says
		}
		pair := key.Value + "=" + url.PathEscape(value.Value)
		if before := f.Variables[name]; before != "" {
			pair = before + "," + pair
		}
		f.set(name, pair, n.Line)
	}
	return nil
}

// mapped turns a value at the top into its variable.
func (f *File) mapped(root *yaml.Node, name string) error {
	if _, value := lookUp(root, name); value != nil && !isNull(value) {
		return f.leaf(name, value)
	}
	return nil
}

func (f *File) set(name, value string, line int) { f.Variables[name], f.lines[name] = value, line }

// variableFor returns the variable that says the same as the value at a path.
func variableFor(path string) string {
	for _, p := range places {
		if p.path == path {
			return p.variable
		}
	}
	_, within, _ := strings.Cut(strings.TrimPrefix(path, exporterPath+"/"), "/")
	for _, p := range otlpPlaces {
		if p.path == within {
			return metricsPrefix + p.variable
		}
	}
	return ""
}

// last returns the last key of a path.
func last(path string) string {
	parts := strings.Split(path, "/")
	if _, err := strconv.Atoi(parts[len(parts)-1]); err == nil {
		return parts[len(parts)-2]
	}
	return parts[len(parts)-1]
}
