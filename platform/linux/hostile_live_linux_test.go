package linux

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Whatever a process calls itself and was given, a pass and an inspection tell that, and
// nothing else becomes false of it.
func TestLiveHostileNames(t *testing.T) {
	c := newThrong(t, len(kinds))
	b := machine(t)
	for _, e := range c.all {
		t.Run(e.kind, func(t *testing.T) {
			if e.kind == "zombie" {
				t.Skip("it has lost all but its name: TestInspectFourAnswers")
			}
			s, err := readOne(t, b, platform.Key{ID: uint64(e.cmd.Process.Pid)}, processSources)
			if err != nil {
				t.Fatal(err)
			}
			pid := uint64(e.cmd.Process.Pid)
			checkExtraPass(t, &e, s.fields[pid], s.texts[pid])
			checkExtra(t, &e, inspect(t, b, e.cmd.Process.Pid))
		})
	}
}

func checkExtraPass(t *testing.T, e *extra, fields map[platform.Field]uint64, texts map[platform.Text]string) {
	t.Helper()
	for text, want := range map[platform.Text]string{
		platform.ProcessCommand:   e.comm,
		platform.ProcessArguments: strings.Join(e.cmd.Args, "\x00") + "\x00",
	} {
		if texts[text] != want {
			t.Errorf("%v is %.100q, want %.100q", text, texts[text], want)
		}
	}
	entries := e.cmd.Environ()
	want := strings.Join(entries, "\x00")
	if len(entries) > 0 {
		want += "\x00"
	}
	if got, told := texts[platform.ProcessEnvironment]; !told || got != want {
		t.Errorf("environment is %.100q, %v, want %.100q", got, told, want)
	}
	between(t, "user", e.user(), fields[platform.ProcessUser], e.user())
	between(t, "parent", uint64(os.Getpid()), fields[platform.ProcessParent], uint64(os.Getpid()))
	between(t, "threads", 1, fields[platform.ProcessThreads], 1)
}

func checkExtra(t *testing.T, e *extra, p platform.Inspection) {
	t.Helper()
	id := got[platform.Identity](t)(p.Identity())
	if id.Command != e.comm || uint64(id.Users.Real) != e.user() || uint64(*id.Users.Saved) != e.user() || id.Parent != uint64(os.Getpid()) {
		t.Errorf("%q of %+v, child of %d, want %q of %d", id.Command, id.Users, id.Parent, e.comm, e.user())
	}
	if args := got[[]string](t)(p.Arguments()); !slices.Equal(args, e.cmd.Args) {
		t.Errorf("arguments %.200q, want %.200q", args, e.cmd.Args)
	}
	if entries := got[[]string](t)(p.Environment()); entries == nil || !slices.Equal(entries, e.cmd.Environ()) {
		t.Errorf("environment %.200q, want %.200q", entries, e.cmd.Environ())
	}
	threads := got[[]platform.Thread](t)(p.Threads())
	if len(threads) != 1 || threads[0].Name != e.comm {
		t.Errorf("threads %+v", threads)
	}
	program, err := filepath.EvalSymlinks(shell)
	if err != nil {
		t.Fatal(err)
	}
	deleted := e.kind == "deleted executable"
	if deleted {
		program = e.cmd.Path
	}
	if link := got[platform.Link](t)(p.Executable()); link != (platform.Link{Path: program, Deleted: deleted}) {
		t.Errorf("executable %+v, want %s", link, program)
	}
	folder := got[platform.Link](t)(p.WorkingDirectory())
	if e.cmd.Dir != "" && folder != (platform.Link{Path: e.cmd.Dir, Deleted: e.kind == "deleted folder"}) {
		t.Errorf("working directory %+v, want %s", folder, e.cmd.Dir)
	}
}
