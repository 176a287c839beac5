package linux

import (
	"encoding/binary"
	"fmt"

	"github.com/pidometer/pidometer/platform"
)

// maskSize holds the CPUs of any kernel: 8192 at most (NR_CPUS).
const maskSize = 8192 / 8

// Affinity asks sched_getaffinity, and status for the eligible CPUs: the kernel
// leaves those that are offline out of the former (sched_getaffinity in
// kernel/sched/syscalls.c).
func (p *inspection) Affinity() (platform.Affinity, error) {
	return detail(p, "status", anyLiving, func(dir int) (a platform.Affinity, err error) {
		b, err := p.once(dir, p.join("status"))
		if err != nil {
			return a, err
		}
		var status statusDetail
		decodeStatusDetail(b, &status)
		a.Eligible = status.eligible
		a.CPUs, err = p.affinity()
		return a, err
	})
}

// affinity returns the CPUs that the process's first thread may run on.
func (p *inspection) affinity() ([]int, error) {
	if err := p.numbersAreOurs(); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	mask := make([]byte, maskSize)
	n, err := p.shared.calls.Affinity(p.key.ID, mask)
	if err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	return decodeMask(mask[:min(n, len(mask))], int(p.word)), nil
}

// decodeMask reads a set of CPUs, an array of unsigned longs of this machine.
func decodeMask(b []byte, word int) []int {
	list := []int{}
	size := word / 8
	for at := 0; at+size <= len(b); at += size {
		long := uint64(0)
		if word == 64 {
			long = binary.NativeEndian.Uint64(b[at:])
		} else {
			long = uint64(binary.NativeEndian.Uint32(b[at:]))
		}
		for bit := range word {
			if long>>bit&1 != 0 {
				list = append(list, at*8+bit)
			}
		}
	}
	return list
}

// IOPriority asks ioprio_get.
func (p *inspection) IOPriority() (platform.IOPriority, error) {
	return detail(p, "ioprio_get", anyLiving, func(int) (platform.IOPriority, error) {
		if err := p.numbersAreOurs(); err != nil {
			return platform.IOPriority{}, err
		}
		v, err := p.shared.calls.IOPriority(p.key.ID)
		return decodeIOPriority(v), err
	})
}

// Parts of an I/O priority (include/uapi/linux/ioprio.h).
const (
	ioprioShift = 13
	ioprioLevel = 7
)

// decodeIOPriority takes an I/O priority apart. Bits between level and class are
// hints.
func decodeIOPriority(v uint64) platform.IOPriority {
	priority := platform.IOPriority{Level: int(v & ioprioLevel)}
	switch v >> ioprioShift {
	case 0:
		priority.Class = "none"
	case 1:
		priority.Class = "realtime"
	case 2:
		priority.Class = "best_effort"
	case 3:
		priority.Class = "idle"
	}
	return priority
}
