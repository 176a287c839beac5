package netbsd

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/internal/sysctl"
)

// monotonic is CLOCK_MONOTONIC (sys/time.h), which golang.org/x/sys/unix lacks.
const monotonic = 3

// kernel makes the calls of this machine.
type kernel struct{ sysctl.Folders }

func newKernel() (Kernel, error) { return kernel{}, nil }

// Sysctl is __sysctl(2).
func (kernel) Sysctl(mib []int32, buf []byte) (int, error) {
	return sysctl.BSD.Call(buf, func(buf []byte) (int, bool, int) {
		size := uintptr(len(buf))
		_, _, errno := unix.Syscall6(unix.SYS___SYSCTL, uintptr(unsafe.Pointer(unsafe.SliceData(mib))), uintptr(len(mib)),
			uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(unsafe.Pointer(&size)), 0, 0)
		return int(size), errno != 0, int(errno)
	})
}

// Named looks the numbers of a name up in the kernel's tree, and reads it.
func (kernel) Named(name string, args []int32, buf []byte) (int, error) {
	numbers := make([]int, len(args))
	for i, a := range args {
		numbers[i] = int(a)
	}
	return sysctl.BSD.Call(buf, func(buf []byte) (int, bool, int) {
		answer, err := unix.SysctlRaw(name, numbers...)
		if errno, ok := err.(unix.Errno); ok {
			if errno == unix.EINVAL || errno == unix.ENOMEM { // no such name; grew meanwhile
				errno = map[unix.Errno]unix.Errno{unix.EINVAL: unix.ENOENT, unix.ENOMEM: unix.EINTR}[errno]
			}
			return 0, true, int(errno)
		}
		copy(buf, answer)
		return len(answer), false, 0
	})
}

// Mounts is getvfsstat(2).
func (kernel) Mounts(buf []byte) (int, error) {
	const size = int(unsafe.Sizeof(unix.Statvfs_t{}))
	count, err := unix.Getvfsstat(nil, unix.MNT_NOWAIT)
	if err != nil || count == 0 || count*size > len(buf) {
		return count * size, translate(err)
	}
	list := make([]unix.Statvfs_t, count)
	count, err = unix.Getvfsstat(list, unix.MNT_NOWAIT)
	if err != nil {
		return 0, translate(err)
	}
	return copy(buf, unsafe.Slice((*byte)(unsafe.Pointer(&list[0])), min(count, len(list))*size)), nil
}

// Envsys is ENVSYS_GETDICTIONARY, _IOWR('E', 0, struct plistref) (sys/envsys.h, sys/ioccom.h). The
// kernel maps its answer into this process, which unmaps it (_prop_object_copyout, prop_kern.c).
func (kernel) Envsys(buf []byte) (int, error) {
	return sysctl.BSD.Call(buf, func(buf []byte) (int, bool, int) {
		device, err := unix.Open("/dev/sysmon", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, true, errnoOf(err)
		}
		defer unix.Close(device)
		var list struct { // struct plistref (prop/plistref.h)
			text   unsafe.Pointer
			length uintptr
		}
		const get = 0xc0000000 | unsafe.Sizeof(list)<<16 | 'E'<<8
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(device), get, uintptr(unsafe.Pointer(&list))); errno != 0 {
			return 0, true, int(errno)
		}
		copy(buf, unsafe.Slice((*byte)(list.text), list.length))
		return int(list.length), unix.MunmapPtr(list.text, list.length) != nil, 0
	})
}

// Device is st_rdev of stat(2).
func (kernel) Device(path string) (uint64, error) {
	var s unix.Stat_t
	err := unix.Stat(path, &s)
	return uint64(s.Rdev), translate(err)
}

// Affinity is _sched_getaffinity(2), which pthread_getaffinity_np(3) makes.
func (kernel) Affinity(pid, thread uint64, buf []byte) (int, error) {
	_, _, errno := unix.Syscall6(unix.SYS__SCHED_GETAFFINITY, uintptr(pid), uintptr(thread), uintptr(len(buf)), uintptr(unsafe.Pointer(&buf[0])), 0, 0)
	if errno != 0 {
		return 0, translate(errno)
	}
	return len(buf), nil
}

// Clocks are CLOCK_REALTIME and CLOCK_MONOTONIC, which counts from the start.
func (kernel) Clocks() (now, uptime uint64) {
	var t unix.Timespec
	if err := unix.ClockGettime(monotonic, &t); err != nil {
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
