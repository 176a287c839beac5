package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// The lines of /proc/meminfo that are read (man 5 proc_meminfo).
const (
	memTotal = iota
	memFree
	memAvailable // since Linux 3.14
	memBuffers
	memCached
	memActiveFile
	memInactiveFile
	memShared // Shmem; MemShared in Linux 2.4
	memReclaimable
	memUnreclaimable
	memHugeTotal
	memHugeFree
	memHugeReserved
	memHugeSurplus
	memHugeSize
	memActive
	memInactive
	memDirty
	memWriteback
	memCommitted
	memCommitLimit
	numMem
)

// meminfo is what one read of /proc/meminfo told, in bytes and pages.
type meminfo struct {
	known  uint32
	values [numMem]uint64
}

func (m *meminfo) get(line int) (v uint64, ok bool) {
	return m.values[line], m.known&(1<<line) != 0
}

// decodeMeminfo reads /proc/meminfo. Some kernels print no blank after the colon.
//
//	MemTotal:       24684084 kB
//	HugePages_Total:       0
func decodeMeminfo(b []byte) (m meminfo) {
	for line := range text.Lines(text.Whole(b)) {
		key, rest, _ := bytes.Cut(line, []byte(":"))
		i := memLine(key)
		if i < 0 {
			continue
		}
		if v, ok := amount(rest); ok {
			m.values[i] = v
			m.known |= 1 << i
		}
	}
	return m
}

func memLine(key []byte) int {
	switch string(key) {
	case "MemTotal":
		return memTotal
	case "MemFree":
		return memFree
	case "MemAvailable":
		return memAvailable
	case "Buffers":
		return memBuffers
	case "Cached":
		return memCached
	case "Active(file)":
		return memActiveFile
	case "Inactive(file)":
		return memInactiveFile
	case "Shmem", "MemShared":
		return memShared
	case "SReclaimable":
		return memReclaimable
	case "SUnreclaim":
		return memUnreclaimable
	case "HugePages_Total":
		return memHugeTotal
	case "HugePages_Free":
		return memHugeFree
	case "HugePages_Rsvd":
		return memHugeReserved
	case "HugePages_Surp":
		return memHugeSurplus
	case "Hugepagesize":
		return memHugeSize
	}
	return memLineMore(key)
}

// memLineMore goes on with the lines of no metric in the conventions.
func memLineMore(key []byte) int {
	switch string(key) {
	case "Active":
		return memActive
	case "Inactive":
		return memInactive
	case "Dirty":
		return memDirty
	case "Writeback":
		return memWriteback
	case "Committed_AS":
		return memCommitted
	case "CommitLimit":
		return memCommitLimit
	}
	return -1
}

// amount reads a count, or kibibytes if "kB" follows it. More than any
// machine has is refused, so that sums of amounts stay within 64 bits.
func amount(b []byte) (v uint64, ok bool) {
	v, rest, ok := text.UintField(b)
	if !ok || v >= 1<<50 {
		return 0, false
	}
	if unit, _ := text.Field(rest); string(unit) == "kB" {
		v <<= 10
	}
	return v, true
}

// tellsAvailable reports whether the kernel's own estimate is there. Containers
// with a faked file say 0.
func (m *meminfo) tellsAvailable() bool {
	v, ok := m.get(memAvailable)
	return ok && v > 0
}

// set sets the fields of the host. low is the sum of the low watermarks of all
// zones in bytes, which is needed only where the kernel has no estimate.
func (m *meminfo) set(s *platform.Sample, low uint64, lowKnown bool) {
	m.copy(s, platform.HostMemoryTotal, memTotal)
	m.copy(s, platform.HostMemoryFree, memFree)
	m.copy(s, platform.HostMemoryBuffers, memBuffers)
	m.copy(s, platform.HostMemoryShared, memShared)
	m.copy(s, platform.HostSlabReclaimable, memReclaimable)
	m.copy(s, platform.HostSlabUnreclaimable, memUnreclaimable)
	if cached, ok := m.get(memCached); ok {
		s.Set(platform.HostMemoryCached, cached+m.values[memReclaimable])
	}
	if available, ok := m.available(low, lowKnown); ok {
		s.Set(platform.HostMemoryAvailable, available)
		m.setUsed(s, available)
	}
	m.setHugePages(s)
	m.copy(s, platform.HostMemoryActive, memActive)
	m.copy(s, platform.HostMemoryInactive, memInactive)
	m.copy(s, platform.HostMemoryDirty, memDirty)
	m.copy(s, platform.HostMemoryWriteback, memWriteback)
	m.copy(s, platform.HostMemoryCommitted, memCommitted)
	m.copy(s, platform.HostMemoryCommitLimit, memCommitLimit)
}

func (m *meminfo) copy(s *platform.Sample, f platform.Field, line int) {
	if v, ok := m.get(line); ok {
		s.Set(f, v)
	}
}

// setUsed sets total minus available, as free(1) of procps 4.0.1 and later does,
// which falls back to total minus free (meminfo_read_failed in library/meminfo.c).
func (m *meminfo) setUsed(s *platform.Sample, available uint64) {
	total, ok := m.get(memTotal)
	free, freeKnown := m.get(memFree)
	switch {
	case !ok:
	case available <= total:
		s.Set(platform.HostMemoryUsed, total-available)
	case freeKnown && free <= total:
		s.Set(platform.HostMemoryUsed, total-free)
	}
}

// available returns how much memory programs can get without swapping. In an LXC
// container the total is the container's and the rest may be the host's: what is
// more than the total is not believed, and free takes its place, as in free(1).
func (m *meminfo) available(low uint64, lowKnown bool) (v uint64, ok bool) {
	v, ok = m.get(memAvailable)
	if !m.tellsAvailable() {
		v, ok = m.estimate(low, lowKnown)
	}
	total, totalKnown := m.get(memTotal)
	if ok && totalKnown && v > total {
		return m.get(memFree)
	}
	return v, ok
}

// estimate is what the kernel does since 3.14 (si_mem_available in mm/show_mem.c):
// free memory above the low watermarks, and of the page cache and the reclaimable
// slab all but the half or the low watermarks, whichever is less.
func (m *meminfo) estimate(low uint64, lowKnown bool) (v uint64, ok bool) {
	free, ok := m.get(memFree)
	if !ok {
		return 0, false
	}
	const pieces = 1<<memActiveFile | 1<<memInactiveFile | 1<<memReclaimable
	if !lowKnown || m.known&pieces != pieces {
		return free + m.values[memCached], true
	}
	v = free + spare(m.values[memActiveFile]+m.values[memInactiveFile], low) +
		spare(m.values[memReclaimable], low)
	return v - min(v, low), true
}

// spare is what can be taken of a cache.
func spare(cache, low uint64) uint64 { return cache - min(cache/2, low) }

func (m *meminfo) setHugePages(s *platform.Sample) {
	m.copy(s, platform.HostHugePagesTotal, memHugeTotal)
	m.copy(s, platform.HostHugePagesFree, memHugeFree)
	m.copy(s, platform.HostHugePagesReserved, memHugeReserved)
	m.copy(s, platform.HostHugePagesSurplus, memHugeSurplus)
	m.copy(s, platform.HostHugePageSize, memHugeSize)
	total, ok := m.get(memHugeTotal)
	free, freeKnown := m.get(memHugeFree)
	if ok && freeKnown && free <= total {
		s.Set(platform.HostHugePagesUsed, total-free)
	}
}
