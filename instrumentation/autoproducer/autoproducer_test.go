package autoproducer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/autoproducer"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// TestMain is the test, or the program that a test starts: autoexport reads the
// environment once for all, and lets a name be registered once.
func TestMain(m *testing.M) {
	pattern, ok := os.LookupEnv("AUTOPRODUCER_METRICS")
	if !ok {
		os.Exit(m.Run())
	}
	autoproducer.Register(instrumentation.WithMetrics("-*", pattern))
	reader, err := autoexport.NewMetricReader(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	if err := provider.Shutdown(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child runs the program with a console exporter and returns the names of what it
// exports at its end.
func child(t *testing.T, pattern string, env ...string) (names []string, log string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), append(env, "AUTOPRODUCER_METRICS="+pattern, "OTEL_METRICS_EXPORTER=console")...)
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return nil, said.String()
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var doc struct {
			ScopeMetrics []struct{ Metrics []struct{ Name string } }
		}
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			return names, said.String()
		} else if err != nil {
			t.Fatal(err)
		}
		for _, s := range doc.ScopeMetrics {
			for _, m := range s.Metrics {
				names = append(names, m.Name)
			}
		}
	}
}

// A program of autoexport gets pidometer by a variable, and not without it; what is
// wrong with the options is told when the reader is built.
func TestRegister(t *testing.T) {
	if p, err := producer.New(); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no backend for this system")
	} else if err == nil {
		p.Close()
	}
	if names, log := child(t, "system.uptime", "OTEL_METRICS_PRODUCERS="+autoproducer.Name); len(names) != 1 || names[0] != "system.uptime" {
		t.Errorf("%v, %s", names, log)
	}
	if names, log := child(t, "system.uptime", "OTEL_METRICS_PRODUCERS=none"); len(names) != 0 || log != "" {
		t.Errorf("without the variable: %v, %s", names, log)
	}
	if names, log := child(t, "system.uptim", "OTEL_METRICS_PRODUCERS="+autoproducer.Name); len(names) != 0 || !strings.Contains(log, "system.uptime") {
		t.Errorf("a misspelt metric: %v, %s", names, log)
	}
}

// A program of autoexport that reports its host too. It is not run here: a program
// registers once.
func ExampleRegister() {
	main := func() error {
		autoproducer.Register(instrumentation.WithProcesses(instrumentation.Top))
		reader, err := autoexport.NewMetricReader(context.Background())
		if err != nil {
			return err
		}
		provider := metric.NewMeterProvider(metric.WithReader(reader))
		return provider.Shutdown(context.Background())
	}
	_ = main
}
