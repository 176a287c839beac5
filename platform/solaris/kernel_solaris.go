package solaris

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel makes the calls of this machine.
type kernel struct {
	files
	statistics int
}

func newKernel() (Kernel, error) {
	fd, err := unix.Open("/dev/kstat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return opened(kernel{statistics: fd}, err)
}

// Read is pread(2). Addresses of stacks are beyond what an os.File takes as an offset.
func (kernel) Read(path string, offset uint64, buf []byte) (n int, err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, translate(err)
	}
	defer unix.Close(fd)
	return again(func() (int, error) { return unix.Pread(fd, buf, int64(offset)) })
}

// Status is stat(2).
func (kernel) Status(path string) (mode, device uint64, err error) {
	var s unix.Stat_t
	err = unix.Stat(path, &s)
	return uint64(s.Mode), s.Rdev, err
}

func ioctl(fd, command int, request []byte) error {
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pinned.Pin(&request[0])
	_, err := unix.IoctlSetIntRetInt(fd, command, int(uintptr(unsafe.Pointer(&request[0]))))
	return err
}

// Ioctl makes a call of a new socket.
func (kernel) Ioctl(family int, command uint32, request []byte) error {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return unknown(err)
	}
	defer unix.Close(fd)
	return unknown(ioctl(fd, int(int32(command)), request))
}

// Messages asks the modules of TCP and UDP on top of IP.
func (kernel) Messages(request []byte, next func(control []byte) (room []byte)) error {
	fd, err := unix.Open("/dev/arp", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, module := range [...]string{"tcp\x00", "udp\x00"} {
		if err := ioctl(fd, pushModule, []byte(module)); err != nil {
			return err
		}
	}
	err = unix.Putmsg(fd, request, nil, 0)
	for buf := make([]byte, controlRoom); err == nil; {
		control, _, _, failed := unix.Getmsg(fd, buf, nil)
		room := next(control)
		if failed != nil || room == nil {
			return failed
		}
		_, _, _, err = unix.Getmsg(fd, nil, room)
	}
	return err
}

// Chain asks for the number of the chain.
func (k kernel) Chain() (uint64, error) {
	n, err := unix.IoctlSetIntRetInt(k.statistics, commandChain, 0)
	return uint64(n), err
}

// Statistic reads a statistic.
func (k kernel) Statistic(head, data []byte) (n int, err error) {
	return readStatistic(head, data, func() error { return ioctl(k.statistics, commandRead, head) })
}

// Usage is statvfs(2).
func (kernel) Usage(point string) (v [7]uint64, err error) {
	var s unix.Statvfs_t
	err = unix.Statvfs(point, &s)
	return [7]uint64{s.Frsize, s.Blocks, s.Bfree, s.Bavail, s.Files, s.Ffree, s.Fsid}, translate(err)
}

// System is uname(2).
func (kernel) System() (words [5]string, err error) {
	var u unix.Utsname
	err = unix.Uname(&u)
	for i, w := range [...][]byte{u.Sysname[:], u.Nodename[:], u.Release[:], u.Version[:], u.Machine[:]} {
		words[i] = string(cString(w))
	}
	return words, err
}

// Swap is swapctl(2), Info is sysinfo(2).
func (kernel) Swap(command int, table []byte) (int, error) { return call(&procSwapctl, command, table) }
func (kernel) Info(command int, text []byte) (int, error)  { return call(&procSysinfo, command, text) }

// Close closes /dev/kstat.
func (k kernel) Close() error { return unix.Close(k.statistics) }

// What golang.org/x/sys has no call for, reached as it reaches the C library.
//
//go:cgo_import_dynamic libc_swapctl swapctl "libc.so"
//go:cgo_import_dynamic libc_sysinfo sysinfo "libc.so"

//go:linkname procSwapctl libc_swapctl
//go:linkname procSysinfo libc_sysinfo
var procSwapctl, procSysinfo uintptr

// sysvicall6 is in function_solaris.s.
func sysvicall6(function, count, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err syscall.Errno)

// call calls a function with a command, memory and its length, which swapctl(2) does not take.
func call(function *uintptr, command int, b []byte) (int, error) {
	n, _, errno := sysvicall6(uintptr(unsafe.Pointer(function)), 3, uintptr(command), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	return result(n, errno)
}
