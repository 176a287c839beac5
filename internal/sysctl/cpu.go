package sysctl

import "github.com/pidometer/pidometer/platform"

// CPUTime is what one CPU did since the start, in ticks of the statistics clock.
type CPUTime struct {
	ID                                  uint64
	User, Nice, System, Interrupt, Idle uint64
}

// mostCPUs is more CPUs than either kernel can run on: MAXCPUS is 256 on NetBSD and 255
// on OpenBSD.
const mostCPUs = 1024

// Constants of sys/sysctl.h that both have.
const (
	hwCPUs        = 3
	kernClockRate = 12
)

// Microseconds is the rate of a kernel that does not count ticks.
const Microseconds = -1

// CPUs is a source of CPU times. read reads those of one CPU by its number; one that is
// offline is not ok. rate is where in struct clockinfo the rate of the statistics
// clock is. speed, which may be nil, is how fast they all run now, in hertz.
func CPUs(name string, rate int, read func(p *Pass, cpu int32) (t CPUTime, ok bool, err error), speed func(*Pass) (uint64, error)) HostSource {
	s := platform.Source{Name: name, Entity: platform.Host, Cost: 5}
	for _, f := range [...]platform.Field{
		platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUInterrupt, platform.HostCPUIdle,
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUInterrupt, platform.CPUIdle,
	} {
		s.Gives = append(s.Gives, platform.Given{Field: f, Step: 1e9 / 128})
	}
	s.Gives = append(s.Gives, platform.Given{Field: platform.HostCPULogical})
	if speed != nil {
		s.Gives = append(s.Gives, platform.Given{Field: platform.CPUFrequency}, platform.Given{Field: platform.CPUFrequencyLive})
	}
	return HostSource{Source: s,
		Host: func(p *Pass) error {
			if speed != nil {
				p.pass.speed, _ = speed(p) // many machines have none, and virtual ones never
			}
			return p.readCPUs(rate, read)
		},
		Each: func(p *Pass) error { return p.sendCPUs() }}
}

// AllCPUs is a source of CPU times that one call tells of all CPUs.
func AllCPUs(name string, rate int, read func(*Pass) ([]CPUTime, error)) HostSource {
	s := CPUs(name, rate, nil, nil)
	s.Host = func(p *Pass) error {
		all, err := read(p)
		if err != nil {
			return err
		}
		return p.takeCPUs(rate, all)
	}
	return s
}

func (p *Pass) readCPUs(rate int, read func(p *Pass, cpu int32) (CPUTime, bool, error)) error {
	count, err := p.number(ctlHW, hwCPUs)
	if err != nil {
		return err
	}
	if count == 0 || count > mostCPUs {
		return ErrContent
	}
	var all []CPUTime
	for cpu := range int32(count) {
		t, ok, err := read(p, cpu)
		if err != nil {
			return err
		}
		if ok {
			t.ID = uint64(cpu)
			all = append(all, t)
		}
	}
	return p.takeCPUs(rate, all)
}

// takeCPUs sets the sums of what was read in ticks, and keeps what each CPU did.
func (p *Pass) takeCPUs(rate int, all []CPUTime) error {
	tick, err := p.tick(rate)
	if err != nil {
		return err
	}
	p.pass.cpus = p.pass.cpus[:0]
	var sum CPUTime
	for _, t := range all {
		t = CPUTime{t.ID, t.User * tick, t.Nice * tick, t.System * tick, t.Interrupt * tick, t.Idle * tick}
		p.pass.cpus = append(p.pass.cpus, t)
		sum = CPUTime{0, sum.User + t.User, sum.Nice + t.Nice, sum.System + t.System, sum.Interrupt + t.Interrupt, sum.Idle + t.Idle}
	}
	sum.set(&p.sample, platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUInterrupt, platform.HostCPUIdle)
	p.sample.Set(platform.HostCPULogical, uint64(len(p.pass.cpus)))
	if len(all) > 0 {
		p.Timed()
	}
	return nil
}

// tick returns how many nanoseconds a tick of the statistics clock takes. Where it has
// no rate of its own it is the clock that all else goes by, whose rate comes first.
func (p *Pass) tick(rate int) (uint64, error) {
	if rate == Microseconds {
		return 1000, nil
	}
	b, err := p.Ask(ctlKern, kernClockRate)
	if err != nil {
		return 0, err
	}
	tick, ok := decodeTick(b, rate)
	if !ok {
		return 0, ErrContent
	}
	return tick, nil
}

// decodeTick reads struct clockinfo, of ints.
func decodeTick(b []byte, rate int) (tick uint64, ok bool) {
	if len(b) < rate+4 {
		return 0, false
	}
	hz := Row(b).U32(rate)
	if hz == 0 {
		hz = Row(b).U32(0)
	}
	if hz == 0 || hz > 1e9 {
		return 0, false
	}
	return 1e9 / hz, true
}

func (t *CPUTime) set(s *platform.Sample, user, nice, system, interrupt, idle platform.Field) {
	s.Set(user, t.User)
	s.Set(nice, t.Nice)
	s.Set(system, t.System)
	s.Set(interrupt, t.Interrupt)
	s.Set(idle, t.Idle)
}

func (p *Pass) sendCPUs() error {
	all := p.pass.cpus
	p.pass.cpus = nil
	for i := range all {
		t := &all[i]
		p.sample.Reset(platform.CPU, platform.Key{ID: t.ID})
		t.set(&p.sample, platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUInterrupt, platform.CPUIdle)
		if p.pass.speed != 0 {
			p.sample.Set(platform.CPUFrequency, p.pass.speed)
			p.sample.Set(platform.CPUFrequencyLive, p.pass.speed)
		}
		p.SetSpeed(t.ID)
		if err := p.Hand(); err != nil {
			return err
		}
	}
	return nil
}
