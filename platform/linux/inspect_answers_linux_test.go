package linux

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// lists are the details that only a living process has.
func lists(p platform.Inspection) map[string]error {
	errs := map[string]error{}
	note := func(name string, err error) { errs[name] = err }
	_, err := p.Arguments()
	note("arguments", err)
	_, err = p.Environment()
	note("environment", err)
	_, err = p.Executable()
	note("executable", err)
	_, err = p.WorkingDirectory()
	note("working directory", err)
	_, err = p.Root()
	note("root", err)
	_, err = p.OpenFiles()
	note("open files", err)
	_, err = p.Connections()
	note("connections", err)
	_, err = p.SocketStats()
	note("socket stats", err)
	_, err = p.MemoryMaps()
	note("memory maps", err)
	return errs
}

// others are the details that kernel threads have too.
func others(p platform.Inspection) map[string]error {
	errs := map[string]error{}
	_, err := p.Threads()
	errs["threads"] = err
	_, err = p.Limits()
	errs["limits"] = err
	_, err = p.Affinity()
	errs["affinity"] = err
	_, err = p.IOPriority()
	errs["io priority"] = err
	return errs
}

// lasting are the details that zombies have too.
func lasting(p platform.Inspection) map[string]error {
	errs := map[string]error{}
	_, err := p.Identity()
	errs["identity"] = err
	_, err = p.Children()
	errs["children"] = err
	_, err = p.Descendants()
	errs["descendants"] = err
	_, err = p.Parents()
	errs["parents"] = err
	return errs
}

// wants fails for every error that is another.
func wants(t *testing.T, errs map[string]error, want error) {
	t.Helper()
	for name, err := range errs {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "/proc/") {
			t.Errorf("%s: %q does not name its source", name, err)
		}
	}
}

func TestInspectFourAnswers(t *testing.T) {
	b := machine(t)
	cmd, _ := play(t, "sleeper", nil)
	p := inspect(t, b, cmd.Process.Pid)
	wants(t, lists(p), nil)
	wants(t, others(p), nil)
	wants(t, lasting(p), nil)
	cmd.Process.Kill()
	waitFor(t, func() bool {
		_, err := p.Limits()
		return errors.Is(err, platform.ErrZombie)
	})
	for _, p := range []*inspection{p, inspect(t, b, cmd.Process.Pid)} {
		wants(t, lists(p), platform.ErrZombie)
		wants(t, others(p), platform.ErrZombie)
		wants(t, lasting(p), nil)
	}
	cmd.Wait()
	wants(t, lists(p), os.ErrProcessDone)
	wants(t, others(p), os.ErrProcessDone)
	wants(t, lasting(p), os.ErrProcessDone)
	if _, err := b.Inspect(t.Context(), p.Key()); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%v", err)
	}
	p.Close()
	wants(t, lists(p), fs.ErrClosed)
	wants(t, lasting(p), fs.ErrClosed)
}

func TestInspectKernelThread(t *testing.T) {
	b := machine(t)
	p, err := b.Inspect(t.Context(), platform.Key{ID: 2})
	if err != nil {
		t.Skipf("no kernel thread is seen here: %v", err)
	}
	defer p.Close()
	if id := got[platform.Identity](t)(p.Identity()); id.Command != "kthreadd" {
		t.Skipf("process 2 is %q", id.Command)
	}
	wants(t, lists(p), platform.ErrKernelThread)
	wants(t, others(p), nil)
	wants(t, lasting(p), nil)
}
