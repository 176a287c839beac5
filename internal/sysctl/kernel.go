// Package sysctl reads the kernels that tell of themselves in sysctl(3) by numbers, and
// of all processes in one call: FreeBSD's, NetBSD's and OpenBSD's. What is the same in them is
// here: how a call is repeated, the table of processes and who is who in it, network
// interfaces, mounts and averages of load. A [Dialect] holds what differs, most of it
// offsets in structures.
package sysctl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pidometer/pidometer/internal/layout"
)

// Kernel is the handful of calls that a backend makes. Its methods take and return
// nothing but built-in types, so that a simulated kernel needs no import of it.
//
// A call that fills a buffer returns how many bytes its answer has. If that is more
// than the buffer holds, nothing of use was written, and the call is made again with
// more room. Errors are those of the standard library where it has one:
// [io/fs.ErrPermission], [os.ErrProcessDone], [io/fs.ErrNotExist], [io/fs.ErrInvalid] and
// [errors.ErrUnsupported].
type Kernel interface {
	// Sysctl reads what has a name of numbers.
	Sysctl(mib []int32, buf []byte) (n int, err error)
	// Named reads what has a number that only its name leads to, not on OpenBSD. args are
	// the numbers behind it.
	Named(name string, args []int32, buf []byte) (n int, err error)
	// Mounts lists the mounts without waiting for any: getvfsstat(2) on NetBSD and
	// getfsstat(2) on the others with MNT_NOWAIT.
	Mounts(buf []byte) (n int, err error)
	// File reads a whole file: /etc/passwd and the list of who is logged in.
	File(path string) ([]byte, error)
	// Pid is the calling process.
	Pid() uint64
	// Clocks returns nanoseconds since 1970, and nanoseconds since the start.
	Clocks() (now, uptime uint64)
}

// ErrContent says that an answer is shorter than its structure, or does not read as one.
var ErrContent = errors.New("unexpected content")

var errBusy = errors.New("interrupted again and again")

// Errno are the numbers of a system's errors that matter here. They differ between
// systems; of those here the BSDs have the same, as 4.4BSD had them (errno(2)
// of each, and golang.org/x/sys/unix).
type Errno struct {
	Perm, NoEntry, NoProcess, Interrupted, NoDevice, BadFile, NoMemory, Access, Busy, Invalid, NotSupported, NoSystemCall int
}

// BSD are the numbers that errno(2) of FreeBSD 14, NetBSD 10 and OpenBSD 7.6 have in common.
var BSD = Errno{Perm: 1, NoEntry: 2, NoProcess: 3, Interrupted: 4, NoDevice: 6, BadFile: 9, NoMemory: 12, Access: 13, Busy: 16, Invalid: 22, NotSupported: 45, NoSystemCall: 78}

// noDriver is ENODEV, whose number is the same on all systems: nobody drives what a file in
// /dev stands for.
const noDriver = 19

// Error translates an error number. 0 with a call that failed is an error too.
func (e Errno) Error(number int) error {
	switch number {
	case e.Perm, e.Access:
		return fmt.Errorf("errno %d: %w", number, fs.ErrPermission)
	case e.NoProcess:
		return fmt.Errorf("errno %d: %w", number, os.ErrProcessDone)
	case e.NoEntry:
		return fmt.Errorf("errno %d: %w", number, fs.ErrNotExist)
	case e.BadFile:
		return fmt.Errorf("errno %d: %w", number, fs.ErrClosed)
	case e.Invalid:
		return fmt.Errorf("errno %d: %w", number, fs.ErrInvalid)
	case e.NotSupported, e.NoSystemCall, e.NoDevice, noDriver:
		return fmt.Errorf("errno %d: %w", number, errors.ErrUnsupported)
	case 0:
		return fmt.Errorf("failed without an error: %w", ErrContent)
	}
	return fmt.Errorf("errno %d", number)
}

// repeats bounds how often a call is made that a signal or another change cut short.
const repeats = 5

// Raw is one system call: it writes to buf, which may be nil to ask for the size, and
// returns how many bytes it wrote or would have written. failed is of the call, number
// its errno.
type Raw func(buf []byte) (n int, failed bool, number int)

// Call makes a call, again where a signal cut it short or the process was busy
// executing another program, and asks for the size where there was too little room.
func (e Errno) Call(buf []byte, raw Raw) (n int, err error) {
	for range repeats {
		n, failed, number := raw(buf)
		switch {
		case !failed:
			return n, nil
		case number == e.NoMemory && buf != nil:
			return e.size(len(buf), raw)
		case number != e.Interrupted && number != e.Busy:
			return 0, e.Error(number)
		}
	}
	return 0, errBusy
}

// size asks how much room an answer takes that did not fit into have bytes.
func (e Errno) size(have int, raw Raw) (n int, err error) {
	n, err = e.Call(nil, raw)
	return max(n, have+1), err
}

// grow makes a call until its answer fits.
func grow(buf *[]byte, call func(buf []byte) (int, error)) (answer []byte, err error) {
	answer, *buf, err = layout.Grow(*buf, call)
	return answer, err
}
