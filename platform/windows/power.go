package windows

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// levelProcessor is ProcessorInformation of POWER_INFORMATION_LEVEL.
const levelProcessor = 11

// powerSize is the size of PROCESSOR_POWER_INFORMATION: number, most, current and
// limit in MHz, and two states.
const powerSize = 24

const mega = 1e6

// readPower returns the frequencies of the CPUs of this program's group in MHz. What
// Windows calls current is the nominal one, as Task Manager's base speed, on most
// machines; the most, which Microsoft calls the maximum that is specified, is nominal
// on all. No CPU has a frequency that was measured.
func (p *hostPass) readPower() []byte {
	if !p.wants(fromPower) {
		return nil
	}
	answer, err := p.fixed(groupSize*powerSize, func(buf []byte) error {
		clear(buf)
		return p.kernel.Power(levelProcessor, buf)
	})
	if err != nil {
		p.check(fromPower, err)
		return nil
	}
	return answer
}

// decodePower returns the frequencies of the CPU with the given number in MHz, the
// nominal one 0 if it is not known.
func decodePower(b []byte, number uint64) (nominal, mhz uint32, ok bool) {
	if number >= uint64(len(b)/powerSize) {
		return 0, 0, false
	}
	b = b[number*powerSize:]
	nominal, mhz = layout.U32(b, 4), layout.U32(b, 8)
	return nominal, mhz, mhz != 0 && uint64(layout.U32(b, 0)) == number
}

func setFrequency(s *platform.Sample, frequencies []byte, cpu uint64) bool {
	nominal, mhz, ok := decodePower(frequencies, cpu)
	if ok {
		s.Set(platform.CPUFrequency, uint64(mhz)*mega)
	}
	if ok && nominal != 0 {
		s.Set(platform.CPUFrequencyNominal, uint64(nominal)*mega)
	}
	return ok
}

// sendFrequencies hands on CPUs of which nothing else is wanted.
func (p *hostPass) sendFrequencies(frequencies []byte) bool {
	s := &p.host.sample
	for id := range uint64(groupSize) {
		s.Reset(platform.CPU, platform.Key{ID: id})
		if setFrequency(s, frequencies, id) && !p.send() {
			return false
		}
	}
	return true
}
