package linux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// listening opens a watch on this kernel for some kinds. Without the source that a test
// is about it is left out, with the kernel's reason.
func listening(t *testing.T, source string, kinds ...platform.OccurrenceKind) (platform.Backend, platform.Watch) {
	t.Helper()
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	w, err := b.(platform.Watcher).Watch(t.Context(), platform.WatchOptions{Kinds: platform.KindsOf(kinds...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	})
	for _, tier := range w.Tiers() {
		if tier.Source.Name == source && tier.Err != nil {
			if !errors.Is(tier.Err, fs.ErrPermission) && !errors.Is(tier.Err, errors.ErrUnsupported) {
				t.Fatal(tier.Err)
			}
			t.Skip(tier.Err)
		}
	}
	return b, w
}

// happening is an occurrence that a test keeps.
type happening struct {
	platform.Occurrence
	command      string
	user, system uint64
}

// until reads until enough says so.
func until(t *testing.T, w platform.Watch, enough func([]happening) bool) []happening {
	t.Helper()
	var all []happening
	ctx, cancel := context.WithTimeout(t.Context(), longWait)
	defer cancel()
	for {
		lost := false
		if err := w.Read(func(o *platform.Occurrence) {
			lost = lost || o.Kind == platform.OccurrencesLost
			h := happening{Occurrence: *o, command: string(o.Command)}
			if o.Usage != nil {
				h.user, _ = o.Usage.Get(platform.ProcessCPUUser)
				h.system, _ = o.Usage.Get(platform.ProcessCPUSystem)
			}
			all = append(all, h)
		}); err != nil {
			t.Fatal(err)
		}
		if enough(all) {
			return all
		}
		if lost {
			t.Skip("the kernel lost records: without CAP_NET_ADMIN its buffer is small for what else happens here")
		}
		if err := w.Wait(ctx); err != nil {
			t.Fatalf("%v after %d occurrences", err, len(all))
		}
	}
}

// of returns what happened to a process.
func of(all []happening, pid int, kind platform.OccurrenceKind) *happening {
	for i := range all {
		if all[i].Key.ID == uint64(pid) && all[i].Kind == kind {
			return &all[i]
		}
	}
	return nil
}

// Each end is told with what ended the process, and each beginning with the start
// that the kernel tells elsewhere.
func TestWatchTellsLives(t *testing.T) {
	_, w := listening(t, "proc connector", platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)
	for _, c := range []struct {
		script string
		want   platform.Exit
	}{
		{"exit 3", platform.Exit{Known: true, Code: 3}},
		{"kill -SEGV $$", platform.Exit{Known: true, Signal: 11}},
		{"kill -KILL $$", platform.Exit{Known: true, Signal: 9}},
		{"exit 0", platform.Exit{Known: true}},
	} {
		cmd := exec.Command("/bin/sh", "-c", "read go; "+c.script)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := cmd.Process.Pid
		start := startOf(t, pid)
		in.Close()
		cmd.Wait()
		all := until(t, w, func(all []happening) bool { return of(all, pid, platform.ProcessExited) != nil })
		began, ran, ended := of(all, pid, platform.ProcessStarted), of(all, pid, platform.ProcessExecuted), of(all, pid, platform.ProcessExited)
		if ended.Exit.Core = false; ended.Exit != c.want {
			t.Errorf("%s: %+v, want %+v", c.script, ended.Exit, c.want)
		}
		if began == nil || !began.Estimated || began.Key.Start != start && began.Key.Start != start+1 || began.Parent != uint64(os.Getpid()) {
			t.Errorf("%s: began as %+v, start is %d", c.script, began, start)
		}
		if ran == nil {
			t.Errorf("%s: no exec is told", c.script)
		}
		if since := time.Since(ended.At); since < 0 || since > time.Minute {
			t.Errorf("%s: ended %v ago", c.script, since)
		}
	}
}

// startOf reads the start of a process from its stat.
func startOf(t *testing.T, pid int) uint64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	var s processStat
	if !decodePidStat(b, &s) {
		t.Fatalf("%s", b)
	}
	return s.columns[statStart]
}

// Processes that nobody sees leave their CPU time in the records, but for what it takes
// to take their memory down: the kernel writes the record before that (do_exit in
// kernel/exit.c). For this program it is 0.7 ms of 50 (2026-11-23), which the parents'
// counters know.
func TestWatchAccounts(t *testing.T) {
	_, w := listening(t, "taskstats", platform.ProcessAccounted)
	const burners, each = 60, 50 * time.Millisecond
	before := childrenTime(t)
	pids := burn(t, burners, each)
	burnt := childrenTime(t) - before
	all := until(t, w, func(all []happening) bool {
		return !slices.ContainsFunc(pids, func(pid int) bool { return of(all, pid, platform.ProcessAccounted) == nil })
	})
	var told time.Duration
	for _, pid := range pids {
		h := of(all, pid, platform.ProcessAccounted)
		told += time.Duration(h.user + h.system)
	}
	t.Logf("%d processes used %v as their parent knows it, and %v by the records", burners, burnt, told)
	if told < burnt*85/100 || told > burnt*101/100 { // the race detector's memory is large
		t.Errorf("%v of %v are told", told, burnt)
	}
}

// childrenTime is the CPU time of all children that were waited for.
func childrenTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// burn lets processes use CPU time, each for as long, and returns their PIDs.
func burn(t *testing.T, n int, each time.Duration) (pids []int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	queue := make(chan int)
	for range runtime.NumCPU() {
		all.Go(func() {
			for range queue {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), burnVariable+"="+each.String())
				if err := cmd.Run(); err != nil {
					t.Error(err)
				}
				mu.Lock()
				pids = append(pids, cmd.Process.Pid)
				mu.Unlock()
			}
		})
	}
	for i := range n {
		queue <- i
	}
	close(queue)
	all.Wait()
	return pids
}

// burnVariable makes this program a process that uses so much CPU time and ends.
const burnVariable = "PIDOMETER_TEST_BURN"

// burnCodeVariable is what it ends with; unset means 0.
const burnCodeVariable = "PIDOMETER_TEST_BURN_CODE"

// beBurner is what that process does.
func beBurner(text string) {
	each, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	var u syscall.Rusage
	for time.Duration(u.Utime.Nano()+u.Stime.Nano()) < each {
		for i := 0; i < 1e5; i++ {
			_ = strings.Repeat("x", i&1)
		}
		syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	}
	code, _ := strconv.Atoi(os.Getenv(burnCodeVariable))
	os.Exit(code)
}

// Two thousand forks and exits in a second are all told, or counted as lost.
func TestWatchKeepsUp(t *testing.T) {
	_, w := listening(t, "proc connector", platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)
	const forks = 1000
	cmd := exec.Command("/bin/sh", "-c", fmt.Sprintf("i=0; while [ $i -lt %d ]; do (:); i=$((i+1)); done", forks))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() { waited <- cmd.Wait() }()
	pid, began, ended, lost := cmd.Process.Pid, 0, 0, 0
	until(t, w, func(all []happening) bool {
		began, ended, lost = 0, 0, 0
		ours := map[uint64]bool{}
		for _, h := range all {
			switch {
			case h.Kind == platform.OccurrencesLost:
				lost++
			case h.Parent == uint64(pid) && h.Kind == platform.ProcessStarted:
				began++
				ours[h.Key.ID] = true
			case ours[h.Key.ID] && h.Kind == platform.ProcessExited: // whose parent is told only while it waits
				ended++
			}
		}
		// The kernel tells of an end after the parent may have gone on, and ended itself.
		return lost > 0 || of(all, pid, platform.ProcessExited) != nil && ended == forks
	})
	if err := <-waited; err != nil {
		t.Error(err)
	}
	t.Logf("%d of %d forks and %d exits are told, and %d times records were lost", began, forks, ended, lost)
	if lost == 0 && (began != forks || ended != forks) {
		t.Errorf("%d forks and %d exits", began, ended)
	}
}

// Whoever waits is woken by the end of the watch, and by that of its context.
func TestWatchWakes(t *testing.T) {
	_, w := listening(t, "proc connector", platform.ProcessExited)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// What happens on this machine meanwhile wakes it too.
	for err := error(nil); err == nil; err = w.Wait(ctx) {
		w.Read(func(*platform.Occurrence) {})
	}
	woken := make(chan error)
	go func() {
		for {
			if err := w.Wait(context.Background()); err != nil {
				woken <- err
				return
			}
			w.Read(func(*platform.Occurrence) {})
		}
	}()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%v", err)
	}
	if err := w.Read(func(*platform.Occurrence) {}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%v", err)
	}
}

// A process is waited for without taking its status from its parent, or anything at
// all from one that nobody here started.
func TestWaitProcess(t *testing.T) {
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	waiter := b.(platform.Waiter)
	for script, want := range map[string]platform.Exit{
		"exit 3": {Known: true, Code: 3}, "kill -SEGV $$": {Known: true, Signal: 11}} {
		cmd := exec.Command("/bin/sh", "-c", "read go; "+script)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		key := platform.Key{ID: uint64(cmd.Process.Pid), Start: startOf(t, cmd.Process.Pid)}
		if _, err := waiter.WaitProcess(t.Context(), platform.Key{ID: key.ID, Start: key.Start + 1}); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("another's start: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := waiter.WaitProcess(ctx, key); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		cancel()
		in.Close()
		exit, err := waiter.WaitProcess(t.Context(), key)
		if exit.Core = false; err != nil || exit.Known && exit != want {
			t.Errorf("%s: %+v, %v", script, exit, err)
		}
		if !exit.Known {
			t.Logf("%s: this kernel does not tell", script)
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the status was taken")
		}
		if _, err := waiter.WaitProcess(t.Context(), key); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("once it is gone: %v", err)
		}
	}
}
