package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// open is the JSON of pidometer inspect as somebody with jq sees it.
type open map[string]any

func inspected(t *testing.T, args ...string) open {
	t.Helper()
	out, log, code := run(t, append([]string{"inspect", "--format", "json"}, args...)...)
	if code != 0 || log != "" || strings.Count(out, "\n") != 1 {
		t.Fatalf("inspect %v: status %d, log %q", args, code, log)
	}
	var d open
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows a path of members, "" where there is none.
func (d open) at(path ...string) string {
	var v any = map[string]any(d)
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok || m[p] == nil {
			return ""
		}
		v = m[p]
	}
	return fmt.Sprint(v)
}

func TestInspectItself(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "bad\xffname"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := inspected(t, strconv.Itoa(os.Getpid()))
	cwd, _ := os.Getwd()
	for want, path := range map[string][]string{
		strconv.Itoa(os.Getpid()): {"pid"}, strconv.Itoa(os.Getppid()): {"parent_pid"}, cwd: {"working_directory"},
		strconv.Itoa(os.Getuid()): {"user_ids", "effective"},
	} {
		if got := d.at(path...); got != want {
			t.Errorf("%v is %q, want %q", path, got, want)
		}
	}
	for _, member := range []string{"executable_name", "executable_path", "command_args", "creation_time", "cpu", "cpu_affinity",
		"cpu_number", "memory", "memory_utilization", "owner", "group_ids", "state", "nice", "thread_count", "file_descriptor_count",
		"disk", "context_switches", "page_faults", "children", "open_files", "connections", "threads", "limits", "memory_maps"} {
		if d[member] == nil {
			t.Errorf("no %s: %v", member, d["missing"])
		}
	}
	if d["environment"] != nil {
		t.Error("the environment is shown although nobody asked for it")
	}
	if got := d.at("connections"); !strings.Contains(got, l.Addr().String()) || !strings.Contains(got, "listen") {
		t.Errorf("the listening socket %s is not in %s", l.Addr(), got)
	}
	if got := d.at("open_files"); !strings.Contains(got, `bad\xffname`) {
		t.Errorf("the open file is not in %s", got)
	}
	if limits, _ := d["limits"].([]any); len(limits) != 16 {
		t.Errorf("%d limits, want the sixteen of getrlimit(2)", len(limits))
	}
}

func TestInspectEnvironment(t *testing.T) {
	c := exec.Command("sleep", "60")
	c.Env = []string{"A=1", "EMPTY=", "BAD=\xff"}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	d := inspected(t, strconv.Itoa(c.Process.Pid), "--environ")
	var got []string
	for _, v := range d["environment"].([]any) {
		got = append(got, v.(string))
	}
	if !slices.Equal(got, []string{"A=1", "EMPTY=", `BAD=\xff`}) {
		t.Errorf("environment %q", got)
	}
	if d.at("connections") != "[]" || d.at("children") != "[]" {
		t.Errorf("known to be empty: connections %v, children %v", d["connections"], d["children"])
	}
}

// A zombie and a kernel thread are told from what is denied and from what is gone.
func TestInspectTellsWhy(t *testing.T) {
	c := exec.Command("true")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Wait() })
	pid := strconv.Itoa(c.Process.Pid)
	for inspected(t, pid).at("state") != "defunct" {
	}
	if got := inspected(t, pid).at("missing", "open_files"); got != "zombie" {
		t.Errorf("open files of a zombie are missing for %q", got)
	}
	c.Wait()
	if _, log, code := run(t, "inspect", pid); code != 1 || strings.Count(log, "\n") != 1 {
		t.Errorf("a process that is gone: status %d, log %q", code, log)
	}
	if name, err := os.ReadFile("/proc/2/comm"); err != nil || strings.TrimSpace(string(name)) != "kthreadd" {
		t.Skip("process 2 is no kernel thread here: a container has none")
	}
	if got := inspected(t, "2").at("missing", "command_args"); got != "kernel thread" {
		t.Errorf("arguments of a kernel thread are missing for %q", got)
	}
}

func TestInspectBadInput(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"inspect"}, 2, "takes a PID"},
		{[]string{"inspect", "abc"}, 2, "no PID"},
		{[]string{"inspect", "1", "--format", "otlp"}, 2, "table and json"},
		{[]string{"inspect", "1", "2"}, 2, "no argument"},
		{[]string{"inspect", "-5"}, 1, "below 1"},
		{[]string{"inspect", "0"}, 1, "below 1"},
		{[]string{"inspect", "99999999"}, 1, "pid_max"},
		{[]string{"inspect", "99999999999999999999"}, 1, "pid_max"},
		{[]string{"inspect", "-99999999999999999999"}, 1, "below 1"},
		{[]string{"inspect", strconv.Itoa(anotherThread(t))}, 1, fmt.Sprintf("is a thread of process %d", os.Getpid())},
		{[]string{"inspect", strconv.Itoa(ended(t))}, 1, "there is no process"},
		{[]string{"inspect", "1", "--root", t.TempDir()}, 2, "holds no proc"},
		{[]string{"inspect", "host", "--root", "/dev/null"}, 2, "there is no folder /dev/null"},
		{[]string{"once", "--sort", "age"}, 2, "uss"},
		{[]string{"cpus", "--count", "-1"}, 2, "below zero"},
	} {
		out, log, code := run(t, test.args...)
		if code != test.code || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, test.says) {
			t.Errorf("pidometer %s: status %d, output %q, log %q; want %d, none, one line with %q",
				strings.Join(test.args, " "), code, out, log, test.code, test.says)
		}
	}
}

// anotherThread returns the number of a thread that is not the first.
func anotherThread(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		if id, err := strconv.Atoi(task.Name()); err == nil && id != os.Getpid() {
			return id
		}
	}
	t.Fatal("the Go runtime has one thread only")
	return 0
}

// ended returns the PID of a process that is no more. It may be another's only when all
// numbers behind it have been given away.
func ended(t *testing.T) int {
	t.Helper()
	c := exec.Command("true")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	return c.Process.Pid
}

func TestInspectListings(t *testing.T) {
	for _, test := range []struct {
		args  []string
		shows []string
	}{
		{[]string{"inspect", strconv.Itoa(os.Getpid())}, []string{"executable", "cpu times", "RLIMIT_NOFILE", "threads (", "memory maps ("}},
		{[]string{"inspect", "host"}, []string{"lo ", "netmask 255.0.0.0", "MOUNTED ON"}},
		{[]string{"once", "--sort", "uss"}, []string{"USS", "COMMAND", "pidometer"}},
		{[]string{"cpus", "--count", "1", "--interval", "100ms"}, []string{"cpu 0"}},
	} {
		out, log, code := run(t, test.args...)
		if code != 0 || log != "" {
			t.Errorf("%v: status %d, log %q", test.args, code, log)
		}
		for _, want := range test.shows {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %q in\n%s", test.args, want, out)
			}
		}
	}
}
