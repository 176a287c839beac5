package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

const (
	// sectorBytes is the kernel's unit of disk traffic and size, whatever the
	// device's own sectors are (SECTOR_SHIFT in include/linux/blk_types.h).
	sectorBytes = 512
	milli       = 1_000_000 // nanoseconds
)

// decodeDisk reads one line of /proc/diskstats into s and returns the name of the
// device. Behind the first eleven statistics come those of discards since Linux
// 4.18 and of flushes since 5.5. Documentation/admin-guide/iostats.rst has the
// columns:
//
//	254       0 vda 15907 5050 1127794 5802 1538 13963 699088 2113 0 2264 8124
//	  3       1 hda1 35486 38030 38030 38030
//	  3       0 39082680 hda 446216 784926 9550688 4382310 424847 312726 ...
//
// The second is a partition in Linux 2.6 before 2.6.25: reads, sectors read,
// writes, sectors written. The third is /proc/partitions of Linux 2.4, with the
// size in kibibytes before the name.
func decodeDisk(line []byte, s *platform.Sample) (name []byte, ok bool) {
	_, rest, major := text.UintField(line)
	_, rest, minor := text.UintField(rest)
	if !major || !minor {
		return nil, false
	}
	name, rest = text.Field(rest)
	if next, behind := text.Field(rest); isNumber(name) && !isNumber(next) {
		name, rest = next, behind
	}
	if len(name) == 0 {
		return nil, false
	}
	stats, n := diskColumns(rest)
	if n == 4 {
		setPartition(s, stats)
	} else {
		setDisk(s, stats[:n])
	}
	return name, true
}

func isNumber(field []byte) bool {
	_, rest, ok := text.Uint(field)
	return ok && len(rest) == 0
}

// mostColumns is how many statistics the newest kernels print.
const mostColumns = 17

func diskColumns(b []byte) (columns [mostColumns]uint64, n int) {
	for n < len(columns) {
		v, rest, ok := text.UintField(b)
		if !ok {
			break
		}
		columns[n] = v
		n++
		b = rest
	}
	return columns, n
}

func setPartition(s *platform.Sample, v [mostColumns]uint64) {
	s.Set(platform.DiskReads, v[0])
	setScaled(s, platform.DiskReadBytes, v[1], sectorBytes)
	s.Set(platform.DiskWrites, v[2])
	setScaled(s, platform.DiskWriteBytes, v[3], sectorBytes)
}

// setDisk sets the columns that are there. The ninth counts requests in flight,
// the eleventh weighs time by them. A fault of Linux before 5.0 made the former
// negative, which shows as a number of requests that no disk has.
func setDisk(s *platform.Sample, v []uint64) {
	columns := [mostColumns]struct {
		field platform.Field
		unit  uint64
	}{
		{platform.DiskReads, 1},
		{platform.DiskReadsMerged, 1},
		{platform.DiskReadBytes, sectorBytes},
		{platform.DiskReadTime, milli},
		{platform.DiskWrites, 1},
		{platform.DiskWritesMerged, 1},
		{platform.DiskWriteBytes, sectorBytes},
		{platform.DiskWriteTime, milli},
		{platform.DiskPending, 1},
		{platform.DiskIOTime, milli},
		{platform.DiskWeightedTime, milli},
		{platform.DiskDiscards, 1},
		{platform.DiskDiscardsMerged, 1},
		{platform.DiskDiscardBytes, sectorBytes},
		{platform.DiskDiscardTime, milli},
		{platform.DiskFlushes, 1},
		{platform.DiskFlushTime, milli},
	}
	for i, v := range v {
		if c := columns[i]; c.field != platform.DiskPending || v < 1<<31 {
			setScaled(s, c.field, v, c.unit)
		}
	}
}
