package exporter

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/pidometer/pidometer/internal/otlptest"
	"github.com/pidometer/pidometer/internal/scratch"
)

// good and bad are a value of each variable that is not its default, as Settings
// shows it, and one that nobody understands. Of some everything is understood.
var samples = []struct{ name, good, shown, bad string }{
	{"OTEL_SDK_DISABLED", "TRUE", "true", "yes"},
	{"OTEL_SERVICE_NAME", "shop", "shop", ""},
	{"OTEL_RESOURCE_ATTRIBUTES", "a=b,c=d%20e", "a=b,c=d%20e", "a=b,c"},
	{"OTEL_METRICS_EXPORTER", "console", "console", "prometheus"},
	{"OTEL_LOGS_EXPORTER", "None", "none", "otlp,console"},
	{"OTEL_METRIC_EXPORT_INTERVAL", "60000", "60000", "15s"},
	{"OTEL_METRIC_EXPORT_TIMEOUT", "5000", "5000", "0"},
	{"OTEL_BLRP_SCHEDULE_DELAY", "5", "5", "1s"},
	{"OTEL_BLRP_MAX_QUEUE_SIZE", "5", "5", "0"},
	{"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "5", "5", "many"},
	{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "http/protobuf", "http/json"},
	{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1", "http://c:1", "ftp://c"},
	{"OTEL_EXPORTER_OTLP_INSECURE", "false", "false", "no"},
	{"OTEL_EXPORTER_OTLP_HEADERS", "a=b", "a=b", "a"},
	{"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "gzip", "zstd"},
	{"OTEL_EXPORTER_OTLP_TIMEOUT", "1000", "1000", "-5"},
	{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca", "/ca", ""},
	{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert", "/cert", ""},
	{"OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key", "/key", ""},
	{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "delta", "sometimes"},
	{"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram", "base2_exponential_bucket_histogram", "none"},
}

// Every variable is the default, then what the general one says, then what the one
// for the signal says; what can't be understood is an error with the name of the
// variable that said it.
func TestVariables(t *testing.T) {
	if len(samples) != len(environment) {
		t.Fatalf("%d variables, %d samples", len(environment), len(samples))
	}
	for i, v := range environment {
		s := samples[i]
		t.Run(s.name, func(t *testing.T) {
			if v.Name != s.name || v.Sets == "" || v.Takes == "" {
				t.Fatalf("the sample of %s is in the place of %+v", s.name, v)
			}
			if v.Name != "OTEL_METRIC_EXPORT_TIMEOUT" { // which the interval bounds
				checkSetting(t, v, v.Default, fromDefault)
			}
			t.Setenv(v.Name, s.good)
			checkSetting(t, v, s.shown, v.Name)
			if own := v.of(metricsPayload); own != v.Name {
				t.Setenv(v.Name, "nobody reads this: %")
				t.Setenv(own, s.good)
				t.Setenv(v.of(eventsPayload), s.good)
				checkSetting(t, v, s.shown, own)
				t.Setenv(own, "")
				t.Setenv(v.of(eventsPayload), "")
			}
			if s.bad == "" {
				return
			}
			t.Setenv(v.Name, s.bad)
			_, err := Settings()
			if err == nil || !strings.Contains(err.Error(), v.Name) && !strings.Contains(err.Error(), "endpoint") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s=%s: %v", v.Name, s.bad, err)
			}
			if _, same := New(t.Context()); same == nil || same.Error() != err.Error() {
				t.Errorf("New says %v, Settings says %v", same, err)
			}
		})
	}
}

func checkSetting(t *testing.T, v Variable, value, from string) {
	t.Helper()
	all, err := Settings()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Variable == v.of(metricsPayload) {
			if s.Value != value || s.From != from {
				t.Errorf("%+v, want %q from %s", s, value, from)
			}
			return
		}
	}
	t.Errorf("no setting %s", v.of(metricsPayload))
}

func TestSettingsByOption(t *testing.T) {
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "nonsense that nobody reads")
	t.Setenv("OTEL_METRICS_EXPORTER", "none")
	all, err := Settings(WithInterval(time.Second), WithTimeout(2*time.Second), WithEndpoint("grpc://c"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Setting{}
	for _, s := range all {
		found[s.Variable] = s
	}
	for name, want := range map[string]string{
		"OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "1000", "OTEL_METRIC_EXPORT_TIMEOUT": "2000",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc",
	} {
		if s := found[name]; s.Value != want || s.From != fromOption {
			t.Errorf("%+v, want %s by option", s, want)
		}
	}
}

// A header's value stands in no error.
func TestHeadersAreSecret(t *testing.T) {
	for _, value := range []string{"hunter2", "a=b,hunter2", "a=hunter2%", "a b=hunter2", "=hunter2"} {
		t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", value)
		_, err := Settings()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// Whoever wants nothing exported gets a MeterProvider that asks no instrument.
func TestIdle(t *testing.T) {
	for name, value := range map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_METRICS_EXPORTER": "none"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			receiver := otlptest.Start(t)
			var opts []Option
			if name == "OTEL_SDK_DISABLED" {
				opts = append(opts, WithEndpoint(receiver.Addr)) // which is disabled too
			}
			exp := start(t, opts...)
			observe(t, exp, scopeName, "x", func(metric.Int64Observer) error {
				t.Error("an instrument was asked")
				return nil
			})
			flush(t, exp)
			dead, cancel := context.WithCancel(t.Context())
			cancel()
			for range 2 {
				if err := exp.Shutdown(dead); err != nil {
					t.Error(err)
				}
			}
			if n := len(receiver.Requests()); n != 0 || !exp.Idle() || exp.Endpoint() != "none" {
				t.Errorf("%d requests, idle %v, endpoint %s", n, exp.Idle(), exp.Endpoint())
			}
		})
	}
}

// Events go to the console where that is wanted, and nowhere where nothing is.
func TestEventsByKind(t *testing.T) {
	for kind, want := range map[string]int{kindConsole: 1, kindNone: 0} {
		t.Run(kind, func(t *testing.T) {
			t.Setenv("OTEL_LOGS_EXPORTER", kind)
			out, err := os.Create(filepath.Join(scratch.Dir(t), "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			kept := os.Stdout
			os.Stdout = out // where the exporter takes it from when it is made
			receiver := otlptest.Start(t)
			exp := start(t, WithEndpoint(receiver.Addr))
			os.Stdout = kept
			emit(exp, 0, 1)
			flush(t, exp)
			text, err := os.ReadFile(out.Name())
			if err != nil || strings.Count(string(text), "SeverityText") != want || len(receiver.EventRequests()) != 0 {
				t.Errorf("%v, %d requests, %s", err, len(receiver.EventRequests()), text)
			}
		})
	}
}
