package main_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/pidometer/pidometer/exporter"
	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/internal/otlptest"
)

// names returns the metrics in requests.
func names(requests []*otlptest.Request) map[string]bool {
	found := map[string]bool{}
	otlptest.Walk(requests, func(_ *metrics.ResourceMetrics, _ *metrics.ScopeMetrics, m *metrics.Metric) { found[m.Name] = true })
	return found
}

// The sidecar reports itself unless it is told not to, over instruments and over a
// producer.
func TestRunReportsItself(t *testing.T) {
	for _, args := range [][]string{{"--processes", "top"}, {"--processes", "all"}, {"--self-observation=false"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			r := otlptest.Start(t)
			s := sidecarTo(t, r, args...)
			if args[0] == "--processes" {
				// The second pass tells of the first; each may be several requests.
				r.WaitFor(t, "every metric of the tables", func(q []*otlptest.Request) bool { return len(missing(names(q))) == 0 })
			} else {
				found := names(r.WaitFor(t, "two passes", func(q []*otlptest.Request) bool { return len(otlptest.Numbers(q, "system.uptime")) >= 2 }))
				if n := len(missing(found)); n != len(selfMetrics()) {
					t.Errorf("%d metrics that are not wanted", len(selfMetrics())-n)
				}
			}
			s.Process.Signal(syscall.SIGTERM)
			s.ended(t)
		})
	}
}

// selfMetrics are all that the sidecar tells of itself in any case.
func selfMetrics() (all []string) {
	for _, m := range instrumentation.SelfMetrics() {
		if m.Name != "pidometer.source.misses" { // there may be none
			all = append(all, m.Name)
		}
	}
	for _, m := range exporter.SelfMetrics() {
		all = append(all, m.Name)
	}
	return all
}

// missing returns those that were not found.
func missing(found map[string]bool) (names []string) {
	for _, name := range selfMetrics() {
		if !found[name] {
			names = append(names, name)
		}
	}
	return names
}

// The SDK's own metrics come along where its switch is on.
func TestRunWithObservableSDK(t *testing.T) {
	r := otlptest.Start(t)
	c := exec.Command(program(t), "run", "--otlp", "http://"+r.Addr, "--interval", "200ms", "--processes", "none")
	c.Env = append(os.Environ(), "OTEL_GO_X_OBSERVABILITY=true")
	s := start(t, c)
	r.WaitFor(t, "metrics of the SDK", func(q []*otlptest.Request) bool { return names(q)["otel.sdk.exporter.metric_data_point.exported"] })
	s.Process.Signal(syscall.SIGTERM)
	s.ended(t)
}

// Who wants nothing exported gets a process that waits for its signal and sends
// nothing, also where an endpoint is named.
func TestRunDisabled(t *testing.T) {
	for variable, value := range map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_METRICS_EXPORTER": "none"} {
		r := otlptest.Start(t)
		c := exec.Command(program(t), "run", "--interval", "20ms", "--health", "127.0.0.1:0")
		c.Env = append(os.Environ(), variable+"="+value, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+r.Addr)
		s := start(t, c)
		for _, path := range []string{"/healthz", "/readyz"} {
			if code, report := s.probe(t, path); code != 200 || report.Exporter.State != "idle" || report.Pass.Count != 0 {
				t.Errorf("%s=%s: %s: %d, %+v", variable, value, path, code, report)
			}
		}
		eventually(t, "line about it", func() bool { return strings.Contains(s.log.String(), "nothing is read and nothing is sent") })
		s.Process.Signal(syscall.SIGTERM)
		s.ended(t)
		if n := len(r.Requests()); n != 0 {
			t.Errorf("%s=%s: %d requests", variable, value, n)
		}
	}
}

// The console gets a JSON document for each pass: the first, and the last.
func TestRunToConsole(t *testing.T) {
	path := program(t) // before the time runs: it may have to be built
	ctx, cancel := context.WithTimeout(t.Context(), otlptest.Patience)
	defer cancel()
	c := exec.CommandContext(ctx, path, "run", "--interval", "1h", "--processes", "none")
	c.Env = append(os.Environ(), "OTEL_METRICS_EXPORTER=console")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(out)
	for i := range 2 {
		var doc struct {
			ScopeMetrics []struct{ Metrics []struct{ Name string } }
		}
		if err := d.Decode(&doc); err != nil || len(doc.ScopeMetrics) == 0 || len(doc.ScopeMetrics[0].Metrics) == 0 {
			t.Errorf("pass %d: %v, %+v", i, err, doc)
		}
		if i == 0 {
			c.Process.Signal(syscall.SIGTERM)
		}
	}
	c.Wait()
}
