package linux

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"github.com/pidometer/pidometer/platform"
)

const cpuFolder = "sys/devices/system/cpu/"

// topology remembers the number of cores for as long as the same CPUs are online.
type topology struct {
	online []byte
	cores  uint64
}

// readTopology counts cores: the distinct lists of CPUs that share one.
func (p *hostPass) readTopology() {
	if !p.wants(fromTopology) {
		return
	}
	t := &p.host.topology
	online, err := p.small(cpuFolder, "online")
	if err != nil {
		t.online, t.cores = t.online[:0], p.coresFromCPUInfo()
	} else if !bytes.Equal(online, t.online) {
		t.online = append(t.online[:0], online...)
		t.cores = p.cores(t.online)
	}
	if t.cores == 0 {
		t.online = t.online[:0]
		p.miss(fromTopology, platform.Unsupported)
		return
	}
	p.host.sample.Set(platform.HostCPUPhysical, t.cores)
}

func (p *hostPass) cores(online []byte) uint64 {
	cores := map[string]struct{}{}
	for id := range decodeCPUList(online) {
		if siblings, err := p.siblings(id); err == nil {
			cores[string(siblings)] = struct{}{}
		}
	}
	if len(cores) == 0 {
		return p.coresFromCPUInfo()
	}
	return uint64(len(cores))
}

// siblings reads which CPUs share the core of one. The second name is that before
// Linux 5.3 (Documentation/admin-guide/cputopology.rst).
func (p *hostPass) siblings(id uint64) ([]byte, error) {
	cpu := strconv.FormatUint(id, 10)
	b, err := p.small(cpuFolder, "cpu", cpu, "/topology/core_cpus_list")
	if errors.Is(err, fs.ErrNotExist) {
		b, err = p.small(cpuFolder, "cpu", cpu, "/topology/thread_siblings_list")
	}
	return b, err
}

// coresFromCPUInfo counts the distinct cores of all sockets, for a tree without
// sys.
func (p *hostPass) coresFromCPUInfo() uint64 {
	b, err := p.file("proc/cpuinfo")
	if err != nil {
		return 0
	}
	cores := map[[2]uint64]struct{}{}
	for _, c := range decodeCPUInfo(b, nil) {
		if c.hasSocket && c.hasCore {
			cores[[2]uint64{c.socket, c.core}] = struct{}{}
		}
	}
	return uint64(len(cores))
}

// cpuHertz is the frequency of one CPU.
type cpuHertz struct{ id, hertz uint64 }

// frequency asks one scaling_cur_freq.
type frequency struct {
	question
	cpuHertz
	path []byte
	text []byte
}

// frequencies asks for the frequency of each CPU that is online: its cpufreq
// driver, or /proc/cpuinfo where there is none. Either may stall.
type frequencies struct {
	kernel Kernel
	root   int
	online []byte
	known  []*frequency // one for each CPU online
	cpus   []*frequency // those whose driver tells
	info   struct {
		question
		text []byte
		cpus []cpuInfo
	}
	hertz []cpuHertz // what was answered, in ascending order of id
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

// newFrequency makes the question for one CPU.
func (t *frequencies) newFrequency(id uint64) *frequency {
	f := &frequency{cpuHertz: cpuHertz{id: id}}
	f.path = append(f.path, cpuFolder...)
	f.path = append(f.path, "cpu"...)
	f.path = strconv.AppendUint(f.path, id, 10)
	f.path = append(f.path, "/cpufreq/scaling_cur_freq\x00"...)
	f.ask = func() (err error) {
		f.text, err = readFile(t.kernel, t.root, f.path, f.text)
		if err != nil {
			return err
		}
		var ok bool
		if f.hertz, ok = decodeCurFreq(f.text); !ok {
			return errNoNumber
		}
		return nil
	}
	return f
}

// has reports whether the driver of a CPU tells its frequency. Unlike reading,
// looking up a file in sysfs asks no driver.
func (t *frequencies) has(f *frequency) bool {
	_, err := t.kernel.Stat(t.root, f.path)
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

// askFrequencies asks each CPU for its frequency.
func (p *hostPass) askFrequencies() {
	t := &p.host.frequencies
	t.hertz = t.hertz[:0]
	if !p.wants(fromCPUFreq) {
		return
	}
	online, _ := p.small(cpuFolder, "online")
	t.list(online)
	for _, f := range t.cpus {
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
		if err := f.answer(); err != nil {
			p.miss(fromCPUFreq, missReason(err))
			unloaded = unloaded || errors.Is(err, fs.ErrNotExist)
			continue
		}
		t.hertz = append(t.hertz, f.cpuHertz)
	}
	if unloaded {
		t.cpus = nil
	}
}

func (p *hostPass) takeCPUInfo() {
	t := &p.host.frequencies
	if err := t.info.answer(); err != nil {
		p.miss(fromCPUFreq, missReason(err))
		return
	}
	for _, c := range t.info.cpus {
		if c.hasHertz {
			t.hertz = append(t.hertz, cpuHertz{c.id, c.hertz})
		}
	}
	if len(t.hertz) == 0 {
		p.miss(fromCPUFreq, platform.Unsupported)
	}
}

// sendCPUs hands on every CPU that any of the sources told of. Both lists are in
// ascending order.
func (p *hostPass) sendCPUs() bool {
	if p.wants(fromCPUFreq) {
		if !p.wait() {
			return false
		}
		p.takeFrequencies()
	}
	s := &p.host.sample
	times, hertz := p.host.times, p.host.frequencies.hertz
	for len(times) > 0 || len(hertz) > 0 {
		id := nextCPU(times, hertz)
		s.Reset(platform.CPU, platform.Key{ID: id})
		if len(times) > 0 && times[0].id == id {
			times[0].set(s, &cpuModes)
			times = times[1:]
		}
		if len(hertz) > 0 && hertz[0].id == id {
			s.Set(platform.CPUFrequency, hertz[0].hertz)
			hertz = hertz[1:]
		}
		if !p.send() {
			return false
		}
	}
	return true
}

// nextCPU returns the lower of the first numbers of two lists, one of which may
// be empty.
func nextCPU(times []cpuTimes, hertz []cpuHertz) uint64 {
	switch {
	case len(times) == 0:
		return hertz[0].id
	case len(hertz) == 0:
		return times[0].id
	}
	return min(times[0].id, hertz[0].id)
}
