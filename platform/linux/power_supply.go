package linux

import (
	"bytes"
	"math/bits"
	"strconv"

	"github.com/pidometer/pidometer/platform"
)

// What the files of a supply say (Documentation/ABI/testing/sysfs-class-power). Units
// are microwatts, microwatt-hours, microamperes, microampere-hours, microvolts and
// seconds (Documentation/power/power_supply_class.rst).
const (
	supplyType = iota
	supplyScope
	supplyPresent
	supplyOnline
	supplyStatus
	supplyHealth
	supplyCapacity // in percent
	supplyAlertMin // likewise
	supplyAlarm    // in the unit of the energy or charge
	supplyEnergyNow
	supplyEnergyFull
	supplyEnergyDesign
	supplyPowerNow
	supplyChargeNow
	supplyChargeFull
	supplyChargeDesign
	supplyCurrentNow
	supplyVoltageNow
	supplyTimeToEmpty
	supplyTimeToFull
	supplyTechnology
	supplyModel
	supplyVendor
	supplySerial
	supplyEnd
)

// supplyFiles are the files, and whether they hold words.
var supplyFiles = [supplyEnd]struct {
	name string
	word bool
}{
	{"type", true}, {"scope", true}, {"present", false}, {"online", false}, {"status", true}, {"health", true},
	{"capacity", false}, {"capacity_alert_min", false}, {"alarm", false},
	{"energy_now", false}, {"energy_full", false}, {"energy_full_design", false}, {"power_now", false},
	{"charge_now", false}, {"charge_full", false}, {"charge_full_design", false}, {"current_now", false}, {"voltage_now", false},
	{"time_to_empty_now", false}, {"time_to_full_now", false},
	{"technology", true}, {"model_name", true}, {"manufacturer", true}, {"serial_number", true},
}

// Kinds of supplies.
const (
	supplyUnknown = iota
	supplyBattery
	supplyMains // the grid, by whatever plug
)

func powerSupplySource() platform.Source {
	s := level("/sys/class/power_supply", platform.Hardware, 200, 20,
		platform.HardwareCharge, platform.HardwareChargeLowDegraded,
		platform.HardwareTimeDischarging, platform.HardwareTimeCharging,
		platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull,
		platform.HardwareOnline)
	s.Gives = append(s.Gives, states()...)
	s.Texts = []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareModel, platform.HardwareVendor,
		platform.HardwareSerial, platform.HardwareState, platform.HardwareCapacity, platform.HardwareChemistry}
	return s
}

var powerSupplyClass = classKind{
	source: fromPowerSupply, folder: "sys/class/power_supply/",
	names:  func([]byte) bool { return true },
	layOut: layOutSupply, fill: fillSupply,
}

// layOutSupply finds the files of a supply: each has those that its driver knows of.
func layOutSupply(_ *hostPass, d *sysDevice) error {
	c := d.add("", 0)
	decodeEntries(d.listing, func(name []byte) {
		for place := range supplyFiles {
			if supplyFiles[place].name == string(name) {
				c.take(d.folder, string(name), place, supplyFiles[place].word)
			}
		}
	})
	return nil
}

// supplyKind tells what a supply is by its type, or by its name where that is not
// told.
func (c *part) supplyKind() int {
	switch string(c.word(supplyType)) {
	case "Battery", "UPS":
		return supplyBattery
	case "Mains", "USB", "USB_DCP", "USB_CDP", "USB_ACA", "USB_C", "USB_PD", "USB_PD_DRP", "Wireless":
		return supplyMains
	case "":
		return supplyKindOf(c.device.id)
	}
	return supplyUnknown
}

// supplyKindOf goes by the names that drivers choose, as psutil does.
func supplyKindOf(name []byte) int {
	switch {
	case bytes.HasPrefix(name, []byte("BAT")), bytes.Contains(bytes.ToLower(name), []byte("battery")):
		return supplyBattery
	case bytes.HasPrefix(name, []byte("AC")), bytes.HasPrefix(name, []byte("ADP")):
		return supplyMains
	}
	return supplyUnknown
}

// fillSupply sets what a supply says. What is the battery of another device, such as
// a mouse, does not keep this machine running, and is shown among all devices.
func fillSupply(p *hostPass, c *part) {
	if present, ok := c.get(supplyPresent); ok && present == 0 {
		return
	}
	if string(c.word(supplyScope)) == "Device" && !p.options.AllDevices {
		return
	}
	p.describe(platform.HardwareName, c.device.id)
	p.describe(platform.HardwareModel, c.told(supplyModel))
	p.describe(platform.HardwareVendor, c.told(supplyVendor))
	p.describe(platform.HardwareSerial, c.told(supplySerial))
	switch c.supplyKind() {
	case supplyBattery:
		p.fillBattery(c)
	case supplyMains:
		p.describe(platform.HardwareType, typePowerSupply)
		if online, ok := c.get(supplyOnline); ok {
			p.host.sample.Set(platform.HardwareOnline, uint64(min(max(online, 0), 1))) // 2 is a plug of several voltages
		}
	}
}

// told is a word that is not the kernel's own for not knowing.
func (c *part) told(place int) []byte {
	w := c.word(place)
	if string(w) == "Unknown" || string(w) == "unknown" {
		return nil
	}
	return w
}

func (p *hostPass) fillBattery(c *part) {
	s := &p.host.sample
	p.describe(platform.HardwareType, typeBattery)
	p.describe(platform.HardwareChemistry, c.told(supplyTechnology))
	p.describe(platform.HardwareCapacity, c.design())
	b := c.battery(p.plugged())
	if b.chargeKnown {
		s.Set(platform.HardwareCharge, b.charge)
	}
	if b.alarm > 0 {
		s.Set(platform.HardwareChargeLowDegraded, b.alarm)
	}
	if b.state != noField {
		for _, f := range batteryStates {
			s.Set(f, 0)
		}
		s.Set(b.state, 1)
	}
	if b.timeKnown && b.state == platform.HardwareDischarging {
		s.Set(platform.HardwareTimeDischarging, b.time)
	}
	if b.timeKnown && b.state == platform.HardwareCharging {
		s.Set(platform.HardwareTimeCharging, b.time)
	}
	state, known := healthOf(c.word(supplyHealth))
	if known {
		setHardwareState(s, state)
	}
	p.describe(platform.HardwareState, stateNames[state-platform.HardwareOK])
}

var batteryStates = [...]platform.Field{
	platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull,
}

var stateNames = [...][]byte{[]byte("ok"), []byte("degraded"), []byte("failed")}

// plugged reports whether any supply gives power, if any tells.
func (p *hostPass) plugged() (yes, known bool) {
	for _, d := range p.host.supplies.devices {
		if d.answer() != nil {
			continue
		}
		for _, c := range d.parts {
			if online, ok := c.get(supplyOnline); ok && c.supplyKind() == supplyMains {
				yes, known = yes || online > 0, true
			}
		}
	}
	return yes, known
}

// noField stands for none of the fields of hardware.
const noField = platform.Field(0)

// battery is what the files of one say together.
type battery struct {
	charge, alarm, time uint64 // in millionths, and nanoseconds
	chargeKnown         bool
	timeKnown           bool
	state               platform.Field // one of batteryStates, or noField
}

// battery puts together what the files say. The state of a battery that tells none
// follows from whether the machine is plugged in.
func (c *part) battery(plugged, known bool) (b battery) {
	b.state = batteryStateOf(c.word(supplyStatus))
	if b.state == noField && known && !plugged {
		b.state = platform.HardwareDischarging
	}
	now, full, rate := c.store()
	b.charge, b.chargeKnown = millionthsOf(now, full)
	if percent, ok := c.get(supplyCapacity); !b.chargeKnown && ok && percent >= 0 {
		b.charge, b.chargeKnown = uint64(min(percent, 100))*10_000, true
	}
	alarm, _ := c.get(supplyAlarm)
	if b.alarm, known = millionthsOf(alarm, full); !known || alarm == 0 {
		percent, _ := c.get(supplyAlertMin)
		b.alarm = uint64(min(max(percent, 0), 100)) * 10_000
	}
	switch b.state {
	case platform.HardwareDischarging:
		b.time, b.timeKnown = c.timeLeft(now, rate, supplyTimeToEmpty)
	case platform.HardwareCharging:
		missing := int64(-1)
		if now >= 0 && full > 0 {
			missing = full - now
		}
		b.time, b.timeKnown = c.timeLeft(missing, rate, supplyTimeToFull)
	}
	return b
}

// batteryStateOf is what a battery does. What is unknown is no field.
func batteryStateOf(word []byte) platform.Field {
	switch string(word) {
	case "Charging":
		return platform.HardwareCharging
	case "Discharging":
		return platform.HardwareDischarging
	case "Not charging":
		return platform.HardwareNotCharging
	case "Full":
		return platform.HardwareFull
	}
	return noField
}

// healthOf is the state of a battery. One that tells none, or one that is new
// here, is taken for a working one, and that is not known.
func healthOf(word []byte) (state platform.Field, known bool) {
	switch string(word) {
	case "Good":
		return platform.HardwareOK, true
	case "Overheat", "Cold", "Warm", "Cool", "Hot", "Calibration required":
		return platform.HardwareDegraded, true
	case "Dead", "Over voltage", "Unspecified failure", "Watchdog timer expire", "Safety timer expire", "Over current", "Cell imbalance":
		return platform.HardwareFailed, true
	}
	return platform.HardwareOK, false
}

// store returns what is in a battery, what it holds when full, and what flows in or
// out in an hour, all in the same unit: energy if it tells that, else charge. Where a
// flow is told in the other unit the voltage converts it. What is not told is -1, a
// flow 0.
func (c *part) store() (now, full, rate int64) {
	now, full, rate = -1, -1, 0
	power, hasPower := c.get(supplyPowerNow)
	current, hasCurrent := c.get(supplyCurrentNow)
	voltage, hasVoltage := c.get(supplyVoltageNow)
	volts := voltage > 0 && hasVoltage
	if v, ok := c.get(supplyEnergyNow); ok {
		now = v
		if v, ok := c.get(supplyEnergyFull); ok {
			full = v
		}
		if rate = abs(power); !hasPower && hasCurrent && volts {
			rate, _ = scale(abs(current), voltage, 1_000_000)
		}
		return now, full, rate
	}
	if v, ok := c.get(supplyChargeNow); ok {
		now = v
	}
	if v, ok := c.get(supplyChargeFull); ok {
		full = v
	}
	if rate = abs(current); !hasCurrent && hasPower && volts {
		rate, _ = scale(abs(power), 1_000_000, voltage)
	}
	return now, full, rate
}

// abs: some drivers tell by the sign which way a current flows.
func abs(v int64) int64 { return max(v, -v) }

// scale is v times up over down, if that is a number that fits.
func scale(v, up, down int64) (scaled int64, ok bool) {
	high, low := bits.Mul64(uint64(v), uint64(up))
	if v < 0 || up < 0 || down <= 0 || high >= uint64(down) {
		return 0, false
	}
	q, _ := bits.Div64(high, low, uint64(down))
	return int64(q), q <= 1<<63-1
}

// millionthsOf is a share of a whole. A battery may hold a little more than when it
// was full last.
func millionthsOf(part, whole int64) (share uint64, ok bool) {
	if part < 0 || whole <= 0 {
		return 0, false
	}
	if part >= whole {
		return 1_000_000, true
	}
	v, ok := scale(part, 1_000_000, whole)
	return uint64(v), ok
}

// longest is the most that a time left can be and be one: a driver that measures next
// to nothing finds years.
const longest = 100 * 24 * 3600

// timeLeft is how long an amount lasts, in nanoseconds, by what flows now, or as the
// battery itself says.
func (c *part) timeLeft(amount, rate int64, place int) (nanoseconds uint64, ok bool) {
	const second = 1_000_000_000
	seconds, ok := c.get(place)
	if amount >= 0 && rate > 0 {
		seconds, ok = scale(amount, 3600, rate)
	}
	if !ok || seconds < 0 || seconds >= longest {
		return 0, false
	}
	return uint64(seconds) * second, true
}

// design is what a battery held when it was new, in watt-hours or ampere-hours, as
// hw.battery.capacity wants it.
func (c *part) design() []byte {
	unit := "Wh"
	v, ok := c.get(supplyEnergyDesign)
	if !ok {
		unit = "Ah"
		v, ok = c.get(supplyChargeDesign)
	}
	if !ok || v <= 0 {
		return nil
	}
	c.title = strconv.AppendFloat(c.title[:0], float64(v)/1e6, 'f', -1, 64)
	c.title = append(c.title, unit...)
	return c.title
}
