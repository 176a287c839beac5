package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// oomVictim is a process that the kernel killed for want of memory, as the line of
// its log tells.
type oomVictim struct {
	pid     uint64
	command []byte
	sizes   []byte // total-vm:1579488kB, anon-rss:1048132kB, ...
}

// oomMessages are what __oom_kill_process in mm/oom_kill.c writes before "Killed
// process": nothing before Linux 5.1, the reason since.
var oomMessages = [...]string{
	"", "Memory cgroup out of memory: ", "Out of memory: ", "Out of memory (oom_kill_allocating_task): ",
}

// decodeOOMKill reads the line that the kernel logs of each process that it kills.
// The name in it is whatever the process chose. Behind it stand numbers only, so that
// it ends before the last "total-vm:".
//
//	Killed process 3897 (stress) total-vm:1579488kB, anon-rss:1048132kB, file-rss:12kB
//	Killed process 45465 (tail), UID 0, total-vm:7582132kB, anon-rss:7420324kB, file-rss:0kB, shmem-rss:0kB
//	Killed process 215701, UID 679, (java) total-vm:11017300kB, anon-rss:7152432kB, file-rss:1232kB
//	Out of memory: Killed process 1888 (fetch) total-vm:1254255840kB, anon-rss:15096608kB, file-rss:0kB, shmem-rss:0kB, UID:1001 pgtables:16960kB oom_score_adj:0
//
// The first is of Linux 3.x, to which 4.5 added shmem-rss and 5.4 all that follows it.
// The second and the third are of the kernels 3.10 and 2.6.32 of RHEL 7 and 6.
func decodeOOMKill(line []byte) (v oomVictim, ok bool) {
	for _, message := range oomMessages {
		if b, found := cut(line, message); found {
			if b, found = cut(b, "Killed process "); found {
				return decodeOOMVictim(b)
			}
		}
	}
	return oomVictim{}, false
}

func decodeOOMVictim(b []byte) (v oomVictim, ok bool) {
	at := bytes.LastIndex(b, []byte("total-vm:"))
	if at < 0 {
		return oomVictim{}, false
	}
	v.sizes = b[at:]
	if v.pid, b, ok = leadingUint(b[:at]); !ok {
		return oomVictim{}, false
	}
	end := ") "
	if rest, found := cut(b, " ("); found {
		b = rest
		if !bytes.HasSuffix(b, []byte(end)) {
			if b, ok = cutOwner(b); !ok {
				return oomVictim{}, false
			}
			end = ")"
		}
	} else {
		if b, found = cut(b, ", UID "); found {
			b, found = skipDigits(b)
		}
		if b, ok = cut(b, ", ("); !ok || !found {
			return oomVictim{}, false
		}
	}
	v.command, ok = bytes.CutSuffix(b, []byte(end))
	return v, ok
}

// cutOwner cuts ", UID 500, " off the end of b.
func cutOwner(b []byte) (before []byte, ok bool) {
	at := bytes.LastIndex(b, []byte(", UID "))
	if at < 0 {
		return b, false
	}
	rest, ok := skipDigits(b[at+len(", UID "):])
	return b[:at], ok && string(rest) == ", "
}

// mostKB is more memory than there is, and so little that sums and shifts are exact.
const mostKB = 1 << 50

// setOOMSizes sets what the columns of sizes tell, in bytes: the resident memory of
// all kinds, and the address space.
func setOOMSizes(sizes []byte, s *platform.Sample) {
	var resident uint64
	told := false
	for len(sizes) > 0 {
		var column []byte
		column, sizes, _ = bytes.Cut(sizes, []byte(", "))
		name, value, _ := bytes.Cut(column, []byte(":"))
		kb, rest, ok := leadingUint(value)
		if !ok || kb >= mostKB || !bytes.HasPrefix(rest, []byte("kB")) {
			continue
		}
		switch string(name) {
		case "total-vm":
			s.Set(platform.ProcessMemoryVirtual, kb<<10)
		case "anon-rss", "file-rss", "shmem-rss":
			resident, told = resident+kb<<10, true
		}
	}
	if told {
		s.Set(platform.ProcessMemoryRSS, resident)
	}
}

// decodeOOMContext reads the line that names the control group of a victim, logged
// before the kill. It is not ok where the group's own name makes it uncertain where
// that begins.
//
//	oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=stress,pid=77,uid=0
//	Task in /a/b killed as a result of limit of /a
//
// The first came with Linux 5.0 (dump_oom_victim in mm/oom_kill.c) and names victim
// and PID, which have to be those of v; the second is what was before it
// (mem_cgroup_print_oom_info in mm/memcontrol.c), and is of the process chosen.
func decodeOOMContext(line []byte, v oomVictim, chosen uint64) (cgroup []byte, ok bool) {
	if b, found := cut(line, "oom-kill:constraint="); found {
		if b, ok = cutVictim(b, v); !ok {
			return nil, false
		}
		return only(b, ",task_memcg=", false)
	}
	b, found := cut(line, "Task in ")
	if !found || chosen != v.pid {
		return nil, false
	}
	return only(b, " killed as a result of limit of ", true)
}

// cutVictim cuts ",task=NAME,pid=N,uid=N" off the end of b if it is of v.
func cutVictim(b []byte, v oomVictim) (before []byte, ok bool) {
	at := bytes.LastIndex(b, []byte(",uid="))
	if at < 0 {
		return nil, false
	}
	if rest, number := skipDigits(b[at+len(",uid="):]); !number || len(rest) > 0 {
		return nil, false
	}
	b = b[:at]
	at = bytes.LastIndex(b, []byte(",pid="))
	if at < 0 {
		return nil, false
	}
	if pid, rest, number := leadingUint(b[at+len(",pid="):]); !number || len(rest) > 0 || pid != v.pid {
		return nil, false
	}
	if b, ok = bytes.CutSuffix(b[:at], v.command); !ok {
		return nil, false
	}
	return bytes.CutSuffix(b, []byte(",task="))
}

// only returns the path before or behind a mark that is there once.
func only(b []byte, mark string, before bool) (path []byte, ok bool) {
	path, rest, found := bytes.Cut(b, []byte(mark))
	if !before {
		path, rest = rest, path
	}
	once := found && !bytes.Contains(path, []byte(mark)) && !bytes.Contains(rest, []byte(mark))
	return path, once && len(path) > 0 && path[0] == '/'
}

// decodeOOMChoice reads the line in which Linux before 5.1 tells whom it chose; it may
// kill a child instead.
//
//	Memory cgroup out of memory: Kill process 3897 (stress) score 1001 or sacrifice child
func decodeOOMChoice(line []byte) (pid uint64, ok bool) {
	b, found := cut(line, "Memory cgroup out of memory: Kill process ")
	if !found {
		return 0, false
	}
	pid, b, ok = leadingUint(b)
	return pid, ok && bytes.HasPrefix(b, []byte(" ("))
}

// cut is bytes.CutPrefix for text that is no slice.
func cut(b []byte, prefix string) (rest []byte, ok bool) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return b, false
	}
	return b[len(prefix):], true
}

// leadingUint is [text.Uint] without blanks in front.
func leadingUint(b []byte) (v uint64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] < '0' || b[0] > '9' {
		return 0, b, false
	}
	return text.Uint(b)
}

// skipDigits returns b behind its digits, of which there has to be one.
func skipDigits(b []byte) (rest []byte, ok bool) {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[n:], n > 0
}
