package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// tickNanos is one unit of the times in /proc/stat: USER_HZ is 100 in the ABI of
// every architecture that Go runs on (man 5 proc_stat; include/uapi/asm-generic/param.h).
const tickNanos = 10_000_000

// modes are the fields of the seven CPU modes of one entity.
type modes struct{ user, nice, system, idle, iowait, interrupt, steal platform.Field }

var (
	hostModes = modes{
		platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUIdle,
		platform.HostCPUIowait, platform.HostCPUInterrupt, platform.HostCPUSteal,
	}
	cpuModes = modes{
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUIdle,
		platform.CPUIowait, platform.CPUInterrupt, platform.CPUSteal,
	}
)

// cpuTimes is one cpu line of /proc/stat. Linux 2.4 prints four columns, 2.6
// seven, 2.6.11 and later steal too; guest times follow, which user and nice
// already include (account_guest_time in kernel/sched/cputime.c).
type cpuTimes struct {
	id      uint64
	columns int
	ticks   [8]uint64 // user nice system idle iowait irq softirq steal
}

// set sets what was read of the line.
func (t *cpuTimes) set(s *platform.Sample, m *modes) {
	t.column(s, m.user, 0)
	t.column(s, m.nice, 1)
	t.column(s, m.system, 2)
	t.column(s, m.idle, 3)
	t.column(s, m.iowait, 4)
	if t.columns > 6 {
		setScaled(s, m.interrupt, t.ticks[5]+t.ticks[6], tickNanos)
	}
	t.column(s, m.steal, 7)
}

func (t *cpuTimes) column(s *platform.Sample, f platform.Field, i int) {
	if i < t.columns {
		setScaled(s, f, t.ticks[i], tickNanos)
	}
}

// setScaled sets f to v units, unless 64 bits do not hold that many base units.
func setScaled(s *platform.Sample, f platform.Field, v, unit uint64) {
	if v <= ^uint64(0)/unit {
		s.Set(f, v*unit)
	}
}

// decodeStat reads /proc/stat: the host's sums into the sample, and the lines of
// the single CPUs into cpus, whose memory is used again.
//
//	cpu  2191 0 1807 289905 123 0 25 11 0 0
//	cpu0 926 0 701 145441 16 0 4 3 0 0
//	intr 154119 ...
//	btime 1795387780
//	processes 4718
//	softirq 86384 0 17404 ...
//
// The number of CPUs is known only when the line behind the last of them was read.
func decodeStat(b []byte, host *platform.Sample, cpus []cpuTimes) []cpuTimes {
	cpus = cpus[:0]
	for line := range text.Lines(text.Whole(b)) {
		key, rest := text.Field(line)
		number, isCPU := bytes.CutPrefix(key, []byte("cpu"))
		switch {
		case !isCPU:
			setStatCount(key, rest, host)
			if len(cpus) > 0 {
				host.Set(platform.HostCPULogical, uint64(len(cpus)))
			}
		case len(number) == 0:
			times := cpuColumns(rest)
			times.set(host, &hostModes)
		default:
			if id, _, ok := text.UintField(number); ok {
				times := cpuColumns(rest)
				times.id = id
				cpus = append(cpus, times)
			}
		}
	}
	return cpus
}

// setStatCount reads a line of /proc/stat that is not of a CPU. Those of
// interrupts begin with the sum of all that follow.
func setStatCount(key, rest []byte, host *platform.Sample) {
	f, wanted := statField(key)
	if !wanted {
		return
	}
	if v, _, ok := text.UintField(rest); ok {
		host.Set(f, v)
	}
}

func statField(key []byte) (f platform.Field, ok bool) {
	switch string(key) {
	case "ctxt":
		return platform.HostContextSwitches, true
	case "intr":
		return platform.HostInterrupts, true
	case "softirq": // since Linux 2.6.31
		return platform.HostSoftInterrupts, true
	case "processes":
		return platform.HostProcessesCreated, true
	case "procs_running":
		return platform.HostTasksRunnable, true
	case "procs_blocked":
		return platform.HostTasksBlocked, true
	}
	return 0, false
}

// cpuColumns reads the columns of one line up to the first that is none.
func cpuColumns(columns []byte) (t cpuTimes) {
	const most = 1 << 60 // of two, the sum stays within 64 bits
	for t.columns < len(t.ticks) {
		v, rest, ok := text.UintField(columns)
		if !ok || v > most {
			break
		}
		t.ticks[t.columns] = v
		t.columns++
		columns = rest
	}
	return t
}

// decodeBootTime reads btime, the whole second in which the kernel started.
func decodeBootTime(b []byte) (seconds uint64, ok bool) {
	for line := range text.Lines(text.Whole(b)) {
		key, rest := text.Field(line)
		if string(key) == "btime" {
			seconds, _, ok = text.UintField(rest)
			return seconds, ok
		}
	}
	return 0, false
}
