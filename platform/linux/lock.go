package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// lockCounts counts the locks on one device, by field.
type lockCounts struct {
	device string
	counts [8]uint64
}

// lockTable counts the locks of one pass.
type lockTable struct {
	devices devices
	rows    []lockCounts
}

func (t *lockTable) init() { t.devices.init() }

// read counts the lines of /proc/locks.
func (t *lockTable) read(b []byte) {
	t.devices.begin()
	t.rows = t.rows[:0]
	for line := range text.Lines(text.Whole(b)) {
		if device, f, ok := decodeLock(line); ok {
			t.row(device).counts[f-platform.LockPosixRead]++
		}
	}
	t.devices.prune()
}

// row returns the counts of a device.
func (t *lockTable) row(name []byte) *lockCounts {
	dev, first, _ := t.devices.see(name)
	if first {
		dev.row = len(t.rows)
		t.rows = append(t.rows, lockCounts{device: dev.name})
	}
	return &t.rows[dev.row]
}

// sendLocks hands on how many file locks are held on each device. A device
// without a lock is not there.
func (p *hostPass) sendLocks() bool {
	b, ok := p.table(fromLocks, "proc/locks")
	if !ok {
		return true
	}
	p.host.locks.read(b)
	s := &p.host.sample
	for i := range p.host.locks.rows {
		row := &p.host.locks.rows[i]
		s.Reset(platform.Lock, platform.Key{Name: row.device})
		for f, n := range row.counts {
			s.Set(platform.LockPosixRead+platform.Field(f), n)
		}
		if !p.send() {
			return false
		}
	}
	return true
}
