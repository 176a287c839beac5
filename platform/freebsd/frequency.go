package freebsd

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/pidometer/pidometer/internal/sysctl"
)

// frequencyCost is that of a machine whose hardware chooses the frequency: hwpstate_intel(4)
// has it measured whenever it is asked, for 1 ms without interrupts (intel_hwpstate_get in
// hwpstate_intel.c, cpu_est_clockrate in machdep.c).
const frequencyCost = 1000

const megahertz = 1e6

// readSpeeds asks for dev.cpu.[N].freq and freq_levels of every CPU. The kernel has them of the
// first alone, which tells for all that share its clock (cpufreq_attach in kern_cpu.c), and on
// most virtual machines of none. A CPU that fails takes nothing from the others.
func readSpeeds(p *sysctl.Pass) (all []sysctl.Speed, failed error) {
	count, err := named(p, "hw.ncpu")
	if err != nil {
		return nil, unlessAbsent(err)
	}
	for cpu := range min(count, mostSensors) {
		s := sysctl.Speed{ID: cpu}
		if err := readSpeed(p, &s); err != nil && failed == nil {
			failed = err
		}
		if s != (sysctl.Speed{ID: cpu}) {
			all = append(all, s)
		}
	}
	return all, failed
}

// readSpeed reads what there is of one CPU, whose frequency a driver measured or set.
func readSpeed(p *sysctl.Pass, s *sysctl.Speed) error {
	name := fmt.Sprintf("dev.cpu.%d.freq", s.ID)
	speed, err := named(p, name)
	if err != nil {
		return unlessAbsent(err)
	}
	if n := int32(speed); n > 0 { // CPUFREQ_VAL_UNKNOWN is -1 (sys/cpu.h)
		s.Live = uint64(n) * megahertz
	}
	b, err := p.AskNamed(name + "_levels")
	if err != nil {
		return unlessAbsent(err)
	}
	l, ok := decodeLevels(b)
	if !ok {
		return fmt.Errorf("%s_levels: %w", name, sysctl.ErrContent)
	}
	l.set(s)
	return nil
}

// unlessAbsent returns an error that does not say that the machine has no such thing.
func unlessAbsent(err error) error {
	if absent(err) {
		return nil
	}
	return err
}

// levels are the frequencies that can be chosen, in MHz.
type levels struct {
	count     int
	low, high uint64
	power     int64 // of the last one, in milliwatts; -1 is unknown
}

// set sets the limits. Where hardware chooses, the kernel makes up one level of unknown power:
// 100 % of the nominal frequency (cf_levels_method in kern_cpu.c), which is no limit.
func (l *levels) set(s *sysctl.Speed) {
	if l.count == 1 && l.power < 0 {
		s.Nominal = l.low * megahertz
		return
	}
	s.Min, s.Max = l.low*megahertz, l.high*megahertz
}

// decodeLevels reads levels such as "2401/45000 2400/-1", of MHz and milliwatts (cpufreq(4)).
// None at all is "0", and a frequency that nobody knows is -1 (cpufreq_levels_sysctl in
// kern_cpu.c).
func decodeLevels(b []byte) (l levels, ok bool) {
	text := sysctl.CString(b)
	if text == "0" {
		return l, true
	}
	for level := range bytes.FieldsSeq([]byte(text)) {
		speed, power, cut := bytes.Cut(level, []byte("/"))
		n, err := strconv.ParseInt(string(speed), 10, 32)
		watts, err2 := strconv.ParseInt(string(power), 10, 32)
		if !cut || err != nil || err2 != nil {
			return levels{}, false
		}
		ok = true
		if n > 0 {
			l.add(uint64(n), watts)
		}
	}
	return l, ok
}

func (l *levels) add(speed uint64, power int64) {
	if l.count == 0 || speed < l.low {
		l.low = speed
	}
	l.high, l.power = max(l.high, speed), power
	l.count++
}
