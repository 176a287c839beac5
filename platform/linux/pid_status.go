package linux

import (
	"bytes"
	"math/bits"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// What is read of /proc/[pid]/status.
const (
	statusParent = iota
	statusUser
	statusVirtual
	statusRSS
	statusThreads
	statusPending
	statusAllowed
	statusVoluntary
	statusInvoluntary
	statusPeak
	statusVirtualPeak
	statusAnonymous
	statusFile
	statusShmem
	statusHugetlb
	statusVPID
	numStatus
)

var statusFields = [numStatus]platform.Field{
	statusParent:      platform.ProcessParent,
	statusUser:        platform.ProcessUser,
	statusVirtual:     platform.ProcessMemoryVirtual,
	statusRSS:         platform.ProcessMemoryRSS,
	statusThreads:     platform.ProcessThreads,
	statusPending:     platform.ProcessSignalsPending,
	statusAllowed:     platform.ProcessCPUAllowed,
	statusVoluntary:   platform.ProcessSwitchesVoluntary,
	statusInvoluntary: platform.ProcessSwitchesInvoluntary,
	statusPeak:        platform.ProcessMemoryPeak,
	statusVirtualPeak: platform.ProcessVirtualPeak,
	statusAnonymous:   platform.ProcessMemoryAnonymous,
	statusFile:        platform.ProcessMemoryFile,
	statusShmem:       platform.ProcessMemoryShmem,
	statusHugetlb:     platform.ProcessMemoryHugetlb,
	statusVPID:        platform.ProcessVPID,
}

// processStatus is /proc/[pid]/status.
type processStatus struct {
	read   uint32 // a bit for each value that is there
	values [numStatus]uint64
	online *onlineCPUs // the CPUs that count; nil for all
}

func (p *processStatus) has(i int) bool { return p.read&(1<<i) != 0 }

func (p *processStatus) set(i int, v uint64, ok bool) {
	if ok {
		p.values[i] = v
		p.read |= 1 << i
	}
}

// decodePidStatus reads /proc/[pid]/status (man 5 proc_pid_status) line by line,
// so that a process with the name "Uid:\t0\t0\t0" is not taken for root's; the
// kernel writes a newline in a name as \n.
//
//	Name:	cat
//	PPid:	6101
//	Uid:	0	0	0	0
//	NSpid:	6113	1
//	VmPeak:	    3060 kB
//	VmSize:	    3060 kB
//	VmHWM:	    1776 kB
//	VmRSS:	    1776 kB
//	RssAnon:	     104 kB
//	RssFile:	    1672 kB
//	RssShmem:	       0 kB
//	HugetlbPages:	       0 kB
//	Threads:	1
//	SigPnd:	0000000000000000
//	ShdPnd:	0000000000000000
//	Cpus_allowed:	3
//	voluntary_ctxt_switches:	0
//	nonvoluntary_ctxt_switches:	0
//
// It is not ok if nothing of it was there.
func decodePidStatus(b []byte, p *processStatus) (ok bool) {
	p.read = 0
	var pending []byte
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if string(key) == "SigPnd" {
			pending = text.Trim(value)
			continue
		}
		p.line(key, value, pending)
	}
	return p.read != 0
}

// line takes one line. The signals that wait for the process as a whole come
// right behind those that wait for its first thread, here pending.
func (p *processStatus) line(key, value, pending []byte) {
	switch string(key) {
	case "PPid":
		p.number(statusParent, value)
	case "Uid":
		p.number(statusUser, text.Skip(value, 1)) // real, effective, saved, file system
	case "NSpid": // in this view's PID namespace, and in each below it; since Linux 4.1
		p.number(statusVPID, lastField(value))
	case "Threads":
		p.number(statusThreads, value)
	case "ShdPnd":
		n, ok := countBits(pending, text.Trim(value))
		p.set(statusPending, n, ok)
	case "Cpus_allowed":
		mask := text.Trim(value)
		n, ok := countBits(mask, mask)
		if p.online != nil {
			n, ok = p.online.count(mask)
		}
		p.set(statusAllowed, n, ok)
	case "voluntary_ctxt_switches":
		p.number(statusVoluntary, value)
	case "nonvoluntary_ctxt_switches":
		p.number(statusInvoluntary, value)
	default:
		if i := memoryLine(key); i >= 0 {
			p.kilobytes(i, value)
		}
	}
}

// memoryLine returns which amount of memory a line tells, or -1. The parts of the
// resident set are told since Linux 4.5, huge pages since 4.4.
func memoryLine(key []byte) int {
	switch string(key) {
	case "VmPeak":
		return statusVirtualPeak
	case "VmSize":
		return statusVirtual
	case "VmHWM":
		return statusPeak
	case "VmRSS":
		return statusRSS
	case "RssAnon":
		return statusAnonymous
	case "RssFile":
		return statusFile
	case "RssShmem":
		return statusShmem
	case "HugetlbPages":
		return statusHugetlb
	}
	return -1
}

// lastField returns the last of some fields.
func lastField(b []byte) (last []byte) {
	for rest := b; ; {
		var field []byte
		if field, rest = text.Field(rest); len(field) == 0 {
			return last
		}
		last = field
	}
}

func (p *processStatus) number(i int, value []byte) {
	v, _, ok := text.UintField(value)
	p.set(i, v, ok)
}

// kilobytes takes an amount of memory, which the kernel counts in units of 1024.
func (p *processStatus) kilobytes(i int, value []byte) {
	v, rest, ok := text.UintField(value)
	p.set(i, v<<10, ok && v>>54 == 0 && string(text.Trim(rest)) == "kB")
}

// countBits counts the bits that are set in either of two hexadecimal masks of
// the same length, which may be longer than 64 bits: MIPS has 128 signals, and
// CPU masks are groups of 32 bits with commas between them.
func countBits(a, b []byte) (n uint64, ok bool) {
	if len(a) != len(b) || len(a) == 0 {
		return 0, false
	}
	for i := range a {
		if a[i] == ',' && b[i] == ',' {
			continue
		}
		x, _, okA := text.Hex(a[i : i+1])
		y, _, okB := text.Hex(b[i : i+1])
		if !okA || !okB {
			return 0, false
		}
		n += uint64(bits.OnesCount64(x | y))
	}
	return n, true
}

func (r *reader) readStatus(v *visit) error {
	p, err := r.status(v)
	if err != nil {
		return err
	}
	for i, f := range statusFields {
		if p.has(i) {
			r.sample.Set(f, p.values[i])
		}
	}
	return nil
}

// status reads the file at most once in a visit, for whoever wants it.
func (r *reader) status(v *visit) (*processStatus, error) {
	if !v.statusRead {
		v.statusRead = true
		v.status.online = r.onlineSet()
		v.statusErr = r.statusOf(v.dir, &v.status)
	}
	return &v.status, v.statusErr
}

// statusOf reads the status of the process or thread with the handle dir.
func (r *reader) statusOf(dir int, p *processStatus) error {
	b, err := r.once(dir, r.join("status"))
	if err != nil {
		return err
	}
	if !decodePidStatus(b, p) {
		return errContent
	}
	return nil
}
