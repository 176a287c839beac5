package sysctl

import (
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// Speed is how fast one CPU runs and can, in hertz. What is not known is 0.
type Speed struct {
	ID                      uint64
	Live, Nominal, Min, Max uint64
}

// Speeds is a source of how fast CPUs run and can, apart from that of their times, so that who
// wants those pays for nothing else. A pass tells each CPU once: this source stands before
// that of the times, which hands on what it read; without times it tells by itself. read
// returns what it knows beside an error; measured says that it may know what is live.
func Speeds(name string, cost int, measured bool, read func(*Pass) ([]Speed, error)) HostSource {
	fields := []platform.Field{platform.CPUFrequency, platform.CPUFrequencyNominal, platform.CPUFrequencyMin, platform.CPUFrequencyMax}
	if measured {
		fields = append(fields, platform.CPUFrequencyLive)
	}
	s := Level(name, platform.CPU, cost, fields...)
	return HostSource{Source: s, Each: func(p *Pass) error {
		all, failed := read(p)
		if p.pass.timed {
			p.pass.speeds = all
			return failed
		}
		for i := range all {
			p.sample.Reset(platform.CPU, platform.Key{ID: all[i].ID})
			all[i].set(&p.sample)
			if err := p.Hand(); err != nil {
				return err
			}
		}
		return failed
	}}
}

// Timed says that this pass has the times of CPUs, and will hand each of them on.
func (p *Pass) Timed() { p.pass.timed = true }

// SetSpeed sets what is known of how fast a CPU runs.
func (p *Pass) SetSpeed(cpu uint64) {
	if i := slices.IndexFunc(p.pass.speeds, func(s Speed) bool { return s.ID == cpu }); i >= 0 {
		p.pass.speeds[i].set(&p.sample)
	}
}

// set sets what is known. The nominal frequency stands for the one that nobody measures.
func (s *Speed) set(to *platform.Sample) {
	for _, known := range [...]struct {
		field platform.Field
		hertz uint64
	}{
		{platform.CPUFrequency, s.Nominal}, {platform.CPUFrequency, s.Live}, {platform.CPUFrequencyLive, s.Live},
		{platform.CPUFrequencyNominal, s.Nominal}, {platform.CPUFrequencyMin, s.Min}, {platform.CPUFrequencyMax, s.Max},
	} {
		if known.hertz != 0 {
			to.Set(known.field, known.hertz)
		}
	}
}
