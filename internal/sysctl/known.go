package sysctl

import (
	"bytes"
	"fmt"
	"os"

	"github.com/pidometer/pidometer/platform"
)

// Known is who has a PID.
type Known struct {
	Key     platform.Key
	Parent  uint64
	Command []byte
	// Shifting says that the start is kept since the kernel's own, so that two readings may
	// be a microsecond apart after the clock was set.
	Shifting bool
}

// onlyPID is the operation that tells of one process: KERN_PROC_PID (sys/sysctl.h).
const onlyPID = 1

// Who asks for one process, outside of any pass. One that is gone, and a zombie that does
// not tell when it was created, is an error that matches [os.ErrProcessDone]. It may be
// called while a pass goes on.
func (b *Backend) Who(pid uint64) (Known, error) {
	t := &b.dialect.Table
	mib := []int32{ctlKern, t.MIB, onlyPID, int32(pid)}
	buf := make([]byte, 2*t.Size)
	ask := func(buf []byte) (int, error) { return b.kernel.Sysctl(mib, buf) }
	var answer []byte
	var err error
	if t.Whole || t.Fixed {
		answer, err = grow(&buf, ask)
	} else {
		answer, err = askRecords(b.kernel, &buf, t.Size, mib)
	}
	if err != nil {
		return Known{}, fmt.Errorf("process %d: %w", pid, err)
	}
	var row Row
	if whole := t.each(answer, func(r Row) { row = r }); !whole {
		return Known{}, fmt.Errorf("process %d: %w", pid, ErrContent)
	}
	if row == nil || t.pid(row) != pid || !t.live(row) {
		return Known{}, fmt.Errorf("process %d: %w", pid, os.ErrProcessDone)
	}
	return b.identity(row)
}

// identity is who a row is of.
func (b *Backend) identity(r Row) (Known, error) {
	t := &b.dialect.Table
	k := Known{Key: platform.Key{ID: t.pid(r), Start: t.start(r)}, Parent: r.U32(t.Parent), Command: bytes.Clone(t.command(r)), Shifting: !b.dialect.Absolute}
	if k.Shifting {
		boot, err := b.bootTime()
		if err != nil {
			return Known{}, err
		}
		k.Key.Start = max(k.Key.Start, boot) - boot
	}
	return k, nil
}
