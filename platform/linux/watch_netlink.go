package linux

import (
	"context"
	"errors"
	"fmt"

	"github.com/pidometer/pidometer/platform"
)

// LifeListener is a [Listener] that also makes the calls by which the kernel tells of
// the lives of processes. With one that does not, passes tell.
type LifeListener interface {
	Listener
	// Listen opens a socket of a netlink protocol that hears what the kernel sends to
	// the groups, a bit for each, and nobody else. Its buffer is as large as the system
	// allows, up to the size that is asked for. Reads and writes never wait.
	Listen(protocol int, groups uint32, buffer int) (fd int, err error)
	// Attach filters what a socket hears by a classic BPF program.
	Attach(fd int, program []Instruction) error
	// Hear reads one datagram. errEmpty says that there is none, errOverrun that some
	// were lost.
	Hear(fd int, buf []byte) (int, error)
	// Monotonic returns CLOCK_MONOTONIC in nanoseconds.
	Monotonic() int64
	// Exists reports whether anybody has a PID, a zombie included: one call, where a file
	// of /proc takes three (getpgid).
	Exists(pid uint64) bool
	// OpenProcess opens a process by its PID (pidfd_open).
	OpenProcess(pid uint64) (fd int, err error)
	// ProcessInfo fills buf with a struct pidfd_info, of which the mask says what is
	// wanted (PIDFD_GET_INFO).
	ProcessInfo(fd int, buf []byte) error
	// ChildStatus tells how a child of this process ended, and leaves it to be waited
	// for (waitid with WNOWAIT). False if it has not ended.
	ChildStatus(fd int) (exit platform.Exit, ended bool, err error)
	// Await waits until a process has ended, and if reaped until its parent took note
	// too, without a thread.
	Await(ctx context.Context, fd int, reaped bool) error
}

// Instruction is one of classic BPF (struct sock_filter).
type Instruction struct {
	Code             uint16
	JumpTrue, JumpNo uint8
	K                uint32
}

var (
	errEmpty   = errors.New("nothing to read")
	errOverrun = errors.New("records were lost")
)

// lives returns the calls that tell of processes.
func (w *watch) lives() (LifeListener, error) {
	calls, ok := w.kernel.(LifeListener)
	if !ok {
		return nil, fmt.Errorf("a kernel that is recorded tells nothing: %w", errors.ErrUnsupported)
	}
	return calls, nil
}

// datagrams hands each datagram to take until there is none, and calls lost where some
// were dropped.
func datagrams(calls LifeListener, fd int, buf []byte, lost func(), take func([]byte) error) error {
	for range mostDatagrams {
		n, err := calls.Hear(fd, buf)
		switch {
		case errors.Is(err, errEmpty):
			return nil
		case errors.Is(err, errOverrun):
			lost()
		case err != nil:
			return fmt.Errorf("%w: %w", errDeaf, err)
		default:
			if err := take(buf[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostDatagrams bounds one read: what comes in faster waits for the next.
const mostDatagrams = 1 << 16

// lost tells of records that were dropped.
func lost(yield func(*platform.Occurrence)) {
	yield(&platform.Occurrence{Kind: platform.OccurrencesLost})
}

// inFirstNamespace is nil in the PID namespace that the kernel began with: only there
// it tells of processes by netlink, by their PIDs in it (cn_proc_mcast_ctl in
// drivers/connector/cn_proc.c, taskstats_user_cmd in kernel/taskstats.c).
func (w *watch) inFirstNamespace() error {
	p := w.backend.details.open(context.Background())
	if p.selfErr != nil {
		return p.selfErr
	}
	link, err := p.readLink(p.self, "ns/pid")
	switch {
	case err != nil:
		return err
	case link != initialPID || !w.initialPIDs():
		return fmt.Errorf("%w inside a PID namespace", errors.ErrUnsupported)
	}
	return nil
}
