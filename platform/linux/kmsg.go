package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
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
