package solaris

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/pidometer/pidometer/internal/layout"
)

// address is where memory is. Who hands it to the kernel keeps the memory until it answers.
func address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// readStatistic lets a call fill in a struct kstat and its data. It is busy while its driver
// writes it, and the size that it takes is in the head if that is more than there is.
func readStatistic(head, data []byte, call func() error) (n int, err error) {
	if len(head) < headSize || len(data) == 0 {
		return 0, io.ErrShortBuffer
	}
	for range repeats {
		layout.PutWord(head, dataAt, 8, address(data))
		layout.PutWord(head, dataSizeAt, 8, uint64(len(data)))
		err = call()
		runtime.KeepAlive(data)
		if !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	n = int(layout.U64(head, dataSizeAt))
	if errors.Is(err, syscall.ENOMEM) {
		return max(n, 2*len(data)), nil
	}
	if err != nil {
		return 0, translate(err)
	}
	return n, nil
}

// opened is a kernel, unless its device could not be opened.
func opened(k Kernel, err error) (Kernel, error) {
	if err != nil {
		return nil, fmt.Errorf("open /dev/kstat: %w", err)
	}
	return k, nil
}

// again reads, and does so again where that was interrupted.
func again(read func() (int, error)) (n int, err error) {
	for range repeats {
		if n, err = read(); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	return max(n, 0), translate(err)
}

// result is what a function of the C library returned, or why it failed.
func result(n uintptr, number syscall.Errno) (int, error) {
	if number != 0 {
		return 0, translate(number)
	}
	return int(n), nil
}

// translate gives the numbers for a process and a statistic that are gone their name.
func translate(err error) error {
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.ENXIO) {
		return fmt.Errorf("%w: %w", err, os.ErrProcessDone)
	}
	return err
}

// unknown gives the numbers for what a socket does not know their name: a family, an address
// that is not set, hardware that is not there.
func unknown(err error) error {
	for _, number := range [...]error{syscall.EINVAL, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		if errors.Is(err, number) {
			return fmt.Errorf("%w: %w", err, errors.ErrUnsupported)
		}
	}
	return translate(err)
}
