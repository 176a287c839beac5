package netbsd

import (
	"errors"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// The dictionary of envsys(4) has an array for each device by its name: a dictionary for
// each sensor, and at the end one with the properties of the device (sme_add_sensor_dictionary
// and sme_add_property_dictionary in sys/dev/sysmon/sysmon_envsys.c). Whoever may read
// /dev/sysmon may ask, which is everybody (etc/MAKEDEV.tmpl: mode 644). Most values are read
// from the hardware when they are asked for (sysmon_envsys_refresh_sensor). acpibat(4)'s are
// up to 10 seconds old, and reading them anew may take the firmware a second (acpibat_refresh);
// acpitz(4)'s are as old as its period of polling, and acpiacad(4)'s of when its state changed.

// envDevice is a device with its sensors, lent until the next.
type envDevice struct {
	name    []byte
	class   []byte
	sensors []sensor
}

// mostEnvSensors is how many sensors of a device are told. Few have dozens.
const mostEnvSensors = 1024

// mostNames is how many names are kept; machines have dozens.
const mostNames = 4096

// envReader is what one backend keeps between passes, so that reading makes no new memory.
type envReader struct {
	device envDevice
	names  map[string]string
	name   []byte
	text   []byte
	supply supplyState // of this pass
}

// sensors is envsys(4): temperatures, fans, voltages, batteries and supplies.
func sensors() sysctl.HostSource {
	s := sysctl.Level("/dev/sysmon ENVSYS_GETDICTIONARY", platform.Hardware, 500,
		platform.HardwareTemperature, platform.HardwareTemperatureLowCritical, platform.HardwareTemperatureLowDegraded,
		platform.HardwareTemperatureHighDegraded, platform.HardwareTemperatureHighCritical,
		platform.HardwareFanSpeed, platform.HardwareFanSpeedLowDegraded, platform.HardwareFanSpeedMax,
		platform.HardwareVoltage, platform.HardwareVoltageLowCritical, platform.HardwareVoltageLowDegraded,
		platform.HardwareVoltageHighDegraded, platform.HardwareVoltageHighCritical,
		platform.HardwareCharge, platform.HardwareChargeLowDegraded, platform.HardwareTimeDischarging, platform.HardwareTimeCharging,
		platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull,
		platform.HardwareOnline, platform.HardwareOK, platform.HardwareDegraded, platform.HardwareFailed)
	s.Files = 1
	s.Texts = []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareParent, platform.HardwareCapacity}
	r := &envReader{names: map[string]string{}}
	return sysctl.HostSource{Source: s, Each: r.send}
}

// send asks once for everything. A machine without a device tells so.
func (r *envReader) send(p *sysctl.Pass) error {
	b, err := p.AskBy(p.Kernel().(Kernel).Envsys)
	if err != nil {
		return err
	}
	r.supply = supplyUnknown
	devices := 0
	whole := r.decode(b, func(d *envDevice) bool {
		devices++
		err = r.sendDevice(p, d)
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case !whole:
		return sysctl.ErrContent
	case devices == 0:
		return errors.ErrUnsupported
	}
	return nil
}

// decode calls each with every device, and reports whether the list was read to its end.
func (r *envReader) decode(b []byte, each func(*envDevice) bool) bool {
	p, ok := openPlist(b)
	if !ok || p.next().kind != nodeDict {
		return false
	}
	return p.dict(func(key []byte, value node) bool {
		if value.kind != nodeArray {
			return p.skip(value)
		}
		r.device = envDevice{name: key, sensors: r.device.sensors[:0]}
		return p.array(func(value node) bool { return r.device.read(&p, value) }) && each(&r.device)
	}) && p.finish()
}

// read reads one element of a device: a sensor, or what the device is.
func (d *envDevice) read(p *plist, value node) bool {
	if value.kind != nodeDict {
		return p.skip(value)
	}
	if len(d.sensors) == mostEnvSensors {
		return p.skip(value)
	}
	d.sensors = append(d.sensors, sensor{})
	s := &d.sensors[len(d.sensors)-1]
	ok := p.dict(func(key []byte, value node) bool {
		if value.kind == nodeDict && string(key) == "device-properties" {
			return p.dict(func(key []byte, value node) bool { return d.take(p, key, value) })
		}
		s.take(key, value)
		return p.skip(value)
	})
	if len(s.words[wordIndex]) == 0 {
		d.sensors = d.sensors[:len(d.sensors)-1]
	}
	return ok
}

// take takes a property of a device.
func (d *envDevice) take(p *plist, key []byte, value node) bool {
	if value.kind == nodeWord && string(key) == "device-class" {
		d.class = value.text
	}
	return p.skip(value)
}

// sendDevice hands on what a device has.
func (r *envReader) sendDevice(p *sysctl.Pass, d *envDevice) error {
	for i := range d.sensors {
		if err := r.sendSensor(p, d, &d.sensors[i]); err != nil {
			return err
		}
	}
	switch string(d.class) {
	case "battery":
		return r.sendBattery(p, d)
	case "ac-adapter":
		return r.sendSupply(p, d)
	}
	return nil
}

// sendSensor hands on a sensor, unless its value is of no use or of no kind that is told. The
// voltage that a battery was made for is none that it has.
func (r *envReader) sendSensor(p *sysctl.Pass, d *envDevice, s *sensor) error {
	v, ok := s.value()
	if !ok || string(d.class) == "battery" && s.describes("design voltage") {
		return nil
	}
	for i := range envKinds {
		if k := &envKinds[i]; s.is(k.of) && k.plausible(v) {
			r.reset(p, d, s.words[wordIndex], k.kind, s.words[wordDescription])
			k.set(p.Sample(), s, v)
			return p.Hand()
		}
	}
	return nil
}

// reset begins a sample of a component: a device, or what has a part's name in it. Without
// words of its own its name is its key.
func (r *envReader) reset(p *sysctl.Pass, d *envDevice, part, kind, name []byte) {
	key := r.key(d.name, part)
	out := p.Sample()
	out.Reset(platform.Hardware, platform.Key{Name: key})
	if len(name) == 0 {
		name = r.name
	}
	out.SetText(platform.HardwareName, name)
	out.SetText(platform.HardwareType, kind)
	out.SetText(platform.HardwareParent, d.name)
}

// key is the name of a device or of its part, such as coretemp0.sensor0, as envsys.conf(5) has
// both. It is the same string in every pass.
func (r *envReader) key(device, part []byte) string {
	r.name = append(r.name[:0], device...)
	if len(part) > 0 {
		r.name = append(append(r.name, '.'), part...)
	}
	key, ok := r.names[string(r.name)]
	if !ok {
		if len(r.names) == mostNames {
			clear(r.names)
		}
		key = string(r.name)
		r.names[key] = key
	}
	return key
}
