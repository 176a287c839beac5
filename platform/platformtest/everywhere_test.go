package platformtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every backend keeps the promises of an inspector on a machine of its own: a made-up one, or
// for Linux and Windows the one that runs the tests.
func TestEveryInspectorIsTested(t *testing.T) {
	backends, err := filepath.Glob("../*/backend.go")
	if err != nil || len(backends) < 8 {
		t.Fatal(backends, err)
	}
	for _, path := range backends {
		folder, call := filepath.Dir(path), ".TestInspector(t"
		if filepath.Base(folder) == "linux" {
			folder, call = ".", "\tTestInspector(t" // this package's own tests run on it
		}
		if !calls(t, folder, call) {
			t.Errorf("no test of %s calls TestInspector", filepath.Dir(path))
		}
	}
}

// calls reports whether a test in a folder has a call in it.
func calls(t *testing.T, folder, call string) bool {
	t.Helper()
	tests, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tests {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), call) {
			return true
		}
	}
	return false
}
