package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/platform"
)

// What the files of a zone say (Documentation/power/powercap/powercap.rst).
const (
	zoneEnergy = iota
	zoneEnergyRange
	zoneName
)

// powercapSource: the kernel gives energy in microjoules, and counts in 32 bits of
// a unit that differs from processor to processor, of 61 uJ most often. Its wraps
// are undone here; those before the first look are unknown, which is why the width
// is declared. Since Linux 5.10 only root may read, since the energy tells what is
// computed (CVE-2020-8694).
func powercapSource() platform.Source {
	return platform.Source{Name: "/sys/class/powercap", Entity: platform.Hardware, Cost: 40, Files: 4, Needs: "root, or CAP_DAC_READ_SEARCH",
		Gives: []platform.Given{
			{Field: platform.HardwareEnergy, Bits: 32, Step: 61},
			{Field: platform.HardwareHostEnergy, Bits: 20}, // 61 uJ * 2^32 are 2^18 J
		},
		Texts: []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareParent}}
}

// Zones of another control type, as intel-rapl-mmio, show the same processor again.
var powercapClass = classKind{
	source: fromPowercap, folder: "sys/class/powercap/",
	names:  func(name []byte) bool { return bytes.HasPrefix(name, []byte("intel-rapl:")) },
	layOut: layOutPowerZone, fill: fillPowerZone,
}

func layOutPowerZone(_ *hostPass, d *sysDevice) error {
	c := d.add("", 0)
	c.take(d.folder, "energy_uj", zoneEnergy, false)
	c.take(d.folder, "max_energy_range_uj", zoneEnergyRange, false)
	c.take(d.folder, "name", zoneName, true)
	return nil
}

// microjoules are those in a joule.
const microjoules = 1_000_000

// fillPowerZone sets the energy that a processor, its memory or the whole machine
// took. Zones of parts of the processor, core and uncore, are left out: what they
// took is in the processor's energy, and would be counted twice by whoever adds up.
func fillPowerZone(p *hostPass, c *part) {
	name := c.word(zoneName)
	raw, ok := c.get(zoneEnergy)
	if !ok || raw < 0 {
		return
	}
	most, _ := c.get(zoneEnergyRange)
	used := c.energy.add(uint64(raw), uint64(max(most, 0)))
	s := &p.host.sample
	switch {
	case bytes.HasPrefix(name, []byte("package")):
		s.Set(platform.HardwareEnergy, used)
		p.describe(platform.HardwareType, typeCPU)
	case string(name) == "dram":
		s.Set(platform.HardwareEnergy, used)
		p.describe(platform.HardwareType, typeMemory)
	case string(name) == "psys":
		s.Set(platform.HardwareHostEnergy, used/microjoules)
	}
	p.describe(platform.HardwareName, name)
	if i := bytes.LastIndexByte(c.device.id, ':'); bytes.IndexByte(c.device.id, ':') < i {
		p.describe(platform.HardwareParent, c.device.id[:i])
	}
}

// energyCounter undoes the wraps of a counter whose width is no power of two.
type energyCounter struct{ last, carried uint64 }

// add takes a reading of a counter that starts anew behind most, and returns the sum.
// A fall where the kernel tells no range keeps what was counted.
func (e *energyCounter) add(raw, most uint64) uint64 {
	switch {
	case raw >= e.last:
	case e.last <= most:
		e.carried += most
	default:
		e.carried += e.last
	}
	e.last = raw
	return e.carried + raw
}
