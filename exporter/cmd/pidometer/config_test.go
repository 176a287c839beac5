package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/pidometer/pidometer/internal/otlptest"
	"github.com/pidometer/pidometer/internal/scratch"
)

// file writes a configuration file.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(scratch.Dir(t), "pidometer.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	head = `file_format: "1.0"
meter_provider:
  readers:
    - periodic:
        interval: 1000
        exporter:
          otlp_grpc:
            endpoint: ${RECEIVER:-http://localhost:4317}
            headers: [{name: token, value: "${TOKEN:-hunter2}"}]
`
	section = `instrumentation/development:
  go:
    pidometer:
`
)

// Mistakes in our section have their line, and so have those that show only when all
// is put together.
func TestConfigMistakes(t *testing.T) {
	for _, test := range []struct {
		own  string // begins in line 13
		args []string
		says string
	}{
		{"      bogus: 1\n", nil, `:13: unknown key "bogus"; there are all_devices, always, `},
		{"      interval: 15s\n", nil, `:13: unknown key "interval"`},
		{"      metrics: [system.*, system.cpu.tim]\n", nil, `:13: metrics: no metric matches "system.cpu.tim": did you mean "system.cpu.time"?`},
		{"      metrics:\n        - system.*\n        - nothing.*\n", nil, `:15: metrics: no metric matches "nothing.*"`},
		{"      filter: colour=red\n", nil, ":13: filter: "},
		{"      process_attributes: [container.id, container.di]\n", nil, ":13: process_attributes: "},
		{"      processes: [top]\n", nil, ":13: processes takes one value"},
		{"      processes: some\n", nil, ":13: processes"},
		{"      per_cpu: perhaps\n", nil, ":13: per_cpu: "},
		{"      raw: true\n      processes: none\n      always: [sh]\n", nil, ":15: always adds to the top processes, and they are none"},
		{"      processes: self\n      filter: name=x\n", nil, ":14: filter chooses among processes"},
		{"      filter: name=x\n", []string{"--processes", "none"}, ":13: filter chooses among processes"},
		{"      process_attributes: container.id\n", []string{"--processes", "none"}, ":13: process_attributes describes processes"},
		{"      root: /nowhere\n", nil, "/nowhere"},
	} {
		path := file(t, head+section+test.own)
		out, log, code := run(t, append([]string{"run", "--config", path}, test.args...)...)
		if code != 2 || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, test.says) {
			t.Errorf("%s: status %d, output %q, log %q; want 2 and %s", test.own, code, out, log, test.says)
		}
	}
	broken := file(t, strings.Replace(head, "${RECEIVER:-http://localhost:4317}", "ftp://c", 1))
	for _, args := range [][]string{{"run", "--config", broken}, {"config", "--config", broken}} {
		if _, log, code := run(t, args...); code != 2 || !strings.Contains(log, "pidometer.yaml:8: endpoint") || strings.Count(log, "\n") != 1 {
			t.Errorf("%v: status %d, log %q", args, code, log)
		}
	}
	if _, log, code := run(t, "run", "--config", filepath.Join(scratch.Dir(t), "missing")); code != 2 || !strings.Contains(log, "missing") {
		t.Errorf("status %d, log %q", code, log)
	}
}

var remark = regexp.MustCompile(` *# .*`)

// What config prints is a file, and as a file it is the same configuration. A flag
// beats the file, and secrets are masked.
func TestConfigRoundTrip(t *testing.T) {
	own := "      metrics: [\"-*\", \"system.*\"]\n      filter: [name=a$$b, memory>=1MiB]\n      processes: all\n      raw: true\n"
	first, log, code := run(t, "config", "--config", file(t, head+section+own), "--interval", "7s", "--per-cpu")
	if code != 0 || log != "" {
		t.Fatalf("status %d, log %q", code, log)
	}
	for _, want := range []string{"interval: 7000 # --interval", "per_cpu: true # --per-cpu", "raw: true # ", "pidometer.yaml:16", "- name=a$$b", "timeout: 10000 # default"} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	if strings.Contains(first, "hunter2") {
		t.Errorf("a secret in\n%s", first)
	}
	second, _, _ := run(t, "config", "--config", file(t, first))
	if a, b := remark.ReplaceAllString(first, ""), remark.ReplaceAllString(second, ""); a != b {
		t.Errorf("%s\nbecame\n%s", a, b)
	}
}

// With a file the environment counts only where the file names it.
func TestConfigBeatsEnvironment(t *testing.T) {
	r := otlptest.Start(t)
	tokens := make(chan []string, 100)
	r.Answer(func(ctx context.Context, _ *otlptest.Request) (*otlptest.Response, error) {
		seen, _ := metadata.FromIncomingContext(ctx)
		tokens <- append(seen.Get("token"), seen.Get("x")...)
		return nil, nil
	})
	path := file(t, head+"resource:\n  attributes:\n    - {name: service.name, value: shop}\n    - {name: answer, value: 42, type: int}\n"+
		section+"      processes: none\n      metrics: [\"-*\", system.uptime]\n")
	c := exec.Command(program(t), "run")
	c.Env = append(os.Environ(), "OTEL_CONFIG_FILE="+path, "RECEIVER=http://"+r.Addr, "TOKEN=a b,c",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_HEADERS=x=y", "OTEL_SDK_DISABLED=true", "OTEL_SERVICE_NAME=env",
		"OTEL_RESOURCE_ATTRIBUTES=from=env", "OTEL_EXPORTER_OTLP_TIMEOUT=nonsense")
	s := start(t, c)
	requests := r.WaitFor(t, "the first data", otlptest.AtLeast(1))
	if got := <-tokens; len(got) != 1 || got[0] != "a b,c" {
		t.Errorf("headers %q", got)
	}
	found := map[string]string{}
	for _, kv := range requests[0].ResourceMetrics[0].Resource.Attributes {
		found[kv.GetKey()] = kv.GetValue().String()
	}
	if !strings.Contains(found["service.name"], "shop") || !strings.Contains(found["answer"], "int_value:42") || found["from"] != "" {
		t.Errorf("resource %v", found)
	}
	if n := len(otlptest.Numbers(requests, "system.uptime")); n == 0 {
		t.Error("no system.uptime")
	}
	if n := len(otlptest.Numbers(requests, "system.cpu.time")); n != 0 {
		t.Error("system.cpu.time, which the file takes away")
	}
	s.Process.Kill()
	s.Wait()
}
