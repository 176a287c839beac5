package platform

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The system's own table is the witness of ours.
func TestSignalNames(t *testing.T) {
	for n := 1; n < len(linuxSignals); n++ {
		if have, want := SignalName("linux", n), unix.SignalName(unix.Signal(n)); have != want {
			t.Errorf("signal %d is %s, not %s", n, have, want)
		}
	}
}
