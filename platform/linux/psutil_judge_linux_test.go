package linux

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// growing are the counters. All else is compared for equality.
var growing = map[string]bool{
	"cpu": true, "disk": true, "switches": true, "minor": true, "major": true, "used": true, "age": true,
}

// comparison is what came of comparing accounts.
type comparison struct {
	lookers []string // PIDs of this test's processes that change while they look
	ways    []way    // of the other side

	rounds, processes int
	equal             map[string]int    // by name, in the last round
	moving            int               // values that were others before and after
	excused           map[string]int    // by the reason, in the last round
	wrong             map[string]string // in every round
}

// round compares three accounts. Only what was wrong in each round before stays so.
func (c *comparison) round(before, got, after account) {
	c.rounds++
	c.equal, c.excused, c.moving, c.processes = map[string]int{}, map[string]int{}, 0, 0
	wrong := map[string]string{}
	for pid, ours := range got {
		if slices.Contains(c.lookers, pid) || before[pid] == nil || before[pid]["start"] != after[pid]["start"] || before[pid]["start"] != ours["start"] {
			continue // came, went, or is another by now
		}
		c.processes++
		for name, theirs := range before[pid] {
			for _, half := range [...]string{name, name + ofPass} {
				value, ok := ours[half]
				if !ok {
					continue
				}
				if fault := c.judge(&claim{pid, name, half, theirs, value, after[pid][name], ours}); fault != "" {
					wrong[half+" of "+pid+" since "+ours["start"]] = fault
				}
			}
		}
	}
	maps.DeleteFunc(wrong, func(what, _ string) bool { return c.rounds > 1 && c.wrong[what] == "" })
	c.wrong = wrong
}

// claim is one value, as both tell it.
type claim struct {
	pid, name, half     string
	before, ours, after string
	process             map[string]string // all that we say of the process
}

// judge returns what is wrong.
func (c *comparison) judge(v *claim) (fault string) {
	if v.name == "state" {
		v.before, v.after = spellState(v.before), spellState(v.after)
	}
	for _, way := range c.ways {
		if way.is(v) {
			c.excused[way.why]++
			return ""
		}
	}
	switch right, still := v.right(); {
	case right:
		c.equal[v.half]++
	case !still:
		c.moving++
	default:
		return fmt.Sprintf("%.2000s\ntheirs: %.2000s\nbefore, %.2000s after", v.ours, v.before, v.after)
	}
	return ""
}

// right reports whether ours is what theirs allow; if it is not, still reports whether
// that is a fault.
func (v *claim) right() (right, still bool) {
	if growing[v.name] && !refused(v.before) && !refused(v.after) {
		return within(v.before, v.ours, v.after), true
	}
	return v.before == v.ours, v.before == v.after
}

// refused reports whether a value is a reason for there being none.
func refused(v string) bool { return strings.HasPrefix(v, "! ") }

// within reports whether each number lies between those before and after. "-" is what
// one of them does not tell.
func within(before, ours, after string) bool {
	low, v, high := strings.Fields(before), strings.Fields(ours), strings.Fields(after)
	if len(low) != len(v) || len(high) != len(v) {
		return false
	}
	for i := range v {
		if v[i] == "-" || low[i] == "-" {
			continue
		}
		l, errLow := strconv.ParseInt(low[i], 10, 64)
		n, err := strconv.ParseInt(v[i], 10, 64)
		h, errHigh := strconv.ParseInt(high[i], 10, 64)
		if err != nil || errLow != nil || errHigh != nil || n < l || n > h {
			return false
		}
	}
	return true
}

// psutilStates are psutil's names of what OpenTelemetry has four names for.
var psutilStates = map[string]platform.State{
	"running": platform.StateRunning, "sleeping": platform.StateSleeping, "disk-sleep": platform.StateSleeping,
	"idle": platform.StateSleeping, "parked": platform.StateSleeping, "waking": platform.StateSleeping,
	"wake-kill": platform.StateSleeping, "stopped": platform.StateStopped, "tracing-stop": platform.StateStopped,
	"zombie": platform.StateDefunct, "dead": platform.StateDefunct,
}

func spellState(theirs string) string {
	if state, ok := psutilStates[theirs]; ok {
		return strconv.FormatUint(uint64(state), 10)
	}
	return theirs
}

// way is where psutil 5.9 tells something else for a reason that we do not follow.
type way struct {
	why string
	is  func(*claim) bool
}

// psutilWays are all of them; those of connections, open files and environments are in
// how these are spelled.
var psutilWays = []way{
	{"psutil is denied what there is another way to", func(v *claim) bool {
		return v.before == "! denied" && !refused(v.ours)
	}},
	{"psutil tells of a kernel thread that it has nothing, is gone (environ), a zombie (full memory), or lies in / (cwd)", func(v *claim) bool {
		empty := v.before == "" || v.before == "2f" || refused(v.before)
		return empty && isKernelThread(v) && (refused(v.ours) || v.ours == "-")
	}},
	{"psutil tells zeros of who has no memory: kernel threads and zombies", func(v *claim) bool {
		none := strings.Trim(v.before, "0 ") == "" && strings.Trim(v.ours, "- ") == ""
		return strings.HasSuffix(v.name, "memory") && none
	}},
	{"psutil tells of a zombie whatever it reads, and nothing where only the first thread has ended", func(v *claim) bool {
		return isZombie(v) && (refused(v.ours) || refused(v.before) || v.ours == "-" || v.before == "")
	}},
	{"psutil finds Uid: and Threads: in the name that a process gives itself", func(v *claim) bool {
		name := v.process["command"+ofPass]
		return strings.Contains(name, hexOf("Uid:")) && slices.Contains([]string{"uids", "owner", "effective user"}, v.name) ||
			strings.Contains(name, hexOf("Threads:")) && slices.Contains([]string{"thread count", "switches"}, v.name)
	}},
	{"psutil looks for the sockets of every process in its own network namespace", func(v *claim) bool {
		return v.name == "connections" && v.process[otherNetwork] != ""
	}},
	{"psutil cuts the name of a thread at its first parenthesis", func(v *claim) bool {
		return v.name == "threads" && strings.Contains(v.process[threadNames], ")")
	}},
}

func isKernelThread(v *claim) bool { return v.process["environ"] == "! kernel" }

func isZombie(v *claim) bool {
	return v.process["state"+ofPass] == strconv.FormatUint(uint64(platform.StateDefunct), 10)
}

// report tells what was found.
func (c *comparison) report(t *testing.T) {
	t.Helper()
	sum := 0
	for _, n := range c.equal {
		sum += n
	}
	t.Logf("%d processes, round %d: %d values are right, %d moved, %d are wrong", c.processes, c.rounds, sum, c.moving, len(c.wrong))
	for why, n := range c.excused {
		t.Logf("%6d %s", n, why)
	}
	for what, fault := range c.wrong {
		t.Errorf("%s: %s", what, fault)
	}
}

// wantEverything fails for a value of ours that was never right.
func (c *comparison) wantEverything(t *testing.T, got account) {
	t.Helper()
	names := map[string]bool{}
	for _, process := range got {
		for name := range process {
			names[name] = true
		}
	}
	for name := range names {
		if name != "start" && name != threadNames && name != otherNetwork && c.equal[name] == 0 {
			t.Errorf("%s was never compared", name)
		}
	}
}
