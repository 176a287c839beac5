package linux

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Two processes that have one PID one after the other, within one read, are told apart:
// each beginning, end and exit record is of its own.
func TestWatchReusedPID(t *testing.T) {
	_, w := listening(t, "taskstats", platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited, platform.ProcessAccounted)
	pid := twins(t)
	all := until(t, w, func(all []happening) bool {
		return times(all, pid, platform.ProcessExited) >= 2 && times(all, pid, platform.ProcessAccounted) >= 2
	})
	var starts []uint64
	var used []time.Duration
	var codes []int64
	for _, h := range all {
		if h.Key.ID != uint64(pid) {
			continue
		}
		switch h.Kind {
		case platform.ProcessStarted:
			starts = append(starts, h.Key.Start)
		case platform.ProcessExited:
			codes = append(codes, h.Exit.Code)
		case platform.ProcessAccounted:
			used = append(used, time.Duration(h.user+h.system))
		}
	}
	if len(starts) != 2 || len(codes) != 2 || len(used) != 2 {
		t.Fatalf("%d beginnings, %d ends, %d records", len(starts), len(codes), len(used))
	}
	if starts[0] >= starts[1] || codes[0] != 3 || codes[1] != 4 || used[0] < burnt || used[1] >= burnt {
		t.Errorf("started at %d, ended with %d, used %v", starts, codes, used)
	}
}

const burnt = 50 * time.Millisecond

// twins runs two processes with one PID, which end with 3 and 4.
func twins(t *testing.T) (pid int) {
	t.Helper()
	const tries = 50 // somebody else may take the PID first
	for range tries {
		first := exec.Command("/bin/sh", "-c", "exec \"$0\"", os.Args[0])
		first.Env = append(os.Environ(), burnVariable+"="+burnt.String(), burnCodeVariable+"=3")
		first.Run()
		pid = first.Process.Pid
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Skip("the next PID can't be chosen:", err)
		}
		second := exec.Command("/bin/sh", "-c", "exit 4")
		second.Run()
		if second.Process.Pid == pid {
			return pid
		}
	}
	t.Skipf("in %d tries no PID was used again", tries)
	return 0
}
