package main_test

import (
	"os/exec"
	"testing"

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
