package linux

import (
	"context"
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/platform"
)

var _ LifeListener = realKernel{}

func (k realKernel) Listen(protocol int, groups uint32, buffer int) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return -1, failure(err)
	}
	// Beyond net.core.rmem_max only with CAP_NET_ADMIN.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups})
	if err == nil {
		err = k.peer.connect(fd) // so that nobody but the kernel is heard
	}
	if err != nil {
		unix.Close(fd)
		return -1, failure(err)
	}
	return fd, nil
}

func (realKernel) Attach(fd int, program []Instruction) error {
	filter := make([]unix.SockFilter, len(program))
	for i, p := range program {
		filter[i] = unix.SockFilter{Code: p.Code, Jt: p.JumpTrue, Jf: p.JumpNo, K: p.K}
	}
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: unsafe.SliceData(filter)})
	return failure(err)
}

func (k realKernel) Hear(fd int, buf []byte) (int, error) {
	n, err := k.Read(fd, buf)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return 0, errEmpty
	case errors.Is(err, unix.ENOBUFS):
		return 0, errOverrun
	}
	return n, err
}

func (realKernel) Monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

func (realKernel) Exists(pid uint64) bool {
	_, err := unix.Getpgid(int(pid))
	return !errors.Is(err, unix.ESRCH)
}

func (realKernel) OpenProcess(pid uint64) (int, error) {
	fd, err := unix.PidfdOpen(int(pid), unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.EINVAL) { // Linux before 5.10 does not know the flag
		fd, err = unix.PidfdOpen(int(pid), 0)
	}
	return fd, failure(err)
}

// pidfdGetInfo is _IOWR(PIDFS_IOCTL_MAGIC, 11, 64 bytes).
const pidfdGetInfo = 0xc000_0000 | infoSize<<16 | 0xff<<8 | 11

func (realKernel) ProcessInfo(fd int, buf []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), pidfdGetInfo, uintptr(unsafe.Pointer(unsafe.SliceData(buf))))
	if errno == unix.ENOTTY || errno == unix.EINVAL {
		return errors.ErrUnsupported
	}
	_, err := result(0, errno)
	return err
}

func (realKernel) ChildStatus(fd int) (exit platform.Exit, ended bool, err error) {
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PIDFD, fd, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil {
		return exit, false, failure(err)
	}
	const exited, killed, dumped = 1, 2, 3 // CLD_EXITED, CLD_KILLED, CLD_DUMPED
	// si_status follows si_pid and si_uid (struct siginfo, man 2 sigaction).
	status := *(*int32)(unsafe.Add(unsafe.Pointer(&info), childStatus))
	switch info.Code {
	case exited:
		return platform.Exit{Known: true, Code: int64(status)}, true, nil
	case killed, dumped:
		return platform.Exit{Known: true, Signal: int(status), Core: info.Code == dumped}, true, nil
	}
	return exit, false, nil
}

// childStatus is the offset of si_status: three ints, padding to a pointer's size, and
// two ints.
const childStatus = 12 + (unsafe.Sizeof(uintptr(0)) - 4) + 8

func (k realKernel) Await(ctx context.Context, fd int, reaped bool) error {
	wanted := int16(unix.POLLIN | unix.POLLHUP)
	if reaped {
		wanted = unix.POLLHUP // since Linux 6.9 (pidfs)
	}
	twin, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return failure(err)
	}
	_ = unix.SetNonblock(twin, true)
	return park(ctx, os.NewFile(uintptr(twin), "pidfd"), true, func(fd uintptr) (bool, error) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, 0); err != nil && err != unix.EINTR {
			return true, failure(err)
		}
		return fds[0].Revents&wanted != 0, nil
	})
}

// park waits until ready says so, in the runtime's own poller.
func park(ctx context.Context, file *os.File, closes bool, ready func(fd uintptr) (bool, error)) error {
	if closes {
		defer file.Close()
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	if err := file.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var failed error
	err = conn.Read(func(fd uintptr) (done bool) {
		done, failed = ready(fd)
		return done
	})
	switch {
	case failed != nil:
		return failed
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}
