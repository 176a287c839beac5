package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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
// namespace, with nothing mounted that is others', in the control group that it is given.
func playSystemd() {
	runtime.LockOSThread()
	program, procs := os.Args[1], os.Args[2]
	failed := os.WriteFile(procs, []byte("0"), 0)
	if failed == nil {
		failed = unix.Unshare(unix.CLONE_NEWCGROUP)
	}
	if failed == nil {
		failed = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	for _, m := range []struct{ kind, point string }{
		{"tmpfs", "/run"}, {"tmpfs", "/var/log"}, {"tmpfs", "/etc/systemd/system"},
		{"proc", "/proc"}, {"tmpfs", "/sys/fs/cgroup"}, {"cgroup2", "/sys/fs/cgroup"},
	} {
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
		failed = syscall.Exec(program, []string{program, "--system", "--unit=rest.target", "--log-target=null", "--show-status=no"},
			[]string{"container=test", "PATH=" + os.Getenv("PATH")})
	}
	fmt.Println("cannot be a systemd:", failed)
	os.Exit(1)
}

// ownGroup makes a control group of version 2 under that of this process, to be removed
// with all that is made in it, and returns the file that lets a process in.
func ownGroup(t *testing.T) (procs string) {
	t.Helper()
	content, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip(err)
	}
	var paths cgroupPaths
	decodePidCgroup(content, &paths)
	for _, mount := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		own := filepath.Join(mount, string(paths[unified]))
		if _, err := os.Stat(filepath.Join(own, "cgroup.procs")); err != nil || paths[unified] == nil {
			continue
		}
		dir := filepath.Join(own, fmt.Sprintf("pidometer-test-systemd-%d", os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Skipf("no control group: %v", err)
		}
		t.Cleanup(func() { removeGroups(t, dir) })
		return filepath.Join(dir, "cgroup.procs")
	}
	t.Skip("no control groups of version 2 here")
	return ""
}

// removeGroups removes a control group and those in it, once their processes are gone.
func removeGroups(t *testing.T, dir string) {
	var dirs []string
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	slices.Reverse(dirs)
	for _, d := range dirs {
		err := os.Remove(d)
		for begin := time.Now(); errors.Is(err, syscall.EBUSY) && time.Since(begin) < longWait; err = os.Remove(d) {
			time.Sleep(10 * time.Millisecond)
		}
		if err != nil {
			t.Errorf("a control group is left: %v", err)
		}
	}
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
	boot := exec.Command(exe, program, ownGroup(t))
	boot.Env = append(os.Environ(), roleVariable+"=systemd")
	boot.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
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
	begin := time.Now()
	inside := []string{"-t", strconv.Itoa(boot.Process.Pid), "-m", "-p"}
	for exec.Command("nsenter", append(inside, "systemctl", "is-active", "rest.target")...).Run() != nil {
		select {
		case <-over:
			t.Skipf("systemd does not boot here: %s", said.String())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(begin) > longWait {
			t.Skip("systemd does not boot here in time")
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
	now := map[string]heard{}
	all := hear(t, w, func(h heard) bool {
		now[h.Key.Name] = h
		return now["sleeps.service"].state == "inactive" && now["fails.service"].state == "failed" && now["killed.service"].state == "failed"
	})
	for i, h := range all {
		t.Log(brief(all[i : i+1]))
		if h.At.IsZero() || time.Since(h.At) > time.Hour {
			t.Errorf("%s: it was at %v", h.Key.Name, h.At)
		}
	}
	for name, want := range map[string]platform.Exit{
		"fails.service": {Known: true, Code: 3}, "killed.service": {Known: true, Signal: int(unix.SIGABRT)}, "sleeps.service": {Known: true, Signal: int(unix.SIGTERM)},
	} {
		if h := now[name]; h.Key.ID == 0 || h.Exit.Code != want.Code || h.Exit.Signal != want.Signal || !h.Exit.Known {
			t.Errorf("%s ended so: %+v", name, h)
		}
	}
}
