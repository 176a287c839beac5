// Package conformance_test runs the real pidometer against real receivers, a Collector
// and a Prometheus server, and asks these what they got. It is a module of its own, so
// that nobody who uses pidometer sees what it takes, and runs when it is asked to:
//
//	PIDOMETER_CONFORMANCE=1 go -C internal/conformance test -v -timeout 30m
//
// The first run builds the receivers, which takes minutes and the network; they are
// kept in the folder for temporary files.
package conformance_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The receivers. The Collector's parts carry its version in testdata/builder.yaml too.
const (
	collectorVersion  = "v0.161.0"
	prometheusVersion = "v0.316.0"
)

// asked skips a test that nobody asked for: it builds other people's programs.
func asked(t *testing.T) {
	t.Helper()
	if os.Getenv("PIDOMETER_CONFORMANCE") == "" {
		t.Skip("PIDOMETER_CONFORMANCE=1 builds a Collector and a Prometheus server and runs this against them")
	}
}

// cache returns the folder that holds what was built.
func cache(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("pidometer-conformance-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs a command to its end.
func command(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off"), env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// built returns a program, which make builds at a path if it is not there yet. It
// appears under its name when it is whole.
func built(t *testing.T, name string, make func(path string)) string {
	t.Helper()
	path := filepath.Join(cache(t), name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	begin := time.Now()
	make(path + ".new")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s was built in %v", name, time.Since(begin).Round(time.Second))
	return path
}

// collector returns the Collector, which its builder makes.
func collector(t *testing.T) string {
	t.Helper()
	recipe, err := filepath.Abs("testdata/builder.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return built(t, "otelcol-"+collectorVersion, func(path string) {
		dir := t.TempDir()
		command(t, dir, []string{"GOBIN=" + dir}, "go", "install", "go.opentelemetry.io/collector/cmd/builder@"+collectorVersion)
		text, err := os.ReadFile(recipe)
		if err != nil {
			t.Fatal(err)
		}
		into := strings.Replace(string(text), "dist:\n", "dist:\n  output_path: "+filepath.Join(dir, "out")+"\n", 1)
		if err := os.WriteFile(filepath.Join(dir, "builder.yaml"), []byte(into), 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, dir, nil, filepath.Join(dir, "builder"), "--config", "builder.yaml")
		if err := os.Rename(filepath.Join(dir, "out", "otelcol"), path); err != nil {
			t.Fatal(err)
		}
	})
}

// prometheus returns the server, without the service discoveries, which nothing here
// needs, and which bring hundreds of modules.
func prometheus(t *testing.T) string {
	t.Helper()
	return built(t, "prometheus-"+prometheusVersion, func(path string) {
		dir := t.TempDir()
		command(t, dir, []string{"GOBIN=" + dir}, "go", "install", "-tags", "remove_all_sd,netgo",
			"github.com/prometheus/prometheus/cmd/prometheus@"+prometheusVersion)
		if err := os.Rename(filepath.Join(dir, "prometheus"), path); err != nil {
			t.Fatal(err)
		}
	})
}

var ours struct {
	sync.Once
	path string
}

// pidometer returns this repository's program, built anew.
func pidometer(t *testing.T) string {
	t.Helper()
	ours.Do(func() {
		path := filepath.Join(cache(t), "pidometer")
		command(t, filepath.Join("..", ".."), nil, "go", "build", "-o", path, "./exporter/cmd/pidometer")
		ours.path = path
	})
	return ours.path
}
