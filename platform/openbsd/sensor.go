package openbsd

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// struct sensordev and struct sensor (sys/sensors.h). How many types there are grew over
// the years, at the end; those read here are among the first.
const (
	deviceSize  = 80
	deviceName  = 4
	deviceCount = 20 // how many sensors there are of each type, an int each
	sensorSize  = 72
	sensorValue = 48
	sensorState = 60
	sensorFlags = 68

	mostDevices = 64
	mostSensors = 256
	unusable    = 0x3 // SENSOR_FINVALID, SENSOR_FUNKNOWN
)

// kinds are the types of sensors that are told (enum sensor_type), in the words of
// sysctl(8), and in OpenTelemetry's.
var kinds = map[int32]struct {
	name, kind string
	set        func(s *platform.Sample, value int64)
}{
	0: {"temp", "temperature", func(s *platform.Sample, v int64) {
		s.SetSigned(platform.HardwareTemperature, (v-273_150_000)/1000) // of millionths of a kelvin
	}},
	1: {"fan", "fan", func(s *platform.Sample, v int64) { s.Set(platform.HardwareFanSpeed, uint64(max(v, 0))) }},
	2: {"volt", "voltage", func(s *platform.Sample, v int64) { s.SetSigned(platform.HardwareVoltage, v/1000) }},
}

// Types and numbers of the sensors of batteries and supplies (acpibat(4), acpiac(4)):
// what it holds when full comes first, what is left fourth.
const (
	typeWattHour  = 7
	typeAmpHour   = 8
	typeIndicator = 9
	fullNumber    = 0
	leftNumber    = 3
)

// sensors is hw.sensors: temperatures, fans, voltages, batteries and supplies.
func sensors() sysctl.HostSource {
	s := sysctl.Level("hw.sensors", platform.Hardware, 100, platform.HardwareTemperature, platform.HardwareFanSpeed, platform.HardwareVoltage,
		platform.HardwareCharge, platform.HardwareOnline, platform.HardwareOK, platform.HardwareDegraded, platform.HardwareFailed)
	s.Texts = []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareParent}
	return sysctl.HostSource{Source: s, Each: sendSensors}
}

// device is one struct sensordev.
type device struct {
	number int32
	name   string
	counts [typeIndicator + 1]int32
}

// sendSensors asks device after device. Numbers of devices that were removed stay free.
func sendSensors(p *sysctl.Pass) error {
	for number := range int32(mostDevices) {
		b, err := p.Ask(ctlHW, hwSensors, number)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return err
		}
		d, ok := decodeDevice(b)
		if !ok {
			return sysctl.ErrContent
		}
		d.number = number
		if err := sendDevice(p, d); err != nil {
			return err
		}
	}
	return nil
}

func decodeDevice(b []byte) (d device, ok bool) {
	if len(b) < deviceSize {
		return d, false
	}
	d.name = sysctl.CString(b[deviceName:deviceCount])
	for i := range d.counts {
		d.counts[i] = min(int32(sysctl.Row(b).U32(deviceCount+4*i)), mostSensors)
	}
	return d, true
}

// sendDevice hands on the sensors of a device.
func sendDevice(p *sysctl.Pass, d device) error {
	for kind := range int32(len(kinds)) {
		for i := range max(d.counts[kind], 0) {
			r, ok, err := readSensor(p, d, kind, i)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			k := kinds[kind]
			reset(p, d, fmt.Sprintf("%s.%s%d", d.name, k.name, i), k.kind, sysctl.CString(r[:32]))
			k.set(p.Sample(), int64(r.U64(sensorValue)))
			setHealth(p.Sample(), r.U32(sensorState))
			if err := p.Hand(); err != nil {
				return err
			}
		}
	}
	if err := sendBattery(p, d); err != nil {
		return err
	}
	return sendSupply(p, d)
}

// reset begins a sample of a component. Without words of its maker its name is the
// kernel's.
func reset(p *sysctl.Pass, d device, key, kind, name string) {
	p.Sample().Reset(platform.Hardware, platform.Key{Name: key})
	if name == "" {
		name = key
	}
	p.SetText(platform.HardwareName, name)
	p.SetText(platform.HardwareType, kind)
	p.SetText(platform.HardwareParent, d.name)
}

// readSensor reads one sensor. One that is not usable now, or gone, is not ok.
func readSensor(p *sysctl.Pass, d device, kind, number int32) (r sysctl.Row, ok bool, err error) {
	b, err := p.Ask(ctlHW, hwSensors, d.number, kind, number)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
		return nil, false, nil
	}
	if err == nil && len(b) < sensorSize {
		err = sysctl.ErrContent
	}
	if err != nil {
		return nil, false, err
	}
	r = sysctl.Row(b)
	return r, r.U32(sensorFlags)&unusable == 0, nil
}

// setHealth sets the state that the driver judges, if it does (enum sensor_status).
func setHealth(s *platform.Sample, state uint64) {
	const ok, critical = 1, 3
	if state < ok || state > critical {
		return
	}
	for i, f := range [...]platform.Field{platform.HardwareOK, platform.HardwareDegraded, platform.HardwareFailed} {
		var is uint64
		if state == uint64(i+ok) {
			is = 1
		}
		s.Set(f, is)
	}
}

// sendBattery hands on what is left in a battery, of what it holds when full.
func sendBattery(p *sysctl.Pass, d device) error {
	for _, kind := range [...]int32{typeWattHour, typeAmpHour} {
		if d.counts[kind] <= leftNumber {
			continue
		}
		r, ok, err := readSensor(p, d, kind, fullNumber)
		if err != nil || !ok {
			return err
		}
		full := int64(r.U64(sensorValue))
		r, ok, err = readSensor(p, d, kind, leftNumber)
		if err != nil || !ok || full <= 0 {
			return err
		}
		left := int64(r.U64(sensorValue))
		reset(p, d, d.name, "battery", "")
		p.Sample().Set(platform.HardwareCharge, uint64(float64(min(max(left, 0), full))/float64(full)*1e6+0.5))
		return p.Hand()
	}
	return nil
}

// sendSupply hands on whether a supply gives power. Only that of acpiac(4) has one
// indicator and no other sensor.
func sendSupply(p *sysctl.Pass, d device) error {
	if len(d.name) < 6 || d.name[:6] != "acpiac" || d.counts[typeIndicator] == 0 {
		return nil
	}
	r, ok, err := readSensor(p, d, typeIndicator, 0)
	if err != nil || !ok {
		return err
	}
	on := uint64(0)
	if r.U64(sensorValue) != 0 {
		on = 1
	}
	reset(p, d, d.name, "power_supply", "")
	p.Sample().Set(platform.HardwareOnline, on)
	return p.Hand()
}
