package linux

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// A FIFO that nobody writes to, in the place of a file, holds whoever opens it, as a
// driver does that hangs: after many passes one goroutine waits, one thread with it,
// and no descriptor is open.
func TestFIFOInPlaceOfASensor(t *testing.T) {
	files := under("sys/class/hwmon/hwmon0/", map[string]string{"name": "hung\n", "temp2_input": "1000\n"})
	files["sys/class/hwmon/hwmon1/name"], files["sys/class/hwmon/hwmon1/temp1_input"] = "healthy\n", "2000\n"
	k := newTreeKernel(writeTree(t, files))
	const sensor = "sys/class/hwmon/hwmon0/temp1_input"
	fifo := filepath.Join(k.root, sensor)
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	b := treeBackend(k, Options{Budget: 100 * time.Millisecond})
	stuck := 0
	for range 100 {
		c := readTree(t, b, onHwmon)
		if slices.Contains(c.misses[fromHwmon], platform.Stuck) {
			stuck++
		}
	}
	g := b.hostState().guard
	waiting := func() int {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.alive
	}
	for begin := time.Now(); waiting() > 1 && time.Since(begin) < time.Minute; { // the healthy one may end a little later
		time.Sleep(time.Millisecond)
	}
	alive := waiting()
	if stuck != 100 || alive != 1 || k.times(sensor) != 1 || k.open() != 0 {
		t.Errorf("%d passes stuck, %d goroutines wait, asked %d times, %d files open", stuck, alive, k.times(sensor), k.open())
	}
	release, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	release.Close()
}
