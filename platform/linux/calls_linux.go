package linux

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

var _ Caller = realKernel{}

func (realKernel) Affinity(id uint64, mask []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_SCHED_GETAFFINITY, uintptr(id), uintptr(len(mask)),
		uintptr(unsafe.Pointer(unsafe.SliceData(mask))))
	return result(n, errno)
}

const ioprioProcess = 1 // IOPRIO_WHO_PROCESS (man 2 ioprio_get)

func (realKernel) IOPriority(id uint64) (uint64, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_IOPRIO_GET, ioprioProcess, uintptr(id), 0)
	v, err := result(n, errno)
	return uint64(max(v, 0)), err
}

// netlinkSize holds any datagram of a dump (NLMSG_GOODSIZE in
// include/linux/netlink.h is at most 8 KiB, and dumps go up to 32 KiB).
const netlinkSize = 64 << 10

func (realKernel) Netlink(protocol int, request []byte, each func([]byte) bool) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return fmt.Errorf("netlink socket: %w", standard(err.(syscall.Errno)))
	}
	defer unix.Close(fd)
	timeout := unix.Timeval{Sec: 1}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("netlink request: %w", standard(err.(syscall.Errno)))
	}
	buf := make([]byte, netlinkSize)
	for {
		n, from, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return os.ErrDeadlineExceeded
		case err != nil:
			return fmt.Errorf("netlink answer: %w", standard(err.(syscall.Errno)))
		case fromKernel(from) && !each(buf[:n]):
			return nil
		}
	}
}

// fromKernel tells the kernel's datagrams from those that any process may send.
func fromKernel(from unix.Sockaddr) bool {
	a, ok := from.(*unix.SockaddrNetlink)
	return ok && a.Pid == 0
}
