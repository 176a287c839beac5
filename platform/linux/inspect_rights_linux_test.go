package linux

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// playStranger looks at the process TARGET, and says what came of it.
func playStranger() {
	b := try(New(Options{})).(platform.Inspector)
	target := try(strconv.ParseUint(os.Getenv("TARGET"), 10, 64))
	answers := map[string]string{}
	p, err := b.Inspect(context.Background(), platform.Key{ID: target})
	if err != nil {
		answers["inspect"] = answer(err)
	} else {
		for _, errs := range []map[string]error{lists(p), others(p), lasting(p)} {
			for name, err := range errs {
				answers[name] = answer(err)
			}
		}
	}
	must(json.NewEncoder(os.Stdout).Encode(answers))
	os.Exit(0)
}

// answer names the class of an error.
func answer(err error) string {
	for word, is := range map[string]error{
		"denied": fs.ErrPermission, "gone": os.ErrProcessDone, "zombie": platform.ErrZombie, "kernel": platform.ErrKernelThread,
		"unsupported": errors.ErrUnsupported,
	} {
		if errors.Is(err, is) {
			return word
		}
	}
	if err != nil {
		return err.Error()
	}
	return "told"
}

// asStranger asks another user about a process.
func asStranger(t *testing.T, pid int) map[string]string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{roleVariable + "=stranger", "TARGET=" + strconv.Itoa(pid)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{}
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return answers
}

// What the process owns is denied to other users, and nothing else is.
func TestInspectDenied(t *testing.T) {
	cmd, _ := play(t, "sleeper", nil)
	answers := asStranger(t, cmd.Process.Pid)
	for _, d := range Details() {
		if d.Entity != platform.Process {
			continue
		}
		want := "told"
		if d.Needs != "" {
			want = "denied"
		}
		if got := answerOf(answers, d.Detail); got != want {
			t.Errorf("%s: %s, want %s", d.Detail, got, want)
		}
	}
}

// answerOf finds the answer of a method, whose name the answers have in words.
func answerOf(answers map[string]string, method string) string {
	for name, answer := range answers {
		if strings.EqualFold(strings.ReplaceAll(name, " ", ""), method) {
			return answer
		}
	}
	return "none"
}

// A zombie is no secret, and neither is a kernel thread.
func TestInspectDeniedIsTheLastReason(t *testing.T) {
	cmd, _ := play(t, "sleeper", nil)
	p := inspect(t, machine(t), cmd.Process.Pid)
	cmd.Process.Kill()
	waitFor(t, func() bool {
		_, err := p.Limits()
		return errors.Is(err, platform.ErrZombie)
	})
	for name, got := range asStranger(t, cmd.Process.Pid) {
		if want := map[bool]string{true: "told", false: "zombie"}[isLasting(name)]; got != want {
			t.Errorf("%s of a zombie: %s, want %s", name, got, want)
		}
	}
	if comm, _ := os.ReadFile("/proc/2/comm"); string(comm) != "kthreadd\n" {
		t.Skip("no kernel thread is seen here")
	}
	for name, got := range asStranger(t, 2) {
		want := "told"
		if _, ofPrograms := lists(p)[name]; ofPrograms {
			want = "kernel"
		}
		if got != want {
			t.Errorf("%s of a kernel thread: %s, want %s", name, got, want)
		}
	}
}

func isLasting(name string) bool {
	return name == "identity" || name == "children" || name == "descendants" || name == "parents"
}

// handles counts the open descriptors of this process.
func handles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Every process is looked at, over and over, while others come and go: there are four
// answers and no others, but for what is not to be had of other network namespaces, and
// nothing is left behind.
func TestInspectCrowd(t *testing.T) {
	b := machine(t)
	const span = 3 * time.Second
	if testing.Short() {
		t.Skip("it takes three seconds")
	}
	exec.Command("/bin/true").Run() // the runtime's poller keeps two
	before, routines := handles(t), runtime.NumGoroutine()
	stop := make(chan struct{})
	var started atomic.Int64
	var crowd sync.WaitGroup
	for range 8 {
		crowd.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				exec.Command("/bin/true").Run()
				started.Add(1)
				time.Sleep(15 * time.Millisecond) // eight of them start 200 a second and more
			}
		})
	}
	counts := map[string]int{}
	begin := time.Now()
	for time.Since(begin) < span || counts["gone"] == 0 || counts["told"] == 0 {
		entries, err := os.ReadDir("/proc")
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if id, err := strconv.ParseUint(entry.Name(), 10, 64); err == nil && id != uint64(os.Getpid()) {
				countAnswers(t, b, id, counts)
			}
		}
	}
	rate := float64(started.Load()) / time.Since(begin).Seconds()
	close(stop)
	crowd.Wait()
	for word, n := range counts {
		if strings.Contains(word, " ") {
			t.Errorf("%d times: %s", n, word)
		}
	}
	t.Logf("%v, while %.0f processes a second came and went", counts, rate)
	// What a file system was asked last may still be on its way.
	waitFor(t, func() bool { return handles(t) <= before && runtime.NumGoroutine() <= routines })
}

func countAnswers(t *testing.T, b *backend, id uint64, counts map[string]int) {
	p, err := b.Inspect(t.Context(), platform.Key{ID: id})
	if err != nil {
		counts[answer(err)]++
		return
	}
	defer p.Close()
	for _, errs := range []map[string]error{lists(p), others(p), lasting(p)} {
		for _, err := range errs {
			counts[answer(err)]++
		}
	}
}
