package linux

import (
	"strconv"
	"strings"

	"github.com/pidometer/pidometer/platform"
)

// slowMeminfo reads the lines into a map, in bytes or pages.
func slowMeminfo(s string) map[string]uint64 {
	m := map[string]uint64{}
	for _, line := range slowLines(s) {
		key, rest, _ := strings.Cut(line, ":")
		f := append(slowFields(rest), "")
		v, err := strconv.ParseUint(f[0], 10, 64)
		if err != nil || v >= 1<<50 {
			continue
		}
		if len(f) > 1 && f[1] == "kB" {
			v *= 1024
		}
		if key == "MemShared" {
			key = "Shmem"
		}
		m[key] = v
	}
	return m
}

func slowMemoryFields() map[string]platform.Field {
	return map[string]platform.Field{
		"MemTotal": platform.HostMemoryTotal, "MemFree": platform.HostMemoryFree,
		"Buffers": platform.HostMemoryBuffers, "Shmem": platform.HostMemoryShared,
		"SReclaimable": platform.HostSlabReclaimable, "SUnreclaim": platform.HostSlabUnreclaimable,
		"HugePages_Total": platform.HostHugePagesTotal, "HugePages_Free": platform.HostHugePagesFree,
		"HugePages_Rsvd": platform.HostHugePagesReserved, "HugePages_Surp": platform.HostHugePagesSurplus,
		"Hugepagesize": platform.HostHugePageSize,
		"Active":       platform.HostMemoryActive, "Inactive": platform.HostMemoryInactive,
		"Dirty": platform.HostMemoryDirty, "Writeback": platform.HostMemoryWriteback,
		"Committed_AS": platform.HostMemoryCommitted, "CommitLimit": platform.HostMemoryCommitLimit,
	}
}

func slowMemory(s string, low int64, lowKnown bool, host *platform.Sample) {
	m := slowMeminfo(s)
	for key, f := range slowMemoryFields() {
		if v, ok := m[key]; ok {
			host.Set(f, v)
		}
	}
	if cached, ok := m["Cached"]; ok {
		host.Set(platform.HostMemoryCached, cached+m["SReclaimable"])
	}
	total, hasTotal := m["MemTotal"]
	free, hasFree := m["MemFree"]
	if available, ok := slowAvailable(m, low, lowKnown); ok {
		host.Set(platform.HostMemoryAvailable, available)
		if hasTotal && available <= total {
			host.Set(platform.HostMemoryUsed, total-available)
		} else if hasTotal && hasFree && free <= total {
			host.Set(platform.HostMemoryUsed, total-free)
		}
	}
	huge, ok := m["HugePages_Total"]
	if free, known := m["HugePages_Free"]; ok && known && free <= huge {
		host.Set(platform.HostHugePagesUsed, huge-free)
	}
}

func slowAvailable(m map[string]uint64, low int64, lowKnown bool) (uint64, bool) {
	available, ok := m["MemAvailable"]
	free, hasFree := m["MemFree"]
	if available == 0 {
		active, ok1 := m["Active(file)"]
		inactive, ok2 := m["Inactive(file)"]
		slab, ok3 := m["SReclaimable"]
		switch {
		case !hasFree:
			return 0, false
		case lowKnown && ok1 && ok2 && ok3:
			cache := int64(active + inactive)
			estimate := int64(free) - low + cache - min(cache/2, low) + int64(slab) - min(int64(slab)/2, low)
			available, ok = uint64(max(estimate, 0)), true
		default:
			available, ok = free+m["Cached"], true
		}
	}
	if total, known := m["MemTotal"]; known && available > total {
		return free, hasFree
	}
	return available, ok
}

func slowZoneinfo(s string) (low uint64, ok bool) {
	for _, line := range slowLines(s) {
		f := slowFields(line)
		if len(f) > 1 && f[0] == "low" {
			if v, err := strconv.ParseUint(f[1], 10, 64); err == nil && v < 1<<40 {
				low, ok = low+v, true
			}
		}
	}
	return low, ok
}
