package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
)

// cpuInfo is one processor of /proc/cpuinfo. The first member tells which of the
// others were there.
type cpuInfo struct {
	hasHertz, hasSocket, hasCore bool
	id, hertz, socket, core      uint64
}

// decodeCPUInfo reads /proc/cpuinfo into cpus, whose memory is used again. Only
// x86 has these lines (show_cpuinfo in arch/x86/kernel/cpu/proc.c).
//
//	processor	: 0
//	cpu MHz		: 2299.998
//	physical id	: 0
//	core id		: 0
func decodeCPUInfo(b []byte, cpus []cpuInfo) []cpuInfo {
	cpus = cpus[:0]
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		key = text.Trim(key)
		if string(key) == "processor" {
			if id, _, ok := text.UintField(value); ok {
				cpus = append(cpus, cpuInfo{id: id})
			}
			continue
		}
		if len(cpus) > 0 {
			cpus[len(cpus)-1].decode(key, value)
		}
	}
	return cpus
}

func (c *cpuInfo) decode(key, value []byte) {
	switch string(key) {
	case "cpu MHz":
		c.hertz, _, c.hasHertz = text.DecimalField(value, 6)
	case "physical id":
		c.socket, _, c.hasSocket = text.UintField(value)
	case "core id":
		c.core, _, c.hasCore = text.UintField(value)
	}
}
