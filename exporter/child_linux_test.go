package exporter

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// TestPID1 runs the child as the first process of a PID namespace, which no signal
// of its own can kill (pid_namespaces(7)).
func TestPID1(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "flush", receiver.Addr, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	})
	s.signal(t, syscall.SIGTERM)
	s.expect(t, "PID 1")
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 128+15 || !delivered(receiver) {
		t.Errorf("ended with %#x, delivered: %v", ws, delivered(receiver))
	}
}
