package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeVmstat reads the counters of /proc/vmstat: faults, pages swapped, and
// processes killed because memory ran out.
// pgfault counts all faults, so the minor ones are the difference, in the
// kernel's unsigned long of word bits.
//
//	pswpin 0
//	pswpout 0
//	pgfault 1083743
//	pgmajfault 294
//	oom_kill 0
func decodeVmstat(b []byte, word uint8, s *platform.Sample) {
	var faults uint64
	var known bool
	for line := range text.Lines(text.Whole(b)) {
		key, rest := text.Field(line)
		v, _, ok := text.UintField(rest)
		if !ok {
			continue
		}
		switch string(key) {
		case "pgfault":
			faults, known = v, true
		case "pgmajfault":
			s.Set(platform.HostFaultsMajor, v)
		case "pswpin":
			s.Set(platform.HostSwapIn, v)
		case "pswpout":
			s.Set(platform.HostSwapOut, v)
		case "oom_kill": // since Linux 4.13
			s.Set(platform.HostOOMKills, v)
		}
	}
	if major, ok := s.Get(platform.HostFaultsMajor); ok && known {
		setMinorFaults(s, faults, major, word)
	}
}

// setSwapBytes sets what the pages swapped come to.
func setSwapBytes(s *platform.Sample, page uint64) {
	if in, ok := s.Get(platform.HostSwapIn); ok {
		setScaled(s, platform.HostSwapInBytes, in, page)
	}
	if out, ok := s.Get(platform.HostSwapOut); ok {
		setScaled(s, platform.HostSwapOutBytes, out, page)
	}
}

// setMinorFaults sets the difference of two counters that wrap apart from one
// another on a 32-bit kernel.
func setMinorFaults(s *platform.Sample, faults, major uint64, word uint8) {
	switch {
	case word == 32:
		s.Set(platform.HostFaultsMinor, uint64(uint32(faults-major)))
	case faults >= major:
		s.Set(platform.HostFaultsMinor, faults-major)
	}
}
