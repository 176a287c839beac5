package linux

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// furnish gives process 42 of a world everything that an inspection looks at.
func furnish(w *world) {
	w.mute = true
	const dir = "proc/42/"
	w.write(dir+"status", "Name:\ta\nTgid:\t42\nUid:\t1000\t1000\t1000\t1000\nGid:\t1\t1\t1\t1\nGroups:\t\nNSpid:\t42\nCpus_allowed_list:\t0\n")
	w.write(dir+"environ", "A=1\x00B\x00")
	w.write(dir+"limits", limitsText)
	w.symlink(dir+"cwd", "/home")
	w.symlink(dir+"root", "/")
	w.symlink(dir+"fd/3", "/data")
	w.symlink(dir+"fd/4", "socket:[452]")
	w.symlink(dir+"fd/5", "socket:[12345]")
	w.symlink(dir+"fd/6", "socket:[9]")
	for _, fd := range []string{"3"} {
		w.find(dir + "fd/" + fd).stat = Stat{Mode: modeRegular | 0o644, Links: 1}
		w.write(dir+"fdinfo/"+fd, "pos:\t7\nflags:\t0100000\n")
	}
	w.write(dir+"net/tcp", strings.Join(socketLines, "\n")+"\n")
	w.write(dir+"net/unix", strings.Join(unixLines, "\n")+"\n")
	w.write(dir+"smaps", mapLines[0]+"\nRss:   8 kB\nPss:   4 kB\nVmFlags: rd\n"+mapLines[1]+"\nRss:   12 kB\n")
	w.write(dir+"maps", mapLines[0]+"\n"+mapLines[1]+"\n")
	w.write("proc/sys/kernel/pid_max", "4194304\n")
}

// looks are the details of an inspection, each as a call without its value.
func looks(p platform.Inspection) map[string]func() error {
	return map[string]func() error{
		"identity":  func() error { _, err := p.Identity(); return err },
		"arguments": func() error { _, err := p.Arguments(); return err },
		"environ":   func() error { _, err := p.Environment(); return err },
		"exe":       func() error { _, err := p.Executable(); return err },
		"cwd":       func() error { _, err := p.WorkingDirectory(); return err },
		"files":     func() error { _, err := p.OpenFiles(); return err },
		"sockets":   func() error { _, err := p.Connections(); return err },
		"threads":   func() error { _, err := p.Threads(); return err },
		"maps":      func() error { _, err := p.MemoryMaps(); return err },
		"limits":    func() error { _, err := p.Limits(); return err },
		"children":  func() error { _, err := p.Children(); return err },
		"parents":   func() error { _, err := p.Parents(); return err },
		"affinity":  func() error { _, err := p.Affinity(); return err },
		"priority":  func() error { _, err := p.IOPriority(); return err },
		"stats":     func() error { _, err := p.SocketStats(); return err },
	}
}

func inspectWorld(t testing.TB, w *world, pid uint64) platform.Inspection {
	t.Helper()
	p, err := w.backend(Options{}).Inspect(t.Context(), platform.Key{ID: pid})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestInspectWorld(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	p := inspectWorld(t, w, 42)
	files := got[[]platform.OpenFile](t)(p.OpenFiles())
	if len(files) != 1 || files[0].FD != 3 || files[0].Path != "/data" || *files[0].Position != 7 || files[0].Mode != "r" {
		t.Errorf("%+v", files)
	}
	connections := got[[]platform.Connection](t)(p.Connections())
	if len(connections) != 2 || connections[0].FD != 4 || connections[1].Path != "/run/my socket " {
		t.Errorf("%+v", connections)
	}
	maps := got[[]platform.MemoryMap](t)(p.MemoryMaps())
	if len(maps) != 2 || maps[0].Use.RSS != 8192 || maps[0].Use.PSS != 4096 || maps[1].Use.RSS != 12288 || maps[1].Use.PSS != 0 {
		t.Errorf("%+v", maps)
	}
	id := got[platform.Identity](t)(p.Identity())
	if *id.Owner != "user" || *id.Terminal != "" || id.Command != "a) S 9 (b" {
		t.Errorf("%+v", id)
	}
	if threads := got[[]platform.Thread](t)(p.Threads()); len(threads) != 3 {
		t.Errorf("%+v", threads)
	}
	if parents := got[[]platform.Relative](t)(p.Parents()); len(parents) != 1 || parents[0].Key.ID != 1 {
		t.Errorf("%+v", parents)
	}
	w.remove("proc/42/smaps")
	maps = got[[]platform.MemoryMap](t)(p.MemoryMaps())
	if len(maps) != 2 || maps[0].Use != nil || maps[0].Path != "/usr/bin/a b " {
		t.Errorf("without smaps: %+v", maps)
	}
	for _, name := range []string{"affinity", "priority", "stats"} {
		if err := looks(p)[name](); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s of a kernel that makes no such calls: %v", name, err)
		}
	}
}

// Each call fails in turn, in each way: no answer is made up, and no handle is lost.
func TestInspectFailures(t *testing.T) {
	for _, fault := range []error{fs.ErrPermission, os.ErrProcessDone, fs.ErrNotExist, syscall.EIO} {
		w := newWorld(t)
		furnish(w)
		b := w.backend(Options{})
		base := w.leaked()
		for failing := 1; ; failing++ {
			w.calls = 0
			w.before = func(_ *world, call int, _, _ string) error {
				if call == failing {
					return fault
				}
				return nil
			}
			if p, err := b.Inspect(t.Context(), platform.Key{ID: 42}); err == nil {
				checkFaults(t, p, fault)
				p.Close()
			}
			if leaked := w.leaked(); leaked != base {
				t.Fatalf("call %d failed with %v: %d handles, want %d", failing, fault, leaked, base)
			}
			if w.calls < failing {
				break
			}
		}
	}
}

func checkFaults(t *testing.T, p platform.Inspection, fault error) {
	t.Helper()
	for name, look := range looks(p) {
		err := look()
		if err != nil && !errors.Is(err, fault) && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want %v", name, err, fault)
		}
	}
}

// A process ends before each call in turn, and another gets its PID: nothing is told of
// the other.
func TestInspectReused(t *testing.T) {
	for at := 1; ; at++ {
		w := newWorld(t)
		furnish(w)
		b := w.backend(Options{})
		w.calls = 0
		ended := false
		w.before = func(w *world, call int, _, _ string) error {
			if call == at {
				ended = true
				w.start(task{pid: 42, start: 9999, name: "other", threads: 1, user: 0, scale: 5})
				w.write("proc/42/environ", "OTHER=1\x00")
			}
			return nil
		}
		p, err := b.Inspect(t.Context(), platform.Key{ID: 42, Start: 5000})
		if err == nil {
			if environment, err := p.Environment(); err == nil && !slices.Equal(environment, []string{"A=1", "B"}) || err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatalf("call %d: %q, %v", at, environment, err)
			}
			if id, err := p.Identity(); err == nil && (id.Key.Start != 5000 || id.Command == "other") {
				t.Fatalf("call %d: %+v", at, id)
			}
		} else if !errors.Is(err, os.ErrProcessDone) {
			t.Fatalf("call %d: %v", at, err)
		}
		if !ended {
			break
		}
	}
}

// A kernel thread, by its flag, and a process on its last way out.
func TestInspectFlags(t *testing.T) {
	for flag, want := range map[string]error{"2097152": platform.ErrKernelThread, "4": os.ErrProcessDone} {
		w := newWorld(t)
		furnish(w)
		stat := w.find("proc/42/stat").content
		for _, path := range []string{"proc/42/stat", "proc/42/task/42/stat", "proc/42/task/1042/stat", "proc/42/task/2042/stat"} {
			w.write(path, strings.Replace(stat, " -1 0 ", " -1 "+flag+" ", 1))
		}
		p := inspectWorld(t, w, 42)
		for _, name := range []string{"arguments", "environ", "exe", "cwd", "files", "sockets", "maps"} {
			if err := looks(p)[name](); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		if err := looks(p)["identity"](); err != nil {
			t.Error(err)
		}
	}
}

// The very last state is none of a process that is there.
func TestInspectDead(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	p := inspectWorld(t, w, 42)
	w.write("proc/42/stat", strings.Replace(w.find("proc/42/stat").content, ") S ", ") X ", 2))
	for name, look := range looks(p) {
		if err := look(); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Somebody may call a socket so that the table shows another's line.
func TestInspectForgedSocket(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.write("proc/42/net/unix", unixLines[2]+"\n"+unixLines[1]+" /x\n0: 00000002 00000000 00010000 0001 01 12345 /forged\n")
	for _, c := range got[[]platform.Connection](t)(inspectWorld(t, w, 42).Connections()) {
		if c.Inode == 12345 && c.Path != "" {
			t.Errorf("%+v", c)
		}
	}
}

func TestInspectRelatives(t *testing.T) {
	w := newWorld(t)
	stat := func(pid, parent, start string) string {
		return pid + " (p" + pid + ") S " + parent + " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + start + " 0 0\n"
	}
	for _, p := range [][3]string{{"42", "1", "5000"}, {"50", "42", "5001"}, {"51", "50", "5003"}, {"52", "42", "5002"}, {"53", "42", "4000"}, {"54", "53", "6000"}, {"55", "99", "7000"}} {
		w.write("proc/"+p[0]+"/stat", stat(p[0], p[1], p[2]))
		w.write("proc/"+p[0]+"/status", "Tgid:\t"+p[0]+"\n")
	}
	pids := func(list []platform.Relative) (ids []uint64) {
		for _, r := range list {
			ids = append(ids, r.Key.ID)
		}
		return ids
	}
	p := inspectWorld(t, w, 42)
	if ids := pids(got[[]platform.Relative](t)(p.Children())); !slices.Equal(ids, []uint64{50, 52}) {
		t.Errorf("children %d: 53 is older than its parent", ids)
	}
	if ids := pids(got[[]platform.Relative](t)(p.Descendants())); !slices.Equal(ids, []uint64{50, 52, 51}) {
		t.Errorf("descendants %d", ids)
	}
	if ids := pids(got[[]platform.Relative](t)(inspectWorld(t, w, 51).Parents())); !slices.Equal(ids, []uint64{50, 42, 1}) {
		t.Errorf("parents %d", ids)
	}
	if ids := pids(got[[]platform.Relative](t)(inspectWorld(t, w, 54).Parents())); !slices.Equal(ids, []uint64{53}) {
		t.Errorf("parents %d: 42 is younger than its child", ids)
	}
	if list := got[[]platform.Relative](t)(inspectWorld(t, w, 55).Parents()); list == nil || len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

func TestInspectCancelled(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	b := w.backend(Options{})
	ctx, cancel := context.WithCancel(t.Context())
	p, err := b.Inspect(ctx, platform.Key{ID: 42})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for name, look := range looks(p) {
		if err := look(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// got fails the test on an error.
func got[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
