package linux

import "errors"

// Caller is a [Kernel] that also makes the calls behind the details that no file
// tells. Of one that does not, these details are [errors.ErrUnsupported].
type Caller interface {
	// Affinity fills mask with the CPUs that a thread may run on, as unsigned longs
	// of this machine (sched_getaffinity), and returns how many bytes it filled. 0 is
	// the calling thread.
	Affinity(id uint64, mask []byte) (int, error)
	// IOPriority returns the I/O priority of a thread (ioprio_get).
	IOPriority(id uint64) (uint64, error)
	// Netlink sends a request to the kernel's part of a netlink protocol and hands
	// on each datagram of the answer, lent until each returns, until that is false.
	Netlink(protocol int, request []byte, each func(datagram []byte) (more bool)) error
}

// noCalls is a kernel that does not make them.
type noCalls struct{}

func (noCalls) Affinity(uint64, []byte) (int, error)         { return 0, errors.ErrUnsupported }
func (noCalls) IOPriority(uint64) (uint64, error)            { return 0, errors.ErrUnsupported }
func (noCalls) Netlink(int, []byte, func([]byte) bool) error { return errors.ErrUnsupported }
