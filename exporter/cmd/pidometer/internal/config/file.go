// Package config reads and writes the configuration file of the sidecar, which is a
// declarative configuration file of OpenTelemetry with a section for pidometer.
//
// What the file says of the SDK becomes the environment variables that say the same,
// so that both ways lead through the same checks; what it says in our section becomes
// flags, for the same reason.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/contrib/otelconf"
	"go.yaml.in/yaml/v3"
)

// File is a configuration file that has been read.
type File struct {
	// Variables are the environment variables that stand for what the file says.
	Variables map[string]string
	// Resource are its attributes of the resource. Of a key that stands twice the
	// last one counts.
	Resource []Attribute
	// LogLevel is how much the program's own log tells.
	LogLevel Valued
	// Own are the keys of our section, in their order.
	Own []Entry

	name  string
	lines map[string]int // by variable
	model otelconf.OpenTelemetryConfiguration
}

// Entry is one key of our section: the name of a flag, with _ for -.
type Entry struct {
	Key    string
	Values []string
	Lines  []int // of each value; of the key, if there is none
	List   bool
	line   int
}

// sectionPath is where our section stands: the place that the schema has for what
// configures one instrumentation library of one language.
var sectionPath = []string{"instrumentation/development", "go", "pidometer"}

// Section is the same, for people.
var Section = strings.Join(sectionPath, " > ")

// Read reads a configuration file. Every error names its file, and the line where
// there is one.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text)
}

func parse(name string, text []byte) (*File, error) {
	f := &File{name: name, Variables: map[string]string{}, lines: map[string]int{}}
	root, err := f.document(text)
	if err != nil {
		return nil, err
	}
	if err := f.substitute(root); err != nil {
		return nil, err
	}
	// The types of otelconf know what each key may hold, and its decoder checks it.
	if err := root.Decode(&f.model); err != nil {
		return nil, f.fromDecoder(root, err)
	}
	for _, step := range []func(*yaml.Node) error{f.format, f.top, f.providers, f.resource, f.section} {
		if err := step(root); err != nil {
			return nil, err
		}
	}
	f.LogLevel = Valued{string(*f.model.LogLevel), "default"}
	if key, _ := lookUp(root, "log_level"); key != nil {
		f.LogLevel.From = f.at(key.Line)
	}
	return f, nil
}

// document returns the mapping that the file is.
func (f *File) document(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, more yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: is empty; begin with file_format: %q", f.name, fileFormat)
	case err != nil:
		return nil, f.fromDecoder(nil, err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: holds more than one document", f.name)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, f.wrong(root, "no mapping; begin with file_format: %q", fileFormat)
	}
	return root, nil
}

// lineOf finds the line in what the YAML library says.
var lineOf = regexp.MustCompile(`line (\d+): `)

// fromDecoder gives an error of the decoders its place. That of a rule has none, as
// "field interval: must be > 0".
func (f *File) fromDecoder(root *yaml.Node, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	var kept []string
	for part := range strings.SplitSeq(text, "\n") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "yaml: ")
		if part != "" && !strings.HasPrefix(part, "unmarshal error") {
			kept = append(kept, part)
		}
	}
	if m := lineOf.FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[1])
		return fmt.Errorf("%s: %s", f.at(line), strings.Replace(strings.Join(kept, "; "), m[0], "", 1))
	}
	if m := fieldOf.FindStringSubmatch(text); m != nil && root != nil {
		if n := findKey(root, m[1]); n != nil {
			return f.wrong(n, "%s %s", m[1], m[2])
		}
	}
	if m := missingIn.FindStringSubmatch(text); m != nil {
		if n := findKey(root, holders[m[2]]); n != nil {
			return f.wrong(n, "%s: %s is required", n.Value, m[1])
		}
		return fmt.Errorf("%s: %s is required", f.name, m[1])
	}
	return fmt.Errorf("%s: %s", f.name, strings.Join(kept, "; "))
}

// missingIn is how otelconf says that a key is missing, and holders is where its
// types stand in a file.
var (
	missingIn = regexp.MustCompile(`field (\w+) in \*?otelconf\.(\w+): required`)
	holders   = map[string]string{"OTLPGrpcMetricExporter": "otlp_grpc", "OTLPHttpMetricExporter": "otlp_http", "OTLPGrpcExporter": "otlp_grpc", "OTLPHttpExporter": "otlp_http",
		"PeriodicMetricReader": "periodic", "BatchLogRecordProcessor": "batch", "AttributeNameValue": "attributes", "NameStringValuePair": "headers"}
)

// fieldOf is how otelconf says that a value is out of bounds.
var fieldOf = regexp.MustCompile(`field (\w+): (must be .*)`)

// findKey returns the first key of that name, wherever it stands.
func findKey(n *yaml.Node, name string) *yaml.Node {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if child.Value == name {
				return child
			}
			continue
		}
		if found := findKey(child, name); found != nil {
			return found
		}
	}
	return nil
}

// fileFormat is the version of the schema that is written, and the major one is what
// can be read.
const fileFormat = "1.0"

func (f *File) format(root *yaml.Node) error {
	key, _ := lookUp(root, "file_format")
	if major, _, _ := strings.Cut(f.model.FileFormat, "."); major != "1" {
		return f.wrong(key, "file_format %q is unknown; write %q", f.model.FileFormat, fileFormat)
	}
	return nil
}

// Keys at the top that configure what pidometer has not: other programs that read
// the same file may.
var (
	others = []string{"attribute_limits", "propagator", "tracer_provider", "distribution"}
	ours   = []string{"file_format", "disabled", "log_level", "resource", "meter_provider", "logger_provider", sectionPath[0]}
)

func (f *File) top(root *yaml.Node) error {
	for key := range f.keys(root) {
		if !slices.Contains(ours, key.Value) && !slices.Contains(others, key.Value) {
			return f.wrong(key, "unknown key %q; there are %s", key.Value, strings.Join(slices.Concat(ours, others), ", "))
		}
	}
	return nil
}

// keys yields the keys of a mapping with their values, aliases resolved.
func (f *File) keys(n *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], resolved(n.Content[i+1])) {
				return
			}
		}
	}
}

// resolved follows an alias.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// lookUp returns a key of a mapping and its value, or nil.
func lookUp(n *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], resolved(n.Content[i+1])
		}
	}
	return nil, nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// Origin returns where a variable was set by the file, as FILE:LINE.
func (f *File) Origin(variable string) (string, bool) {
	line, ok := f.lines[variable]
	return f.at(line), ok
}

// At returns the place of a value of our section, as FILE:LINE.
func (f *File) At(e Entry, value int) string {
	if value < len(e.Lines) {
		return f.at(e.Lines[value])
	}
	return f.at(e.line)
}

// Place puts the place of a variable before an error that names it. An endpoint is
// named by what it is, not by its variable.
func (f *File) Place(err error) error {
	for _, name := range slices.SortedFunc(maps.Keys(f.lines), longer) {
		if strings.Contains(err.Error(), name) || strings.HasSuffix(name, "_ENDPOINT") && strings.HasPrefix(err.Error(), "endpoint ") {
			return fmt.Errorf("%s: %w", f.at(f.lines[name]), err)
		}
	}
	return err
}

// longer puts the longer of two names first, which the other may be a part of.
func longer(a, b string) int {
	if d := len(b) - len(a); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}
