package platformtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// TestInspector checks what package platform promises of a backend that is a
// [platform.Inspector], each on one that open opens for it.
func TestInspector(t *testing.T, open func() (platform.Backend, error)) {
	t.Helper()
	for _, c := range inspectorCases() {
		t.Run(c.name, func(t *testing.T) {
			if err := run(c, open); err != nil {
				t.Errorf("an inspector should %s:\n%v", c.explanation, err)
			}
		})
	}
}

func inspectorCases() []testCase {
	return []testCase{
		{"is one", "be a platform.Inspector", inspecting(func(platform.Inspector) error { return nil })},
		{"self", "open the calling process by platform.Self, and tell who it is", inspecting(checkSelfInspection)},
		{"key", "open whoever has a PID, and nobody whose start is another", inspecting(checkInspectionKey)},
		{"nobody", "answer os.ErrProcessDone for a PID that nobody has", inspecting(checkNobody)},
		{"arguments", "tell the arguments of the calling process", inspecting(checkOwnArguments)},
		{"files", "list a regular file that is open, and not one that is closed", inspecting(checkOwnFiles)},
		{"kin", "list the calling process among the descendants of its parent", inspecting(checkOwnKin)},
		{"threads", "list threads in order, each once", inspecting(checkOwnThreads)},
		{"lists", "give lists that are not nil, or an error with a class", inspecting(checkLists)},
		{"closed", "refuse to tell anything of an inspection that is closed, and close twice", inspecting(checkClosed)},
		{"cancelled inspection", "open nothing when the context has ended", inspecting(checkCancelledInspection)},
		{"beside a pass", "inspect while a pass is open", inspecting(checkBesidePass)},
	}
}

// inspecting makes a check of a backend out of one of an inspector.
func inspecting(check func(platform.Inspector) error) func(platform.Backend) error {
	return func(b platform.Backend) error {
		i, ok := b.(platform.Inspector)
		if !ok {
			return errors.New("it is none")
		}
		return check(i)
	}
}

// withSelf inspects the calling process.
func withSelf(i platform.Inspector, check func(f *faults, p platform.Inspection)) error {
	p, err := i.Inspect(context.Background(), platform.Self)
	if err != nil {
		return err
	}
	defer p.Close()
	var f faults
	check(&f, p)
	return f.err()
}

func checkSelfInspection(i platform.Inspector) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		id, err := p.Identity()
		if err != nil || id.Key != p.Key() || id.Key.ID != uint64(os.Getpid()) || id.Key.Start == 0 {
			f.add("it is %+v, %v, want %d", id.Key, err, os.Getpid())
		}
		if id.Command == "" || id.Parent != uint64(os.Getppid()) {
			f.add("%q of %d, want the parent %d", id.Command, id.Parent, os.Getppid())
		}
		if ids := id.Users; ids != nil && os.Getuid() >= 0 && (int(ids.Real) != os.Getuid() || int(ids.Effective) != os.Geteuid()) {
			f.add("users %+v, want %d and %d", ids, os.Getuid(), os.Geteuid())
		}
	})
}

func checkInspectionKey(i platform.Inspector) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		anybody, err := i.Inspect(context.Background(), platform.Key{ID: p.Key().ID})
		if err != nil {
			f.add("without a start: %v", err)
			return
		}
		defer anybody.Close()
		if anybody.Key() != p.Key() {
			f.add("%+v without a start, want %+v", anybody.Key(), p.Key())
		}
		key := p.Key()
		key.Start++
		if other, err := i.Inspect(context.Background(), key); !errors.Is(err, os.ErrProcessDone) {
			f.add("another start gave %v, %v", other, err)
		}
	})
}

func checkNobody(i platform.Inspector) error {
	var f faults
	for _, id := range []uint64{1 << 31, 1 << 40} {
		if p, err := i.Inspect(context.Background(), platform.Key{ID: id}); !errors.Is(err, os.ErrProcessDone) {
			f.add("%d gave %v, %v", id, p, err)
		}
	}
	return f.err()
}

func checkOwnArguments(i platform.Inspector) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		if args, err := p.Arguments(); err != nil || !slices.Equal(args, os.Args) {
			f.add("%q, %v, want %q", args, err, os.Args)
		}
	})
}

func checkOwnFiles(i platform.Inspector) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		file, err := os.CreateTemp("", "open")
		if err != nil {
			f.add("%v", err)
			return
		}
		defer os.Remove(file.Name())
		fd := int(file.Fd())
		lists := func() (listed bool) {
			files, err := p.OpenFiles()
			if err != nil {
				f.add("%v", err)
			}
			return slices.ContainsFunc(files, func(o platform.OpenFile) bool {
				return o.Path == file.Name() || o.Path == "" && o.FD == fd // whose kernel keeps no names
			})
		}
		if !lists() {
			f.add("%s is open", file.Name())
		}
		file.Close()
		if lists() {
			f.add("%s is closed", file.Name())
		}
	})
}

// checkOwnKin lets a parent be gone where its PID is kept: on Windows, whose children
// have no other parent then (and on Wine all do that a program of another system started).
func checkOwnKin(i platform.Inspector) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		parents, err := p.Parents()
		if err == nil && parents != nil && len(parents) == 0 && isOrphan(i, p) {
			return
		}
		if err != nil || len(parents) == 0 {
			f.add("parents %v, %v", parents, err)
			return
		}
		parent, err := i.Inspect(context.Background(), parents[0].Key)
		if err != nil {
			f.add("the parent %+v: %v", parents[0], err)
			return
		}
		defer parent.Close()
		isSelf := func(r platform.Relative) bool { return r.Key == p.Key() && r.Parent == parents[0].Key.ID }
		for _, list := range []func() ([]platform.Relative, error){parent.Children, parent.Descendants} {
			if all, err := list(); err != nil || !slices.ContainsFunc(all, isSelf) {
				f.add("%+v is not in %+v, %v", p.Key(), all, err)
			}
		}
	})
}

// isOrphan tells whether the parent that a process names has ended: nobody has its PID, or
// one that began later.
func isOrphan(i platform.Inspector, p platform.Inspection) bool {
	id, err := p.Identity()
	if err != nil {
		return false
	}
	parent, err := i.Inspect(context.Background(), platform.Key{ID: id.Parent})
	if err != nil {
		return errors.Is(err, os.ErrProcessDone)
	}
	defer parent.Close()
	return parent.Key().Start > p.Key().Start
}

func checkOwnThreads(i platform.Inspector) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		threads, err := p.Threads()
		if err != nil || len(threads) == 0 {
			f.add("%v, %v", threads, err)
		}
		for n := range threads {
			if n > 0 && threads[n-1].Key.ID >= threads[n].Key.ID {
				f.add("%d before %d", threads[n-1].Key.ID, threads[n].Key.ID)
			}
		}
	})
}

// classes are what an error of a detail may match.
func classes() []error {
	return []error{os.ErrProcessDone, fs.ErrPermission, errors.ErrUnsupported, platform.ErrZombie, platform.ErrKernelThread}
}

// checkList is a list without its elements.
func checkList[T any](f *faults, name string, list func() ([]T, error)) {
	all, err := list()
	if err == nil && all == nil {
		f.add("%s is nil", name)
	}
	if err != nil && !slices.ContainsFunc(classes(), func(class error) bool { return errors.Is(err, class) }) {
		f.add("%s: %v", name, err)
	}
}

func checkLists(i platform.Inspector) error {
	ctx := context.Background()
	return withSelf(i, func(f *faults, p platform.Inspection) {
		checkList(f, "arguments", p.Arguments)
		checkList(f, "environment", p.Environment)
		checkList(f, "open files", p.OpenFiles)
		checkList(f, "connections", p.Connections)
		checkList(f, "socket stats", p.SocketStats)
		checkList(f, "threads", p.Threads)
		checkList(f, "memory maps", p.MemoryMaps)
		checkList(f, "limits", p.Limits)
		checkList(f, "children", p.Children)
		checkList(f, "descendants", p.Descendants)
		checkList(f, "parents", p.Parents)
		checkList(f, "interfaces", func() ([]platform.Interface, error) { return i.Interfaces(ctx) })
		checkList(f, "mounts", func() ([]platform.Mount, error) { return i.Mounts(ctx) })
		checkList(f, "sessions", func() ([]platform.Session, error) { return i.Sessions(ctx) })
	})
}

func checkClosed(i platform.Inspector) error {
	p, err := i.Inspect(context.Background(), platform.Self)
	if err != nil {
		return err
	}
	var f faults
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		f.add("closing gave %v", err)
	}
	if id, err := p.Identity(); err == nil {
		f.add("a closed one told %+v", id)
	}
	if threads, err := p.Threads(); err == nil {
		f.add("a closed one told %+v", threads)
	}
	return f.err()
}

func checkCancelledInspection(i platform.Inspector) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var f faults
	if p, err := i.Inspect(ctx, platform.Self); !errors.Is(err, context.Canceled) {
		f.add("it gave %v, %v", p, err)
	}
	return f.err()
}

func checkBesidePass(i platform.Inspector) error {
	return within(i, func(platform.Reader) error {
		return errors.Join(checkSelfInspection(i), checkOwnThreads(i))
	})
}
