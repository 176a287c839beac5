package linux

import (
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// hardwareSources are the sources that tell of [platform.Hardware].
const hardwareSources platform.SourceSet = 1<<fromHwmon | 1<<fromPowerSupply | 1<<fromPowercap | 1<<fromEDAC

// addHardware describes the sources of what hw.* of the conventions is made of.
func addHardware(s []platform.Source) {
	s[fromCPULimits] = level("/sys/devices/system/cpu/cpu[N]/cpufreq", platform.CPU, 100, 5,
		platform.CPUFrequencyNominal, platform.CPUFrequencyMin, platform.CPUFrequencyMax,
		platform.CPUFrequencyPolicyMin, platform.CPUFrequencyPolicyMax)
	s[fromCPUInfo] = platform.Source{Name: "/proc/cpuinfo", Entity: platform.CPU, Cost: 40, Files: 1,
		Texts: []platform.Text{platform.CPUModel, platform.CPUVendor}}
	s[fromDiskIdentity] = platform.Source{Name: "/sys/block/[disk]/device", Entity: platform.Disk, Cost: 60, Files: 8,
		Texts: []platform.Text{platform.DiskID, platform.DiskModel, platform.DiskVendor, platform.DiskSerial,
			platform.DiskFirmware, platform.DiskKind}}
	s[fromLink] = level("/sys/class/net/[interface]/speed", platform.Network, 30, 4,
		platform.NetworkUp, platform.NetworkSpeed)
	s[fromLink].Texts = []platform.Text{platform.NetworkAddress}
	s[fromHwmon] = hwmonSource()
	s[fromPowerSupply] = powerSupplySource()
	s[fromPowercap] = powercapSource()
	s[fromEDAC] = edacSource()
}

// hardware is what this half keeps of the classes of sysfs.
type hardware struct {
	identities               class // of disks
	hwmon, coretemp, thermal class
	supplies, energy, memory class
	entries                  []byte // of one folder
}

func (h *hardware) init() {
	h.identities = newClass(diskClass)
	h.hwmon, h.coretemp, h.thermal = newClass(hwmonClass), newClass(coretempClass), newClass(thermalClass)
	h.supplies, h.energy, h.memory = newClass(powerSupplyClass), newClass(powercapClass), newClass(edacClass)
}

// askHardware asks the sensors and supplies of the machine.
func (p *hostPass) askHardware() {
	p.askSensors()
	p.askClass(&p.host.supplies)
	p.askClass(&p.host.energy)
	p.askClass(&p.host.memory)
}

// askSensors asks the chips, and where they tell no temperature the zones.
func (p *hostPass) askSensors() {
	h := &p.host.hardware
	all := [...]*class{&h.hwmon, &h.coretemp, &h.thermal}
	for _, c := range all {
		c.devices = c.devices[:0]
	}
	if !p.wants(fromHwmon) {
		return
	}
	var failed error
	found := 0
	for i, c := range all {
		if err := p.list(c); i == 0 {
			failed = err
		}
		p.askDevices(c)
		found += len(c.devices)
		if slices.ContainsFunc(c.devices, (*sysDevice).hasTemperature) {
			return
		}
	}
	if failed != nil && found == 0 {
		p.miss(fromHwmon, missReason(failed))
	}
}

func (d *sysDevice) hasTemperature() bool {
	return slices.ContainsFunc(d.parts, func(c *part) bool { return c.kind == channelTemperature })
}

// sendHardware hands on the sensors, fans, batteries, supplies and the like.
func (p *hostPass) sendHardware() bool {
	if p.set&hardwareSources == 0 {
		return true
	}
	if !p.wait() {
		return false
	}
	h := &p.host.hardware
	return p.sendClass(&h.hwmon) && p.sendClass(&h.coretemp) && p.sendClass(&h.thermal) &&
		p.sendClass(&h.supplies) && p.sendClass(&h.energy) && p.sendClass(&h.memory)
}
