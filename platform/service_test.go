package platform

import "testing"

// Each state and each start has a word, and numbers beyond have one too.
func TestServiceWords(t *testing.T) {
	seen := map[string]bool{}
	for s := range ServiceIsPaused + 1 {
		seen[s.String()] = true
	}
	for s := range serviceStarts {
		seen[s.String()] = true
	}
	if len(seen) != 8+6 || !seen["stop_pending"] || !seen["delayed_automatic"] || seen[""] {
		t.Errorf("%v", seen)
	}
	if ServiceState(99).String() != "unknown" || ServiceStart(99).String() != "unknown" {
		t.Error("a number beyond has another word than unknown")
	}
}
