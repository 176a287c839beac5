package linux

import (
	"fmt"
	"io"
	"sync"
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

// OpenNetlink connects to the kernel, which then refuses what other processes send
// (netlink_getsockbyportid in net/netlink/af_netlink.c).
func (k realKernel) OpenNetlink(protocol int) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, fmt.Errorf("netlink socket: %w", standard(err.(syscall.Errno)))
	}
	timeout := unix.Timeval{Sec: 1}
	if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err == nil {
		err = k.peer.connect(fd)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("netlink socket: %w", standard(err.(syscall.Errno)))
	}
	return fd, nil
}

// netlinkPeer is the kernel's address, which x/sys writes anew for every call: one for
// all, so that a pass does not allocate it.
type netlinkPeer struct {
	mu   sync.Mutex
	addr unix.SockaddrNetlink
}

func (p *netlinkPeer) connect(fd int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return unix.Connect(fd, &p.addr)
}

func (realKernel) Write(fd int, b []byte) error {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_WRITE, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return standard(errno)
		case int(n) != len(b):
			return io.ErrShortWrite
		default:
			return nil
		}
	}
}
