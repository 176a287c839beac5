package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodePidIO reads /proc/[pid]/io (man 5 proc_pid_io). read_bytes and
// write_bytes went to or came from the disk; rchar and wchar count what any read
// and write passed on, pipes and the page cache included.
//
//	rchar: 4292
//	wchar: 0
//	syscr: 13
//	syscw: 0
//	read_bytes: 0
//	write_bytes: 0
//	cancelled_write_bytes: 0
//
// It is not ok if nothing of it was there.
func decodePidIO(b []byte, s *platform.Sample) (ok bool) {
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		f, wanted := ioField(key)
		if !wanted {
			continue
		}
		if v, _, number := text.UintField(value); number {
			s.Set(f, v)
			ok = true
		}
	}
	return ok
}

func ioField(key []byte) (f platform.Field, ok bool) {
	switch string(key) {
	case "rchar":
		return platform.ProcessRequestedRead, true
	case "wchar":
		return platform.ProcessRequestedWrite, true
	case "syscr":
		return platform.ProcessDiskReads, true
	case "syscw":
		return platform.ProcessDiskWrites, true
	case "read_bytes":
		return platform.ProcessDiskReadBytes, true
	case "write_bytes":
		return platform.ProcessDiskWriteBytes, true
	}
	return 0, false
}

func (r *reader) readIO(v *visit) error {
	b, err := r.once(v.dir, r.join("io"))
	if err != nil {
		return err
	}
	if !decodePidIO(b, &r.sample) {
		return errContent
	}
	return nil
}
