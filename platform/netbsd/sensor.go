package netbsd

import (
	"math"

	"github.com/pidometer/pidometer/platform"
)

// Numbers of a sensor that are read, each 32 bits wide and signed (envsys_data_t in
// sys/dev/sysmon/sysmonvar.h).
const (
	numberValue = iota
	numberMax
	numberCriticalMin
	numberWarningMin
	numberWarningMax
	numberCriticalMax
	numberWarningCapacity
	numberEnd
)

var numberWords = [numberEnd]string{"cur-value", "max-value", "critical-min", "warning-min", "warning-max", "critical-max", "warning-capacity"}

// Words of a sensor that are read.
const (
	wordIndex = iota
	wordType
	wordState
	wordDescription
	wordEnd
)

var wordWords = [wordEnd]string{"index", "type", "state", "description"}

// sensor is what the kernel says of one.
type sensor struct {
	words   [wordEnd][]byte
	numbers [numberEnd]int64
	known   [numberEnd]bool
	share   bool // the value is a share of the most that there can be
	judged  bool // the driver tells when the state is critical
}

// take takes what a sensor says, if it is of use. A number that no sensor can have is none.
func (s *sensor) take(key []byte, value node) {
	switch value.kind {
	case nodeWord:
		for i, word := range wordWords {
			if string(key) == word {
				s.words[i] = value.text
			}
		}
	case nodeNumber:
		for i, word := range numberWords {
			if string(key) == word {
				s.numbers[i], s.known[i] = 0, value.v >= math.MinInt32 && value.v <= math.MaxInt32
				if s.known[i] {
					s.numbers[i] = value.v
				}
			}
		}
	case nodeTrue, nodeFalse:
		switch string(key) {
		case "want-percentage":
			s.share = value.kind == nodeTrue
		case "monitoring-state-critical":
			s.judged = value.kind == nodeTrue
		}
	}
}

// is reports whether a sensor is of a type (sme_units_description in sysmon_envsys_tables.c).
func (s *sensor) is(kind string) bool { return string(s.words[wordType]) == kind }

// describes reports whether a sensor is called so. envsys.conf(5) may call it another name.
func (s *sensor) describes(name string) bool { return string(s.words[wordDescription]) == name }

// health is the state that a sensor says it is in, and whether its value is of use in it
// (sme_state_description in sysmon_envsys_tables.c).
func (s *sensor) health() (state platform.Field, usable bool) {
	switch string(s.words[wordState]) {
	case "valid":
		return platform.HardwareOK, s.known[numberValue]
	case "warning-under", "warning-over":
		return platform.HardwareDegraded, s.known[numberValue]
	case "critical", "critical-under", "critical-over":
		return platform.HardwareFailed, s.known[numberValue]
	}
	return platform.HardwareFailed, false
}

// value is what a sensor measures, if it does.
func (s *sensor) value() (v int64, ok bool) {
	_, ok = s.health()
	return s.numbers[numberValue], ok
}

// envKind is a type of sensors that are told, with OpenTelemetry's word for it. A value v is
// (v - zero) / unit of the field's own.
type envKind struct {
	of         string
	kind       []byte
	field      platform.Field
	limits     [4]platform.Field // critical and warning at the low end, warning and critical at the high
	most       platform.Field
	zero, unit int64
}

// noField stands for none of the fields of hardware.
const noField = platform.Field(0)

// envKinds have millionths of a kelvin, rounds a minute and millionths of a volt.
var envKinds = [...]envKind{
	{of: "Temperature", kind: []byte("temperature"), field: platform.HardwareTemperature, zero: 273_150_000, unit: 1000, limits: [4]platform.Field{
		platform.HardwareTemperatureLowCritical, platform.HardwareTemperatureLowDegraded,
		platform.HardwareTemperatureHighDegraded, platform.HardwareTemperatureHighCritical}},
	{of: "Fan", kind: []byte("fan"), field: platform.HardwareFanSpeed, most: platform.HardwareFanSpeedMax, unit: 1,
		limits: [4]platform.Field{noField, platform.HardwareFanSpeedLowDegraded, noField, noField}},
	voltageKind("Voltage DC"), voltageKind("Voltage AC"),
}

func voltageKind(of string) envKind {
	return envKind{of: of, kind: []byte("voltage"), field: platform.HardwareVoltage, unit: 1000, limits: [4]platform.Field{
		platform.HardwareVoltageLowCritical, platform.HardwareVoltageLowDegraded,
		platform.HardwareVoltageHighDegraded, platform.HardwareVoltageHighCritical}}
}

// plausible reports whether a sensor can measure that: no speed is below 0, and nothing is as
// cold as 0 kelvin, which drivers say instead of nothing.
func (k *envKind) plausible(v int64) bool {
	return k.field.Info().Signed && (k.zero == 0 || v > 0) || !k.field.Info().Signed && v >= 0
}

// set sets a value, its limits, and the state by both: the driver's own, or the worse one that
// its limits make it. envsys(4) compares them too, but only every refresh-timeout, and drivers
// overwrite what it found (sme_events_worker in sysmon_envsys_events.c). A sensor that nobody
// judges has no state. A limit of 0 is none (print_sensors in envstat.c).
func (k *envKind) set(out *platform.Sample, s *sensor, v int64) {
	state, _ := s.health()
	judged := s.judged || state != platform.HardwareOK
	out.SetSigned(k.field, (v-k.zero)/k.unit)
	for i, field := range k.limits {
		limit := s.numbers[numberCriticalMin+i]
		if !s.known[numberCriticalMin+i] || limit == 0 {
			continue
		}
		judged = true
		if field != noField && k.plausible(limit) {
			out.SetSigned(field, (limit-k.zero)/k.unit)
		}
		if low := i < 2; low && v < limit || !low && v > limit {
			state = max(state, limitStates[i])
		}
	}
	if s.known[numberMax] && s.numbers[numberMax] > 0 && k.most != noField {
		out.SetSigned(k.most, s.numbers[numberMax]/k.unit)
	}
	if judged {
		setState(out, state)
	}
}

// limitStates are the states beyond each limit.
var limitStates = [4]platform.Field{platform.HardwareFailed, platform.HardwareDegraded, platform.HardwareDegraded, platform.HardwareFailed}

// setState sets the one state that holds, and the others to 0.
func setState(out *platform.Sample, state platform.Field) {
	out.Set(platform.HardwareOK, 0)
	out.Set(platform.HardwareDegraded, 0)
	out.Set(platform.HardwareFailed, 0)
	out.Set(state, 1)
}
