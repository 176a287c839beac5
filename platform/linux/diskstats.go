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
// device. Columns behind the eleven statistics (discards since Linux 4.18,
// flushes since 5.5) are not read. Documentation/admin-guide/iostats.rst has the
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

// diskColumns reads up to eleven numbers.
func diskColumns(b []byte) (columns [11]uint64, n int) {
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

func setPartition(s *platform.Sample, v [11]uint64) {
	s.Set(platform.DiskReads, v[0])
	setScaled(s, platform.DiskReadBytes, v[1], sectorBytes)
	s.Set(platform.DiskWrites, v[2])
	setScaled(s, platform.DiskWriteBytes, v[3], sectorBytes)
}

// setDisk sets the columns that are there. The ninth counts requests in flight,
// the eleventh weighs time by them.
func setDisk(s *platform.Sample, v []uint64) {
	columns := [...]struct {
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
		{},
		{platform.DiskIOTime, milli},
	}
	for i := range min(len(v), len(columns)) {
		if c := columns[i]; c.unit > 0 {
			setScaled(s, c.field, v[i], c.unit)
		}
	}
}
