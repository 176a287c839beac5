package linux

import (
	"iter"

	"github.com/pidometer/pidometer/internal/text"
)

// mostCPUs bounds the numbers in a list: the kernel has at most 8192 (NR_CPUS).
const mostCPUs = 1 << 16

// decodeCPUList yields the numbers in a list of CPUs such as
// /sys/devices/system/cpu/online (bitmap_print_to_pagebuf in lib/bitmap-str.c).
//
//	0-3,8,10-11
func decodeCPUList(b []byte) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for {
			from, to, rest, ok := cpuRange(b)
			if !ok {
				return
			}
			for id := from; id <= to; id++ {
				if !yield(id) {
					return
				}
			}
			if len(rest) == 0 || rest[0] != ',' {
				return
			}
			b = rest[1:]
		}
	}
}

// cpuRange reads one number, or two with a hyphen between them.
func cpuRange(b []byte) (from, to uint64, rest []byte, ok bool) {
	from, rest, ok = text.Uint(b)
	to = from
	if ok && len(rest) > 0 && rest[0] == '-' {
		to, rest, ok = text.Uint(rest[1:])
	}
	return from, to, rest, ok && to < mostCPUs
}
