package linux

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

func TestDeletedExecutable(t *testing.T) {
	tests := []struct{ link, there, want string }{
		{"/bin/cat", "", "/bin/cat"},
		{"/bin/cat (deleted)", "", "/bin/cat"},
		{"/bin/cat (deleted)", "/bin/cat (deleted)", "/bin/cat (deleted)"},
		{"/bin/cat (deleted) (deleted)", "", "/bin/cat (deleted)"},
		{"/memfd:x (deleted)", "", "/memfd:x"},
		{"/bin/\xff\n", "", "/bin/\xff\n"},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.symlink("proc/43/exe", test.link)
		if test.there != "" {
			w.write("proc/43/root"+test.there, "")
		}
		b := w.backend(Options{})
		if got := read(t, b, 1<<pidExe).texts[43][platform.ProcessExecutable]; got != test.want {
			t.Errorf("%q gave %q, want %q", test.link, got, test.want)
		}
		b.Close()
	}
}

// A file system that does not answer costs one budget, and not once more while
// its answer is outstanding.
func TestDeletedExecutableStuck(t *testing.T) {
	w := newWorld(t)
	w.symlink("proc/42/exe", "/nfs/a (deleted)")
	w.symlink("proc/43/exe", "/nfs/b (deleted)")
	release := make(chan struct{})
	asked := make(chan string, 3)
	w.stuck = func(path string) {
		if strings.Contains(path, "root/nfs") {
			asked <- path
			<-release
		}
	}
	b := w.backend(Options{Budget: 50 * time.Millisecond})
	defer b.Close()
	begin := time.Now()
	s := read(t, b, 1<<pidExe)
	if took := time.Since(begin); took < 50*time.Millisecond || len(asked) != 1 {
		t.Errorf("took %v, %d questions", took, len(asked))
	}
	for pid, want := range map[uint64]string{42: "/nfs/a", 43: "/nfs/b"} {
		if got := s.texts[pid][platform.ProcessExecutable]; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	close(release)
	ask := &reader{b, t.Context()}
	for !ask.exists(b.proc, []byte("43/stat\x00")) {
		time.Sleep(time.Millisecond) // until the answer came
	}
}

func TestLongArguments(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for _, n := range []int{0, 1, shortArgs - 1, shortArgs, shortArgs + 1, 200_000, mostArgs, mostArgs + 5} {
		args := strings.Repeat("x\x00", n/2+1)[:n]
		w.write("proc/43/cmdline", args)
		w.start(task{pid: 43, start: 6001 + uint64(n), name: "new", threads: 1, scale: 3})
		w.write("proc/43/cmdline", args)
		for range 2 {
			s := read(t, b, 1<<pidCmdline|1<<etcPasswd)
			got, ok := s.texts[43][platform.ProcessArguments]
			if ok != (n > 0) || got != args[:min(n, mostArgs)] {
				t.Errorf("%d bytes: %d, %v", n, len(got), ok)
			}
		}
	}
	if n := len(b.known[place{false, 43}].args); n > shortArgs {
		t.Errorf("%d bytes are remembered", n)
	}
}

// A program is asked for again when its name changed, and not before.
func TestProgramRemembered(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	set := platform.SourceSet(1<<pidExe | 1<<pidCmdline)
	read(t, b, set)
	w.symlink("proc/43/exe", "/bin/new")
	w.write("proc/43/cmdline", "new\x00")
	if got := read(t, b, set).texts[43]; got[platform.ProcessExecutable] != "/bin/prog3" {
		t.Errorf("%q was read again", got)
	}
	renamed := only43
	renamed.name = "new"
	w.write("proc/43/stat", statLine(43, renamed))
	got := read(t, b, set).texts[43]
	if got[platform.ProcessExecutable] != "/bin/new" || got[platform.ProcessArguments] != "new\x00" {
		t.Errorf("%q was kept", got)
	}
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	read(t, b, 1<<pidExe)
	if len(b.known) != 3 {
		t.Fatalf("%d are remembered, want 3", len(b.known))
	}
	w.end(42)
	if _, err := readOne(t, b, platform.Key{ID: 43}, 1<<pidExe); err != nil || len(b.known) != 3 {
		t.Errorf("%d are remembered, want 3; %v", len(b.known), err)
	}
	read(t, b, statAlone)
	if len(b.known) != 2 {
		t.Errorf("%d are remembered, want 2", len(b.known))
	}
	w.end(43)
	if _, err := readOne(t, b, platform.Key{ID: 43}, 1<<pidExe); err == nil || len(b.known) != 1 {
		t.Errorf("%d are remembered, want 1; %v", len(b.known), err)
	}
}

// A process that can't be read for once keeps its sums.
func TestKeptWhileUnreadable(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	read(t, b, 1<<pidTask)
	w.before = func(_ *world, _ int, op, _ string) error {
		if op == "dir" {
			return syscall.EMFILE
		}
		return nil
	}
	read(t, b, 1<<pidTask)
	w.before = nil
	w.remove("proc/42/task/1042")
	if got := read(t, b, 1<<pidTask).fields[42][platform.ProcessSwitchesVoluntary]; got != 60 {
		t.Errorf("%d switches, want 60", got)
	}
}

func TestOwnersReload(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	owner := func() string { return read(t, b, 1<<etcPasswd).texts[42][platform.ProcessOwner] }
	if got := owner(); got != "user" {
		t.Errorf("owner %q", got)
	}
	w.log = []string{}
	owner()
	if slices.Contains(w.log, "open /etc/passwd") {
		t.Error("read again without a change")
	}
	w.write("etc/passwd", "resu:x:1000:1000::/:\n")
	if got := owner(); got != "resu" {
		t.Errorf("owner %q", got)
	}
	w.remove("etc/passwd")
	s := read(t, b, 1<<etcPasswd)
	if _, ok := s.texts[42][platform.ProcessOwner]; ok || len(s.misses) > 0 || s.fields[42][platform.ProcessUser] != user {
		t.Errorf("without a file: %q, %v", s.texts[42], s.misses)
	}
}
