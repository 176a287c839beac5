package linux

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// pressureSource: microseconds of 64 bits (psi_show in kernel/sched/psi.c).
func pressureSource() platform.Source {
	s := level("/proc/pressure", platform.Pressure, 30, 3,
		platform.PressureSome, platform.PressureFull,
		platform.PressureSome10, platform.PressureSome60, platform.PressureSome300,
		platform.PressureFull10, platform.PressureFull60, platform.PressureFull300)
	s.Gives[0].Step, s.Gives[1].Step = micro, micro
	return s
}

// stall is the fields of one line of a file of pressure.
type stall struct{ total, in10, in60, in300 platform.Field }

// decodeStalls reads a file of pressure, of the machine or of a control group: shares
// of the last 10, 60 and 300 seconds in hundredths of a percent, and the sum in
// microseconds (Documentation/accounting/psi.rst). A field that is noField is not
// wanted.
//
//	some avg10=14.23 avg60=44.53 avg300=50.22 total=1303188888
//	full avg10=0.00 avg60=0.06 avg300=0.19 total=11024174
func decodeStalls(b []byte, some, full stall, s *platform.Sample) {
	for line := range text.Lines(text.Whole(b)) {
		switch kind, rest := text.Field(line); string(kind) {
		case "some":
			some.set(rest, s)
		case "full":
			full.set(rest, s)
		}
	}
}

// set takes the values of one line.
func (f stall) set(values []byte, s *platform.Sample) {
	for len(values) > 0 {
		var field []byte
		field, values = text.Field(values)
		key, value, _ := bytes.Cut(field, []byte("="))
		switch string(key) {
		case "avg10":
			setShare(s, f.in10, value)
		case "avg60":
			setShare(s, f.in60, value)
		case "avg300":
			setShare(s, f.in300, value)
		case "total":
			if v, _, ok := text.UintField(value); ok && f.total != noField {
				setScaled(s, f.total, v, micro)
			}
		}
	}
}

// setShare sets a share, told in percent with two places.
func setShare(s *platform.Sample, f platform.Field, value []byte) {
	if v, _, ok := text.DecimalField(value, 2); ok && f != noField {
		s.Set(f, v)
	}
}

// The fields of the machine.
var (
	someStalls = stall{platform.PressureSome, platform.PressureSome10, platform.PressureSome60, platform.PressureSome300}
	fullStalls = stall{platform.PressureFull, platform.PressureFull10, platform.PressureFull60, platform.PressureFull300}
)

// fullStallsOf: of the CPUs not all tasks stand still, since somebody runs. Since
// Linux 5.13 the line is there all the same, of zeros.
func fullStallsOf(resource string) stall {
	if resource == "cpu" {
		return stall{}
	}
	return fullStalls
}

// sendPressure hands on how much tasks wait for each resource. A kernel that was
// built without has no such files, and one that was started with psi=0 refuses to
// read them; that of irq came with Linux 6.1.
func (p *hostPass) sendPressure() bool {
	if !p.wants(fromPressure) {
		return true
	}
	told := false
	for _, resource := range [...]string{"cpu", "io", "irq", "memory"} {
		b, err := p.file("proc/pressure/", resource)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		told = true
		if err != nil {
			p.miss(fromPressure, missReason(err))
			continue
		}
		s := &p.host.sample
		s.Reset(platform.Pressure, platform.Key{Name: resource})
		decodeStalls(b, someStalls, fullStallsOf(resource), s)
		if !p.send() {
			return false
		}
	}
	if !told {
		p.miss(fromPressure, platform.Unsupported)
	}
	return true
}
