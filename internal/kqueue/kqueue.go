// Package kqueue hears of processes from kqueue(2), which the BSDs and macOS have: a
// process that is followed tells when it runs another program and how it ended, and on the
// BSDs what processes it makes, which are followed from their first moment. What differs
// between the systems is a [Layout].
//
// Nobody polls: a thread of the system waits in kevent(2) while somebody waits for
// something to read.
package kqueue

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Kernel are the calls of kqueue(2). Like those of a backend its methods take and return
// nothing but built-in types. A call that failed tells its errno, which [sysctl.Errno]
// translates.
type Kernel interface {
	// Kqueue makes a queue.
	Kqueue() (queue int, failed bool, errno int)
	// Kevent hands changes over, one struct kevent behind the other, and fills events with
	// as many as there is room for. With wait it returns no sooner than there is one, or a
	// signal cut it short.
	Kevent(queue int, changes, events []byte, wait bool) (n int, failed bool, errno int)
	// CloseQueue closes a queue and forgets all that it follows.
	CloseQueue(queue int)
}

// Layout is struct kevent of a system, and the numbers of its filters.
type Layout struct {
	Size  int
	Wide  bool // filter and flags have 32 bits each, not 16
	Notes int  // where fflags, of 32 bits, are
	Data  int  // where data, of 64 bits, is

	Read, Proc, Timer int32 // the filters

	// Trackless says that what a process makes is not followed (NOTE_TRACK).
	Trackless bool
	// Status is the note without which an end does not tell how it came, 0 where it always
	// does. The kernel refuses it to those who may not signal the process.
	Status uint32
}

// The layouts on 64-bit machines (sys/event.h of each; compared with golang.org/x/sys/unix
// in a test). ident comes first, and filter behind it at 8.
var (
	// FreeBSD 12 and later, where ext became part of it.
	FreeBSD = Layout{Size: 64, Notes: 12, Data: 16, Read: -1, Proc: -5, Timer: -7}
	// OpenBSD 7, and DragonFly 6 with the same.
	OpenBSD = Layout{Size: 32, Notes: 12, Data: 16, Read: -1, Proc: -5, Timer: -7}
	// NetBSD of the call that NetBSD 5.0 brought. The later one of NetBSD 11 has ext too, and
	// the kernel keeps the former.
	NetBSD = Layout{Size: 40, Wide: true, Notes: 16, Data: 24, Read: 0, Proc: 4, Timer: 6}
	// Darwin is struct kevent of macOS, with NOTE_EXITSTATUS (filt_procattach and
	// filt_procevent in bsd/kern/kern_event.c of XNU 11417).
	Darwin = Layout{Size: 32, Notes: 12, Data: 16, Read: -1, Proc: -5, Timer: -7, Trackless: true, Status: 0x04000000}
)

// Flags and notes of sys/event.h, the same on all of them.
const (
	evAdd     = 0x1
	evDelete  = 0x2
	evOneShot = 0x10
	evError   = 0x4000

	noteExit     = 0x80000000
	noteFork     = 0x40000000
	noteExec     = 0x20000000
	noteTrack    = 0x1
	noteTrackErr = 0x2
	noteChild    = 0x4
)

// event is a struct kevent without what nobody reads.
type event struct {
	ident  uint64
	filter int32
	flags  uint32
	notes  uint32
	data   int64
}

const (
	identAt  = 0
	filterAt = 8
)

// append writes a struct kevent behind b.
func (l *Layout) append(b []byte, e event) []byte {
	at := len(b)
	b = append(b, make([]byte, l.Size)...)
	r := b[at:]
	layout.PutWord(r, identAt, 8, e.ident)
	if l.Wide {
		layout.PutWord(r, filterAt, 4, uint64(uint32(e.filter)))
		layout.PutWord(r, filterAt+4, 4, uint64(e.flags))
	} else {
		layout.PutWord(r, filterAt, 4, uint64(uint16(e.filter))|uint64(e.flags)<<16)
	}
	layout.PutWord(r, l.Notes, 4, uint64(e.notes))
	layout.PutWord(r, l.Data, 8, uint64(e.data))
	return b
}

// decode reads the first struct kevent of b.
func (l *Layout) decode(b []byte) (e event, ok bool) {
	if len(b) < l.Size {
		return event{}, false
	}
	e = event{ident: layout.U64(b, identAt), notes: layout.U32(b, l.Notes), data: int64(layout.U64(b, l.Data))}
	if l.Wide {
		e.filter, e.flags = int32(layout.U32(b, filterAt)), layout.U32(b, filterAt+4)
	} else {
		e.filter, e.flags = int32(int16(layout.U16(b, filterAt))), uint32(layout.U16(b, filterAt+2))
	}
	return e, true
}

// exitOf reads what wait(2) tells of an end (sys/wait.h): the signal and whether a core
// file was written in the low byte, and what the process returned above it.
func exitOf(status int64) platform.Exit {
	e := platform.Exit{Known: true, Signal: int(status & 0x7f), Core: status&0x80 != 0}
	if e.Signal == 0 {
		e.Code, e.Core = status>>8&0xff, false
	}
	return e
}

// exit reads how a process ended, where the event tells.
func (l *Layout) exit(e event) platform.Exit {
	if l.Status != 0 && e.notes&l.Status == 0 {
		return platform.Exit{}
	}
	return exitOf(e.data)
}

// Source is kqueue(2) of a system, and what it takes there to follow a process.
func (l *Layout) Source(needs string) platform.OccurrenceSource {
	kinds := []platform.OccurrenceKind{platform.ProcessExecuted, platform.ProcessExited}
	if !l.Trackless {
		kinds = append(kinds, platform.ProcessStarted)
	}
	return platform.OccurrenceSource{Name: "kqueue EVFILT_PROC", Needs: needs, Followed: true, Tells: platform.KindsOf(kinds...)}
}
