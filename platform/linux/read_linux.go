package linux

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// realKernel makes its calls through unix.Syscall6 on NUL-terminated paths that
// already exist: the string forms of x/sys copy the path to the heap on every
// call. Each pointer becomes a uintptr inside the call itself, the one place where
// the compiler keeps the memory in place (package unsafe, pattern 4).
type realKernel struct {
	machine string
	peer    *netlinkPeer
}

func newKernel() (Kernel, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, os.NewSyscallError("uname", err)
	}
	return realKernel{
		machine: unix.ByteSliceToString(u.Machine[:]),
		peer:    &netlinkPeer{addr: unix.SockaddrNetlink{Family: unix.AF_NETLINK}},
	}, nil
}

// openDir opens a directory only to resolve paths under it: it needs no right to
// list it (man 2 open, O_PATH).
const openDir = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC

// openFile never waits: a FIFO in place of a file would otherwise stop the pass.
const openFile = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_LARGEFILE

func (realKernel) OpenRoot(path string) (int, error) {
	for {
		fd, err := unix.Open(path, openDir, 0)
		switch err {
		case nil:
			return fd, nil
		case unix.EINTR:
		default:
			return -1, standard(err.(syscall.Errno))
		}
	}
}

func (realKernel) OpenDir(dir int, path []byte) (int, error) { return openat(dir, path, openDir) }
func (realKernel) Open(dir int, path []byte) (int, error)    { return openat(dir, path, openFile) }

func openat(dir int, path []byte, flags uintptr) (int, error) {
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir),
			uintptr(unsafe.Pointer(unsafe.SliceData(path))), flags, 0, 0, 0)
		if errno != unix.EINTR {
			return result(fd, errno)
		}
	}
}

func (realKernel) Read(fd int, buf []byte) (int, error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_READ, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), 0, 0, 0)
		if errno != unix.EINTR {
			return result(n, errno)
		}
	}
}

// Pread leaves the splitting of the offset into registers, which differs between
// 32-bit architectures, to x/sys.
func (realKernel) Pread(fd int, buf []byte, offset int64) (int, error) {
	for {
		n, err := unix.Pread(fd, buf, offset)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		default:
			return -1, standard(err.(syscall.Errno))
		}
	}
}

func (realKernel) ReadDir(fd int, buf []byte) (int, error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_GETDENTS64, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), 0, 0, 0)
		if errno != unix.EINTR {
			return result(n, errno)
		}
	}
}

func (realKernel) ReadLink(dir int, path []byte, buf []byte) (int, error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(dir),
			uintptr(unsafe.Pointer(unsafe.SliceData(path))),
			uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), 0, 0)
		if errno != unix.EINTR {
			return result(n, errno)
		}
	}
}

const statMask = unix.STATX_SIZE | unix.STATX_MTIME | unix.STATX_UID | unix.STATX_TYPE | unix.STATX_MODE | unix.STATX_NLINK

// Stat uses statx, whose number and structure are the same in kind on every
// architecture. Linux before 4.11 does not know it (ENOSYS), and seccomp filters
// older than it refuse it (EPERM: docker before 18.04).
func (realKernel) Stat(dir int, path []byte) (Stat, error) {
	var st unix.Statx_t
	for {
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dir),
			uintptr(unsafe.Pointer(unsafe.SliceData(path))), 0, statMask, uintptr(unsafe.Pointer(&st)), 0)
		switch errno {
		case 0:
			modified := st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec)
			return Stat{Size: int64(st.Size), Modified: modified, UID: st.Uid, Mode: uint32(st.Mode), Links: st.Nlink}, nil
		case unix.EINTR:
		case unix.ENOSYS, unix.EPERM:
			return oldStat(dir, path)
		default:
			return Stat{}, standard(errno)
		}
	}
}

// oldStat is Stat without statx; it copies the path.
func oldStat(dir int, path []byte) (Stat, error) {
	var st unix.Stat_t
	for {
		switch err := unix.Fstatat(dir, unix.ByteSliceToString(path), &st, 0); err {
		case nil:
			return Stat{Size: st.Size, Modified: st.Mtim.Nano(), UID: st.Uid, Mode: st.Mode, Links: uint32(st.Nlink)}, nil
		case unix.EINTR:
		default:
			return Stat{}, standard(err.(syscall.Errno))
		}
	}
}

func (realKernel) Statfs(path string) (Statfs, error) {
	var st unix.Statfs_t
	for {
		switch err := unix.Statfs(path, &st); err {
		case nil:
			return space(&st), nil
		case unix.EINTR:
		default:
			return Statfs{}, standard(err.(syscall.Errno))
		}
	}
}

func space(st *unix.Statfs_t) Statfs {
	unit := uint64(st.Frsize)
	if unit == 0 {
		unit = uint64(st.Bsize) // f_frsize is 0 before Linux 2.6 (man 2 statfs)
	}
	return Statfs{Unit: unit, Blocks: st.Blocks, Free: st.Bfree, Avail: st.Bavail, Files: st.Files, FreeFiles: st.Ffree}
}

// Close is not repeated: Linux frees the descriptor before it can be interrupted
// (man 2 close).
func (realKernel) Close(fd int) error { return unix.Close(fd) }

func (realKernel) PageSize() uint64  { return uint64(os.Getpagesize()) }
func (k realKernel) Machine() string { return k.machine }
func (realKernel) Pid() int          { return os.Getpid() }

func (realKernel) Clocks() (real, boot int64) {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_REALTIME, &ts) == nil {
		real = ts.Nano()
	}
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) == nil {
		boot = ts.Nano()
	}
	return real, boot
}

func result(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return -1, standard(errno)
	}
	return int(n), nil
}

// standard turns what the standard library has a word for into that word.
func standard(errno syscall.Errno) error {
	switch errno {
	case unix.ESRCH:
		return os.ErrProcessDone
	case unix.ENOENT, unix.ENOTDIR:
		return fs.ErrNotExist
	case unix.EACCES, unix.EPERM:
		return fs.ErrPermission
	case unix.ENOSYS, unix.EOPNOTSUPP:
		return errors.ErrUnsupported
	}
	return errno
}
