package windows

import (
	"cmp"
	"encoding/binary"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// processor is what one CPU did since the start, in units of 100 ns.
type processor struct {
	id                                      uint64
	idle, kernel, user, deferred, interrupt uint64
	interrupts                              uint32
}

// processorSize is the size of SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION: five times
// and one count, padded.
const processorSize = 48

// groupSize is the most CPUs that a processor group has (winnt.h: a group is what one
// KAFFINITY holds).
const groupSize = 64

// mostGroups is more processor groups than any Windows has.
const mostGroups = 64

// processorsSource: times are LARGE_INTEGER, interrupts ULONG.
func processorsSource() platform.Source {
	s := platform.Source{Name: "SystemProcessorPerformanceInformation", Entity: platform.Host, Cost: 20}
	for _, f := range [...]platform.Field{
		platform.HostCPUUser, platform.HostCPUSystem, platform.HostCPUIdle, platform.HostCPUInterrupt,
		platform.CPUUser, platform.CPUSystem, platform.CPUIdle, platform.CPUInterrupt,
	} {
		s.Gives = append(s.Gives, platform.Given{Field: f, Step: tickNanos})
	}
	s.Gives = append(s.Gives, platform.Given{Field: platform.HostCPULogical},
		platform.Given{Field: platform.HostInterrupts, Bits: 32})
	return s
}

// decodeProcessors reads the CPUs of one processor group, the first of which has the
// given number.
func decodeProcessors(b []byte, first uint64, to []processor) []processor {
	for i := uint64(0); len(b) >= processorSize; i++ {
		to = append(to, processor{
			id: first + i, idle: layout.U64(b, 0), kernel: layout.U64(b, 8), user: layout.U64(b, 16),
			deferred: layout.U64(b, 24), interrupt: layout.U64(b, 32), interrupts: layout.U32(b, 40),
		})
		b = b[processorSize:]
	}
	return to
}

// readProcessors reads the CPUs of all processor groups. A program sees the CPUs of
// its own group alone in the call that takes no group, up to 64.
func (p *hostPass) readProcessors() error {
	processors := p.host.processors[:0]
	for group := range uint16(mostGroups) {
		input := binary.LittleEndian.AppendUint16(nil, group)
		answer, err := p.grow(func(buf []byte) (int, error) {
			return p.kernel.SystemEx(classProcessorPerformance, input, buf)
		})
		if err != nil || len(answer) < processorSize {
			break
		}
		processors = decodeProcessors(answer, uint64(group)*groupSize, processors)
	}
	if len(processors) == 0 { // before Windows 7
		answer, err := p.system(classProcessorPerformance)
		if err != nil {
			return err
		}
		processors = decodeProcessors(answer, 0, processors)
	}
	p.host.processors = processors
	if len(processors) == 0 {
		return errContent
	}
	p.setProcessors()
	return nil
}

// classInterrupts is SystemInterruptInformation: six counts of 32 bits for each CPU,
// the second of which is how many deferred procedure calls (DPC) it ran.
const (
	classInterrupts   = 23
	interruptSize     = 24
	interruptDeferred = 4
)

// readInterrupts adds up the deferred procedure calls of all processor groups, by the
// call that takes a group: the other one tells of the caller's group alone, and Wine
// answers it with whatever is in its memory.
func (p *hostPass) readInterrupts() error {
	var sum uint32
	for group := range uint16(mostGroups) {
		input := binary.LittleEndian.AppendUint16(nil, group)
		answer, err := p.grow(func(buf []byte) (int, error) { return p.kernel.SystemEx(classInterrupts, input, buf) })
		if err != nil || len(answer) < interruptSize {
			if group == 0 {
				return cmp.Or(err, errContent)
			}
			break
		}
		sum += decodeDeferred(answer)
	}
	p.host.sample.Set(platform.HostSoftInterrupts, uint64(sum))
	return nil
}

// decodeDeferred adds up the deferred procedure calls of a group, modulo 2^32.
func decodeDeferred(b []byte) (sum uint32) {
	for ; len(b) >= interruptSize; b = b[interruptSize:] {
		sum += layout.U32(b, interruptDeferred)
	}
	return sum
}

// setProcessors adds the CPUs up.
func (p *hostPass) setProcessors() {
	var sum processor
	for i := range p.host.processors {
		c := &p.host.processors[i]
		sum.idle += c.idle
		sum.kernel += c.kernel
		sum.user += c.user
		sum.deferred += c.deferred
		sum.interrupt += c.interrupt
		sum.interrupts += c.interrupts
	}
	s := &p.host.sample
	sum.set(s, platform.HostCPUUser, platform.HostCPUSystem, platform.HostCPUIdle, platform.HostCPUInterrupt)
	s.Set(platform.HostCPULogical, uint64(len(p.host.processors)))
	if proves(&p.counting.interrupts, sum.interrupts) { // a CPU without any has not run
		s.Set(platform.HostInterrupts, uint64(sum.interrupts))
	}
}

// set sets the times. The kernel's includes that of the idle loop and that of
// interrupts, whose deferred part (DPC) is what Linux calls soft interrupts.
func (c *processor) set(s *platform.Sample, user, system, idle, interrupt platform.Field) {
	s.Set(user, c.user*tickNanos)
	s.Set(idle, c.idle*tickNanos)
	other := c.idle + c.deferred + c.interrupt
	s.Set(system, (max(c.kernel, other)-other)*tickNanos)
	s.Set(interrupt, (c.deferred+c.interrupt)*tickNanos)
}

// sendCPUs hands on each CPU.
func (p *hostPass) sendCPUs() bool {
	frequencies := p.readPower()
	if !p.wants(fromProcessors) {
		return p.sendFrequencies(frequencies)
	}
	s := &p.host.sample
	for i := range p.host.processors {
		c := &p.host.processors[i]
		s.Reset(platform.CPU, platform.Key{ID: c.id})
		c.set(s, platform.CPUUser, platform.CPUSystem, platform.CPUIdle, platform.CPUInterrupt)
		setFrequency(s, frequencies, c.id)
		if !p.send() {
			return false
		}
	}
	return true
}
