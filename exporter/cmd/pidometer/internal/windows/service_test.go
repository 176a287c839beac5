package windows

import (
	"errors"
	"runtime"
	"testing"
)

func TestSeverity(t *testing.T) {
	for line, want := range map[string]severity{
		"time=1 level=INFO msg=runs": information, "time=1 level=WARN msg=x": warning,
		"level=ERROR no": failure, "": information,
	} {
		if got := severityOf([]byte(line)); got != want {
			t.Errorf("%q: %d, want %d", line, got, want)
		}
	}
}

// A program that nobody started as a service says so, and does nothing.
func TestServeElsewhere(t *testing.T) {
	if err := Serve(nil); err == nil || runtime.GOOS != "windows" && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}
