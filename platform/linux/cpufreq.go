package linux

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// The frequencies that are told of a CPU, by the files of its cpufreq folder
// (Documentation/admin-guide/pm/cpufreq.rst).
const (
	speedCurrent = iota // live or nominal
	speedLive
	speedNominal
	speedMin
	speedMax
	speedPolicyMin
	speedPolicyMax
	numSpeeds
)

var speedFields = [numSpeeds]platform.Field{
	platform.CPUFrequency, platform.CPUFrequencyLive, platform.CPUFrequencyNominal,
	platform.CPUFrequencyMin, platform.CPUFrequencyMax,
	platform.CPUFrequencyPolicyMin, platform.CPUFrequencyPolicyMax,
}

// limitFiles tell what a CPU can and may do. base_frequency is there with the driver
// intel_pstate alone.
var limitFiles = [...]struct {
	name  string
	speed int
}{
	{"base_frequency", speedNominal}, {"cpuinfo_min_freq", speedMin}, {"cpuinfo_max_freq", speedMax},
	{"scaling_min_freq", speedPolicyMin}, {"scaling_max_freq", speedPolicyMax},
}

// cpuSpeeds are the frequencies of one CPU, and which of them are known.
type cpuSpeeds struct {
	id    uint64
	known uint8
	hertz [numSpeeds]uint64
}

func (c *cpuSpeeds) put(speed int, hertz uint64) {
	c.hertz[speed] = hertz
	c.known |= 1 << speed
}

// set sets the fields that are known.
func (c *cpuSpeeds) set(s *platform.Sample) {
	for speed, f := range speedFields {
		if c.known>>speed&1 != 0 {
			s.Set(f, c.hertz[speed])
		}
	}
}

// decodeCurFreq reads a frequency of cpufreq, in kilohertz; it may say "<unknown>"
// (show_scaling_cur_freq in drivers/cpufreq/cpufreq.c).
func decodeCurFreq(b []byte) (hertz uint64, ok bool) {
	v, _, ok := text.UintField(b)
	return v * 1000, ok && v < 1<<54
}

// frequency asks the cpufreq driver of one CPU.
type frequency struct {
	question
	cpuSpeeds
	kernel          Kernel
	root            int
	folder          string // ends in a slash
	path, text      []byte
	current, limits bool // what is asked for
	failed          error
}

// newFrequency makes the question for one CPU.
func (t *frequencies) newFrequency(id uint64) *frequency {
	f := &frequency{cpuSpeeds: cpuSpeeds{id: id}, kernel: t.kernel, root: t.root}
	f.folder = cpuFolder + "cpu" + strconv.FormatUint(id, 10) + "/cpufreq/"
	f.ask = f.read
	return f
}

// read reads what is asked for. What is now costs more than what can be: a driver
// that fails to tell it may still know the limits.
func (f *frequency) read() error {
	f.known, f.failed = 0, nil
	if f.current {
		hertz, err := f.now()
		if err == nil {
			f.put(speedCurrent, hertz)
			f.put(speedLive, hertz)
		}
		f.failed = err
	}
	if f.limits {
		for _, limit := range limitFiles {
			if hertz, err := f.file(limit.name); err == nil && hertz > 0 {
				f.put(limit.speed, hertz)
			}
		}
	}
	return nil
}

// now reads the frequency that the governor set, or, where the driver does not tell
// it, the one that the hardware runs at, which only root may read.
func (f *frequency) now() (uint64, error) {
	hertz, err := f.file("scaling_cur_freq")
	if err == nil {
		return hertz, nil
	}
	if hertz, other := f.file("cpuinfo_cur_freq"); other == nil {
		return hertz, nil
	} else if errors.Is(err, fs.ErrNotExist) {
		err = other
	}
	return 0, err
}

func (f *frequency) file(name string) (hertz uint64, err error) {
	f.path = append(append(append(f.path[:0], f.folder...), name...), 0)
	if f.text, err = readFile(f.kernel, f.root, f.path, f.text); err != nil {
		return 0, err
	}
	hertz, ok := decodeCurFreq(f.text)
	if !ok {
		return 0, errNoNumber
	}
	return hertz, nil
}

// frequencies asks for the frequencies of each CPU that is online: its cpufreq
// driver, or /proc/cpuinfo where there is none. Either may stall.
type frequencies struct {
	kernel Kernel
	root   int
	online []byte
	known  []*frequency // one for each CPU online
	cpus   []*frequency // those that have a driver
	path   []byte
	info   struct {
		question
		text []byte
		cpus []cpuInfo
	}
	speeds []cpuSpeeds // what was answered, in ascending order of id
}

func (t *frequencies) init(k Kernel, root int) {
	t.kernel, t.root = k, root
	path := []byte("proc/cpuinfo\x00")
	t.info.ask = func() (err error) {
		t.info.text, err = readFile(k, root, path, t.info.text)
		t.info.cpus = decodeCPUInfo(t.info.text, t.info.cpus)
		return err
	}
}

// has reports whether a CPU has a driver. Unlike reading, looking up a folder in
// sysfs asks none.
func (t *frequencies) has(f *frequency) bool {
	t.path = append(append(t.path[:0], f.folder[:len(f.folder)-1]...), 0)
	_, err := t.kernel.Stat(t.root, t.path)
	return err == nil
}

// list brings the questions up to date with the CPUs that are online. A driver
// may come later.
func (t *frequencies) list(online []byte) {
	if !bytes.Equal(online, t.online) {
		t.online = append(t.online[:0], online...)
		t.renew()
	}
	if len(t.cpus) > 0 || len(t.known) == 0 || !t.has(t.known[0]) {
		return
	}
	for _, f := range t.known {
		if t.has(f) {
			t.cpus = append(t.cpus, f)
		}
	}
}

// renew makes the questions for the CPUs online. One that is still open stays
// what it is.
func (t *frequencies) renew() {
	old := t.known
	t.known, t.cpus = nil, nil
	for id := range decodeCPUList(t.online) {
		i := slices.IndexFunc(old, func(f *frequency) bool { return f.id == id })
		if i < 0 {
			t.known = append(t.known, t.newFrequency(id))
			continue
		}
		t.known = append(t.known, old[i])
	}
}

// askFrequencies asks each CPU for its frequencies.
func (p *hostPass) askFrequencies() {
	t := &p.host.frequencies
	t.speeds = t.speeds[:0]
	if !p.wants(fromCPUFreq) && !p.wants(fromCPULimits) {
		return
	}
	online, _ := p.small(cpuFolder, "online")
	t.list(online)
	for _, f := range t.cpus {
		if p.host.guard.idle(&f.question) {
			f.current, f.limits = p.wants(fromCPUFreq), p.wants(fromCPULimits)
		}
		p.host.guard.ask(&f.question)
	}
	if len(t.cpus) == 0 {
		p.host.guard.ask(&t.info.question)
	}
}

// takeFrequencies collects the answers.
func (p *hostPass) takeFrequencies() {
	t := &p.host.frequencies
	if len(t.cpus) == 0 {
		p.takeCPUInfo()
		return
	}
	unloaded := false
	for _, f := range t.cpus {
		err := f.answer()
		if err != nil {
			p.missFrequencies(missReason(err))
			continue
		}
		if f.failed != nil {
			p.miss(fromCPUFreq, missReason(f.failed))
			unloaded = unloaded || errors.Is(f.failed, fs.ErrNotExist)
		}
		if f.known != 0 {
			t.speeds = append(t.speeds, f.cpuSpeeds)
		}
	}
	if unloaded || len(t.speeds) == 0 {
		t.cpus = nil
	}
}

// missFrequencies tells both sources, as far as they were asked.
func (p *hostPass) missFrequencies(why platform.Reason) {
	for _, source := range [...]int{fromCPUFreq, fromCPULimits} {
		if p.wants(source) {
			p.miss(source, why)
		}
	}
}

// takeCPUInfo takes what /proc/cpuinfo says. A frequency that is not measured is
// nominal, and stands for the current one.
func (p *hostPass) takeCPUInfo() {
	t := &p.host.frequencies
	if err := t.info.answer(); err != nil {
		p.missFrequencies(missReason(err))
		return
	}
	var current, nominal bool
	for i := range t.info.cpus {
		c := p.speedsOf(&t.info.cpus[i])
		if c.known == 0 {
			continue
		}
		t.speeds = append(t.speeds, c)
		current = current || c.known>>speedCurrent&1 != 0
		nominal = nominal || c.known>>speedNominal&1 != 0
	}
	if !current && p.wants(fromCPUFreq) {
		p.miss(fromCPUFreq, platform.Unsupported)
	}
	if !nominal && p.wants(fromCPULimits) {
		p.miss(fromCPULimits, platform.Unsupported)
	}
}

func (p *hostPass) speedsOf(info *cpuInfo) cpuSpeeds {
	c := cpuSpeeds{id: info.id}
	if info.hasHertz && p.wants(fromCPUFreq) {
		c.put(speedCurrent, info.hertz)
		if info.measured {
			c.put(speedLive, info.hertz)
		}
	}
	switch {
	case !p.wants(fromCPULimits):
	case info.hasNominal:
		c.put(speedNominal, info.nominal)
	case info.hasHertz && !info.measured:
		c.put(speedNominal, info.hertz)
	}
	return c
}
