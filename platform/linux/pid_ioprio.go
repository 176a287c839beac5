package linux

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// readIOPriority asks ioprio_get, which takes a number and no handle: only a
// process that lives on under its handle is the one that was asked.
func (r *reader) readIOPriority(v *visit) error {
	if !v.foreign && !r.numbersOurs() {
		return errors.ErrUnsupported
	}
	priority, err := r.details.calls.IOPriority(v.key.ID)
	if err != nil {
		return err
	}
	if _, err := r.kernel.Stat(v.dir, r.join("comm")); err != nil {
		return err
	}
	if f, ok := ioPriorityField(priority >> ioprioShift); ok {
		r.sample.Set(f, priority&ioprioLevel)
		return nil
	}
	return errContent
}

// ioPriorityField returns the field of a class (include/uapi/linux/ioprio.h).
func ioPriorityField(class uint64) (f platform.Field, ok bool) {
	switch class {
	case 0:
		return platform.ProcessIOPriorityNone, true
	case 1:
		return platform.ProcessIOPriorityRealtime, true
	case 2:
		return platform.ProcessIOPriorityBestEffort, true
	case 3:
		return platform.ProcessIOPriorityIdle, true
	}
	return 0, false
}

// numbersOurs finds out once in a pass whether a PID of the view is the same
// process to a system call.
func (r *reader) numbersOurs() bool {
	if !r.pass.numbered {
		r.pass.numbered, r.pass.ours = true, r.numbersAreOurs() == nil
	}
	return r.pass.ours
}

// numbersAreOurs makes sure that a PID of the view means the same process to a
// system call: the proc that is read belongs to our own PID namespace. There NSpid
// of this process is a single number (proc_pid_status(5)), and so is the name that
// proc/self leads to.
func (b *backend) numbersAreOurs() error {
	if !b.live {
		return fmt.Errorf("%w: the processes of this root are recorded", errors.ErrUnsupported)
	}
	status, err := b.once(b.proc, b.join("self/status"))
	if err != nil || !decodeOwnNumber(status, uint64(b.kernel.Pid())) {
		return errForeign
	}
	return nil
}

var errForeign = fmt.Errorf("%w: the processes of this root have other PIDs here", errors.ErrUnsupported)

// decodeOwnNumber reads the status of this process and reports whether it has one
// PID, the given one: then the proc that it was read from belongs to our own PID
// namespace. Linux before 4.1 does not tell how many PIDs there are.
//
//	Tgid:	6113
//	NSpid:	6113	1
func decodeOwnNumber(b []byte, pid uint64) (ours bool) {
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		v, rest, ok := text.UintField(value)
		switch string(key) {
		case "Tgid":
			ours = ok && v == pid
		case "NSpid":
			return ok && v == pid && len(text.Trim(rest)) == 0
		}
	}
	return ours
}
