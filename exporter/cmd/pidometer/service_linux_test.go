package main_test

import (
	"strings"
	"testing"
)

// Services of Windows are no bad luck elsewhere but bad input, in one line.
func TestServiceElsewhere(t *testing.T) {
	for _, args := range [][]string{
		{"service", "install", "--otlp", "http://localhost:4317"}, {"service", "uninstall"}, {"service", "start"}, {"service", "stop"},
		{"service", "status"}, {"run", "--service"}, {"inspect", "services"}, {"inspect", "service", "EventLog"},
	} {
		out, log, code := run(t, args...)
		if code != 2 || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, "Windows") {
			t.Errorf("pidometer %q: status %d, output %q, log %q; want 2, none, one line", args, code, out, log)
		}
	}
}
