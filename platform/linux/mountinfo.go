package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
)

// mountLine is one line of a mount table. Its bytes are those of the line, with
// blanks still written as \040.
type mountLine struct {
	device uint64 // as deviceNumber makes it; 0 in /proc/mounts, which has none
	whole  bool   // its root is mounted, not a folder or file of it
	point  []byte
	kind   []byte
	source []byte
	mode   string // ro or rw
}

// deviceNumber is the kernel's own form of a device number (MKDEV in
// include/linux/kdev_t.h).
func deviceNumber(major, minor uint64) uint64 { return major<<20 | minor }

// decodeMountinfo reads one line of /proc/[pid]/mountinfo (man 5
// proc_pid_mountinfo). Before the hyphen there may be any number of optional
// fields.
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
func decodeMountinfo(line []byte) (m mountLine, ok bool) {
	device, rest := text.Field(text.Skip(line, 2))
	if m.device, ok = majorMinor(device); !ok {
		return m, false
	}
	var root, options, super []byte
	root, rest = text.Field(rest)
	m.whole = string(root) == "/"
	m.point, rest = text.Field(rest)
	options, rest = text.Field(rest)
	rest, ok = skipOptional(rest)
	m.kind, rest = text.Field(rest)
	m.source, rest = text.Field(rest)
	super, _ = text.Field(rest)
	m.mode = mountMode(options, super)
	return m, ok && len(m.kind) > 0
}

// skipOptional returns what follows the hyphen.
func skipOptional(b []byte) (rest []byte, ok bool) {
	for len(b) > 0 {
		var field []byte
		if field, b = text.Field(b); string(field) == "-" {
			return b, true
		}
	}
	return nil, false
}

// majorMinor reads major:minor.
func majorMinor(b []byte) (device uint64, ok bool) {
	major, rest, ok := text.Uint(b)
	if !ok || len(rest) == 0 || rest[0] != ':' {
		return 0, false
	}
	minor, _, ok := text.UintField(rest[1:])
	return deviceNumber(major, minor), ok
}

// decodeMount reads one line of /proc/mounts, all that kernels before 2.6.26 have
// (man 5 fstab).
//
//	/dev/vda / ext4 rw,discard 0 0
func decodeMount(line []byte) (m mountLine, ok bool) {
	var options []byte
	m.source, line = text.Field(line)
	m.point, line = text.Field(line)
	m.kind, line = text.Field(line)
	options, _ = text.Field(line)
	m.whole = true
	m.mode = mountMode(options, nil)
	return m, len(options) > 0
}

// mountMode tells ro if the mount or the whole file system is read-only: either
// list begins with the word (show_mountinfo in fs/proc_namespace.c).
func mountMode(options, super []byte) string {
	for _, list := range [...][]byte{options, super} {
		if word, _, _ := bytes.Cut(list, []byte(",")); string(word) == "ro" {
			return "ro"
		}
	}
	return "rw"
}
