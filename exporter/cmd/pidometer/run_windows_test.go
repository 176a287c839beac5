package main_test

import (
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// The sidecar ships the host and its processes from Windows as from anywhere.
func TestRunDeliversOnWindows(t *testing.T) {
	for _, processes := range []string{"top", "all"} {
		t.Run(processes, func(t *testing.T) {
			r := otlptest.Start(t)
			start(t, exec.Command(program(t), "run", "--otlp", "http://"+r.Addr, "--interval", "1s", "--processes", processes))
			requests := r.WaitFor(t, "two passes", otlptest.AtLeast(2))
			for _, name := range []string{"process.cpu.time", "process.memory.usage", "process.windows.handle.count", "system.cpu.time", "system.memory.usage", "system.network.io"} {
				if len(otlptest.Numbers(requests, name)) == 0 {
					t.Errorf("no %s", name)
				}
			}
			if !executables(requests)["services.exe"] {
				t.Errorf("services.exe is not among %v", executables(requests))
			}
		})
	}
}

// As a service the sidecar starts, answers, and delivers its last pass when it is
// stopped.
func TestServiceOnWindows(t *testing.T) {
	r := otlptest.Start(t)
	m, err := mgr.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Disconnect()
	s, err := m.CreateService("pidometer-test", program(t), mgr.Config{StartType: mgr.StartManual}, asProgram,
		"run", "--service", "--otlp", "http://"+r.Addr, "--interval", "1h")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer s.Delete()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	first := len(r.WaitFor(t, "the first data", otlptest.AtLeast(1)))
	if status, err := s.Query(); err != nil || status.State != svc.Running {
		t.Errorf("it is %v, %v", status.State, err)
	}
	if _, err := s.Control(svc.Stop); err != nil {
		t.Fatal(err)
	}
	r.WaitFor(t, "the last data", otlptest.AtLeast(first+1))
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(50 * time.Millisecond) {
		status, err := s.Query()
		if err == nil && status.State != svc.Stopped {
			continue
		}
		if err != nil || status.Win32ExitCode != 0 {
			t.Errorf("it ended with %d, %v", status.Win32ExitCode, err)
		}
		return
	}
	t.Error("it did not end within a minute")
}
