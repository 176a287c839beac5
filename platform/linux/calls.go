package linux

import "errors"

// Caller is a [Kernel] that also makes the calls behind what no file tells, or tells
// dearly. Of one that does not, these details are [errors.ErrUnsupported].
type Caller interface {
	Kernel
	// Affinity fills mask with the CPUs that a thread may run on, as unsigned longs
	// of this machine (sched_getaffinity), and returns how many bytes it filled. 0 is
	// the calling thread.
	Affinity(id uint64, mask []byte) (int, error)
	// IOPriority returns the I/O priority of a thread (ioprio_get).
	IOPriority(id uint64) (uint64, error)
	// OpenNetlink opens a socket to the kernel's part of a netlink protocol, on which
	// nobody else is heard. Each Read is a datagram. One that does not come within a
	// second is an error whose Timeout method returns true.
	OpenNetlink(protocol int) (fd int, err error)
	// Write writes all of b.
	Write(fd int, b []byte) error
}

// noCalls is a kernel that does not make them.
type noCalls struct{ Kernel }

func (noCalls) Affinity(uint64, []byte) (int, error) { return 0, errors.ErrUnsupported }
func (noCalls) IOPriority(uint64) (uint64, error)    { return 0, errors.ErrUnsupported }
func (noCalls) OpenNetlink(int) (int, error)         { return -1, errors.ErrUnsupported }
func (noCalls) Write(int, []byte) error              { return errors.ErrUnsupported }
