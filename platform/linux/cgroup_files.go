package linux

import (
	"bytes"
	"math"
	"math/bits"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// flatKey is one line of a file of keys and numbers, and the field that it is, of
// which the number counts units.
type flatKey struct {
	name  string
	field platform.Field
	unit  uint64
}

// cpuStatKeys are those of cpu.stat (cgroup-v2.rst, and sched-bwc.rst for version 1,
// which counts nanoseconds). Of a group in which no limit is set the kernel tells
// zeros, and without CONFIG_CFS_BANDWIDTH nothing.
var cpuStatKeys = []flatKey{
	{"user_usec", platform.ContainerCPUUser, micro},
	{"system_usec", platform.ContainerCPUSystem, micro},
	{"nr_periods", platform.ContainerCPUPeriods, 1},
	{"nr_throttled", platform.ContainerCPUThrottled, 1},
	{"throttled_usec", platform.ContainerCPUThrottledTime, micro},
	{"throttled_time", platform.ContainerCPUThrottledTime, 1},
}

// cpuacctKeys are those of cpuacct.stat of version 1, in ticks of the clock.
var cpuacctKeys = []flatKey{
	{"user", platform.ContainerCPUUser, tickNanos},
	{"system", platform.ContainerCPUSystem, tickNanos},
}

// oomKeys are those of memory.events, and of memory.oom_control since Linux 4.13.
var oomKeys = []flatKey{{"oom_kill", platform.ContainerOOMKills, 1}}

const micro = 1000 // nanoseconds in a microsecond

// decodeFlat reads a file of keys and numbers, one to a line.
//
//	usage_usec 3233401
//	user_usec 2107390
//	system_usec 1126011
func decodeFlat(b []byte, keys []flatKey, s *platform.Sample) {
	for line := range text.Lines(text.Whole(b)) {
		name, rest := text.Field(line)
		v, _, ok := text.UintField(rest)
		if !ok {
			continue
		}
		for _, k := range keys {
			if string(name) == k.name {
				setScaled(s, k.field, v, k.unit)
			}
		}
	}
}

// groupMemory is what memory.stat tells, in bytes and counts.
type groupMemory struct {
	known                         uint8 // a bit for each, in this order
	anonymous, idle, faults, hard uint64
}

// The lines of memory.stat that are read: of version 2, and of version 1, where only
// those with total_ count the groups below (memory.rst).
var memoryStatKeys = [2][4]string{
	{"anon", "inactive_file", "pgfault", "pgmajfault"},
	{"total_rss", "total_inactive_file", "total_pgfault", "total_pgmajfault"},
}

// decodeMemoryStat reads memory.stat.
func decodeMemoryStat(b []byte, old bool) (m groupMemory) {
	keys := &memoryStatKeys[0]
	if old {
		keys = &memoryStatKeys[1]
	}
	for line := range text.Lines(text.Whole(b)) {
		name, rest := text.Field(line)
		for i, into := range [...]*uint64{&m.anonymous, &m.idle, &m.faults, &m.hard} {
			if string(name) != keys[i] {
				continue
			}
			if v, _, ok := text.UintField(rest); ok {
				*into = v
				m.known |= 1 << i
			}
		}
	}
	return m
}

// has reports whether the lines of a mask were there.
func (m *groupMemory) has(mask uint8) bool { return m.known&mask == mask }

// decodeLimit reads a limit: a number, or max for none. Version 1 writes the largest
// number of whole pages that its counter holds instead (PAGE_COUNTER_MAX in
// include/linux/page_counter.h; RES_COUNTER_MAX before Linux 3.19): none is what is
// as large.
func decodeLimit(b []byte, none uint64) (limit uint64, limited, ok bool) {
	b = text.Whole(b)
	if string(text.Trim(b)) == "max" {
		return 0, false, true
	}
	v, _, ok := text.UintField(b)
	return v, ok && v < none, ok
}

// noLimit is what version 1 writes for no limit of memory, on a kernel of such words
// and pages.
func noLimit(word uint8, page uint64) uint64 {
	if word == 64 {
		return math.MaxInt64 / page * page
	}
	return math.MaxInt32 * page
}

// Millionths of a CPU are the unit of its limit.
const cpuUnits = 1_000_000

// decodeCPUMax reads cpu.max: how much time the group has in each period, both in
// microseconds, or max (cgroup-v2.rst).
//
//	150000 100000
func decodeCPUMax(b []byte) (limit uint64, limited, ok bool) {
	quota, rest := text.Field(text.Whole(b))
	period, _, ok := text.UintField(rest)
	if !ok || period == 0 {
		return 0, false, false
	}
	if string(quota) == "max" {
		return 0, false, true
	}
	v, _, ok := text.UintField(quota)
	limit, fits := share(v, period)
	return limit, ok && fits, ok
}

// decodeQuota reads cpu.cfs_quota_us, which is -1 for no limit, and the length of
// the period (sched-bwc.rst).
func decodeQuota(quota, period []byte) (limit uint64, limited, ok bool) {
	if string(text.Trim(text.Whole(quota))) == "-1" {
		return 0, false, true
	}
	q, _, okQuota := text.UintField(text.Whole(quota))
	p, _, okPeriod := text.UintField(text.Whole(period))
	if !okQuota || !okPeriod || p == 0 {
		return 0, false, false
	}
	limit, limited = share(q, p)
	return limit, limited, true
}

// share returns quota over period in millionths. What does not fit is no limit.
func share(quota, period uint64) (v uint64, ok bool) {
	if high, _ := bits.Mul64(quota, cpuUnits); high != 0 || period == 0 {
		return 0, false
	}
	return quota * cpuUnits / period, true
}

// groupIO is what one line tells of a device.
type groupIO struct {
	device      uint64
	read, write uint64
}

// decodeGroupIO reads a line of io.stat (cgroup-v2.rst), or of
// blkio.throttle.io_service_bytes of version 1, which has one for each direction.
// Some kernels print the numbers of devices that have nothing to tell on the line of
// the next one, in front of it: the last number counts.
//
//	8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0
//	8:16 Read 1459200
func decodeGroupIO(line []byte) (d groupIO, ok bool) {
	var word []byte
	for rest := line; len(rest) > 0; {
		word, rest = text.Field(rest)
		if device, isDevice := majorMinor(word); isDevice {
			d = groupIO{device: device}
			ok = true
			continue
		}
		switch string(word) {
		case "Read":
			d.read, rest, _ = text.UintField(rest)
		case "Write":
			d.write, rest, _ = text.UintField(rest)
		default:
			d.value(word)
		}
	}
	return d, ok
}

func (d *groupIO) value(word []byte) {
	key, number, _ := bytes.Cut(word, []byte("="))
	v, _, ok := text.UintField(number)
	switch {
	case !ok:
	case string(key) == "rbytes":
		d.read = v
	case string(key) == "wbytes":
		d.write = v
	}
}
