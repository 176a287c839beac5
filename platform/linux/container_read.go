package linux

import (
	"errors"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// readContainerCPU reads the time used, how often a limit stopped the container, and
// that limit. In version 1 these are two controllers, often in one tree.
func (p *hostPass) readContainerCPU() error {
	s := &p.host.sample
	g, err := p.group(ofCPU)
	if err != nil {
		return err
	}
	b, err := g.read("/cpu.stat")
	if err == nil {
		decodeFlat(b, cpuStatKeys, s)
	}
	if old := g.old; old {
		err = errors.Join(optional(err), p.readCPUTime())
	}
	if v, limited, limitErr := g.cpuLimit(); limitErr == nil && limited {
		s.Set(platform.ContainerCPULimit, v)
	}
	return err
}

// readCPUTime reads the time of version 1. Its cpu.stat knows none.
func (p *hostPass) readCPUTime() error {
	g, err := p.group(ofCPUTime)
	if err != nil || !g.old {
		return err
	}
	b, err := g.read("/cpuacct.stat")
	if err == nil {
		decodeFlat(b, cpuacctKeys, &p.host.sample)
	}
	return err
}

// readContainerMemory reads what the container uses and may use.
func (p *hostPass) readContainerMemory() error {
	g, err := p.group(ofMemory)
	if err != nil {
		return err
	}
	current, events := "/memory.current", "/memory.events"
	if g.old {
		current, events = "/memory.usage_in_bytes", "/memory.oom_control"
	}
	usage, err := g.number(current)
	if err != nil {
		return err
	}
	p.host.sample.Set(platform.ContainerMemoryUsage, usage)
	limit, limited, limitErr := g.memoryLimit()
	if limited {
		p.host.sample.Set(platform.ContainerMemoryLimit, limit)
	}
	b, eventsErr := g.read(events)
	if eventsErr == nil {
		decodeFlat(b, oomKeys, &p.host.sample)
	}
	b, err = g.read("/memory.stat")
	if err == nil {
		m := decodeMemoryStat(b, g.old)
		m.set(&p.host.sample, usage, limit, limited)
	}
	return errors.Join(err, optional(eventsErr), optional(limitErr))
}

// set sets what memory.stat tells. The working set is what the kernel can't take back
// at once: all but the file pages that were not used lately, as the kubelet counts.
func (m *groupMemory) set(s *platform.Sample, usage, limit uint64, limited bool) {
	const anonymous, idle, faults, hard = 1, 2, 4, 8
	if m.has(anonymous) {
		s.Set(platform.ContainerMemoryRSS, m.anonymous)
	}
	if m.has(hard) {
		s.Set(platform.ContainerFaultsMajor, m.hard)
	}
	if m.has(faults|hard) && m.faults >= m.hard {
		s.Set(platform.ContainerFaultsMinor, m.faults-m.hard)
	}
	if !m.has(idle) {
		return
	}
	working := usage - min(usage, m.idle)
	s.Set(platform.ContainerMemoryWorkingSet, working)
	if limited {
		s.Set(platform.ContainerMemoryAvailable, limit-min(limit, working))
	}
}

// The files of I/O of version 1. Only those with recursive in their names count the
// groups below. Since Linux 6.10 the first has lines only where throttling is set up
// (blk_throtl_init in block/blk-throttle.c), the second needs the scheduler bfq.
var oldIO = [...]string{
	"/blkio.throttle.io_service_bytes_recursive",
	"/blkio.bfq.io_service_bytes_recursive",
	"/blkio.throttle.io_service_bytes",
}

// readContainerIO reads the bytes of all disks. In version 2 a group that did no I/O
// has no line; in version 1 that may as well mean that nobody counts.
func (p *hostPass) readContainerIO() error {
	g, err := p.group(ofIO)
	if err != nil {
		return err
	}
	c := &p.host.containers
	c.io = c.io[:0]
	if !g.old {
		err = p.readGroupIO(&g, "/io.stat")
	}
	for i := 0; g.old && i < len(oldIO) && len(c.io) == 0; i++ {
		err = optional(p.readGroupIO(&g, oldIO[i]))
	}
	switch {
	case err != nil:
		return err
	case g.old && len(c.io) == 0:
		return errors.ErrUnsupported
	}
	p.sumIO()
	return nil
}

// readGroupIO reads what one file tells of the devices.
func (p *hostPass) readGroupIO(g *group, name string) error {
	b, err := g.read(name)
	if err != nil {
		return err
	}
	c := &p.host.containers
	for line := range text.Lines(text.Whole(b)) {
		if d, ok := decodeGroupIO(line); ok {
			c.io = append(c.io, d)
		}
	}
	return nil
}

// sumIO adds up the physical disks; where there is none, as in a container of a
// container, all devices.
func (p *hostPass) sumIO() {
	c := &p.host.containers
	disks := p.anyPhysical(c.io)
	var read, write uint64
	for _, d := range c.io {
		if !disks || p.isPhysical(d.device) {
			read, write = read+d.read, write+d.write
		}
	}
	p.host.sample.Set(platform.ContainerDiskReadBytes, read)
	p.host.sample.Set(platform.ContainerDiskWriteBytes, write)
}

// mostDevices is how many devices are remembered.
const mostDevices = 1024

// isPhysical reports whether a block device has hardware behind it. What goes to a
// stacked device counts again at the disk below it.
func (p *hostPass) isPhysical(device uint64) bool {
	known := p.host.containers.physical
	if is, ok := known[device]; ok {
		return is
	}
	if len(known) >= mostDevices {
		clear(known)
	}
	major, minor := device>>20, device&(1<<20-1)
	is := p.has("sys/dev/block/" + decimal(major) + ":" + decimal(minor) + "/device")
	known[device] = is
	return is
}

// anyPhysical reports whether some of the devices are: else there is nothing to
// choose by, and all count.
func (p *hostPass) anyPhysical(all []groupIO) bool {
	for _, d := range all {
		if p.isPhysical(d.device) {
			return true
		}
	}
	return false
}

// The files of pressure, and the fields in them.
var pressures = [...]struct {
	file       string
	some, full platform.Field
}{
	{"/cpu.pressure", platform.ContainerPressureCPUSome, platform.ContainerPressureCPUFull},
	{"/memory.pressure", platform.ContainerPressureMemorySome, platform.ContainerPressureMemoryFull},
	{"/io.pressure", platform.ContainerPressureIOSome, platform.ContainerPressureIOFull},
}

// readContainerPressure reads what only version 2 has (psi.rst).
func (p *hostPass) readContainerPressure() error {
	g, err := p.group(unified)
	if err != nil {
		return err
	}
	var all error
	for _, f := range pressures {
		b, err := g.read(f.file)
		all = errors.Join(all, err)
		if err == nil {
			decodeStalls(b, stall{total: f.some}, stall{total: f.full}, &p.host.sample)
		}
	}
	return all
}

// readContainerTasks reads how many tasks there are, each of which is a thread, and
// may be (pids.rst).
func (p *hostPass) readContainerTasks() error {
	g, err := p.group(ofTasks)
	if err != nil {
		return err
	}
	n, err := g.number("/pids.current")
	if err != nil {
		return err
	}
	p.host.sample.Set(platform.ContainerThreads, n)
	b, err := g.read("/pids.max")
	if err != nil {
		return err
	}
	if most, limited, ok := decodeLimit(b, 1<<64-1); ok && limited {
		p.host.sample.Set(platform.ContainerThreadLimit, most)
	}
	return nil
}
