package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/platform"
)

// What the files of a memory controller say (Documentation/admin-guide/RAS/main.rst).
const (
	memoryCorrected = iota
	memoryUncorrected
	memoryName
)

// edacSource: both are unsigned int (struct mem_ctl_info in include/linux/edac.h).
func edacSource() platform.Source {
	return platform.Source{Name: "/sys/devices/system/edac/mc", Entity: platform.Hardware, Cost: 30, Files: 3,
		Gives: []platform.Given{
			{Field: platform.HardwareErrorsCorrected, Bits: 32},
			{Field: platform.HardwareErrorsUncorrected, Bits: 32},
		},
		Texts: []platform.Text{platform.HardwareName, platform.HardwareType}}
}

var edacClass = classKind{
	source: fromEDAC, folder: "sys/devices/system/edac/mc/",
	names: func(name []byte) bool {
		number, ok := bytes.CutPrefix(name, []byte("mc"))
		_, isNumber := decodeInteger(number)
		return ok && isNumber
	},
	layOut: layOutMemory, fill: fillMemory,
}

func layOutMemory(_ *hostPass, d *sysDevice) error {
	c := d.add("", 0)
	c.take(d.folder, "ce_count", memoryCorrected, false)
	c.take(d.folder, "ue_count", memoryUncorrected, false)
	c.take(d.folder, "mc_name", memoryName, true)
	return nil
}

// fillMemory sets the errors of the memory behind one controller.
func fillMemory(p *hostPass, c *part) {
	s := &p.host.sample
	if v, ok := c.get(memoryCorrected); ok && v >= 0 {
		s.Set(platform.HardwareErrorsCorrected, uint64(v))
	}
	if v, ok := c.get(memoryUncorrected); ok && v >= 0 {
		s.Set(platform.HardwareErrorsUncorrected, uint64(v))
	}
	p.describe(platform.HardwareType, typeMemory)
	name := c.word(memoryName)
	if len(name) == 0 {
		name = c.device.id
	}
	p.describe(platform.HardwareName, name)
}
