package netbsd

import (
	"strconv"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// battery is what the sensors of a battery say together. Capacities are in millionths of a
// watt-hour or an ampere-hour, and flows in millionths of a watt or an ampere; a battery whose
// gauge tells a share alone has it in percent (acpi_bat.c in sys/dev/acpi, axppmic.c and cwfg.c
// in sys/dev/i2c).
type battery struct {
	absent         bool
	charge, design *sensor
	charging       *sensor // whether it is
	in, out        *sensor // what flows. Only the one that does is valid
}

// gather finds the sensors of a battery. The charge is the one that is a share of the most that
// there can be; the others have no more than their names.
func gather(d *envDevice) (b battery) {
	for i := range d.sensors {
		s := &d.sensors[i]
		switch {
		case s.share:
			b.charge = s
		case s.is("Battery charge"):
			b.charging = s
		case s.describes("present"), s.describes("battery present"):
			v, ok := s.value()
			b.absent = ok && v == 0
		case s.describes("charge rate"), s.describes("charge current"):
			b.in = s
		case s.describes("discharge rate"), s.describes("discharge current"):
			b.out = s
		case s.describes("design cap"):
			b.design = s
		}
	}
	return b
}

var (
	typeBattery     = []byte("battery")
	typePowerSupply = []byte("power_supply")
)

// sendBattery hands on a battery that is there, and tells something.
func (r *envReader) sendBattery(p *sysctl.Pass, d *envDevice) error {
	b := gather(d)
	left, full, chargeKnown := b.store()
	state := b.state(r.supply)
	if b.absent || !chargeKnown && state == noField {
		return nil
	}
	r.reset(p, d, nil, typeBattery, nil)
	out := p.Sample()
	if chargeKnown {
		out.Set(platform.HardwareCharge, millionths(left, full))
	}
	if low, ok := b.low(full); ok {
		out.Set(platform.HardwareChargeLowDegraded, low)
	}
	if state != noField {
		for _, f := range batteryStates {
			out.Set(f, 0)
		}
		out.Set(state, 1)
	}
	setTimeLeft(out, &b, state, left, full)
	if text := r.capacity(b.design); text != nil {
		out.SetText(platform.HardwareCapacity, text)
	}
	return p.Hand()
}

// store is what is left in a battery, and what it holds when full. Percents need not say that
// they end at 100.
func (b *battery) store() (left, full int64, ok bool) {
	if b.charge == nil {
		return 0, 0, false
	}
	full = b.charge.numbers[numberMax]
	if !b.charge.known[numberMax] && b.charge.is("Integer") {
		full = 100
	}
	if left, ok = b.charge.value(); !ok || left < 0 || full <= 0 {
		return 0, 0, false
	}
	return left, full, true
}

// low is the charge at which the kernel warns.
func (b *battery) low(full int64) (share uint64, ok bool) {
	if full <= 0 || b.charge.numbers[numberWarningCapacity] <= 0 {
		return 0, false
	}
	return millionths(b.charge.numbers[numberWarningCapacity], full), true
}

// millionths is a share of a whole that is above 0.
func millionths(part, whole int64) uint64 {
	return uint64((min(part, whole)*1_000_000 + whole/2) / whole)
}

var batteryStates = [...]platform.Field{
	platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull,
}

// state is what a battery does, or no field. acpibat(4) has a valid rate of what goes out only
// while something does; one of 0 may be a battery that can't measure. Without a supply a
// battery that rests is neither full nor kept from being charged.
func (b *battery) state(supply supplyState) platform.Field {
	if b.charging == nil {
		return noField
	}
	charging, ok := b.charging.value()
	switch {
	case !ok:
		return noField
	case charging != 0:
		return platform.HardwareCharging
	case b.out == nil:
		return noField
	}
	if rate, ok := b.out.value(); ok && rate != 0 {
		return platform.HardwareDischarging
	} else if ok {
		return noField
	}
	left, full, ok := b.store()
	switch {
	case !ok || supply == supplyOff:
		return noField
	case left >= full:
		return platform.HardwareFull
	}
	return platform.HardwareNotCharging
}

// flows are the units of what flows, by those of what is stored.
var flows = [...][2]string{{"Watt hour", "Watts"}, {"Ampere hour", "Ampere"}}

// longest is the most that a time left can be and be one: a battery that measures next to
// nothing finds years.
const longest = 100 * 24 * 3600

// setTimeLeft sets how long it takes at this rate until a battery is empty or full.
func setTimeLeft(out *platform.Sample, b *battery, state platform.Field, left, full int64) {
	field, rate, amount := platform.HardwareTimeDischarging, b.out, left
	switch state {
	case platform.HardwareCharging:
		field, rate, amount = platform.HardwareTimeCharging, b.in, max(full-left, 0)
	case platform.HardwareDischarging:
	default:
		return
	}
	if rate == nil || full <= 0 {
		return
	}
	for _, unit := range flows {
		if v, ok := rate.value(); ok && v > 0 && b.charge.is(unit[0]) && rate.is(unit[1]) {
			if seconds := amount * 3600 / v; seconds < longest {
				out.Set(field, uint64(seconds)*1_000_000_000)
			}
		}
	}
}

// capacity is what a battery held when it was new, as hw.battery.capacity wants it.
func (r *envReader) capacity(design *sensor) []byte {
	if design == nil {
		return nil
	}
	v, ok := design.value()
	for i, unit := range [...]string{"Wh", "Ah"} {
		if ok && v > 0 && design.is(flows[i][0]) {
			r.text = append(strconv.AppendFloat(r.text[:0], float64(v)/1e6, 'f', -1, 64), unit...)
			return r.text
		}
	}
	return nil
}

// supplyState is whether any supply gives power, as far as was told before a battery. The
// devices are in the order of their names, acpiacad0 before acpibat0.
type supplyState uint8

const (
	supplyUnknown supplyState = iota
	supplyOff
	supplyOn
)

// sendSupply hands on whether a supply gives power: its one indicator (acpi_acad.c).
func (r *envReader) sendSupply(p *sysctl.Pass, d *envDevice) error {
	for i := range d.sensors {
		s := &d.sensors[i]
		v, ok := s.value()
		if !ok || !s.is("Indicator") {
			continue
		}
		on := min(uint64(max(v, -v)), 1)
		r.supply = max(r.supply, supplyOff+supplyState(on))
		r.reset(p, d, nil, typePowerSupply, nil)
		p.Sample().Set(platform.HardwareOnline, on)
		return p.Hand()
	}
	return nil
}
