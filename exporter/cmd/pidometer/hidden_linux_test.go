package main_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// behind is the program behind a /proc of its own, mounted with the given options. It
// runs by way of another program, if there is one.
func behind(t *testing.T, flags uintptr, options, way string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip(err)
	}
	command := func(script string, args ...string) *exec.Cmd {
		c := exec.Command("sh", append([]string{"-c", "mount -t proc -o " + options + " proc /proc && " + script, "sh"}, args...)...)
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Unshareflags: syscall.CLONE_NEWNS}
		return c
	}
	if out, err := command("true").CombinedOutput(); err != nil {
		t.Skipf("no /proc can be mounted here: %v %s", err, out)
	}
	return command("exec "+way+` "$@"`, append([]string{program(t)}, args...)...)
}

const asNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups"

// Whoever asks for a process that is not to be seen is told what hides it, and the
// remedy, in one line.
func TestInspectHidden(t *testing.T) {
	for _, test := range []struct {
		flags             uintptr
		options, way, pid string
		hidden, andRemedy string
	}{
		{0, "hidepid=2", asNobody, "1", "hidepid=", "CAP_SYS_PTRACE"},
		{syscall.CLONE_NEWPID, "rw", "", "4711", "PID namespace", "--pid=host"},
	} {
		c := behind(t, test.flags, test.options, test.way, "inspect", test.pid)
		out, err := c.CombinedOutput()
		says := string(out)
		for _, want := range []string{"there is no process " + test.pid + ";", test.hidden, test.andRemedy} {
			if c.ProcessState == nil || c.ProcessState.ExitCode() != 1 || strings.Count(says, "\n") != 1 || !strings.Contains(says, want) {
				t.Errorf("%v, %q, want one line with %q", err, says, want)
			}
		}
	}
}

// The sidecar tells it once, however many passes it makes.
func TestRunHidden(t *testing.T) {
	r := otlptest.Start(t)
	s := start(t, behind(t, 0, "hidepid=2", asNobody, "run", "--otlp", "http://"+r.Addr, "--interval", "100ms"))
	r.WaitFor(t, "three passes", otlptest.AtLeast(3))
	s.Process.Signal(syscall.SIGTERM)
	s.ended(t)
	if says := s.log.String(); strings.Count(says, "hidepid=") != 1 || !strings.Contains(says, "CAP_SYS_PTRACE") {
		t.Errorf("it says %s", says)
	}
}
