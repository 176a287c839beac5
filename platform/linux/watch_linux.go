package linux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var _ Listener = realKernel{}

// epoll is an epoll instance behind another one, the gate, that sits in the poller of the
// Go runtime, which is one too: a goroutine that waits for it takes no thread. The gate
// opens once for each Wait (EPOLLONESHOT). Without it every record woke the runtime, also
// while they gathered: 8 us of CPU each, 60 % of what exit records cost (Linux 6.18,
// 2026-11-23).
type epoll struct {
	file *os.File // the gate
	raw  syscall.RawConn
	turn chan struct{} // full while somebody waits
	fd   int
	of   map[int32]any // by descriptor
	in   [16]unix.EpollEvent
}

func (realKernel) OpenPoll() (Poll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	p := &epoll{fd: fd, of: map[int32]any{}, turn: make(chan struct{}, 1)}
	if p.file, err = newGate(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Time{}) // fails if the runtime does not poll it
	}
	if err == nil {
		err = p.admit()
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// admit puts the epoll instance behind the gate.
func (p *epoll) admit() (err error) {
	control := p.raw.Control(func(gate uintptr) {
		err = unix.EpollCtl(int(gate), unix.EPOLL_CTL_ADD, p.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT})
	})
	return errors.Join(control, err)
}

func newGate() (*os.File, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "epoll"), nil
}

var pollEvents = [...]uint32{ToRead: unix.EPOLLIN, Edge: unix.EPOLLIN | unix.EPOLLET}

func (p *epoll) Add(fd int, on PollEvents, of any) error {
	event := unix.EpollEvent{Events: pollEvents[on], Fd: int32(fd)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return failure(err)
	}
	p.of[event.Fd] = of
	return nil
}

func (p *epoll) Ready(ready []Ready) (int, error) {
	room := p.in[:min(len(p.in), len(ready))]
	for {
		n, err := unix.EpollWait(p.fd, room, 0)
		if err == unix.EINTR {
			continue
		}
		for i := range max(n, 0) {
			ready[i] = Ready{p.of[room[i].Fd], room[i].Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0}
		}
		return max(n, 0), err
	}
}

// Wait opens the gate, which takes nothing from what epoll_wait will tell. Those who
// wait take turns, as the deadline by which a context ends the wait is of the file.
func (p *epoll) Wait(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := p.file.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("%w: %w", fs.ErrClosed, err)
	}
	if err := p.open(); err != nil {
		return err
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		p.file.SetReadDeadline(time.Unix(1, 0))
		close(over)
	})
	err := p.raw.Read(readable)
	if !stop() {
		<-over
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", fs.ErrClosed, err)
}

// open arms the gate. What is ready already opens it at once.
func (p *epoll) open() error {
	err := fs.ErrClosed
	if control := p.raw.Control(func(gate uintptr) {
		err = failure(unix.EpollCtl(int(gate), unix.EPOLL_CTL_MOD, p.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT}))
	}); control != nil {
		return fmt.Errorf("%w: %w", fs.ErrClosed, control)
	}
	return err
}

// readable reports whether the gate has opened, and closes it; or that it never will.
func readable(gate uintptr) bool {
	var events [1]unix.EpollEvent
	n, err := unix.EpollWait(int(gate), events[:], 0)
	return n > 0 || err != nil && err != unix.EINTR
}

func (p *epoll) Close() error {
	err := p.file.Close()
	unix.Close(p.fd)
	return err
}

func (realKernel) OpenWrite(dir int, path []byte) (int, error) {
	return openat(dir, path, openFile|unix.O_RDWR)
}

func (realKernel) End(fd int) error {
	_, err := unix.Seek(fd, 0, unix.SEEK_END)
	return failure(err)
}

// failure is standard for what x/sys returns.
func failure(err error) error {
	if errno, ok := err.(syscall.Errno); ok {
		return standard(errno)
	}
	return err
}

func (realKernel) Connect(path string) (fd, peer int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, 0, failure(err)
	}
	if err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err == nil {
		var of *unix.Ucred
		if of, err = unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			return fd, int(of.Pid), nil
		}
	}
	unix.Close(fd)
	return -1, 0, failure(err)
}

func (realKernel) Send(fd int, b []byte) error {
	n, err := unix.SendmsgN(fd, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err == nil && n != len(b) {
		err = fmt.Errorf("%d of %d bytes: %w", n, len(b), unix.EAGAIN)
	}
	return failure(err)
}

func (realKernel) UID() int { return os.Geteuid() }
