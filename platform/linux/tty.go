package linux

import (
	"bytes"
	"strconv"

	"github.com/pidometer/pidometer/internal/text"
)

// Numbers of terminal drivers (Documentation/admin-guide/devices.txt).
const (
	majorVirtual = 4
	majorSystem  = 5
	majorPTS     = 136
	lastPTS      = 143 // of 256 terminals each, before Linux 2.6
	firstSerial  = 64
	minorConsole = 1
)

// splitDevice takes apart a device number in the form that stat prints
// (new_encode_dev in include/linux/kdev_t.h).
func splitDevice(number uint32) (major, minor uint32) {
	return number >> 8 & 0xfff, number&0xff | number>>12&0xfff00
}

// terminalName returns the path of the terminals that are called the same on every
// machine.
func terminalName(number uint32) string {
	major, minor := splitDevice(number)
	switch {
	case major == majorVirtual && minor < firstSerial:
		return numbered("/dev/tty", minor)
	case major == majorVirtual:
		return numbered("/dev/ttyS", minor-firstSerial)
	case major == majorSystem && minor == minorConsole:
		return "/dev/console"
	case major >= majorPTS && major <= lastPTS:
		return numbered("/dev/pts/", (major-majorPTS)<<8+minor)
	}
	return ""
}

func numbered(name string, n uint32) string { return name + strconv.FormatUint(uint64(n), 10) }

// terminal returns the path of a terminal, the empty string for none.
func (p *inspection) terminal(number uint32) *string {
	name, known := terminalName(number), true
	if name == "" && number != 0 {
		b, err := p.once(p.proc, p.join("tty/drivers"))
		if err != nil {
			return nil
		}
		name, known = decodeDrivers(b, number)
	}
	if !known {
		return nil
	}
	return &name
}

// decodeDrivers looks for the driver of a terminal in /proc/tty/drivers
// (show_tty_range in fs/proc/proc_tty.c). Terminals of one driver are numbered from
// its first.
//
//	serial               /dev/ttyS       4 64-95 serial
//	hvc                  /dev/hvc      229     0 system
func decodeDrivers(b []byte, number uint32) (name string, ok bool) {
	major, minor := splitDevice(number)
	for line := range text.Lines(text.Whole(b)) {
		node, first, ok := driverOf(line, uint64(major), uint64(minor))
		if ok {
			return numbered(node, minor-first), true
		}
	}
	return "", false
}

// driverOf reads one line, if it is of the driver.
func driverOf(line []byte, major, minor uint64) (node string, first uint32, ok bool) {
	path, rest := text.Field(text.Skip(line, 1))
	have, rest, ok := text.UintField(rest)
	if !ok || have != major || !bytes.HasPrefix(path, []byte("/dev/")) {
		return "", 0, false
	}
	minors, _ := text.Field(rest)
	from, rest, ok := text.Uint(minors)
	to := from
	if ok && len(rest) > 0 && rest[0] == '-' {
		to, _, ok = text.Uint(rest[1:])
	}
	return string(path), uint32(from), ok && from <= minor && minor <= to
}
