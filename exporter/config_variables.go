package exporter

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Variable is an environment variable that [New] honours, itself or through the
// SDK. One that is set and can't be understood is an error of New, which names it.
// The specification would warn and go on with the default; here nothing has begun
// yet, and a misspelt value is found now and not when the data is missing.
type Variable struct {
	Name    string
	Signals bool   // one with METRICS_ or LOGS_ in its name wins for that signal
	Takes   string // what may be written
	Default string // "" for none
	Sets    string // what it decides
	check   func(string) error
}

// environment follows the specification of 2026: environment variables of the SDK,
// of the OTLP exporter and of its metrics exporter. Where there is no check, whoever
// reads the value refuses it.
var environment = []Variable{
	{"OTEL_SDK_DISABLED", false, "true or false", "false", "true sends nothing and reads nothing", boolean},
	{"OTEL_SERVICE_NAME", false, "a name", serviceName, "service.name of the resource; it beats the one in OTEL_RESOURCE_ATTRIBUTES", nil},
	{"OTEL_RESOURCE_ATTRIBUTES", false, "key=value,key=value, percent-encoded", "", "attributes of the resource; they beat what was found", pairs},
	{"OTEL_METRICS_EXPORTER", false, "otlp, console or none", kindOTLP, "where metrics go; console writes JSON to standard output", oneOf(kinds...)},
	{"OTEL_LOGS_EXPORTER", false, "otlp, console or none", kindOTLP, "where events go", oneOf(kinds...)},
	{"OTEL_METRIC_EXPORT_INTERVAL", false, "milliseconds", millis(DefaultInterval), "time between two passes", nil},
	{"OTEL_METRIC_EXPORT_TIMEOUT", false, "milliseconds", millis(defaultTimeout), "time that a pass may take, at most the interval, or 10000 where that is shorter", nil},
	{"OTEL_BLRP_SCHEDULE_DELAY", false, "milliseconds", millis(defaultDelay), "time that an event may wait for others", nil},
	{"OTEL_BLRP_MAX_QUEUE_SIZE", false, "a number", strconv.Itoa(DefaultEvents), "events that may wait for the receiver", nil},
	{"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", false, "a number", strconv.Itoa(defaultEventBatch), "events in one request", nil},
	{"OTEL_EXPORTER_OTLP_PROTOCOL", true, "grpc or http/protobuf", string(protocolGRPC), "transport", nil},
	{"OTEL_EXPORTER_OTLP_ENDPOINT", true, "a URL or host:port", "http://localhost:4317", "where OTLP goes; with a signal in its name the path is taken as it is", nil},
	{"OTEL_EXPORTER_OTLP_INSECURE", true, "true or false", "", "plaintext or TLS where the endpoint has no scheme; unset, loopback is plaintext", boolean},
	{"OTEL_EXPORTER_OTLP_HEADERS", true, "key=value,key=value, percent-encoded", "", "headers of every request, such as credentials", nil},
	{"OTEL_EXPORTER_OTLP_COMPRESSION", true, "gzip or none", "none", "compression of requests", nil},
	{"OTEL_EXPORTER_OTLP_TIMEOUT", true, "milliseconds", millis(requestTimeout), "time that one request may take; 0 is no limit", nil},
	{"OTEL_EXPORTER_OTLP_CERTIFICATE", true, "a file, PEM", "", "certificate of the authority that signed the receiver's", nil},
	{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", true, "a file, PEM", "", "our certificate for mutual TLS", nil},
	{"OTEL_EXPORTER_OTLP_CLIENT_KEY", true, "a file, PEM", "", "the key of our certificate", nil},
	{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", false, "cumulative, delta or lowmemory", "cumulative", "temporality of sums", oneOf("cumulative", "delta", "lowmemory")},
	{"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", false, "explicit_bucket_histogram or base2_exponential_bucket_histogram", "explicit_bucket_histogram", "aggregation of histograms, of which pidometer has none", oneOf("explicit_bucket_histogram", "base2_exponential_bucket_histogram")},
}

// Variables returns the environment variables that [New] honours. The caller may
// change the list.
func Variables() []Variable { return slices.Clone(environment) }

// otlp is what the variables of the OTLP exporters begin with.
const otlp = "OTEL_EXPORTER_OTLP_"

// of returns the name of the variable for one payload. Of a variable that has no such
// form it is the only name.
func (v Variable) of(what payload) string {
	if !v.Signals {
		return v.Name
	}
	return otlp + payloads[what].infix + strings.TrimPrefix(v.Name, otlp)
}

// find returns what a payload's variable says, and the name of the one that says
// it: the payload's own, else the general one, else "".
func (v Variable) find(what payload) (value, name string) {
	for _, name := range []string{v.of(what), v.Name} {
		if value := getenv(name); value != "" {
			return value, name
		}
	}
	return "", ""
}

// checkVariables refuses what variables say and nobody can understand.
func checkVariables() error {
	var errs []error
	told := map[string]bool{}
	for what := range payload(len(payloads)) {
		for _, v := range environment {
			value, name := v.find(what)
			if name == "" || v.check == nil || told[name] {
				continue
			}
			told[name] = true
			if err := v.check(value); err != nil {
				errs = append(errs, fmt.Errorf("%s%w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// The checks say what is wrong behind the variable's name.

func boolean(value string) error {
	if strings.EqualFold(value, "true") || strings.EqualFold(value, "false") {
		return nil
	}
	return fmt.Errorf("=%q is neither true nor false; write one of them", value)
}

func oneOf(words ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(words, strings.ToLower(value)) {
			return nil
		}
		return fmt.Errorf("=%q is unknown; write %s", value, strings.Join(words, " or "))
	}
}

// pairs checks a list of key=value. The SDK drops a pair without "=".
func pairs(value string) error {
	for i, pair := range strings.Split(value, ",") {
		if key, _, ok := strings.Cut(pair, "="); !ok || strings.TrimSpace(key) == "" {
			return fmt.Errorf(": entry %d is no attribute; write key=value,key2=value2", i+1)
		}
	}
	return nil
}
