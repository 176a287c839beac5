package linux

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/platform"
)

// systemdPrograms are where systemd is installed.
var systemdPrograms = []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd"}

// playSystemd becomes the systemd of a machine of its own: first process of a PID
// namespace, with nothing mounted that is others'.
func playSystemd() {
	mounts := []struct{ kind, point string }{
		{"tmpfs", "/run"}, {"tmpfs", "/var/log"}, {"tmpfs", "/etc/systemd/system"},
		{"proc", "/proc"}, {"tmpfs", "/sys/fs/cgroup"}, {"cgroup2", "/sys/fs/cgroup"},
	}
	failed := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	for _, m := range mounts {
		if failed == nil {
			failed = unix.Mount(m.kind, m.point, m.kind, 0, "")
		}
	}
	const units = "/run/systemd/system/"
	if failed == nil {
		failed = os.MkdirAll(units, 0o755)
	}
	for name, content := range testUnits {
		if failed == nil {
			failed = os.WriteFile(units+name, []byte(content), 0o644)
		}
	}
	if failed == nil {
		program := os.Args[1]
		failed = syscall.Exec(program, []string{program, "--system", "--unit=rest.target", "--log-target=null", "--show-status=no"},
			[]string{"container=test", "PATH=" + os.Getenv("PATH")})
	}
	fmt.Println("cannot be a systemd:", failed)
	os.Exit(1)
}

var testUnits = map[string]string{
	"rest.target":    "[Unit]\nDefaultDependencies=no\n",
	"sleeps.service": "[Unit]\nDescription=It sleeps\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n",
	"fails.service":  "[Unit]\nDescription=It fails\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c 'exit 3'\n",
	"killed.service": "[Unit]\nDescription=It is killed\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c 'kill -ABRT $$$$'\n",
}

// insideVariable says that a test runs in the machine that a systemd was booted for.
const insideVariable = "PIDOMETER_TEST_INSIDE"

// bootSystemd boots a systemd, and returns a command that runs this test inside.
func bootSystemd(t *testing.T) *exec.Cmd {
	t.Helper()
	program := ""
	for _, p := range systemdPrograms {
		if _, err := os.Stat(p); err == nil {
			program = p
		}
	}
	if program == "" {
		t.Skip("systemd is not installed here")
	}
	for _, tool := range []string{"systemctl", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	boot := exec.Command(exe, program)
	boot.Env = append(os.Environ(), roleVariable+"=systemd")
	boot.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP,
	}
	var said strings.Builder
	boot.Stdout = &said
	if err := boot.Start(); err != nil {
		t.Skipf("no machine of its own can be made here: %v", err)
	}
	over := make(chan struct{})
	go func() {
		boot.Wait()
		close(over)
	}()
	t.Cleanup(func() {
		boot.Process.Kill()
		<-over
	})
	inside := []string{"-t", strconv.Itoa(boot.Process.Pid), "-m", "-p"}
	for exec.Command("nsenter", append(inside, "systemctl", "is-active", "rest.target")...).Run() != nil {
		select {
		case <-over:
			t.Skipf("systemd does not boot here: %s", said.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	run := exec.Command("nsenter", append(inside, exe, "-test.run", "^"+t.Name()+"$", "-test.v")...)
	run.Env = append(os.Environ(), insideVariable+"=1")
	return run
}

func TestLiveSystemd(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		out, err := bootSystemd(t).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "\n--- PASS") {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%s", out)
		return
	}
	w := watching(t, machine(t), platform.ServiceChanged)
	if tier := tierOf(t, w, systemdName); tier.Err != nil {
		t.Fatal(tier.Err)
	}
	for _, args := range [][]string{{"start", "sleeps"}, {"start", "fails"}, {"start", "killed"}, {"stop", "sleeps"}} {
		if out, err := exec.Command("systemctl", args...).CombinedOutput(); err != nil {
			t.Fatalf("systemctl %s: %v\n%s", args, err, out)
		}
	}
	for _, h := range hear(t, w, func(h heard) bool { return h.Key.Name == "sleeps.service" && h.state == "inactive" }) {
		t.Logf("%v %v %s<-%s %s %+v", h.At, h.Key, h.state, h.before, h.title, h.Exit)
	}
}
