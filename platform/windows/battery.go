package windows

import (
	"errors"
	"time"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in SYSTEM_POWER_STATUS (winbase.h), and what its members say.
const (
	powerStatusSize = 12
	powerLine       = 0 // 1 with a supply, 0 without, 255 unknown
	powerFlags      = 1
	powerPercent    = 2 // 255 unknown
	powerSeconds    = 4 // until empty; all bits set: unknown, or it is not discharged

	powerOffline = 0
	powerOnline  = 1

	batteryCharging = 8
	batteryNone     = 128
	batteryUnknown  = 255

	full           = 100
	percent        = 10_000 // millionths
	unknownSeconds = 1<<32 - 1
)

// What there is of them is told as one, under names of our own.
const (
	batteryName = "battery"
	supplyName  = "supply"
)

func batterySource() platform.Source {
	s := level("GetSystemPowerStatus", platform.Hardware, 20, platform.HardwareCharge, platform.HardwareTimeDischarging,
		platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull, platform.HardwareOnline)
	s.Texts = []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareState}
	return s
}

// powerStatus is what is read of SYSTEM_POWER_STATUS.
type powerStatus struct {
	line, flags, percent byte
	seconds              uint32
}

// decodePowerStatus reads SYSTEM_POWER_STATUS. It is not ok on a machine that does not
// know whether it has a battery.
func decodePowerStatus(b []byte) (p powerStatus, ok bool) {
	if len(b) < powerStatusSize {
		return powerStatus{}, false
	}
	p = powerStatus{b[powerLine], b[powerFlags], b[powerPercent], layout.U32(b, powerSeconds)}
	return p, p.flags != batteryUnknown
}

// state is the field of what the battery does, if that is known.
func (p *powerStatus) state() (f platform.Field, ok bool) {
	switch {
	case p.flags&batteryCharging != 0:
		return platform.HardwareCharging, true
	case p.line == powerOffline:
		return platform.HardwareDischarging, true
	case p.line == powerOnline && p.percent == full:
		return platform.HardwareFull, true
	}
	return platform.HardwareNotCharging, p.line == powerOnline
}

// sendBattery hands on the battery, all of them as one, and the supply. A machine
// without a battery has nothing to say: its supply is there as long as it runs.
func (p *hostPass) sendBattery() bool {
	if !p.wants(fromBattery) {
		return true
	}
	answer, err := p.fixed(powerStatusSize, p.kernel.PowerStatus)
	if err != nil {
		p.check(fromBattery, err)
		return true
	}
	status, ok := decodePowerStatus(answer)
	if !ok {
		p.check(fromBattery, errors.ErrUnsupported)
		return true
	}
	if status.flags&batteryNone != 0 {
		return true
	}
	p.setBattery(&status)
	if !p.send() {
		return false
	}
	if status.line > powerOnline {
		return true
	}
	s := p.hardware(supplyName, "power_supply")
	s.Set(platform.HardwareOnline, uint64(status.line))
	return p.send()
}

// hardware begins the sample of a component.
func (p *hostPass) hardware(name, kind string) *platform.Sample {
	s := &p.host.sample
	s.Reset(platform.Hardware, platform.Key{Name: name})
	s.SetText(platform.HardwareName, []byte(name))
	s.SetText(platform.HardwareType, []byte(kind))
	return s
}

func (p *hostPass) setBattery(status *powerStatus) {
	s := p.hardware(batteryName, "battery")
	s.SetText(platform.HardwareState, []byte("ok"))
	if status.percent <= full {
		s.Set(platform.HardwareCharge, uint64(status.percent)*percent)
	}
	state, ok := status.state()
	if !ok {
		return
	}
	for _, f := range [...]platform.Field{platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull} {
		s.Set(f, 0)
	}
	s.Set(state, 1)
	if state == platform.HardwareDischarging && status.seconds != unknownSeconds {
		s.Set(platform.HardwareTimeDischarging, uint64(status.seconds)*uint64(time.Second))
	}
}
