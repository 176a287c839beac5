package config

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/internal/scratch"
)

const whole = `file_format: "1.0"
disabled: false
log_level: debug2
resource:
  attributes_list: a=list,place=caf%C3%A9
  attributes:
    - {name: a, value: typed}
    - {name: n, value: 3, type: int}
    - {name: f, value: 1, type: double}
    - {name: b, value: true, type: bool}
    - {name: list, value: [x, "1"], type: string_array}
    - {name: numbers, value: [1, 2], type: int_array}
meter_provider:
  exemplar_filter: always_off
  readers:
    - periodic:
        interval: 0x1388
        timeout: 4000
        exporter:
          otlp_grpc:
            endpoint: https://collector:4317
            headers_list: token=old,x=y
            headers:
              - {name: token, value: "a b,c=d"}
              - {name: none, value: }
            compression: gzip
            timeout: 1000
            temporality_preference: low_memory
            default_histogram_aggregation: base2_exponential_bucket_histogram
            tls: {ca_file: /ca, cert_file: /cert, key_file: /key, insecure: false}
logger_provider:
  processors:
    - batch:
        schedule_delay: 100
        max_queue_size: 5000
        exporter:
          otlp_http:
            endpoint: http://collector:4318/v1/logs
            encoding: protobuf
tracer_provider:
  processors: []
instrumentation/development:
  general: {anything: goes}
  java: {other: {x: y}}
  go:
    other: {x: y}
    pidometer:
      metrics:
        - system.*
        - -system.network.*
      processes: top
      per_cpu: true
      always:
`

func TestParse(t *testing.T) {
	f, err := parse("f.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	const p = "OTEL_EXPORTER_OTLP_METRICS_"
	want := map[string]string{
		"OTEL_SDK_DISABLED": "false", "OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "5000",
		"OTEL_METRIC_EXPORT_TIMEOUT": "4000", p + "PROTOCOL": "grpc", p + "ENDPOINT": "https://collector:4317",
		p + "HEADERS": "token=old,x=y,token=a%20b%2Cc=d", p + "COMPRESSION": "gzip", p + "TIMEOUT": "1000",
		p + "TEMPORALITY_PREFERENCE": "lowmemory", p + "DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram",
		p + "CERTIFICATE": "/ca", p + "CLIENT_CERTIFICATE": "/cert", p + "CLIENT_KEY": "/key", p + "INSECURE": "false",
		"OTEL_LOGS_EXPORTER": "otlp", "OTEL_BLRP_SCHEDULE_DELAY": "100", "OTEL_BLRP_MAX_QUEUE_SIZE": "5000",
		"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://collector:4318/v1/logs",
	}
	if !maps.Equal(f.Variables, want) {
		t.Errorf("variables\n%v, want\n%v", f.Variables, want)
	}
	attrs := []attribute.KeyValue{
		attribute.String("a", "list"), attribute.String("place", "café"), attribute.String("a", "typed"), attribute.Int("n", 3),
		attribute.Float64("f", 1), attribute.Bool("b", true), attribute.StringSlice("list", []string{"x", "1"}), attribute.IntSlice("numbers", []int{1, 2}),
	}
	for i, a := range f.Resource {
		if i >= len(attrs) || a.KeyValue != attrs[i] && !reflect.DeepEqual(a.KeyValue, attrs[i]) {
			t.Errorf("attribute %d is %v", i, a)
		}
	}
	own := []Entry{
		{"metrics", []string{"system.*", "-system.network.*"}, []int{49, 50}, true, 48},
		{"processes", []string{"top"}, []int{51}, false, 51},
		{"per_cpu", []string{"true"}, []int{52}, false, 52},
		{"always", nil, nil, false, 53},
	}
	if !reflect.DeepEqual(f.Own, own) {
		t.Errorf("section %+v", f.Own)
	}
	if at, ok := f.Origin(p + "TIMEOUT"); !ok || at != "f.yaml:27" || f.LogLevel != (Valued{"debug2", "f.yaml:3"}) {
		t.Errorf("timeout from %s, level %v", at, f.LogLevel)
	}
	if got := f.Place(errors.New(`endpoint "x": is wrong`)).Error(); got != `f.yaml:21: endpoint "x": is wrong` {
		t.Error(got)
	}
}

// meter is a file with one meter provider around some text, which begins in line 5.
func meter(text string) string {
	return "file_format: \"1.0\"\nmeter_provider:\n  readers:\n    - periodic:\n" + text
}

const console = "        exporter: {console: }\n"

// Each mistake is one line with the place and what may stand there.
func TestMistakes(t *testing.T) {
	own := meter(console) + "instrumentation/development:\n  go:\n    pidometer:\n"
	for _, test := range []struct{ name, text, says string }{
		{"empty", "", "f.yaml: is empty; begin with file_format"},
		{"a list", "- a\n", "f.yaml:1: no mapping"},
		{"two documents", "file_format: '1.0'\n---\na: b\n", "more than one document"},
		{"no format", "disabled: true\n", "file_format"},
		{"older format", "file_format: '0.3'\nmeter_provider:\n", `f.yaml:1: file_format "0.3" is unknown; write "1.0"`},
		{"bad syntax", "file_format: '1.0'\n  x: [\n", "f.yaml:1: did not find expected key"},
		{"unknown at the top", "file_format: '1.0'\nmeter_providr:\n", `f.yaml:2: unknown key "meter_providr"; there are file_format, `},
		{"twice at the top", "file_format: '1.0'\ndisabled: true\ndisabled: true\n", "f.yaml:3"},
		{"wrong type", "file_format: '1.0'\ndisabled: maybe\n", "f.yaml:2"},
		{"no exporter anywhere", "file_format: '1.0'\n", "without meter_provider nothing would be exported"},
		{"no exporter", meter("        interval: 5\n"), "exporter"},
		{"interval below zero", meter("        interval: -5\n" + console), "f.yaml:5: interval must be >= 0"},
		{"interval of text", meter("        interval: 15s\n" + console), "f.yaml:5: cannot unmarshal !!str `15s`"},
		{"unknown in a reader", meter("        intervall: 5\n" + console), `f.yaml:5: periodic: pidometer has nothing for "intervall"; there are`},
		{"not honoured", meter("        cardinality_limits: {default: 5}\n" + console), `f.yaml:5: periodic: pidometer has nothing for "cardinality_limits"`},
		{"views", meter(console) + "  views: []\n", `f.yaml:6: meter_provider: pidometer has nothing for "views"`},
		{"pull", "file_format: '1.0'\nmeter_provider:\n  readers:\n    - pull: {exporter: {}}\n", `f.yaml:4: readers: pidometer has nothing for "pull"; there are periodic`},
		{"an empty reader", "file_format: '1.0'\nmeter_provider:\n  readers: [{}]\n", "f.yaml:2: meter_provider has a place without an exporter"},
		{"two readers", meter(console) + "    - periodic: {exporter: {console: }}\n", "f.yaml:6: readers: pidometer has one"},
		{"two exporters", meter("        exporter:\n          console:\n          otlp_grpc: {endpoint: c}\n"), "f.yaml:7: exporter: there is one already"},
		{"no endpoint", meter("        exporter:\n          otlp_grpc: {}\n"), "f.yaml:6: otlp_grpc: endpoint is required"},
		{"simple", meter(console) + "logger_provider:\n  processors:\n    - simple: {exporter: {console: }}\n", `f.yaml:8: processors: pidometer has nothing for "simple"; there are batch`},
		{"temporality of events", meter(console) + "logger_provider:\n  processors:\n    - batch:\n        exporter:\n          otlp_grpc: {endpoint: c, temporality_preference: delta}\n", `f.yaml:10: otlp_grpc: pidometer has nothing for "temporality_preference"`},
		{"JSON", meter("        exporter:\n          otlp_http:\n            endpoint: http://c\n            encoding: json\n"), `f.yaml:8: encoding "json": pidometer has protobuf`},
		{"header without a value", meter("        exporter:\n          otlp_grpc:\n            endpoint: c\n            headers:\n              - name: x\n"), "f.yaml:8: headers: value is required"},
		{"attribute of another type", meter(console) + "resource:\n  attributes:\n    - {name: n, value: x, type: int}\n", "f.yaml:8: attributes: the value of n is not of its type"},
		{"list of attributes", meter(console) + "resource:\n  attributes_list: a\n", "f.yaml:7: attributes_list: write key=value"},
		{"detection", meter(console) + "resource:\n  detection/development: {}\n", `f.yaml:7: resource: pidometer has nothing for "detection/development"`},
		{"bad reference", meter("        interval: ${1X}\n" + console), "f.yaml:5: ${ begins no reference"},
		{"section of another kind", meter(console) + "instrumentation/development:\n  go: [pidometer]\n", "f.yaml:7: go: not a mapping"},
		{"twice in the section", own + "      raw: true\n      raw: false\n", `f.yaml:10: "raw" stands here twice`},
		{"depth in the section", own + "      metrics: {a: b}\n", "f.yaml:9: metrics: write a value or a list"},
		{"null in a list", own + "      metrics: [a, ]\n      raw: [~]\n", "f.yaml:10: raw: write a value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse("f.yaml", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %s", err, test.says)
			}
		})
	}
}

// Variables are put in where the file refers to them, and bring no structure along.
func TestSubstitute(t *testing.T) {
	t.Setenv("PLAIN", "plain")
	t.Setenv("NUMBER", "7000")
	t.Setenv("INJECT", "x\n- raw: true")
	for text, want := range map[string]string{
		"${PLAIN}": "plain", "${env:PLAIN}": "plain", "a-${PLAIN}-${PLAIN}": "a-plain-plain", "${UNSET:-de$$fault}": "de$$fault",
		"$$": "$", "$${PLAIN}": "${PLAIN}", "$$${PLAIN}": "$plain", "$PLAIN": "$PLAIN", `"${INJECT}"`: "x\n- raw: true", "${INJECT}": "x\n- raw: true",
		"'${NUMBER}'": "7000", "a$": "a$",
	} {
		f, err := parse("f.yaml", []byte(meter(console)+"instrumentation/development:\n  go:\n    pidometer:\n      root: "+text+"\n"))
		if err != nil || len(f.Own) != 1 || len(f.Own[0].Values) != 1 || f.Own[0].Values[0] != want {
			t.Errorf("%s: %v, %v", text, f, err)
		}
	}
	f, err := parse("f.yaml", []byte(meter("        interval: ${NUMBER}\n        timeout: ${UNSET}\n"+console)))
	if err != nil || f.Variables["OTEL_METRIC_EXPORT_INTERVAL"] != "7000" || f.Variables["OTEL_METRIC_EXPORT_TIMEOUT"] != "" {
		t.Errorf("%v, %v", f, err)
	}
}

func TestNoReaders(t *testing.T) {
	f, err := parse("f.yaml", []byte("file_format: '1.0'\nmeter_provider:\n  readers: []\n"))
	if err != nil || f.Variables["OTEL_METRICS_EXPORTER"] != "none" {
		t.Errorf("%v, %v", f, err)
	}
}

// Anchors save repetition, as in any YAML.
func TestAliases(t *testing.T) {
	f, err := parse("f.yaml", []byte("file_format: '1.0'\nmeter_provider:\n  readers:\n    - &r\n      periodic:\n        interval: &i 5000\n        timeout: *i\n"+console))
	if err != nil || f.Variables["OTEL_METRIC_EXPORT_TIMEOUT"] != "5000" {
		t.Errorf("%v, %v", f, err)
	}
}

// What is written is read back the same, and no header's value is in it.
func TestRoundTrip(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"defaults": {},
		"grpc":     {"COMPRESSION": "gzip", "HEADERS": "a=hunter2,b=hunter2", "ENDPOINT": "https://c:1"},
		"http":     {"PROTOCOL": "http/protobuf", "ENDPOINT": "http://c:1/x", "TEMPORALITY_PREFERENCE": "delta"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range variables {
				t.Setenv("OTEL_EXPORTER_OTLP_METRICS_"+k, v)
			}
			settings, err := exporter.Settings()
			if err != nil {
				t.Fatal(err)
			}
			e := Effective{Settings: settings, LogLevel: Valued{"warn", "default"},
				Resource: []Attribute{
					{attribute.String("s", "$x${HOME}: #"), "somewhere"}, {attribute.String("number", "12"), ""}, {attribute.Int64Slice("list", []int64{1, -2}), ""},
					{attribute.Float64("f", 1), ""}, {attribute.Bool("b", true), ""}, {attribute.StringSlice("none", nil), ""}},
				Own: []Own{{"root", []string{""}, false, "default"}, {"filter", []string{"env=A=$B", "- x", "null"}, true, "--filter"}, {"raw", []string{"false"}, false, ""}}}
			f := reread(t, e)
			for _, s := range settings {
				want := s.Value
				switch {
				case strings.HasSuffix(s.Variable, "HEADERS") && want != "":
					want = "a=%2A%2A%2A,b=%2A%2A%2A"
				case s.Variable == "OTEL_SERVICE_NAME" || s.Variable == "OTEL_RESOURCE_ATTRIBUTES" || strings.HasSuffix(s.Variable, "INSECURE"):
					want = "" // in the resource; in the scheme
				}
				if f.Variables[s.Variable] != want {
					t.Errorf("%s is %q, want %q", s.Variable, f.Variables[s.Variable], want)
				}
			}
			for i, a := range e.Resource {
				if !reflect.DeepEqual(f.Resource[i].KeyValue.Value.String(), a.Value.String()) || f.Resource[i].Value.Type() != a.Value.Type() {
					t.Errorf("%v became %v", a, f.Resource[i])
				}
			}
			for i, o := range e.Own {
				if f.Own[i].Key != o.Key || !slices.Equal(f.Own[i].Values, o.Values) {
					t.Errorf("%v became %v", o, f.Own[i])
				}
			}
		})
	}
}

func reread(t *testing.T, e Effective) *File {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, e); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "hunter2") {
		t.Errorf("a secret in\n%s", &b)
	}
	path := filepath.Join(scratch.Dir(t), "f.yaml")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Read(path)
	if err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	return f
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(meter(console)))
	f.Add([]byte("file_format: '1.0'\nx: &a [*a]\n<<: *a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := parse("f.yaml", text)
		if err == nil && file.Variables["OTEL_METRICS_EXPORTER"] == "" {
			t.Errorf("no exporter in\n%s", text)
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "f.yaml:") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q", err)
		}
	})
}
