package freebsd

import (
	"fmt"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// mostSensors is how many CPUs and thermal zones are asked for theirs.
const mostSensors = 1024

// chargePercent is 1 % in the unit of the field.
const chargePercent = 10_000

// freezing is 0 °C in tenths of a kelvin, which sysctl(8) shows as degrees (format IK).
const freezing = 2731

// thermometers are names with a number in them, counted up until there is none: those of
// CPUs, with coretemp(4) or amdtemp(4) loaded, and the zones of acpi_thermal(4).
var thermometers = []struct{ name, label, parent string }{
	{"dev.cpu.%d.temperature", "cpu%d", "cpu"},
	{"hw.acpi.thermal.tz%d.temperature", "tz%d", "acpi"},
}

// temperatures are told in tenths of a kelvin. A machine without thermometers, as virtual
// ones are, has none.
func temperatures() sysctl.HostSource {
	s := sysctl.Level("dev.cpu.N.temperature, hw.acpi.thermal", platform.Hardware, 20, platform.HardwareTemperature)
	s.Texts = hardwareTexts
	return sysctl.HostSource{Source: s, Each: func(p *sysctl.Pass) error {
		for _, kind := range thermometers {
			for i := range mostSensors {
				kelvin, err := named(p, fmt.Sprintf(kind.name, i))
				if absent(err) {
					break
				}
				if err != nil {
					return err
				}
				reset(p, fmt.Sprintf(kind.label, i), "temperature", kind.parent)
				p.Sample().SetSigned(platform.HardwareTemperature, (int64(int32(kelvin))-freezing)*100)
				if err := p.Hand(); err != nil {
					return err
				}
			}
		}
		return nil
	}}
}

var hardwareTexts = []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareParent}

// reset begins a sample of a component.
func reset(p *sysctl.Pass, name, kind, parent string) {
	p.Sample().Reset(platform.Hardware, platform.Key{Name: name})
	p.SetText(platform.HardwareName, name)
	p.SetText(platform.HardwareType, kind)
	p.SetText(platform.HardwareParent, parent)
}

// battery is the sum of all batteries (acpi_battery(4)), and whether there is power from
// outside. A machine without battery has no hw.acpi.battery.life, or -1 in it.
func battery() sysctl.HostSource {
	s := sysctl.Level("hw.acpi.battery, hw.acpi.acline", platform.Hardware, 5, platform.HardwareCharge, platform.HardwareOnline)
	s.Texts = hardwareTexts
	return sysctl.HostSource{Source: s, Each: func(p *sysctl.Pass) error {
		if err := sendBattery(p); err != nil {
			return err
		}
		return sendSupply(p)
	}}
}

func sendBattery(p *sysctl.Pass) error {
	percent, err := named(p, "hw.acpi.battery.life")
	if absent(err) {
		return nil
	}
	if err != nil || percent > 100 {
		return err
	}
	reset(p, "battery", "battery", "acpi")
	p.Sample().Set(platform.HardwareCharge, percent*chargePercent)
	return p.Hand()
}

func sendSupply(p *sysctl.Pass) error {
	online, err := named(p, "hw.acpi.acline")
	if absent(err) {
		return nil
	}
	if err != nil || online > 1 {
		return err
	}
	reset(p, "acline", "power_supply", "acpi")
	p.Sample().Set(platform.HardwareOnline, online)
	return p.Hand()
}
