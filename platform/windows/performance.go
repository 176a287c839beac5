package windows

import (
	"errors"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in SYSTEM_PERFORMANCE_INFORMATION, whose first 312 bytes are the same in all
// versions and on all architectures: four times of 64 bits, then counts of 32.
const (
	performanceSize      = 312
	performanceFaults    = 60
	performanceReads     = 80 // pages
	performanceReadCalls = 84
	performanceWrites    = 96 // pages
	performanceSwitches  = 296
	performanceCalls     = 308
)

func performanceSource() platform.Source {
	s := platform.Source{Name: "SystemPerformanceInformation", Entity: platform.Host, Cost: 10}
	for _, f := range [...]platform.Field{platform.HostContextSwitches, platform.HostFaultsMajor, platform.HostFaultsMinor,
		platform.HostSwapIn, platform.HostSwapOut, platform.HostSystemCalls} {
		s.Gives = append(s.Gives, platform.Given{Field: f, Bits: 32})
	}
	return s
}

func (p *hostPass) readPerformance() error {
	answer, err := p.system(classPerformance)
	if err != nil {
		return err
	}
	return decodePerformance(answer, &p.counting, &p.host.sample)
}

// decodePerformance reads SYSTEM_PERFORMANCE_INFORMATION. A major fault is one for
// which a disk was read. A kernel that runs has switched contexts: one that says it
// never has does not count any of this.
func decodePerformance(b []byte, c *counting, s *platform.Sample) error {
	if len(b) < performanceSize {
		return errContent
	}
	if !proves(&c.system, layout.U32(b, performanceSwitches)) {
		return errors.ErrUnsupported
	}
	major := layout.U32(b, performanceReadCalls)
	s.Set(platform.HostContextSwitches, uint64(layout.U32(b, performanceSwitches)))
	s.Set(platform.HostFaultsMajor, uint64(major))
	s.Set(platform.HostFaultsMinor, uint64(layout.U32(b, performanceFaults)-major))
	s.Set(platform.HostSwapIn, uint64(layout.U32(b, performanceReads)))
	s.Set(platform.HostSwapOut, uint64(layout.U32(b, performanceWrites)))
	if calls := layout.U32(b, performanceCalls); proves(&c.systemCalls, calls) {
		s.Set(platform.HostSystemCalls, uint64(calls))
	}
	return nil
}

// readMemory reads PERFORMANCE_INFORMATION (psapi.h): its own size in 32 bits, ten
// sizes of a word, and three counts.
func (p *hostPass) readMemory() error {
	answer, err := p.fixed(11*p.word+12+4, p.kernel.Performance)
	if err != nil {
		return err
	}
	m, ok := decodeMemory(answer, p.word)
	if !ok {
		return errContent
	}
	s := &p.host.sample
	s.Set(platform.HostMemoryTotal, m.total)
	s.Set(platform.HostMemoryUsed, m.total-m.available)
	s.Set(platform.HostMemoryFree, m.available)
	s.Set(platform.HostWindowsCommitted, m.committed)
	s.Set(platform.HostWindowsCommitLimit, m.limit)
	return nil
}

// memory is how much there is, in bytes.
type memory struct {
	total, available uint64 // physical
	committed, limit uint64 // promised to programs, and the most that may be
}

// decodeMemory reads PERFORMANCE_INFORMATION, whose sizes are in pages.
func decodeMemory(b []byte, word int) (m memory, ok bool) {
	if len(b) < 11*word {
		return memory{}, false
	}
	page := layout.Word(b, 10*word, word)
	for i, to := range map[int]*uint64{1: &m.committed, 2: &m.limit, 4: &m.total, 5: &m.available} {
		*to = layout.Word(b, i*word, word) * page
	}
	return m, page != 0 && m.total != 0 && m.available <= m.total
}
