package linux

import (
	"math/bits"

	"github.com/pidometer/pidometer/internal/text"
)

// onlineCPUs are the CPUs that are online, one bit each. No kernel has more than
// 8192 (NR_CPUS).
type onlineCPUs [8192 / 64]uint64

// decodeOnlineCPUs reads /sys/devices/system/cpu/online. It is not ok if there is
// none.
func decodeOnlineCPUs(b []byte, set *onlineCPUs) (ok bool) {
	*set = onlineCPUs{}
	for id := range decodeCPUList(b) {
		if id/64 < uint64(len(set)) {
			set[id/64] |= 1 << (id % 64)
			ok = true
		}
	}
	return ok
}

// count counts the CPUs of a hexadecimal mask, in groups of 32 bits with commas
// between them, that are online. A process that was never bound is allowed every
// CPU that the machine could ever have, which for a virtual machine may be 128 of
// which it has 4.
func (set *onlineCPUs) count(mask []byte) (n uint64, ok bool) {
	digit := 0
	for i := len(mask) - 1; i >= 0; i-- {
		if mask[i] == ',' {
			continue
		}
		four, _, isHex := text.Hex(mask[i : i+1])
		if !isHex {
			return 0, false
		}
		if digit/16 < len(set) {
			n += uint64(bits.OnesCount64(four & (set[digit/16] >> (digit % 16 * 4))))
		}
		digit++
	}
	return n, digit > 0
}

// onlineSet reads which CPUs are online once in a pass. nil means unknown.
func (r *reader) onlineSet() *onlineCPUs {
	if !r.pass.onlineRead {
		r.pass.onlineRead = true
		b, err := r.once(r.root, r.join(cpuFolder, "online"))
		r.pass.onlineKnown = err == nil && decodeOnlineCPUs(b, &r.online)
	}
	if !r.pass.onlineKnown {
		return nil
	}
	return &r.online
}
