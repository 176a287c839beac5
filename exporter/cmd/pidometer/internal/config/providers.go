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

// signal is what the file says of metrics, or of events.
type signal struct {
	provider string  // the key at the top
	list     string  // within it, of which there is one item
	item     string  // the kind of the item
	places   []place // within that, outside of the exporter
	kind     string  // the variable that chooses the exporter
	prefix   string  // of its other variables
	idle     []string
}

// signals are both. A number in a path is a place in a list. Keys that are idle are
// right and have no effect: pidometer has no exemplars, and OTLP over HTTP is always
// binary here.
var signals = []signal{
	{"meter_provider", "readers", "periodic",
		[]place{{"interval", "OTEL_METRIC_EXPORT_INTERVAL"}, {"timeout", "OTEL_METRIC_EXPORT_TIMEOUT"}},
		"OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_METRICS_", []string{"meter_provider/exemplar_filter"}},
	{"logger_provider", "processors", "batch",
		[]place{{"schedule_delay", "OTEL_BLRP_SCHEDULE_DELAY"}, {"max_queue_size", "OTEL_BLRP_MAX_QUEUE_SIZE"},
			{"max_export_batch_size", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"}},
		"OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS_", nil},
}

func (s *signal) itemPath() string     { return s.provider + "/" + s.list + "/0/" + s.item }
func (s *signal) exporterPath() string { return s.itemPath() + "/exporter" }

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

// ofMetrics are those of otlpPlaces that only metrics have.
var ofMetrics = []string{"temporality_preference", "default_histogram_aggregation"}

// protocols are the exporters over OTLP, and what each is called as a variable.
var protocols = []place{{"otlp_grpc", "grpc"}, {"otlp_http", "http/protobuf"}}

// providers turns both providers into variables. What pidometer would not do is
// refused, so that nobody waits for it.
func (f *File) providers(root *yaml.Node) error {
	if key, value := lookUp(root, "disabled"); key != nil && !isNull(value) {
		f.set("OTEL_SDK_DISABLED", value.Value, value.Line)
	}
	if key, provider := lookUp(root, "meter_provider"); key == nil || isNull(provider) {
		return f.wrong(root, "without meter_provider nothing would be exported, and with a file the OTEL_* variables are not read; "+
			"write meter_provider: {readers: [{periodic: {exporter: {otlp_grpc: {endpoint: \"http://localhost:4317\"}}}}]}")
	}
	for i := range signals {
		if err := f.provider(root, &signals[i]); err != nil {
			return err
		}
	}
	return nil
}

// provider reads one of them. One that is missing, or empty, exports nothing.
func (f *File) provider(root *yaml.Node, s *signal) error {
	key, provider := lookUp(root, s.provider)
	if key == nil || isNull(provider) {
		f.Variables[s.kind] = "none"
		return nil
	}
	items, list := lookUp(provider, s.list)
	if items == nil || len(list.Content) == 0 {
		f.set(s.kind, "none", key.Line)
	}
	if err := f.descend(s, s.provider, provider); err != nil {
		return err
	}
	if f.Variables[s.kind] == "" {
		return f.wrong(key, "%s has a place without an exporter; there are otlp_grpc, otlp_http and console", s.provider)
	}
	return nil
}

// descend walks down to the values.
func (f *File) descend(s *signal, path string, n *yaml.Node) error {
	switch {
	case isNull(n):
		return f.choose(s, path, n)
	case n.Kind == yaml.SequenceNode && !strings.HasSuffix(path, "/headers"):
		for i, item := range n.Content {
			if i > 0 {
				return f.wrong(item, "%s: pidometer has one", last(path))
			}
			if err := f.descend(s, path+"/"+strconv.Itoa(i), resolved(item)); err != nil {
				return err
			}
		}
		return nil
	case n.Kind == yaml.MappingNode:
		if err := f.choose(s, path, n); err != nil {
			return err
		}
		for key, value := range f.keys(n) {
			if err := f.child(s, path, key, value); err != nil {
				return err
			}
		}
		return nil
	}
	return f.leaf(s, path, n)
}

// child checks one key and goes on below it.
func (f *File) child(s *signal, path string, key, value *yaml.Node) error {
	allowed := s.allowed(path)
	if !slices.Contains(allowed, key.Value) {
		return f.wrong(key, "%s: pidometer has nothing for %q; there are %s", last(path), key.Value, strings.Join(allowed, ", "))
	}
	return f.descend(s, path+"/"+key.Value, value)
}

// allowed are the keys below a path.
func (s *signal) allowed(path string) (keys []string) {
	for _, p := range s.paths() {
		if rest, ok := strings.CutPrefix(p, path+"/"); ok {
			key, _, _ := strings.Cut(rest, "/")
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// paths are all that mean something.
func (s *signal) paths() []string {
	paths := slices.Clone(s.idle)
	for _, p := range s.places {
		paths = append(paths, s.itemPath()+"/"+p.path)
	}
	for _, protocol := range protocols {
		for _, p := range otlpPlaces {
			if s.has(protocol.path, p.path) {
				paths = append(paths, s.exporterPath()+"/"+protocol.path+"/"+p.path)
			}
		}
	}
	return append(paths, s.exporterPath()+"/otlp_http/encoding", s.exporterPath()+"/console")
}

func (s *signal) has(protocol, path string) bool {
	if slices.Contains(ofMetrics, path) {
		return s.provider == "meter_provider"
	}
	return path != "tls/insecure" || protocol == "otlp_grpc"
}

// choose notes which exporter it is.
func (f *File) choose(s *signal, path string, n *yaml.Node) error {
	kind, ok := strings.CutPrefix(path, s.exporterPath()+"/")
	if !ok || strings.Contains(kind, "/") {
		return nil
	}
	if have, ok := f.Variables[s.kind]; ok {
		return f.wrong(n, "exporter: there is one already (%s); pidometer has one", have)
	}
	i := slices.IndexFunc(protocols, func(p place) bool { return p.path == kind })
	if i < 0 {
		f.set(s.kind, "console", n.Line)
		return nil
	}
	f.set(s.kind, "otlp", n.Line)
	f.set(s.prefix+"PROTOCOL", protocols[i].variable, n.Line)
	return nil
}

// leaf turns one value into its variable.
func (f *File) leaf(s *signal, path string, n *yaml.Node) error {
	name := s.variable(path)
	switch {
	case last(path) == "encoding" && n.Value != "protobuf":
		return f.wrong(n, "encoding %q: pidometer has protobuf", n.Value)
	case name == "":
		return nil
	case last(path) == "headers":
		return f.headers(name, n)
	case last(path) == "headers_list" && f.Variables[name] != "":
		f.Variables[name] = n.Value + "," + f.Variables[name] // the last of a key wins
	case n.Value == "low_memory":
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

func (f *File) set(name, value string, line int) { f.Variables[name], f.lines[name] = value, line }

// variable returns the variable that says the same as the value at a path.
func (s *signal) variable(path string) string {
	for _, p := range s.places {
		if s.itemPath()+"/"+p.path == path {
			return p.variable
		}
	}
	_, within, _ := strings.Cut(strings.TrimPrefix(path, s.exporterPath()+"/"), "/")
	for _, p := range otlpPlaces {
		if p.path == within {
			return s.prefix + p.variable
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
