package linux

import (
	"bytes"
	"errors"
	"io/fs"
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

// sendCPUs hands on every CPU that any of the sources told of. All lists are in
// ascending order.
func (p *hostPass) sendCPUs() bool {
	if p.wants(fromCPUFreq) || p.wants(fromCPULimits) {
		if !p.wait() {
			return false
		}
		p.takeFrequencies()
	}
	s := &p.host.sample
	times, speeds, models := p.host.times, p.host.frequencies.speeds, p.models()
	for len(times)+len(speeds)+len(models) > 0 {
		id := nextCPU(times, speeds, models)
		s.Reset(platform.CPU, platform.Key{ID: id})
		if len(times) > 0 && times[0].id == id {
			times[0].set(s, &cpuModes)
			times = times[1:]
		}
		if len(speeds) > 0 && speeds[0].id == id {
			speeds[0].set(s)
			speeds = speeds[1:]
		}
		if len(models) > 0 && models[0].id == id {
			p.describe(platform.CPUModel, models[0].model)
			p.describe(platform.CPUVendor, models[0].vendor)
			models = models[1:]
		}
		if !p.send() {
			return false
		}
	}
	return true
}

// nextCPU returns the lowest of the first numbers of lists, not all of which are
// empty.
func nextCPU(times []cpuTimes, speeds []cpuSpeeds, models []cpuModel) uint64 {
	id := ^uint64(0)
	if len(times) > 0 {
		id = times[0].id
	}
	if len(speeds) > 0 {
		id = min(id, speeds[0].id)
	}
	if len(models) > 0 {
		id = min(id, models[0].id)
	}
	return id
}

// models reads who made the CPUs, once: no CPU turns into another. The kernel may
// take long for the frequencies that stand between.
func (p *hostPass) models() []cpuModel {
	if !p.wants(fromCPUInfo) {
		return nil
	}
	if p.host.models == nil {
		b, err := p.file("proc/cpuinfo")
		if err != nil {
			p.miss(fromCPUInfo, missReason(err))
			return nil
		}
		p.host.models = decodeCPUModels(b)
	}
	if len(p.host.models) == 0 {
		p.miss(fromCPUInfo, platform.Unsupported)
	}
	return p.host.models
}
