package linux

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// sourceOf returns the source of a path under /proc, and the PID in it.
func sourceOf(path string) (source int, pid string) {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(parts) < 3 || strings.Trim(parts[2], "0123456789") != "" {
		return -1, ""
	}
	pid = parts[2]
	if len(parts) == 3 {
		return pidStat, pid
	}
	switch parts[3] {
	case "stat":
		return pidStat, pid
	case "statm":
		return pidStatm, pid
	case "status":
		return pidStatus, pid
	case "io":
		return pidIO, pid
	case "fd":
		return pidFD, pid
	case "task":
		return pidTask, pid
	case "smaps_rollup":
		return pidMaps, pid
	case "limits":
		return pidLimits, pid
	case "ioprio", "comm":
		return pidIOPriority, pid
	case "exe":
		return pidExe, pid
	case "cmdline":
		return pidCmdline, pid
	case "environ":
		return pidEnviron, pid
	case "cgroup":
		return pidCgroup, pid
	}
	return -1, ""
}

// Every single call of a pass fails in every way: what it was for is missing, for
// the right reason, and all else is there.
func TestFaults(t *testing.T) {
	faults := []struct {
		err error
		why platform.Reason
	}{
		{os.ErrProcessDone, platform.Gone},
		{fs.ErrPermission, platform.Denied},
		{errors.ErrUnsupported, platform.Unsupported},
		{syscall.EIO, platform.Unknown},
		{syscall.EMFILE, platform.Unknown},
	}
	calls := callsOfPass(t)
	for _, fault := range faults {
		for at := 1; at <= calls; at++ {
			faultAt(t, at, fault.err, fault.why)
		}
	}
}

// callsOfPass returns how many calls a second pass makes.
func callsOfPass(t *testing.T) int {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	w.calls = 0
	read(t, b, lone)
	return w.calls
}

func faultAt(t *testing.T, at int, fault error, why platform.Reason) {
	w := newWorld(t)
	b := w.backend(Options{})
	open := w.leaked()
	w.calls = 0
	var hit string
	w.before = func(_ *world, call int, op, path string) error {
		if call != at {
			return nil
		}
		hit = path
		return fault
	}
	s := newSeen()
	reader, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = reader.Read(lone, s)
	reader.Close()
	w.before = nil
	if got := w.leaked(); got != open {
		t.Fatalf("%v in call %d, %s: %d handles are open, want %d", fault, at, hit, got, open)
	}
	if strings.HasPrefix(hit, "/proc/.") {
		if !errors.Is(err, fault) || len(s.keys) > 0 {
			t.Fatalf("%v of the list gave %v and %d samples", fault, err, len(s.keys))
		}
	} else if err != nil {
		t.Fatalf("%v in call %d, %s: %v", fault, at, hit, err)
	} else {
		checkFault(t, s, hit, why)
	}
	b.Close()
	if n := w.leaked(); n != 0 {
		t.Fatalf("%d handles are left", n)
	}
}

// checkFault checks what a pass told in which the path failed.
func checkFault(t *testing.T, s *seen, path string, why platform.Reason) {
	t.Helper()
	source, pid := sourceOf(path)
	for _, p := range []task{firstOf42, only43} {
		want, got := wanted(p), s.fields[p.pid]
		hit := source >= 0 && (p.pid == 42 && pid == "42" || p.pid == 43 && pid == "43")
		if hit && source == pidStat {
			if got != nil || s.misses[pidStat][why] != 1 {
				t.Fatalf("%s: a sample %v, misses %v", path, got, s.misses)
			}
			continue
		}
		for f, v := range want {
			have, ok := got[f]
			if mayLack(pidChildren, f) || mayLack(pidSockets, f) {
				continue // not asked for
			}
			if ok && have == v || hit && mayLack(source, f) || source < 0 && (fromMoment(f) || strings.HasPrefix(path, "/sys/fs/cgroup") && fromGroups(f) || strings.HasPrefix(path, "/proc/self/status") && f == platform.ProcessIOPriorityBestEffort) {
				continue
			}
			t.Fatalf("%s, %d: %v is %d, %v, want %d", path, p.pid, f, have, ok, v)
		}
	}
	threads := strings.Contains(path, "/task/") // of one thread: the others are summed
	if source > pidStat && pid != "1" && !threads && s.misses[source][why] == 0 {
		t.Fatalf("%s: misses %v", path, s.misses)
	}
}

// mayLack reports whether a fault of a source may cost the field, or leave the
// less exact one of another source.
func mayLack(source int, f platform.Field) bool {
	if source == pidStatus && (f == platform.ProcessSwitchesVoluntary || f == platform.ProcessSwitchesInvoluntary) {
		return true // of the only thread
	}
	for _, g := range pidSources(64)[source].Gives {
		if g.Field == f {
			return true
		}
	}
	return source == pidStatus && f == platform.ProcessUser || source == pidCgroup && fromGroups(f)
}

// fromGroups reports whether a field takes the control groups above the process.
func fromGroups(f platform.Field) bool {
	return f == platform.ProcessCPULimit || f == platform.ProcessMemoryLimit
}

// fromMoment reports whether a field takes what is read once in a pass.
func fromMoment(f platform.Field) bool {
	return f == platform.ProcessUptime || f == platform.ProcessCPUIowait
}

// Half a file or garbage in it never gives a number that was not there.
func TestDamage(t *testing.T) {
	calls := callsOfPass(t)
	for at := 1; at <= calls; at++ {
		for _, garble := range []bool{false, true} {
			w := newWorld(t)
			b := w.backend(Options{})
			w.calls = 0
			if garble {
				w.garble = at
			} else {
				w.short = at
			}
			s := read(t, b, lone)
			for _, p := range []task{firstOf42, only43} {
				checkDamage(t, at, garble, wanted(p), s.fields[p.pid])
			}
			b.Close()
			if n := w.leaked(); n != 0 {
				t.Fatalf("%d handles are left", n)
			}
		}
	}
}

func checkDamage(t *testing.T, at int, garble bool, want, got map[platform.Field]uint64) {
	t.Helper()
	for f, v := range got {
		switch f {
		case platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary, platform.ProcessMemoryRSS:
			if v > want[f] {
				t.Fatalf("call %d, garble %v: %v is %d of %d", at, garble, f, v, want[f])
			}
		default:
			if v != want[f] && !fromMoment(f) {
				t.Fatalf("call %d, garble %v: %v is %d, want %d", at, garble, f, v, want[f])
			}
		}
	}
}

// Before each call of a pass in turn, the process 42 ends and another gets its
// PID. Whatever is told of 42 is of one of them.
func TestReuseInMidPass(t *testing.T) {
	for _, set := range []platform.SourceSet{lone, statAlone, 1<<pidStat | 1<<pidIO, 1 << etcPasswd} {
		olds, news := 0, 0
		for at := 1; at <= callsOfPass(t); at++ {
			w := newWorld(t)
			b := w.backend(Options{})
			w.calls = 0
			w.before = func(w *world, call int, _, _ string) error {
				if call == at {
					w.start(secondOf42)
				}
				return nil
			}
			s := read(t, b, set)
			b.Close()
			got := s.fields[42]
			switch {
			case s.keys[platform.Key{ID: 42, Start: 5000}]:
				oneOf(t, at, got, wanted(firstOf42))
				olds++
			case s.keys[platform.Key{ID: 42, Start: 5001}]:
				oneOf(t, at, got, wanted(secondOf42))
				news++
			}
		}
		if olds == 0 || news == 0 {
			t.Errorf("%b: saw the first %d times, the second %d times", set, olds, news)
		}
	}
}

func oneOf(t *testing.T, at int, got, want map[platform.Field]uint64) {
	t.Helper()
	for f, v := range got {
		if v > want[f] || v != want[f] && f != platform.ProcessMemoryRSS &&
			f != platform.ProcessSwitchesVoluntary && f != platform.ProcessSwitchesInvoluntary {
			t.Fatalf("call %d: %v is %d, want %d", at, f, v, want[f])
		}
	}
}
