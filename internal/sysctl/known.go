package sysctl

import (
	"bytes"
	"fmt"
	"math"
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
	buf := make([]byte, 2*b.dialect.Table.Size)
	row, err := b.rowOf(pid, &buf)
	if err == nil && !b.dialect.Table.live(row) {
		err = os.ErrProcessDone
	}
	if err != nil {
		return Known{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return b.identity(row)
}

// rowOf asks for the row of one process, which lies in the buffer.
func (b *Backend) rowOf(pid uint64, buf *[]byte) (row Row, err error) {
	t := &b.dialect.Table
	if pid > math.MaxInt32 {
		return nil, os.ErrProcessDone
	}
	mib := []int32{ctlKern, t.MIB, onlyPID, int32(pid)}
	var answer []byte
	if t.Whole || t.Fixed {
		answer, err = grow(buf, func(buf []byte) (int, error) { return b.kernel.Sysctl(mib, buf) })
	} else {
		answer, err = askRecords(b.kernel, buf, t.Size, mib)
	}
	if err != nil {
		return nil, err
	}
	if whole := t.each(answer, func(r Row) { row = r }); !whole {
		return nil, ErrContent
	}
	if row == nil || t.pid(row) != pid {
		return nil, os.ErrProcessDone
	}
	return row, nil
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
