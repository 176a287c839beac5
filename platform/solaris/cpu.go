package solaris

import (
	"errors"

	"github.com/pidometer/pidometer/platform"
)

// cpu is what one CPU did since the start, in nanoseconds.
type cpu struct {
	number             uint64
	user, system, idle uint64
	live, nominal      uint64 // hertz, 0 if not known
}

// cpuValues are sums over all CPUs of cpu:*:sys. Forks of all kinds make processes.
var cpuValues = []value{
	{"pswitch", platform.HostContextSwitches, 0}, {"intr", platform.HostInterrupts, 0}, {"syscall", platform.HostSystemCalls, 0},
	{"sysfork", platform.HostProcessesCreated, 0}, {"sysvfork", platform.HostProcessesCreated, 0},
}

// faultValues are sums over all CPUs of cpu:*:vm. anonpgin and anonpgout are pages from and
// to swap.
var faultValues = []value{
	{"maj_fault", platform.HostFaultsMajor, 0}, {"as_fault", platform.HostFaultsMinor, 0}, {"hat_fault", platform.HostFaultsMinor, 0},
	{"anonpgin", platform.HostSwapIn, 0}, {"anonpgout", platform.HostSwapOut, 0},
}

// cpuSource declares times. Interrupts are part of the system's (get_cpu_mstate,
// uts/i86pc/os/machdep.c of illumos).
func cpuSource() platform.Source {
	return level("cpu:*:sys, cpu_info", platform.Host, 20, platform.HostCPUUser, platform.HostCPUSystem, platform.HostCPUIdle, platform.HostCPULogical,
		platform.HostContextSwitches, platform.HostInterrupts, platform.HostSystemCalls, platform.HostProcessesCreated,
		platform.CPUUser, platform.CPUSystem, platform.CPUIdle, platform.CPUFrequency, platform.CPUFrequencyLive, platform.CPUFrequencyNominal)
}

func faultSource() platform.Source {
	return level("cpu:*:vm", platform.Host, 20, platform.HostFaultsMajor, platform.HostFaultsMinor, platform.HostSwapIn, platform.HostSwapOut)
}

// eachNamed reads every statistic of a module that want names, and calls each. One that is
// gone meanwhile is left out.
func (p *pass) eachNamed(want func(*statistic) bool, each func(*statistic, named) error) error {
	if err := p.follow(); err != nil {
		return err
	}
	for i := range p.chain.all {
		s := &p.chain.all[i]
		if s.kind != typeNamed || !want(s) {
			continue
		}
		values, err := p.namedStatistic(s)
		if isGone(err) {
			continue
		}
		if err == nil {
			err = each(s, values)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readCPUs reads the times of each CPU, and sums them up.
func (p *pass) readCPUs() error {
	p.cpus = p.cpus[:0]
	sums := map[platform.Field]uint64{}
	err := p.eachNamed(func(s *statistic) bool { return s.module == "cpu" && s.name == "sys" }, func(s *statistic, values named) error {
		c := cpu{number: s.instance}
		for name, to := range map[string]*uint64{"cpu_nsec_user": &c.user, "cpu_nsec_kernel": &c.system, "cpu_nsec_idle": &c.idle} {
			v, ok := values.get(name)
			if !ok {
				return errContent
			}
			*to = v
		}
		p.cpus = append(p.cpus, c)
		addValues(sums, values, cpuValues)
		return nil
	})
	if err != nil {
		return err
	}
	if len(p.cpus) == 0 {
		return errors.ErrUnsupported
	}
	for _, c := range p.cpus {
		sums[platform.HostCPUUser] += c.user
		sums[platform.HostCPUSystem] += c.system
		sums[platform.HostCPUIdle] += c.idle
	}
	sums[platform.HostCPULogical] = uint64(len(p.cpus))
	for f, v := range sums {
		p.sample.Set(f, v)
	}
	return p.readSpeeds()
}

func addValues(sums map[platform.Field]uint64, values named, list []value) {
	for _, v := range list {
		if n, ok := values.get(v.name); ok {
			sums[v.field] += n
		}
	}
}

// readSpeeds reads how fast each CPU runs, and can.
func (p *pass) readSpeeds() error {
	return p.eachInfo(func(s *statistic, values named) {
		for i := range p.cpus {
			if c := &p.cpus[i]; c.number == s.instance {
				c.live, _ = values.get("current_clock_Hz")
				mega, _ := values.get("clock_MHz")
				c.nominal = mega * 1e6
			}
		}
	})
}

func (p *pass) eachInfo(each func(*statistic, named)) error {
	return p.eachNamed(func(s *statistic) bool { return s.module == "cpu_info" }, func(s *statistic, values named) error {
		each(s, values)
		return nil
	})
}

// sendCPUs hands on each CPU.
func (p *pass) sendCPUs() error {
	for _, c := range p.cpus {
		s := &p.sample
		s.Reset(platform.CPU, platform.Key{ID: c.number})
		s.Set(platform.CPUUser, c.user)
		s.Set(platform.CPUSystem, c.system)
		s.Set(platform.CPUIdle, c.idle)
		if c.live != 0 {
			s.Set(platform.CPUFrequency, c.live)
			s.Set(platform.CPUFrequencyLive, c.live)
		}
		if c.nominal != 0 {
			s.Set(platform.CPUFrequencyNominal, c.nominal)
		}
		if err := p.hand(); err != nil {
			return err
		}
	}
	return nil
}

// readFaults reads what the virtual memory did on all CPUs.
func (p *pass) readFaults() error {
	sums := map[platform.Field]uint64{}
	err := p.eachNamed(func(s *statistic) bool { return s.module == "cpu" && s.name == "vm" }, func(_ *statistic, values named) error {
		addValues(sums, values, faultValues)
		return nil
	})
	if err != nil {
		return err
	}
	for f, v := range sums {
		p.sample.Set(f, v)
	}
	return nil
}

// readCores counts cores: CPUs with different numbers of chip and core.
func (p *pass) readCores() error {
	cores := map[[2]uint64]bool{}
	err := p.eachInfo(func(_ *statistic, values named) {
		chip, onChip := values.get("chip_id")
		core, inCore := values.get("core_id")
		if onChip && inCore {
			cores[[2]uint64{chip, core}] = true
		}
	})
	if err == nil && len(cores) == 0 {
		return errors.ErrUnsupported
	}
	p.sample.Set(platform.HostCPUPhysical, uint64(len(cores)))
	return err
}
