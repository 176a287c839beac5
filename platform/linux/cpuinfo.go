package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
)

// cpuInfo is one processor of /proc/cpuinfo. The first members tell which of the
// others were there.
type cpuInfo struct {
	hasHertz, hasNominal, hasSocket, hasCore bool
	id, hertz, nominal, socket, core         uint64
	// measured says that hertz is what the CPU measures, not what it is made for.
	measured bool
}

// decodeCPUInfo reads /proc/cpuinfo into cpus, whose memory is used again. On x86
// the frequency is measured where the CPU counts its cycles (flag aperfmperf), and
// elsewhere that of its time stamp counter (arch_freq_get_on_cpu in
// arch/x86/kernel/cpu/aperfmperf.c); a CPU of s390 tells both (show_cpu_mhz in
// arch/s390/kernel/processor.c); powerpc tells what it was made for (show_cpuinfo in
// arch/powerpc/kernel/setup-common.c), others nothing.
//
//	processor	: 0
//	cpu MHz		: 2299.998
//	physical id	: 0
//	core id		: 0
//	flags		: fpu vme aperfmperf
//
//	cpu number      : 0
//	cpu MHz dynamic : 5200
//	cpu MHz static  : 5200
func decodeCPUInfo(b []byte, cpus []cpuInfo) []cpuInfo {
	cpus = cpus[:0]
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		key = text.Trim(key)
		if string(key) == "processor" || string(key) == "cpu number" {
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
	case "cpu MHz dynamic":
		c.hertz, _, c.hasHertz = text.DecimalField(value, 6)
		c.measured = true
	case "cpu MHz static":
		c.nominal, _, c.hasNominal = text.DecimalField(value, 6)
	case "clock":
		number, _ := bytes.CutSuffix(text.Trim(value), []byte("MHz"))
		c.hertz, _, c.hasHertz = text.DecimalField(number, 6)
	case "flags":
		for rest := value; len(rest) > 0 && !c.measured; {
			var flag []byte
			flag, rest = text.Field(rest)
			c.measured = string(flag) == "aperfmperf"
		}
	case "physical id":
		c.socket, _, c.hasSocket = text.UintField(value)
	case "core id":
		c.core, _, c.hasCore = text.UintField(value)
	}
}

// cpuModel is who made one CPU, and what he calls it.
type cpuModel struct {
	id            uint64
	model, vendor []byte
}

// decodeCPUModels reads who made each CPU that /proc/cpuinfo tells of. The list is
// in ascending order; a file out of order, which no kernel prints, ends it.
func decodeCPUModels(b []byte) []cpuModel {
	models := []cpuModel{}
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		last := len(models) - 1
		switch string(text.Trim(key)) {
		case "processor":
			id, _, ok := text.UintField(value)
			if ok && last >= 0 && id <= models[last].id {
				return models
			}
			if ok {
				models = append(models, cpuModel{id: id})
			}
		case "model name":
			if last >= 0 {
				models[last].model = bytes.Clone(text.Trim(value))
			}
		case "vendor_id":
			if last >= 0 {
				models[last].vendor = bytes.Clone(text.Trim(value))
			}
		}
	}
	return models
}
