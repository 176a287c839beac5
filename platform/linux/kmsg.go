package linux

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeKmsg returns the text of a record of /dev/kmsg, if the kernel itself wrote it.
// Whoever may write to that file adds records of his own, but none of facility 0, so
// that "the origin of the messages can always be reliably determined"
// (Documentation/ABI/testing/dev-kmsg). The first number holds facility and level;
// number, time and flags of the record follow, and any number of further values.
//
//	6,339,5140900,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),...
//	 SUBSYSTEM=acpi
//	 DEVICE=+acpi:PNP0A03:00
//
// Bytes that do not print, and backslashes, are escaped: the text is unescaped where
// it stands. What follows it is of devices.
func decodeKmsg(record []byte) (line []byte, ok bool) {
	const levels = 8
	priority, rest, ok := leadingUint(record)
	if !ok || priority >= levels || len(rest) == 0 || rest[0] != ',' {
		return nil, false
	}
	_, rest, ok = bytes.Cut(rest, []byte(";"))
	if !ok {
		return nil, false
	}
	line, _, ok = bytes.Cut(rest, []byte("\n"))
	return unescape(line), ok
}

// unescape undoes \x1b in b, where it stands.
func unescape(b []byte) []byte {
	at := bytes.IndexByte(b, '\\')
	if at < 0 {
		return b
	}
	to := b[:at]
	for b = b[at:]; len(b) > 0; {
		if v, ok := escaped(b); ok {
			to, b = append(to, v), b[4:]
			continue
		}
		to, b = append(to, b[0]), b[1:]
	}
	return to
}

// escaped returns the byte that b begins with as \x1b.
func escaped(b []byte) (byte, bool) {
	if len(b) < 4 || b[0] != '\\' || b[1] != 'x' {
		return 0, false
	}
	v, rest, ok := text.Hex(b[2:4])
	return byte(v), ok && len(rest) == 0 && b[2] > ' '
}

// kmsgOccurrences is the kernel's log.
var kmsgOccurrences = platform.OccurrenceSource{
	Name: "/dev/kmsg", Tells: platform.KindsOf(platform.ProcessOOMKilled),
	Needs: "/dev/kmsg, and CAP_SYSLOG where kernel.dmesg_restrict is 1",
}

const (
	// kmsgRoom is more than any record takes: CONSOLE_EXT_LOG_MAX of 8192 bytes in
	// kernel/printk, PRINTK_MESSAGE_MAX of 2048 since Linux 6.4.
	kmsgRoom = 8192
	// kmsgMost is how many records one Read takes. A log that is written faster than
	// it is read has no end.
	kmsgMost = 4096
)

// kmsg listens to the log for kills.
type kmsg struct {
	*watch
	fd      int
	numbers bool   // its PIDs are those of the view
	context []byte // the last line that named a control group
	chosen  uint64 // the last PID that was chosen
	usage   platform.Sample
}

func openKmsg(w *watch) (listener, error) {
	fd, err := w.kernel.Open(w.backend.root, w.join("dev/kmsg"))
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("/dev/kmsg: %w: needs CAP_SYSLOG, or kernel.dmesg_restrict=0", err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("/dev/kmsg: %w: a container has it only if it is given that device", errors.ErrUnsupported)
	case err != nil:
		return nil, fmt.Errorf("/dev/kmsg: %w", err)
	}
	k := &kmsg{watch: w, fd: fd, numbers: w.initialPIDs()}
	if err = w.kernel.End(fd); err == nil {
		err = w.listen(fd, ToRead, k)
	}
	if err != nil {
		k.close()
		return nil, fmt.Errorf("/dev/kmsg: %w", err)
	}
	return k, nil
}

func (k *kmsg) close() { k.kernel.Close(k.fd) }

// drain reads records, each by a call of its own. Records that were overwritten before
// they were read are one error between them (EPIPE).
func (k *kmsg) drain(_ bool, yield func(*platform.Occurrence)) error {
	lost := false
	for range kmsgMost {
		n, err := k.kernel.Read(k.fd, k.buf)
		switch {
		case err == nil && n > 0:
			if line, ok := decodeKmsg(k.buf[:n]); ok {
				k.line(line, yield)
			}
		case errors.Is(err, syscall.EPIPE):
			if !lost {
				lost = true
				yield(&platform.Occurrence{Kind: platform.OccurrencesLost})
			}
		case errors.Is(err, syscall.EINVAL): // a record longer than any; the next is another one
		case errors.Is(err, syscall.EAGAIN):
			return nil
		case err == nil:
			return fmt.Errorf("/dev/kmsg: %w: it has an end", errDeaf)
		default:
			return fmt.Errorf("/dev/kmsg: %w: %w", errDeaf, err)
		}
	}
	return nil
}

// line looks at a line of the kernel. A kill is told by the last of three lines.
func (k *kmsg) line(line []byte, yield func(*platform.Occurrence)) {
	if victim, ok := decodeOOMKill(line); ok {
		k.kill(victim, yield)
		return
	}
	if pid, ok := decodeOOMChoice(line); ok {
		k.chosen = pid
	} else if bytes.HasPrefix(line, []byte("oom-kill:")) || bytes.HasPrefix(line, []byte("Task in ")) {
		k.context, k.chosen = append(k.context[:0], line...), 0
	}
}

func (k *kmsg) kill(victim oomVictim, yield func(*platform.Occurrence)) {
	o := platform.Occurrence{Kind: platform.ProcessOOMKilled, Command: victim.command, Usage: &k.usage}
	o.Cgroup, _ = decodeOOMContext(k.context, victim, k.chosen)
	k.usage.Reset(platform.Process, platform.Key{})
	setOOMSizes(victim.sizes, &k.usage)
	if k.numbers {
		o.Key.ID = victim.pid
		o.Key.Start = k.startOf(victim.pid, victim.command)
	}
	if o.Key.Start != 0 && o.Cgroup == nil {
		o.Cgroup = k.groupOf(victim.pid)
	}
	yield(&o)
}
