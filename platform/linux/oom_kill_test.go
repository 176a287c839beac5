package linux

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// oomKills are lines as kernels wrote them, found in reports of their users, and what
// they tell.
var oomKills = []struct {
	line, command          string
	pid, resident, virtual uint64
}{
	{"Killed process 2188 (mysqld) total-vm:3330016kB, anon-rss:864176kB, file-rss:8072kB", "mysqld", 2188, 864176 + 8072, 3330016},
	{"Killed process 777 (python) total-vm:400000kB, anon-rss:390000kB, file-rss:0kB, shmem-rss:3kB", "python", 777, 390003, 400000},
	{"Killed process 45465 (tail), UID 0, total-vm:7582132kB, anon-rss:7420324kB, file-rss:0kB, shmem-rss:0kB", "tail", 45465, 7420324, 7582132},
	{"Killed process 215701, UID 679, (java) total-vm:11017300kB, anon-rss:7152432kB, file-rss:1232kB", "java", 215701, 7153664, 11017300},
	{"Memory cgroup out of memory: Killed process 9 (aa) total-vm:6637132kB, anon-rss:3649884kB, file-rss:4kB, shmem-rss:0kB", "aa", 9, 3649888, 6637132},
	{"Out of memory: Killed process 1888 (astar-collator) total-vm:1254255840kB, anon-rss:15096608kB, file-rss:0kB, shmem-rss:0kB, UID:1001 pgtables:16960kB oom_score_adj:0",
		"astar-collator", 1888, 15096608, 1254255840},
	{"Out of memory (oom_kill_allocating_task): Killed process 5 (a) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:4kB, UID:0 pgtables:5kB oom_score_adj:-1000", "a", 5, 9, 1},
	// Names that look like what follows a name.
	{"Killed process 7 () total-vm:1kB) total-vm:8kB, anon-rss:2kB, file-rss:3kB", ") total-vm:1kB", 7, 5, 8},
	{"Killed process 7 (a), UID 0, b) total-vm:8kB, anon-rss:2kB, file-rss:3kB", "a), UID 0, b", 7, 5, 8},
	{"Killed process 7 (a), UID 0, b), UID 1, total-vm:8kB, anon-rss:2kB, file-rss:3kB", "a), UID 0, b", 7, 5, 8},
	{"Killed process 7 () total-vm:8kB", "", 7, 0, 8},
}

// noOOMKills are lines that tell of no kill.
var noOOMKills = []string{
	"",
	"Killed process ",
	"Killed process x (a) total-vm:1kB",
	"Killed process 7 (a) anon-rss:1kB",
	"Killed process 7 a) total-vm:1kB",
	"Killed process 7 (a total-vm:1kB",
	"Killed process 7 (a), UID x, total-vm:1kB",
	"Killed process 7, UID x, (a) total-vm:1kB",
	"Killed process 99999999999999999999 (a) total-vm:1kB",
	"x Killed process 7 (a) total-vm:1kB",
	"usb 1-1: Product: Killed process 7 (a) total-vm:1kB, anon-rss:2kB, file-rss:3kB",
	"Memory cgroup out of memory: Kill process 3897 (stress) score 1001 or sacrifice child",
	"oom_reaper: reaped process 4242 (python3), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
	"Killed process  invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0", // a process of that name
}

func TestDecodeOOMKill(t *testing.T) {
	for _, want := range oomKills {
		v, ok := decodeOOMKill([]byte(want.line))
		if !ok || v.pid != want.pid || string(v.command) != want.command {
			t.Errorf("%s: %d, %q, %v", want.line, v.pid, v.command, ok)
			continue
		}
		s := sample(platform.Process)
		setOOMSizes(v.sizes, s)
		fields := map[platform.Field]uint64{platform.ProcessMemoryVirtual: want.virtual << 10}
		if want.resident > 0 {
			fields[platform.ProcessMemoryRSS] = want.resident << 10
		}
		wantFields(t, s, fields)
	}
	for _, line := range noOOMKills {
		if v, ok := decodeOOMKill([]byte(line)); ok {
			t.Errorf("%q tells of %d, %q", line, v.pid, v.command)
		}
	}
}

// slowOOM are the shapes of the line.
var slowOOM = []*regexp.Regexp{
	regexp.MustCompile(`(?s-m)^(?:(?:Memory cgroup out of memory|Out of memory|Out of memory \(oom_kill_allocating_task\)): )?Killed process ([0-9]+) \((.*)\) total-vm:(.*)$`),
	regexp.MustCompile(`(?s-m)^(?:(?:Memory cgroup out of memory|Out of memory|Out of memory \(oom_kill_allocating_task\)): )?Killed process ([0-9]+) \((.*)\), UID [0-9]+, total-vm:(.*)$`),
	regexp.MustCompile(`(?s-m)^(?:(?:Memory cgroup out of memory|Out of memory|Out of memory \(oom_kill_allocating_task\)): )?Killed process ([0-9]+), UID [0-9]+, \((.*)\) total-vm:(.*)$`),
}

// slowOOMKill is decodeOOMKill by regular expressions. Each takes the longest name
// that the line allows, and bytes for letters.
func slowOOMKill(line string) (pid uint64, command, sizes string, ok bool) {
	for _, shape := range slowOOM {
		m := shape.FindStringSubmatch(latin(line))
		if m == nil || strings.Contains(m[3], "total-vm:") {
			continue
		}
		if pid, err := strconv.ParseUint(m[1], 10, 64); err == nil {
			return pid, unlatin(m[2]), "total-vm:" + unlatin(m[3]), true
		}
	}
	return 0, "", "", false
}

// latin makes each byte a letter, and unlatin undoes it.
func latin(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func unlatin(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func FuzzDecodeOOMKill(f *testing.F) {
	for _, kill := range oomKills {
		f.Add([]byte(kill.line))
	}
	for _, line := range noOOMKills {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		v, ok := decodeOOMKill(line)
		pid, command, sizes, want := slowOOMKill(string(line))
		if ok != want || ok && (v.pid != pid || string(v.command) != command || string(v.sizes) != sizes) {
			t.Fatalf("%d %q %q %v, want %d %q %q %v", v.pid, v.command, v.sizes, ok, pid, command, sizes, want)
		}
		if ok {
			fast, slow := sample(platform.Process), sample(platform.Process)
			setOOMSizes(v.sizes, fast)
			slowOOMSizes(sizes, slow)
			same(t, fast, slow)
		}
	})
}

func slowOOMSizes(sizes string, s *platform.Sample) {
	var resident uint64
	told := false
	for _, column := range strings.Split(sizes, ", ") {
		m := regexp.MustCompile(`^(total-vm|anon-rss|file-rss|shmem-rss):([0-9]+)kB`).FindStringSubmatch(column)
		if m == nil {
			continue
		}
		kb, err := strconv.ParseUint(m[2], 10, 50)
		switch {
		case err != nil:
		case m[1] == "total-vm":
			s.Set(platform.ProcessMemoryVirtual, 1024*kb)
		default:
			resident, told = resident+1024*kb, true
		}
	}
	if told {
		s.Set(platform.ProcessMemoryRSS, resident)
	}
}

// oomContexts are lines with the group that they tell of PID 77 named stress; none
// where it is uncertain.
var oomContexts = []struct{ line, cgroup string }{
	{"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0-7,global_oom,task_memcg=/,task=stress,pid=77,uid=1001", "/"},
	{"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b c,task=stress,pid=77,uid=0", "/a/b c"},
	{"oom-kill:constraint=X,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/system.slice/a.service:cri-containerd:bfc4,task=stress,pid=77,uid=65534",
		"/system.slice/a.service:cri-containerd:bfc4"},
	{"Task in /1/2 killed as a result of limit of /1", "/1/2"},
	// Another victim, or cut short.
	{"oom-kill:constraint=X,task_memcg=/a,task=stress,pid=78,uid=0", ""},
	{"oom-kill:constraint=X,task_memcg=/a,task=other,pid=77,uid=0", ""},
	{"oom-kill:constraint=X,task_memcg=/a,task=stress,pid=77,uid=", ""},
	{"oom-kill:constraint=X,task_memcg=/a,task=stress,pid=77", ""},
	{"oom-kill:constraint=X,nodemask=(null)", ""},
	{"oom-kill:constraint=X,task=stress,pid=77,uid=0", ""},
	{"oom-kill:constraint=X,task_memcg=,task=stress,pid=77,uid=0", ""},
	{"oom-kill:constraint=X,task_memcg=(null),task=stress,pid=77,uid=0", ""},
	{"Task in /1/2 killed", ""},
	{"x Task in /1/2 killed as a result of limit of /1", ""},
	// Groups that are called so that they end elsewhere.
	{"oom-kill:constraint=X,cpuset=a,task_memcg=/b,mems_allowed=0,global_oom,task_memcg=/a,task=stress,pid=77,uid=0", ""},
	{"oom-kill:constraint=X,oom_memcg=/,task_memcg=/a,task_memcg=/b,task=stress,pid=77,uid=0", ""},
	{"oom-kill:constraint=X,task_memcg=/a,task=x,pid=77,uid=0,task=stress,pid=77,uid=0", "/a,task=x,pid=77,uid=0"},
	{"Task in /1 killed as a result of limit of /2 killed as a result of limit of /1", ""},
}

func TestDecodeOOMContext(t *testing.T) {
	v := oomVictim{pid: 77, command: []byte("stress")}
	for _, want := range oomContexts {
		group, ok := decodeOOMContext([]byte(want.line), v, 77)
		if ok != (want.cgroup != "") || ok && string(group) != want.cgroup {
			t.Errorf("%s: %q, %v", want.line, group, ok)
		}
	}
	if group, ok := decodeOOMContext([]byte("Task in /1/2 killed as a result of limit of /1"), v, 76); ok {
		t.Errorf("the group %s of the process that was chosen is that of its child", group)
	}
}

// slowOOMContext is decodeOOMContext by regular expressions.
func slowOOMContext(line string, v oomVictim, chosen uint64) (string, bool) {
	mark := ",task_memcg="
	shape := `(?s-m)^oom-kill:constraint=.*,task_memcg=(/.*),task=` + regexp.QuoteMeta(latin(string(v.command))) +
		`,pid=0*` + strconv.FormatUint(v.pid, 10) + `,uid=[0-9]+$`
	if strings.HasPrefix(line, "Task in ") {
		mark, shape = " killed as a result of limit of ", `(?s-m)^Task in (/.*) killed as a result of limit of .*$`
		if chosen != v.pid {
			return "", false
		}
	}
	m := regexp.MustCompile(shape).FindStringSubmatch(latin(line))
	if m == nil || strings.Count(line, mark) != 1 {
		return "", false
	}
	return unlatin(m[1]), true
}

func FuzzDecodeOOMContext(f *testing.F) {
	for _, context := range oomContexts {
		f.Add([]byte(context.line), uint64(77), []byte("stress"), uint64(77))
	}
	f.Fuzz(func(t *testing.T, line []byte, pid uint64, command []byte, chosen uint64) {
		v := oomVictim{pid: pid, command: command}
		group, ok := decodeOOMContext(line, v, chosen)
		if want, wanted := slowOOMContext(string(line), v, chosen); ok != wanted || ok && string(group) != want {
			t.Fatalf("%q, %v, want %q, %v", group, ok, want, wanted)
		}
	})
}

func TestDecodeOOMChoice(t *testing.T) {
	for line, want := range map[string]uint64{
		"Memory cgroup out of memory: Kill process 3897 (stress) score 1001 or sacrifice child": 3897,
		"Memory cgroup out of memory: Kill process x (stress) score":                            0,
		"Memory cgroup out of memory: Kill process 3897":                                        0,
		"Out of memory: Kill process 1705 (freeswitch) score 482 or sacrifice child":            0, // of no group
	} {
		if pid, ok := decodeOOMChoice([]byte(line)); ok != (want != 0) || ok && pid != want {
			t.Errorf("%s: %d, %v", line, pid, ok)
		}
	}
}

func FuzzDecodeOOMChoice(f *testing.F) {
	f.Add([]byte("Memory cgroup out of memory: Kill process 3897 (stress) score 1001 or sacrifice child"))
	shape := regexp.MustCompile(`(?s-m)^Memory cgroup out of memory: Kill process ([0-9]+) \(`)
	f.Fuzz(func(t *testing.T, line []byte) {
		pid, ok := decodeOOMChoice(line)
		var want uint64
		m := shape.FindStringSubmatch(latin(string(line)))
		wanted := m != nil
		if wanted {
			var err error
			want, err = strconv.ParseUint(m[1], 10, 64)
			wanted = err == nil
		}
		if ok != wanted || ok && pid != want {
			t.Fatalf("%d, %v, want %d, %v", pid, ok, want, wanted)
		}
	})
}
