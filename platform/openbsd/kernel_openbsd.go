package openbsd

import (
	"errors"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/internal/sysctl"
)

// bootTime is CLOCK_BOOTTIME (sys/_time.h), which goes on while the machine is suspended.
const bootTime = 6

// kernel makes the calls of this machine. OpenBSD lets nobody but its C library make
// system calls; Go leads this number of all to sysctl(2) there.
type kernel struct{ sysctl.Folders }

func newKernel() (Kernel, error) { return kernel{}, nil }

// Sysctl is sysctl(2).
func (kernel) Sysctl(mib []int32, buf []byte) (int, error) {
	return sysctl.BSD.Call(buf, func(buf []byte) (int, bool, int) {
		size := uintptr(len(buf))
		_, _, errno := unix.Syscall6(unix.SYS___SYSCTL, uintptr(unsafe.Pointer(unsafe.SliceData(mib))), uintptr(len(mib)),
			uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(unsafe.Pointer(&size)), 0, 0)
		return int(size), errno != 0, int(errno)
	})
}

// Named is of kernels that make names up at run time.
func (kernel) Named(string, []int32, []byte) (int, error) { return 0, errors.ErrUnsupported }

// Mounts is getfsstat(2).
func (kernel) Mounts(buf []byte) (int, error) {
	const size = int(unsafe.Sizeof(unix.Statfs_t{}))
	count, err := unix.Getfsstat(nil, unix.MNT_NOWAIT)
	if err != nil || count == 0 || count*size > len(buf) {
		return count * size, translate(err)
	}
	list := make([]unix.Statfs_t, count)
	count, err = unix.Getfsstat(list, unix.MNT_NOWAIT)
	if err != nil {
		return 0, translate(err)
	}
	return copy(buf, unsafe.Slice((*byte)(unsafe.Pointer(&list[0])), min(count, len(list))*size)), nil
}

// Device is st_rdev of stat(2).
func (kernel) Device(path string) (uint64, error) {
	var s unix.Stat_t
	err := unix.Stat(path, &s)
	return uint64(uint32(s.Rdev)), translate(err)
}

// Clocks are CLOCK_REALTIME and CLOCK_BOOTTIME.
func (kernel) Clocks() (now, uptime uint64) {
	var t unix.Timespec
	if err := unix.ClockGettime(bootTime, &t); err != nil {
		return uint64(time.Now().UnixNano()), 0
	}
	return uint64(time.Now().UnixNano()), uint64(t.Nano())
}

// Kqueue is kqueue(2). No child inherits a queue (kqueue(2), fork).
func (kernel) Kqueue() (int, bool, int) {
	queue, err := unix.Kqueue()
	return queue, err != nil, errnoOf(err)
}

// Kevent is kevent(2). It copies, since struct kevent is aligned and bytes need not be.
func (kernel) Kevent(queue int, changes, events []byte, wait bool) (int, bool, int) {
	const size = int(unsafe.Sizeof(unix.Kevent_t{}))
	in, out := make([]unix.Kevent_t, len(changes)/size), make([]unix.Kevent_t, len(events)/size)
	if len(in) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&in[0])), len(in)*size), changes)
	}
	var timeout *unix.Timespec
	if !wait {
		timeout = new(unix.Timespec)
	}
	n, err := unix.Kevent(queue, in, out, timeout)
	if err == nil && n > 0 {
		copy(events, unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), n*size))
	}
	return n, err != nil, errnoOf(err)
}

// CloseQueue is close(2).
func (kernel) CloseQueue(queue int) { unix.Close(queue) }

func errnoOf(err error) int {
	errno, _ := err.(unix.Errno)
	return int(errno)
}

func translate(err error) error {
	if errno, ok := err.(unix.Errno); ok {
		return sysctl.BSD.Error(int(errno))
	}
	return err
}
