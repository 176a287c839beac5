package platform

import "testing"

func TestSignalWithoutName(t *testing.T) {
	for _, c := range []struct {
		goos   string
		number int
		want   string
	}{{"linux", 0, ""}, {"linux", -1, ""}, {"linux", 34, "SIG34"}, {"freebsd", 10, "SIGBUS"}, {"illumos", 23, "SIGSTOP"}, {"darwin", 31, "SIGUSR2"}} {
		if have := SignalName(c.goos, c.number); have != c.want {
			t.Errorf("%s %d: %q, not %q", c.goos, c.number, have, c.want)
		}
	}
}
