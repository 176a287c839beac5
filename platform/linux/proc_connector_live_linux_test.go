package linux

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// threadsVariable makes this program a process of two threads that end in an unusual
// order.
const threadsVariable = "PIDOMETER_TEST_THREADS"

const (
	executes = "executes" // the second thread executes a shell, which reads and returns 3
	outlives = "outlives" // the first thread ends; the second one reads and ends all with 4
)

func init() {
	if os.Getenv(threadsVariable) != "" {
		runtime.LockOSThread() // the main goroutine is the first thread
	}
}

// beThreads is what that process does.
func beThreads(which string) {
	go func() {
		runtime.LockOSThread()
		if which == executes {
			panic(syscall.Exec("/bin/sh", []string{"sh", "-c", "read go; exit 3"}, []string{threadsVariable + "="}))
		}
		os.Stdin.Read(make([]byte, 1))
		os.Exit(4)
	}()
	if which == outlives {
		syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	}
	select {}
}

// threads starts that process.
func threads(t *testing.T, which string) (pid int, end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), threadsVariable+"="+which)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	return cmd.Process.Pid, func() { in.Close(); cmd.Wait() }
}

// A process that executes a program in another than its first thread lives on.
func TestWatchExecOfThread(t *testing.T) {
	_, w := listening(t, "proc connector", platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)
	pid, end := threads(t, executes)
	all := until(t, w, func(all []happening) bool { return times(all, pid, platform.ProcessExecuted) == 2 })
	if n := times(all, pid, platform.ProcessExited); n != 0 {
		t.Errorf("%d ends are told of a process that runs", n)
	}
	end()
	all = until(t, w, func(all []happening) bool { return times(all, pid, platform.ProcessExited) > 0 })
	if ended := of(all, pid, platform.ProcessExited); ended.Exit != (platform.Exit{Known: true, Code: 3}) {
		t.Errorf("%+v", ended.Exit)
	}
}

// A process ends with its last thread, and not with its first one.
func TestWatchOutlivedThread(t *testing.T) {
	_, w := listening(t, "proc connector", platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)
	var outlived *pidfds
	for _, l := range w.(*watch).listeners {
		if c, ok := l.(*connector); ok {
			outlived = &c.outlived
		}
	}
	pid, end := threads(t, outlives)
	all := until(t, w, func(all []happening) bool {
		return outlived.open[uint64(pid)] != nil || times(all, pid, platform.ProcessExited) > 0
	})
	if n := times(all, pid, platform.ProcessExited); n != 0 {
		t.Fatalf("%d ends are told of a process that runs", n)
	}
	end()
	all = until(t, w, func(all []happening) bool { return times(all, pid, platform.ProcessExited) > 0 })
	if ended := of(all, pid, platform.ProcessExited); ended.Exit.Known && ended.Exit != (platform.Exit{Known: true, Code: 4}) {
		t.Errorf("%+v", ended.Exit)
	}
	t.Logf("%+v", of(all, pid, platform.ProcessExited).Exit)
}

// times is how often something happened to a process.
func times(all []happening, pid int, kind platform.OccurrenceKind) (n int) {
	for _, h := range all {
		if h.Key.ID == uint64(pid) && h.Kind == kind {
			n++
		}
	}
	return n
}
