package conformance_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// work keeps the kernel counting: processes that come and go, one that computes, and
// bytes over loopback. It returns the PID of the one that computes.
func work(t *testing.T) (pid int) {
	t.Helper()
	busy := exec.Command("sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { busy.Process.Kill(); busy.Wait() })
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quit := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-quit:
				return
			case <-time.After(10 * time.Millisecond):
				exec.Command("true").Run()
				c.WriteTo(make([]byte, 8000), c.LocalAddr())
			}
		}
	})
	t.Cleanup(func() { close(quit); wait.Wait(); c.Close() })
	return busy.Process.Pid
}

// counter is one that the kernel, the conventions and Prometheus each have a name for.
type counter struct {
	name   string // of the metric
	attrs  string // of the point: key=value, the values as text
	unit   float64
	server string // as PromQL selects it
	born   bool   // of the process, which begins at 0
	read   func(pid int) (uint64, error)
}

var counters = []counter{
	{"system.process.created", "", 1, `system_process_created_total`, false,
		func(int) (uint64, error) { return numberAfter("/proc/stat", "processes ", 0) }},
	{"system.network.io", "network.interface.name=lo,network.io.direction=receive", 1,
		`system_network_io_bytes_total{network_interface_name="lo",network_io_direction="receive"}`, false,
		func(int) (uint64, error) { return numberAfter("/proc/net/dev", " lo:", 0) }},
	{"process.cpu.time", "cpu.mode=user", 100, `process_cpu_time_seconds_total{cpu_mode="user",process_pid="%d"}`, true,
		func(pid int) (uint64, error) { return numberAfter(fmt.Sprintf("/proc/%d/stat", pid), ") ", 11) }},
}

// numberAfter reads the number in a file that follows a text and some more words.
func numberAfter(path, text string, skip int) (uint64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	_, rest, ok := bytes.Cut(append([]byte(" "), b...), []byte(text))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) <= skip {
		return 0, fmt.Errorf("%s has no %q", path, text)
	}
	return strconv.ParseUint(fields[skip], 10, 64)
}

// witness reads the counters over and over beside those who are tested.
type witness struct {
	mu       sync.Mutex
	readings []reading
}

type reading struct {
	begin, end time.Time
	values     []uint64 // by index in counters
}

func watch(t *testing.T, pid int) *witness {
	t.Helper()
	w := &witness{}
	quit := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			w.look(t, pid)
			select {
			case <-quit:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { close(quit); wait.Wait() })
	return w
}

func (w *witness) look(t *testing.T, pid int) {
	r := reading{begin: time.Now()}
	for _, c := range counters {
		v, err := c.read(pid)
		if err != nil {
			t.Error(err)
			return
		}
		r.values = append(r.values, v)
	}
	r.end = time.Now()
	w.mu.Lock()
	w.readings = append(w.readings, r)
	w.mu.Unlock()
}

// slack is how far the time of a point may be from when the kernel was read.
const slack = 500 * time.Millisecond

// grown returns the least and the most that a counter grew between two points.
func (w *witness) grown(i int, from, to time.Time) (low, high float64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fromHigh, ok1 := w.after(i, from.Add(slack))
	toLow, ok2 := w.before(i, to.Add(-slack))
	fromLow, ok3 := w.before(i, from.Add(-slack))
	if !ok3 && counters[i].born {
		fromLow, ok3 = 0, true // the witness came a moment after the process
	}
	toHigh, ok4 := w.after(i, to.Add(slack))
	unit := counters[i].unit
	return float64(toLow-fromHigh) / unit, float64(toHigh-fromLow) / unit, ok1 && ok2 && ok3 && ok4 && toLow >= fromHigh
}

// after returns the first reading that began after a time.
func (w *witness) after(i int, at time.Time) (uint64, bool) {
	for _, r := range w.readings {
		if r.begin.After(at) {
			return r.values[i], true
		}
	}
	return 0, false
}

// before returns the last reading that was over before a time.
func (w *witness) before(i int, at time.Time) (v uint64, ok bool) {
	for _, r := range w.readings {
		if r.end.Before(at) {
			v, ok = r.values[i], true
		}
	}
	return v, ok
}

// check holds what a receiver says that a counter grew against what the kernel did.
// share is how much its arithmetic may add or take away.
func (w *witness) check(t *testing.T, who string, i int, from, to time.Time, got, share float64) {
	t.Helper()
	low, high, ok := w.grown(i, from, to)
	t.Logf("%s: %s grew by %.6g in %v; the kernel by %.6g to %.6g", who, counters[i].name, got, to.Sub(from), low, high)
	if !ok || got < low*(1-share) || got > high*(1+share) {
		t.Errorf("%s: %s grew by %v, the kernel by %v to %v (%v)", who, counters[i].name, got, low, high, ok)
	}
}
