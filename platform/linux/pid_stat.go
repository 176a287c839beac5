package linux

import (
	"bytes"
	"math"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Columns of /proc/[pid]/stat, numbered from 1 as man 5 proc_pid_stat does.
const (
	statParent      = 4
	statMinorFaults = 10
	statChildMinor  = 11
	statMajorFaults = 12
	statChildMajor  = 13
	statUser        = 14
	statSystem      = 15
	statThreads     = 20
	statStart       = 22
	statVirtual     = 23
	statRSS         = 24
	statExitSignal  = 38
	statProcessor   = 39
	statIowait      = 42
)

// processStat is /proc/[pid]/stat.
type processStat struct {
	comm    []byte
	state   byte
	nice    int64
	niced   bool   // nice was read
	read    uint64 // a bit for each column that is there and no negative number
	columns [statIowait + 1]uint64
}

func (p *processStat) has(column int) bool { return p.read&(1<<column) != 0 }

// dead reports a process on its very last way out (EXIT_DEAD).
func (p *processStat) dead() bool { return p.state == 'X' || p.state == 'x' }

// thread reports a thread that is not the first of its process: it sends no
// signal when it ends, which shows as -1 (thread_group_leader in
// include/linux/sched/signal.h). The kernel opens /proc/[tid] too, without
// listing it.
func (p *processStat) thread() bool { return p.has(statProcessor) && !p.has(statExitSignal) }

// ofKernel reports a process that is part of the kernel: it has no memory of its
// own.
func (p *processStat) ofKernel() bool { return p.columns[statFlags]&taskOfKernel != 0 }

// ended reports a process that waits for its parent. A first thread that ended
// before the others shows the same state, but its process lives on.
func (p *processStat) ended() bool { return p.state == 'Z' && p.columns[statThreads] <= 1 }

// decodePidStat reads /proc/[pid]/stat. The name in it is whatever the process
// chose, so the columns begin behind the last ')'.
//
//	42 (a b) c) S 1 42 42 0 -1 4194560 100 0 3 0 12 7 0 0 20 0 1 0 8123 3133440 415 ...
//
// It is not ok unless the line is whole as far as its newline and tells the start.
func decodePidStat(b []byte, p *processStat) (ok bool) {
	p.read, p.niced = 0, false
	first, last := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if first < 0 || last < first || len(b) < last+4 || b[len(b)-1] != '\n' {
		return false
	}
	p.comm, p.state = b[first+1:last], b[last+2]
	rest := b[last+3:]
	for column := statParent; column <= statIowait; column++ {
		var field []byte
		if field, rest = text.Field(rest); len(field) == 0 {
			break
		}
		v, _, number := text.UintField(field)
		p.columns[column] = v
		if number {
			p.read |= 1 << column
		}
		if column == statNice {
			p.nice, p.niced = signedField(field)
		}
	}
	return p.has(statStart)
}

// setStat sets what stat tells.
func (r *reader) setStat(v *visit) {
	s, p := &r.sample, &v.stat
	s.SetText(platform.ProcessCommand, r.comm)
	setColumn(s, platform.ProcessCPUUser, p, statUser, tickNanos)
	setColumn(s, platform.ProcessCPUSystem, p, statSystem, tickNanos)
	setColumn(s, platform.ProcessFaultsMinor, p, statMinorFaults, 1)
	setColumn(s, platform.ProcessFaultsMajor, p, statMajorFaults, 1)
	setThreads(s, p)
	setColumn(s, platform.ProcessParent, p, statParent, 1)
	setMemory(s, platform.ProcessMemoryVirtual, p.columns[statVirtual], 1)
	setMemory(s, platform.ProcessMemoryRSS, p.columns[statRSS], r.page)
	setColumn(s, platform.ProcessChildCPUUser, p, statChildUser, tickNanos)
	setColumn(s, platform.ProcessChildCPUSystem, p, statChildSystem, tickNanos)
	setColumn(s, platform.ProcessChildFaultsMinor, p, statChildMinor, 1)
	setColumn(s, platform.ProcessChildFaultsMajor, p, statChildMajor, 1)
	setColumn(s, platform.ProcessCPUNumber, p, statProcessor, 1)
	if p.niced {
		s.SetSigned(platform.ProcessNice, p.nice)
	}
	if state, ok := stateOf(p.state); ok {
		setState(s, state)
	}
	m := r.moment(v)
	if m.known && p.columns[statStart] <= m.now {
		setScaled(s, platform.ProcessUptime, m.now-p.columns[statStart], tickNanos)
	}
	if m.delays == delaysOn || m.delays == delaysUnsaid && p.columns[statIowait] != 0 {
		setColumn(s, platform.ProcessCPUIowait, p, statIowait, tickNanos)
	}
}

// setThreads leaves out the 0 that Linux 2.4 prints for what it does not count
// (proc_pid_stat in fs/proc/array.c).
func setThreads(s *platform.Sample, p *processStat) {
	if p.columns[statThreads] > 0 {
		setColumn(s, platform.ProcessThreads, p, statThreads, 1)
	}
}

func setColumn(s *platform.Sample, f platform.Field, p *processStat, column int, unit uint64) {
	if p.has(column) {
		setScaled(s, f, p.columns[column], unit)
	}
}

// setMemory sets an amount of memory. Kernel threads and ended processes have
// none to speak of, for which stat and statm print 0.
func setMemory(s *platform.Sample, f platform.Field, v, unit uint64) {
	if v != 0 {
		setScaled(s, f, v, unit)
	}
}

// setState sets the state, and which of the four it is.
func setState(s *platform.Sample, state platform.State) {
	s.Set(platform.ProcessState, uint64(state))
	for i := range platform.StateDefunct + 1 {
		is := uint64(0)
		if i == state {
			is = 1
		}
		s.Set(platform.ProcessRunning+platform.Field(i), is)
	}
}

// signedField reads a field that is nothing but a number, which may be negative.
func signedField(field []byte) (v int64, ok bool) {
	digits, negative := bytes.CutPrefix(field, []byte("-"))
	if len(digits) == 0 || digits[0]-'0' > 9 {
		return 0, false
	}
	n, _, ok := text.UintField(digits)
	if !ok || n > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// stateOf reads the letter of a state (task_state_array in fs/proc/array.c). D
// waits for a disk, I is an idle kernel thread, P a parked one; W was paging, and
// waking up until Linux 3.13; K was to be killed.
func stateOf(letter byte) (s platform.State, ok bool) {
	switch letter {
	case 'R':
		return platform.StateRunning, true
	case 'S', 'D', 'I', 'P', 'W', 'K':
		return platform.StateSleeping, true
	case 'T', 't':
		return platform.StateStopped, true
	case 'Z':
		return platform.StateDefunct, true
	}
	return 0, false
}

// delays says whether the kernel accounts the time that tasks wait for disks.
type delays uint8

// It can be switched since Linux 5.14, and is off then unless asked for; before,
// it was on unless the kernel was started with nodelayacct.
const (
	delaysUnsaid delays = iota
	delaysOff
	delaysOn
)

// moment is what a pass reads once for the stat of all processes.
type moment struct {
	read   bool
	known  bool
	now    uint64 // ticks since boot
	delays delays
}

// moment reads it when it is first wanted.
func (r *reader) moment(v *visit) *moment {
	m, dir, up := &r.pass.moments[0], r.proc, ""
	if v.foreign {
		m, dir, up = &r.pass.moments[1], r.self, "../"
	}
	if m.read {
		return m
	}
	m.read = true
	if b, err := r.once(dir, r.join(up, "uptime")); err == nil {
		m.now, _, m.known = text.Decimal(b, 2) // hundredths are ticks
	}
	if b, err := r.once(dir, r.join(up, "sys/kernel/task_delayacct")); err == nil {
		m.delays = delaysOff
		if string(text.Trim(b)) == "1" {
			m.delays = delaysOn
		}
	}
	return m
}
