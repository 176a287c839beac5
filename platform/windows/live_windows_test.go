package windows

import (
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/platformtest"
)

// Every promise of package platform holds on the kernel that the tests run on.
func TestLiveBackend(t *testing.T) {
	platformtest.TestBackend(t, func() (platform.Backend, error) { return New(Options{}) })
}

// hasParent says that the test runs as a child of itself.
const hasParent = "PIDOMETER_TEST_HAS_PARENT"

// And what it promises of details, of a process whose parent lives: one that is started
// from outside of Wine has none.
func TestLiveInspector(t *testing.T) {
	if os.Getenv(hasParent) == "" {
		path, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(path, "-test.run", "^TestLiveInspector$", "-test.v")
		c.Env = append(os.Environ(), hasParent+"=yes")
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestLiveInspector/kin") {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	platformtest.TestInspector(t, func() (platform.Backend, error) { return New(Options{}) })
}

// asChild makes the test a process that waits to be looked at.
const asChild = "PIDOMETER_TEST_AS_CHILD"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asService {
		if svc.Run("", obedient{}) != nil {
			os.Exit(1)
		}
		return
	}
	if mode := os.Getenv(asChild); mode != "" {
		os.Stdout.WriteString("!")
		io.Copy(io.Discard, os.Stdin)
		if mode == "exit with 77" {
			os.Exit(77)
		}
		return
	}
	os.Exit(m.Run())
}

// Name, arguments, environment, program and owner of a child are what it was given,
// in every writing.
func TestLiveChild(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"日本 語", `back\slash\"quote`, "", "tail\\"}
	c := exec.Command(path, args...)
	c.Env = append(os.Environ(), asChild+"=größe")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer stdin.Close()
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, ok := passOver(t, b, allProcessSources).process(uint64(c.Process.Pid))
	if !ok {
		t.Fatalf("%d is not there", c.Process.Pid)
	}
	want := strings.Join(append([]string{path}, args...), "\x00") + "\x00"
	if got := s.texts[platform.ProcessArguments]; got != want {
		t.Errorf("arguments %q, want %q", got, want)
	}
	if got := s.texts[platform.ProcessEnvironment]; !strings.Contains(got, asChild+"=größe\x00") {
		t.Errorf("environment %q", got)
	}
	if got := s.texts[platform.ProcessExecutable]; !strings.EqualFold(got, path) {
		t.Errorf("program %q, want %q", got, path)
	}
	if got := s.texts[platform.ProcessCommand]; !strings.EqualFold(got, filepath.Base(path)) {
		t.Errorf("name %q", got)
	}
	if account, err := user.Current(); err == nil && !strings.EqualFold(s.texts[platform.ProcessOwner], account.Username) {
		t.Errorf("owner %q, want %q", s.texts[platform.ProcessOwner], account.Username)
	}
	expect(t, "the child", s, map[platform.Field]uint64{platform.ProcessParent: uint64(os.Getpid())})
	if s.fields[platform.ProcessThreads] == 0 || s.fields[platform.ProcessHandles] == 0 || s.fields[platform.ProcessMemoryRSS] < 1<<20 {
		t.Errorf("fields %v", s.fields)
	}
}

// A command line is split as Windows itself splits it.
func TestLiveCommandLine(t *testing.T) {
	for _, line := range []string{`a b c`, `"C:\Program Files\a.exe" "b c" d`, `a b\\\"c`, `a "b\\" c`, `a "" x`, `a 日本 "語 語"`} {
		want, err := windows.DecomposeCommandLine(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(decodeCommandLine([]byte(line))); got != strings.Join(want, "\x00")+"\x00" {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// What ended while somebody holds it open is told to be gone, though it can be opened.
func TestLiveEnded(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path)
	c.Env = append(os.Environ(), asChild+"=1")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(c.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	c.Wait()
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, ok := passOver(t, b, allProcessSources).process(uint64(c.Process.Pid))
	if ok && (s.fields[platform.ProcessState] != uint64(platform.StateDefunct) || s.texts[platform.ProcessArguments] != "") {
		t.Errorf("a process that ended: %v %v", s.fields, s.texts)
	}
}

// The services are those that the service control manager has, each in one state, and
// one that runs does so in a process that is there.
func TestLiveServices(t *testing.T) {
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := passOver(t, b, only|1<<fromServices)
	running := 0
	for key, s := range r.of[platform.Service] {
		sum := uint64(0)
		for _, f := range serviceStates[1:] {
			sum += s.fields[f]
		}
		if pid, ok := s.fields[platform.ServiceProcess]; ok {
			running++
			if _, lives := r.process(pid); !lives && s.fields[platform.ServiceRunning] == 1 {
				t.Logf("%s runs in %d, which began after the table was read", key.Name, pid)
			}
		}
		if sum != 1 || key.Name == "" {
			t.Errorf("%q: %v", key.Name, s.fields)
		}
	}
	if running == 0 {
		t.Errorf("none of %d services runs, missed %v", len(r.of[platform.Service]), r.misses)
	}
}
