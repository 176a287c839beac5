package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Numbers of include/uapi/linux/connector.h and cn_proc.h.
const (
	protocolConnector = 11 // NETLINK_CONNECTOR
	connectorProc     = 1  // CN_IDX_PROC, CN_VAL_PROC, and the group

	connectorListen = 1 // PROC_CN_MCAST_LISTEN

	eventLost = 0xffffffff // of no kernel: records were lost
	eventNone = 0          // the answer to a request
	eventFork = 0x1
	eventExec = 0x2
	eventExit = 0x80000000
)

// Offsets in what follows struct nlmsghdr: struct cn_msg and struct proc_event.
const (
	connectorIndex  = 0
	connectorValue  = 4
	connectorLength = 16 // 2 bytes
	connectorHeader = 20

	eventWhat = connectorHeader      // 4 bytes
	eventTime = connectorHeader + 8  // nanoseconds of CLOCK_MONOTONIC, 8 bytes
	eventData = connectorHeader + 16 // by kind

	forkParentTgid = eventData + 4
	forkChildPid   = eventData + 8
	forkChildTgid  = eventData + 12

	taskPid  = eventData // of exec and exit
	taskTgid = eventData + 4

	exitCode     = eventData + 8
	exitParent   = eventData + 20 // its tgid; since Linux 4.20
	noneError    = eventData
	leastOfEvent = eventData + 16
)

// connectorBuffer is room for some 10,000 records: the kernel counts 768 bytes for one
// (measured, Linux 6.18 on amd64, 2026-11-23).
const connectorBuffer = 8 << 20

// connectorOccurrences is the proc connector.
var connectorOccurrences = platform.OccurrenceSource{
	Name: "proc connector", Needs: "the first PID, user and network namespaces, and before Linux 6.6 CAP_NET_ADMIN",
	Tells: platform.KindsOf(platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited),
}

// connector is the proc connector: the kernel tells of each fork, exec and exit.
type connector struct {
	*watch
	calls LifeListener
	fd    int
	buf   []byte
	told  platform.Occurrence // lent to one yield at a time
	// events are those of one read, and doubted is where among them the end of a process
	// is that may have been that of its first thread alone.
	events  []connectorEvent
	doubted map[uint64]int
	// outlived are the processes whose first thread has ended, and others have not.
	outlived pidfds
}

// openConnector begins to listen, and waits for the kernel's answer for a moment:
// a kernel that does not want to tell says so, or nothing.
func openConnector(w *watch) (listener, error) {
	calls, err := w.lives()
	if err != nil {
		return nil, err
	}
	if err := w.inFirstNamespace(); err != nil {
		return nil, fmt.Errorf("proc connector: %w", err)
	}
	fd, err := calls.Listen(protocolConnector, 1<<(connectorProc-1), connectorBuffer)
	if err != nil {
		return nil, fmt.Errorf("proc connector: %w", netlinkRefusal(err))
	}
	c := &connector{watch: w, calls: calls, fd: fd, buf: make([]byte, 4<<10), doubted: map[uint64]int{}, outlived: pidfds{w, calls, map[uint64]*followed{}}}
	if err := c.begin(); err != nil {
		c.close()
		return nil, fmt.Errorf("proc connector: %w", netlinkRefusal(err))
	}
	return c, nil
}

// begin asks for the records.
func (c *connector) begin() error {
	if err := c.calls.Attach(c.fd, connectorFilter()); err != nil {
		return err
	}
	if err := c.calls.Write(c.fd, connectorMessage(connectorProc, connectorProc, connectorListen)); err != nil {
		return err
	}
	if err := c.answer(); err != nil {
		return err
	}
	return c.listen(c.fd, ToRead, c)
}

// answer looks for the kernel's answer to the request. It is sent before the write
// returns (cn_proc_mcast_ctl calls cn_proc_ack), so that nothing has to be waited for.
func (c *connector) answer() error {
	for {
		n, err := c.calls.Hear(c.fd, c.buf)
		switch {
		case errors.Is(err, errEmpty):
			return fmt.Errorf("%w: the kernel does not answer, as it does inside a user namespace", errors.ErrUnsupported)
		case errors.Is(err, errOverrun):
			return nil // so many records are an answer too
		case err != nil:
			return err
		}
		done, refused := false, error(nil)
		_ = decodeDatagram(c.buf[:n], func(_ uint16, b []byte) {
			if e, ok := decodeConnector(b); ok && e.what == eventNone {
				done, refused = true, netlinkErrno(e.code)
			} else if ok {
				done = true // a record: it tells already
			}
		})
		if done {
			return refused
		}
	}
}

func (c *connector) close() {
	c.outlived.close()
	c.calls.Close(c.fd)
}

// drain takes all records before it tells of any, since the later ones tell what the
// earlier ones were, and the times of one moment for all of them.
func (c *connector) drain(_ bool, yield func(*platform.Occurrence)) error {
	at := c.clocks()
	c.events = c.events[:0]
	clear(c.doubted)
	err := datagrams(c.calls, c.fd, c.buf, func() {
		clear(c.doubted)
		c.events = append(c.events, connectorEvent{what: eventLost})
	}, func(b []byte) error {
		_ = decodeDatagram(b, func(_ uint16, b []byte) {
			if e, ok := decodeConnector(b); ok {
				c.take(e)
			}
		})
		return nil
	})
	for _, e := range c.events {
		c.tell(e, at, yield)
	}
	if err != nil {
		return fmt.Errorf("proc connector: %w", err)
	}
	return nil
}

// take keeps a record. An end that is followed by another record of the same process was
// that of its first thread.
func (c *connector) take(e connectorEvent) {
	if at, ok := c.doubted[e.pid]; ok {
		delete(c.doubted, e.pid)
		if e.what != eventFork {
			c.events[at].what = eventNone
		}
	}
	if e.what == eventExit && e.code == 0 {
		c.doubted[e.pid] = len(c.events)
	}
	c.events = append(c.events, e)
}

// clocks are the clocks of one moment, in nanoseconds.
type clocks struct{ real, boot, monotonic int64 }

func (c *connector) clocks() (at clocks) {
	at.monotonic = c.calls.Monotonic()
	at.real, at.boot = c.calls.Clocks()
	return at
}

// time turns a time of CLOCK_MONOTONIC into one of day.
func (c clocks) time(monotonic uint64) time.Time {
	return time.Unix(0, c.real-(c.monotonic-int64(monotonic)))
}

// start turns the time of a fork into the start in /proc/[pid]/stat, which the kernel
// took some microseconds before (copy_process in kernel/fork.c), from the clock that
// goes on while the host sleeps.
func (c clocks) start(monotonic uint64) uint64 {
	return uint64(max(0, int64(monotonic)+c.boot-c.monotonic)) / tickNanos
}

// tell makes an occurrence of a record.
func (c *connector) tell(e connectorEvent, at clocks, yield func(*platform.Occurrence)) {
	o := &c.told
	*o = platform.Occurrence{Key: platform.Key{ID: e.pid}, Parent: e.parent, At: at.time(e.time)}
	switch e.what {
	case eventFork:
		o.Kind, o.Estimated = platform.ProcessStarted, true
		o.Key.Start = at.start(e.time)
	case eventExec:
		o.Kind = platform.ProcessExecuted
	case eventExit:
		o.Kind, o.Exit = platform.ProcessExited, exitStatus(e.code)
		if !c.isOver(e, at) {
			return
		}
	case eventLost:
		lost(yield)
		return
	default:
		return
	}
	c.outlived.leave(e.pid)
	yield(o)
}

// isOver reports whether the end of a first thread is that of its process. It is not
// where another thread executes a program: the kernel ends all others, with 0, before
// that one takes the place of the first (de_thread in fs/exec.c). Go programs that
// execute themselves anew do so in any thread. Nor is it where the first thread called
// pthread_exit: then the status of the process is that of a later end, and not told by
// the connector; if all of it lies between two reads, the 0 of the first thread is told.
// Only 0 is in doubt, and only while somebody has the PID: a signal, and in practice a
// code, ends all threads.
func (c *connector) isOver(e connectorEvent, at clocks) bool {
	if e.code != 0 || !c.calls.Exists(e.pid) || !c.statOf(e.pid) {
		return true
	}
	switch s := &c.stat; {
	case s.columns[statStart] > at.start(e.time): // another process has the PID by now
		return true
	case s.state != 'Z' && !s.dead():
		return false // it runs on, in another program
	case s.ended() || s.dead():
		return true
	}
	c.outlived.await(e.pid)
	return false
}

// connectorEvent is a record.
type connectorEvent struct {
	what   uint32
	time   uint64
	pid    uint64
	parent uint64 // 0: not told
	code   uint32
}

// decodeConnector reads a record about a process. Those about mere threads, and those
// of other kinds, are left out.
func decodeConnector(b []byte) (e connectorEvent, ok bool) {
	if len(b) < leastOfEvent || word(b, connectorIndex) != connectorProc || word(b, connectorValue) != connectorProc {
		return e, false
	}
	e.what, e.time = uint32(word(b, eventWhat)), binary.NativeEndian.Uint64(b[eventTime:])
	pid, tgid := word(b, taskPid), word(b, taskTgid)
	switch e.what {
	case eventNone:
		e.code = uint32(word(b, noneError))
		return e, true
	case eventFork:
		e.parent, pid, tgid = word(b, forkParentTgid), word(b, forkChildPid), word(b, forkChildTgid)
	case eventExec:
	case eventExit:
		e.code = uint32(word(b, exitCode))
		if len(b) >= exitParent+4 {
			e.parent = word(b, exitParent)
		}
	default:
		return e, false
	}
	e.pid = tgid
	return e, pid == tgid
}

// word reads four bytes.
func word(b []byte, at int) uint64 { return uint64(binary.NativeEndian.Uint32(b[at:])) }

// terminated cuts what follows a NUL byte.
func terminated(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

// exitStatus takes a wait status apart (man 2 wait).
func exitStatus(status uint32) platform.Exit {
	e := platform.Exit{Known: true, Signal: int(status & 0x7f), Core: status&0x80 != 0}
	if e.Signal == 0 {
		e.Code = int64(status >> 8 & 0xff)
	}
	return e
}

// connectorMessage encodes a message to a part of the kernel (struct cn_msg). To the proc
// connector it is an operation (enum proc_cn_mcast_op) of four bytes, which every kernel
// takes.
func connectorMessage(index, value, op uint32) []byte {
	b := make([]byte, netlinkHeader+connectorHeader+4)
	binary.NativeEndian.PutUint32(b[netlinkLength:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[netlinkType:], netlinkDone)
	m := b[netlinkHeader:]
	binary.NativeEndian.PutUint32(m[connectorIndex:], index)
	binary.NativeEndian.PutUint32(m[connectorValue:], value)
	binary.NativeEndian.PutUint16(m[connectorLength:], 4)
	binary.NativeEndian.PutUint32(m[connectorHeader:], op)
	return b
}

// Classic BPF (include/uapi/linux/bpf_common.h).
const (
	bpfLoad     = 0x20 // A = four bytes at K of the packet, as a big-endian number
	bpfToX      = 0x07 // X = A
	bpfEqual    = 0x15 // A == K?
	bpfEqualX   = 0x1d // A == X?
	bpfReturn   = 0x06 // keep K bytes
	bpfKeepAll  = 0xffffffff
	bpfKeepNone = 0
)

// connectorFilter keeps what is told of processes, and drops in the kernel what is told
// of threads and of other things: a program that makes a thread a millisecond wakes
// nobody.
func connectorFilter() []Instruction {
	const at = netlinkHeader
	return []Instruction{
		0:  {bpfLoad, 0, 0, at + eventWhat},
		1:  {bpfEqual, 12, 0, network(eventNone)},
		2:  {bpfEqual, 3, 0, network(eventFork)},
		3:  {bpfEqual, 6, 0, network(eventExec)},
		4:  {bpfEqual, 5, 0, network(eventExit)},
		5:  {bpfReturn, 0, 0, bpfKeepNone},
		6:  {bpfLoad, 0, 0, at + forkChildPid}, // of a fork
		7:  {bpfToX, 0, 0, 0},
		8:  {bpfLoad, 0, 0, at + forkChildTgid},
		9:  {bpfEqualX, 4, 5, 0},
		10: {bpfLoad, 0, 0, at + taskPid}, // of the others
		11: {bpfToX, 0, 0, 0},
		12: {bpfLoad, 0, 0, at + taskTgid},
		13: {bpfEqualX, 0, 1, 0},
		14: {bpfReturn, 0, 0, bpfKeepAll},
		15: {bpfReturn, 0, 0, bpfKeepNone},
	}
}

// network is a number of this machine as BPF reads it.
func network(v uint32) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], v)
	return binary.BigEndian.Uint32(b[:])
}

// decodeDatagram hands on each netlink message of a datagram, whatever its type.
func decodeDatagram(b []byte, each func(kind uint16, payload []byte)) error {
	for len(b) >= netlinkHeader {
		length := int(binary.NativeEndian.Uint32(b[netlinkLength:]))
		if length < netlinkHeader || length > len(b) {
			return errContent
		}
		each(binary.NativeEndian.Uint16(b[netlinkType:]), b[netlinkHeader:length])
		b = b[min(aligned(length), len(b)):]
	}
	if len(b) > 0 {
		return errContent
	}
	return nil
}

// netlinkErrno is an errno in an answer.
func netlinkErrno(errno uint32) error {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], -errno)
	return netlinkFailure(b[:])
}

// netlinkRefusal says what is missing where the kernel does not let a socket hear.
func netlinkRefusal(err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED): // the kernel listens in the first one only
		return fmt.Errorf("%w inside a network namespace", errors.ErrUnsupported)
	case errors.Is(err, syscall.EPROTONOSUPPORT), errors.Is(err, syscall.EAFNOSUPPORT):
		return fmt.Errorf("%w: this kernel is built without it", errors.ErrUnsupported)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: needs CAP_NET_ADMIN in the first user namespace", err)
	}
	return err
}
