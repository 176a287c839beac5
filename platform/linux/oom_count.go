package linux

import (
	"errors"
	"fmt"

	"github.com/pidometer/pidometer/platform"
)

// vmstatOccurrences is the count of kills. No file of /proc wakes whoever waits for it.
var vmstatOccurrences = platform.OccurrenceSource{
	Name: "/proc/vmstat", Tells: platform.KindsOf(platform.ProcessOOMKilled),
	Needs: "Linux 4.13; it tells how many were killed, when it is looked at, and not who",
}

// oomCount looks at how many processes were killed, once in each Read.
type oomCount struct {
	*watch
	kills  uint64
	buf    []byte
	sample platform.Sample
}

// vmstatRoom holds /proc/vmstat, some 5 KB of 190 lines on Linux 6.18.
const vmstatRoom = 32 << 10

func openOOMCount(w *watch) (listener, error) {
	c, err := newOOMCount(w)
	if err != nil {
		return nil, err
	}
	w.silent = append(w.silent, c)
	return c, nil
}

// newOOMCount counts from now on.
func newOOMCount(w *watch) (*oomCount, error) {
	c := &oomCount{watch: w, buf: make([]byte, vmstatRoom)}
	var err error
	c.kills, err = c.read()
	return c, err
}

func (c *oomCount) close() {}

var errNoOOMCount = fmt.Errorf("/proc/vmstat has no oom_kill, as before Linux 4.13: %w", errors.ErrUnsupported)

// read returns the kills since boot.
func (c *oomCount) read() (uint64, error) {
	b, err := c.whole(c.buf, "proc/vmstat")
	if err != nil {
		return 0, fmt.Errorf("/proc/vmstat: %w", err)
	}
	c.sample.Reset(platform.Host, platform.Key{})
	decodeVmstat(b, c.backend.word, &c.sample)
	kills, ok := c.sample.Get(platform.HostOOMKills)
	if !ok {
		return 0, errNoOOMCount
	}
	return kills, nil
}

// drain tells by how much the count has grown. One that fell is another kernel's, as
// where a machine was restored from a snapshot.
func (c *oomCount) drain(_ bool, yield func(*platform.Occurrence)) error {
	kills, err := c.read()
	if err != nil {
		return err
	}
	if kills > c.kills {
		yield(&platform.Occurrence{Kind: platform.ProcessOOMKilled, Count: kills - c.kills})
	}
	c.kills = kills
	return nil
}
