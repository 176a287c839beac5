package linux

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Kinds of channels that a chip has.
const (
	channelTemperature = iota
	channelFan
	channelVoltage
	channelPower
)

// What the files of a channel say (Documentation/hwmon/sysfs-interface.rst).
const (
	channelInput = iota
	channelAverage
	channelMin
	channelMax
	channelCrit
	channelLcrit
	channelLabel
	channelFault
	channelAlarm // the first of several, for one limit each
	channelMinAlarm
	channelMaxAlarm
	channelCritAlarm
	channelLcritAlarm
	channelEmergencyAlarm
	channelEnd
)

var channelKinds = [...]string{"temp", "fan", "in", "power"}

var channelFiles = [channelEnd]string{
	"input", "average", "min", "max", "crit", "lcrit", "label", "fault",
	"alarm", "min_alarm", "max_alarm", "crit_alarm", "lcrit_alarm", "emergency_alarm",
}

// decodeChannel takes the name of a chip's file apart, such as temp2_crit: what the
// channel is called, of what kind it is and what the file says.
func decodeChannel(name []byte) (channel []byte, kind, place int, ok bool) {
	channel, file, _ := bytes.Cut(name, []byte("_"))
	letters := bytes.TrimRight(channel, "0123456789")
	kind = slices.IndexFunc(channelKinds[:], func(s string) bool { return s == string(letters) })
	place = slices.IndexFunc(channelFiles[:], func(s string) bool { return s == string(file) })
	return channel, kind, place, kind >= 0 && place >= 0 && len(letters) < len(channel)
}

// hwmonSource: thermal zones stand in for chips where no chip has a temperature.
func hwmonSource() platform.Source {
	s := level("/sys/class/hwmon", platform.Hardware, 300, 30,
		platform.HardwareTemperature, platform.HardwareTemperatureLowCritical, platform.HardwareTemperatureLowDegraded,
		platform.HardwareTemperatureHighDegraded, platform.HardwareTemperatureHighCritical,
		platform.HardwareFanSpeed, platform.HardwareFanSpeedLowDegraded, platform.HardwareFanSpeedMax,
		platform.HardwareVoltage, platform.HardwareVoltageLowCritical, platform.HardwareVoltageLowDegraded,
		platform.HardwareVoltageHighDegraded, platform.HardwareVoltageHighCritical,
		platform.HardwarePower, platform.HardwareHostPower)
	s.Gives = append(s.Gives, states()...)
	s.Texts = []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareParent, platform.HardwareLocation}
	return s
}

// states are the fields of a component's state. Each source tells them of its own.
func states() []platform.Given {
	return []platform.Given{
		{Field: platform.HardwareOK, Partial: true},
		{Field: platform.HardwareDegraded, Partial: true},
		{Field: platform.HardwareFailed, Partial: true},
	}
}

var hwmonClass = classKind{
	source: fromHwmon, folder: "sys/class/hwmon/",
	names:  func(name []byte) bool { return bytes.HasPrefix(name, []byte("hwmon")) },
	layOut: layOutChip, fill: fillChannel,
}

// coretempClass is where the chips of Intel's CPUs are too. Where the class folder
// is not to be seen, or hides them, this one may not.
var coretempClass = classKind{
	source: fromHwmon, folder: "sys/devices/platform/",
	names:  func(name []byte) bool { return bytes.HasPrefix(name, []byte("coretemp.")) },
	layOut: layOutCoretemp, fill: fillChannel,
}

// layOutChip finds the channels of a chip. Drivers that register the old way have
// their files one folder below, next to the device's own.
func layOutChip(p *hostPass, d *sysDevice) error {
	return p.layOutChannels(d, d.folder, d.listing, p.host.hwmon.known)
}

// layOutCoretemp finds the folder of the chip under its device.
func layOutCoretemp(p *hostPass, d *sysDevice) error {
	listing, err := p.entries(d.folder + "hwmon/")
	if err != nil {
		return err
	}
	chip := ""
	decodeEntries(listing, func(name []byte) { chip = cmp.Or(chip, string(name)) })
	folder := d.folder + "hwmon/" + chip + "/"
	if listing, err = p.entries(folder); err != nil {
		return err
	}
	return p.layOutChannels(d, folder, slices.Clone(listing), p.host.coretemp.known)
}

// layOutChannels finds the channels of a chip in its folder. others are what its
// name must differ from.
func (p *hostPass) layOutChannels(d *sysDevice, folder string, listing []byte, others map[string]*sysDevice) error {
	files := folder
	if !hasChannel(listing) {
		inner, err := p.entries(folder + "device/")
		if err != nil || !hasChannel(inner) {
			return nil
		}
		files, listing = folder+"device/", slices.Clone(inner)
	}
	p.nameChip(d, folder, files, others)
	byName := map[string]*part{}
	decodeEntries(listing, func(name []byte) {
		channel, kind, place, ok := decodeChannel(name)
		if !ok {
			return
		}
		c, known := byName[string(channel)]
		if !known {
			c = d.add(string(channel), kind)
			byName[string(channel)] = c
		}
		c.take(files, string(name), place, place == channelLabel)
	})
	slices.SortFunc(d.parts, func(a, b *part) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(len(a.id), len(b.id)), cmp.Compare(a.id, b.id))
	})
	return nil
}

func hasChannel(listing []byte) (found bool) {
	decodeEntries(listing, func(name []byte) {
		_, _, _, ok := decodeChannel(name)
		found = found || ok
	})
	return found
}

// nameChip names a chip after its kind and the device behind it: the numbers of
// hwmon folders go by the order in which drivers were loaded. The driver knows the
// name by heart, so that no hardware is asked for it.
func (p *hostPass) nameChip(d *sysDevice, folder, files string, others map[string]*sysDevice) {
	for _, f := range [...]string{folder, files} {
		if name, err := p.small(f, "name"); err == nil && len(text.Trim(name)) > 0 {
			d.title = slices.Clone(text.Trim(name))
			break
		}
	}
	id := slices.Clone(d.title)
	var target [linkSize]byte
	if n, err := p.kernel.ReadLink(p.root, p.join(folder, "device"), target[:]); err == nil && n > 0 {
		if behind := target[bytes.LastIndexByte(target[:n], '/')+1 : n]; !bytes.Equal(behind, id) {
			id = append(append(id, '@'), behind...)
		}
	}
	for _, other := range others {
		if other != d && bytes.Equal(other.id, id) {
			id = append(append(id, '#'), d.name...)
			break
		}
	}
	d.id = id
}

// Types of hardware as OpenTelemetry spells them.
var (
	typeBattery     = []byte("battery")
	typeCPU         = []byte("cpu")
	typeFan         = []byte("fan")
	typeGPU         = []byte("gpu")
	typeMemory      = []byte("memory")
	typePowerSupply = []byte("power_supply")
	typeTemperature = []byte("temperature")
	typeVoltage     = []byte("voltage")
)

// fillChannel sets what a channel says.
func fillChannel(p *hostPass, c *part) {
	s := &p.host.sample
	switch c.kind {
	case channelTemperature:
		p.describe(platform.HardwareType, typeTemperature)
		c.setTemperatures(s)
	case channelFan:
		p.describe(platform.HardwareType, typeFan)
		c.setFan(s)
	case channelVoltage:
		p.describe(platform.HardwareType, typeVoltage)
		c.setVoltages(s)
	case channelPower:
		p.describe(platform.HardwareType, powerType(c.device.title))
		c.setPower(s)
	}
	c.setChannelState(s)
	label := c.word(channelLabel)
	p.describe(platform.HardwareLocation, label)
	p.describe(platform.HardwareParent, c.device.id)
	if len(label) == 0 {
		label = c.channel
	}
	c.title = append(append(append(c.title[:0], c.device.title...), ' '), label...)
	p.describe(platform.HardwareName, c.title)
}

// Bounds of a temperature, in thousandths of a degree: absolute zero, and what no
// electronics survives. A drive without a threshold says 0 or 65535 kelvin (struct
// nvme_id_ctrl in include/linux/nvme.h), a zone without one -274000 degrees
// (THERMAL_TEMP_INVALID in include/linux/thermal.h).
const (
	coldest = -273_150
	hottest = 1_000_000
)

// temperature returns what a file says, if that is one.
func (c *part) temperature(place int) (int64, bool) {
	v, ok := c.get(place)
	return v, ok && v > coldest && v < hottest
}

// setTemperatures sets a temperature and its limits. A register that nobody has set
// says 0, which is no upper limit of anything that runs.
func (c *part) setTemperatures(s *platform.Sample) {
	v, ok := c.temperature(channelInput)
	if !ok {
		return
	}
	s.SetSigned(platform.HardwareTemperature, v)
	for _, limit := range [...]struct {
		place int
		field platform.Field
		high  bool
	}{
		{channelLcrit, platform.HardwareTemperatureLowCritical, false},
		{channelMin, platform.HardwareTemperatureLowDegraded, false},
		{channelMax, platform.HardwareTemperatureHighDegraded, true},
		{channelCrit, platform.HardwareTemperatureHighCritical, true},
	} {
		if v, ok := c.temperature(limit.place); ok && !(limit.high && v <= 0) {
			s.SetSigned(limit.field, v)
		}
	}
}

// setFan sets a speed and its limits; one of 0 is none.
func (c *part) setFan(s *platform.Sample) {
	v, ok := c.get(channelInput)
	if !ok || v < 0 {
		return
	}
	s.Set(platform.HardwareFanSpeed, uint64(v))
	if v, ok := c.get(channelMin); ok && v > 0 {
		s.Set(platform.HardwareFanSpeedLowDegraded, uint64(v))
	}
	if v, ok := c.get(channelMax); ok && v > 0 {
		s.Set(platform.HardwareFanSpeedMax, uint64(v))
	}
}

// setVoltages sets a voltage and its limits; one of 0 is none.
func (c *part) setVoltages(s *platform.Sample) {
	v, ok := c.get(channelInput)
	if !ok {
		return
	}
	s.SetSigned(platform.HardwareVoltage, v)
	for _, limit := range [...]struct {
		place int
		field platform.Field
	}{
		{channelLcrit, platform.HardwareVoltageLowCritical}, {channelMin, platform.HardwareVoltageLowDegraded},
		{channelMax, platform.HardwareVoltageHighDegraded}, {channelCrit, platform.HardwareVoltageHighCritical},
	} {
		if v, ok := c.get(limit.place); ok && v != 0 {
			s.SetSigned(limit.field, v)
		}
	}
}

// powerMeter is the chip of a machine whose firmware measures what it takes as a
// whole (drivers/hwmon/acpi_power_meter.c).
const powerMeter = "power_meter"

// powerType returns what a chip measures the power of, by its driver. Of most chips
// that is a rail of a board, which has no type.
func powerType(chip []byte) []byte {
	switch string(chip) {
	case "amdgpu", "radeon", "nouveau", "i915", "xe":
		return typeGPU
	case "fam15h_power":
		return typeCPU
	}
	return nil
}

// setPower sets the power that a component takes, in microwatts: now, or on average
// over a while where the chip tells no more.
func (c *part) setPower(s *platform.Sample) {
	v, ok := c.get(channelInput)
	if !ok {
		v, ok = c.get(channelAverage)
	}
	switch {
	case !ok:
	case string(c.device.title) == powerMeter && v >= 0:
		s.Set(platform.HardwareHostPower, uint64(v))
	case powerType(c.device.title) != nil:
		s.SetSigned(platform.HardwarePower, v)
	}
}

// setChannelState sets the state of what a channel measures: failed if the sensor
// does not work, degraded if the chip raises an alarm. A chip without alarms tells
// no state. Power has none in the conventions.
func (c *part) setChannelState(s *platform.Sample) {
	if c.kind == channelPower {
		return
	}
	state, known := platform.HardwareOK, false
	for place := channelFault; place < channelEnd; place++ {
		v, ok := c.get(place)
		known = known || ok
		switch {
		case !ok || v == 0 || state == platform.HardwareFailed:
		case place == channelFault:
			state = platform.HardwareFailed
		default:
			state = platform.HardwareDegraded
		}
	}
	if known {
		setHardwareState(s, state)
	}
}

// setHardwareState sets the one state that holds, and the others to 0.
func setHardwareState(s *platform.Sample, state platform.Field) {
	s.Set(platform.HardwareOK, 0)
	s.Set(platform.HardwareDegraded, 0)
	s.Set(platform.HardwareFailed, 0)
	s.Set(state, 1)
}
