package solaris

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/internal/layout"
)

// Commands of sys/kstat.h.
const (
	commandChain = 'K'<<8 | 1 // KSTAT_IOC_CHAIN_ID
	commandRead  = 'K'<<8 | 2 // KSTAT_IOC_READ
	repeats      = 5
)

// kernel makes the calls of this machine.
type kernel struct{ statistics int }

func newKernel() (Kernel, error) {
	fd, err := unix.Open("/dev/kstat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/kstat: %w", err)
	}
	return kernel{fd}, nil
}

// Names lists a folder.
func (kernel) Names(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// Read is pread(2). Addresses of stacks are beyond what an os.File takes as an offset.
func (kernel) Read(path string, offset uint64, buf []byte) (n int, err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, translate(err)
	}
	defer unix.Close(fd)
	for range repeats {
		if n, err = unix.Pread(fd, buf, int64(offset)); err != unix.EINTR {
			break
		}
	}
	return max(n, 0), translate(err)
}

// File reads a whole file.
func (kernel) File(path string) ([]byte, error) { return os.ReadFile(path) }

// Link is readlink(2).
func (kernel) Link(path string) (string, error) { return os.Readlink(path) }

// Chain asks for the number of the chain.
func (k kernel) Chain() (uint64, error) {
	n, err := unix.IoctlSetIntRetInt(k.statistics, commandChain, 0)
	return uint64(n), err
}

// Statistic reads a statistic. It is busy while its driver writes it.
func (k kernel) Statistic(head, data []byte) (n int, err error) {
	if len(head) < headSize || len(data) == 0 {
		return 0, io.ErrShortBuffer
	}
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pinned.Pin(&head[0])
	pinned.Pin(&data[0])
	for range repeats {
		layout.PutWord(head, dataAt, 8, uint64(uintptr(unsafe.Pointer(&data[0]))))
		layout.PutWord(head, dataSizeAt, 8, uint64(len(data)))
		_, err = unix.IoctlSetIntRetInt(k.statistics, commandRead, int(uintptr(unsafe.Pointer(&head[0]))))
		if err != unix.EAGAIN && err != unix.EINTR {
			break
		}
	}
	if err == unix.ENOMEM { // the size that it takes is in the head
		return max(int(layout.U64(head, dataSizeAt)), 2*len(data)), nil
	}
	if err != nil {
		return 0, translate(err)
	}
	return int(layout.U64(head, dataSizeAt)), nil
}

// Usage is statvfs(2).
func (kernel) Usage(point string) (v [7]uint64, err error) {
	var s unix.Statvfs_t
	if err := unix.Statvfs(point, &s); err != nil {
		return v, translate(err)
	}
	return [7]uint64{s.Frsize, s.Blocks, s.Bfree, s.Bavail, s.Files, s.Ffree, s.Fsid}, nil
}

// System is uname(2).
func (kernel) System() (words [5]string, err error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return words, err
	}
	for i, w := range [...][]byte{u.Sysname[:], u.Nodename[:], u.Release[:], u.Version[:], u.Machine[:]} {
		words[i] = string(cString(w))
	}
	return words, nil
}

// Pid is getpid(2).
func (kernel) Pid() uint64 { return uint64(os.Getpid()) }

// Close closes /dev/kstat.
func (k kernel) Close() error { return unix.Close(k.statistics) }

// translate gives the numbers for a process and a statistic that are gone their name.
func translate(err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("%w: %w", err, os.ErrProcessDone)
	}
	return err
}
