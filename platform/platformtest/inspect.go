package platformtest

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// inspectorCase is one promise of package platform of an inspector.
type inspectorCase struct {
	name        string
	explanation string // what an inspector should do
	check       func(platform.Inspector, *Observer) error
}

// TestInspector checks what package platform promises of a backend that is a
// [platform.Inspector], each on one that open opens for it on this machine.
func TestInspector(t *testing.T, open func() (platform.Backend, error)) {
	t.Helper()
	TestInspectorAs(t, func() (platform.Backend, *Observer, error) {
		b, err := open()
		return b, Caller(), err
	})
}

// TestInspectorAs is [TestInspector] where more is known of the calling process, or where it is
// not that of the test: on a made-up kernel.
func TestInspectorAs(t *testing.T, open func() (platform.Backend, *Observer, error)) {
	t.Helper()
	all, ran := inspectorCases(), 0
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			ran++
			if err := c.run(open); err != nil {
				t.Errorf("an inspector should %s:\n%v", c.explanation, err)
			}
		})
	}
	t.Logf("%d of %d cases of an inspector", ran, len(all))
	if ran < len(all) && !picked() {
		t.Errorf("%d cases did not run", len(all)-ran)
	}
}

// picked reports whether who runs the tests wants some of the cases alone.
func picked() bool {
	pattern := flag.Lookup("test.run")
	return pattern != nil && strings.Contains(pattern.Value.String(), "/")
}

// run checks one case.
func (c *inspectorCase) run(open func() (platform.Backend, *Observer, error)) error {
	b, o, err := open()
	if err != nil {
		return err
	}
	i, ok := b.(platform.Inspector)
	if !ok {
		return errors.Join(errors.New("it is none"), b.Close())
	}
	return errors.Join(c.check(i, o), b.Close())
}

func inspectorCases() []inspectorCase {
	return []inspectorCase{
		{"is one", "be a platform.Inspector", func(platform.Inspector, *Observer) error { return nil }},
		{"self", "open the calling process by platform.Self, and tell who it is", checkSelfInspection},
		{"key", "open whoever has a PID, and nobody whose start is another", checkInspectionKey},
		{"nobody", "answer os.ErrProcessDone for a PID that nobody has", checkNobody},
		{"arguments", "tell the arguments of the calling process", checkOwnArguments},
		{"files", "list a regular file that is open, and not one that is closed", checkOwnFiles},
		{"kin", "list the calling process among the descendants of its parent", checkOwnKin},
		{"threads", "list threads in order, each once", checkOwnThreads},
		{"lists", "give lists that are not nil, or an error with a class", checkLists},
		{"declared details", "tell what it declares, and say of every other detail that it is unsupported", checkDeclaredDetails},
		{"closed", "refuse to tell anything of an inspection that is closed, and close twice", checkClosed},
		{"cancelled inspection", "open nothing when the context has ended", checkCancelledInspection},
		{"beside a pass", "inspect while a pass is open", checkBesidePass},
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

func checkSelfInspection(i platform.Inspector, o *Observer) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		id, err := p.Identity()
		if err != nil || id.Key != p.Key() || id.Key.ID != o.PID || id.Key.Start == 0 {
			f.add("it is %+v, %v, want %d", id.Key, err, o.PID)
		}
		if id.Command == "" || o.Command != "" && id.Command != o.Command || id.Parent != o.Parent {
			f.add("%q of %d, want %q of %d", id.Command, id.Parent, o.Command, o.Parent)
		}
		if ids := id.Users; ids != nil && o.Users != nil && (ids.Real != o.Users.Real || ids.Effective != o.Users.Effective) {
			f.add("users %+v, want %+v", ids, o.Users)
		}
	})
}

// checkInspectionKey asks for a start that is two units later: one may be rounding, where a
// kernel tells both a process's start and its own by a clock that is set.
func checkInspectionKey(i platform.Inspector, _ *Observer) error {
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
		key.Start += 2
		if other, err := i.Inspect(context.Background(), key); !errors.Is(err, os.ErrProcessDone) {
			f.add("another start gave %v, %v", other, err)
		}
	})
}

func checkNobody(i platform.Inspector, _ *Observer) error {
	var f faults
	for _, id := range []uint64{1 << 31, 1 << 40} {
		if p, err := i.Inspect(context.Background(), platform.Key{ID: id}); !errors.Is(err, os.ErrProcessDone) {
			f.add("%d gave %v, %v", id, p, err)
		}
	}
	return f.err()
}

func checkOwnArguments(i platform.Inspector, o *Observer) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		if args, err := p.Arguments(); err != nil || !slices.Equal(args, o.Arguments) {
			f.add("%q, %v, want %q", args, err, o.Arguments)
		}
	})
}

// checkOwnFiles looks for a file by its path, or by its descriptor where the kernel keeps no
// names.
func checkOwnFiles(i platform.Inspector, o *Observer) error {
	return withSelf(i, func(f *faults, p platform.Inspection) {
		if o.lacks("OpenFiles") {
			return // checkDeclaredDetails looks at what it says then
		}
		file, err := o.Open()
		if err != nil {
			f.add("%v", err)
			return
		}
		lists := func() (listed bool) {
			files, err := p.OpenFiles()
			if err != nil {
				f.add("%v", err)
			}
			return slices.ContainsFunc(files, func(open platform.OpenFile) bool {
				return open.Path == file.Path || open.Path == "" && open.FD == file.FD
			})
		}
		if !lists() {
			f.add("%s is open", file.Path)
		}
		if err := file.Close(); err != nil {
			f.add("%v", err)
		}
		if lists() {
			f.add("%s is closed", file.Path)
		}
	})
}

// checkOwnKin lets a parent be gone where its PID is kept: on Windows, whose children
// have no other parent then (and on Wine all do that a program of another system started).
func checkOwnKin(i platform.Inspector, _ *Observer) error {
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

func checkOwnThreads(i platform.Inspector, _ *Observer) error {
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

func checkLists(i platform.Inspector, _ *Observer) error {
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

// checkDeclaredDetails asks for everything: what is declared may be refused, or be nothing
// that this process has, and what is not is unsupported.
func checkDeclaredDetails(i platform.Inspector, o *Observer) error {
	ctx := context.Background()
	return withSelf(i, func(f *faults, p platform.Inspection) {
		for name, ask := range map[string]func() error{
			"Identity":         func() error { return errorOf(p.Identity()) },
			"Arguments":        func() error { return errorOf(p.Arguments()) },
			"Environment":      func() error { return errorOf(p.Environment()) },
			"Executable":       func() error { return errorOf(p.Executable()) },
			"WorkingDirectory": func() error { return errorOf(p.WorkingDirectory()) },
			"Root":             func() error { return errorOf(p.Root()) },
			"Affinity":         func() error { return errorOf(p.Affinity()) },
			"IOPriority":       func() error { return errorOf(p.IOPriority()) },
			"OpenFiles":        func() error { return errorOf(p.OpenFiles()) },
			"Connections":      func() error { return errorOf(p.Connections()) },
			"SocketStats":      func() error { return errorOf(p.SocketStats()) },
			"Threads":          func() error { return errorOf(p.Threads()) },
			"MemoryMaps":       func() error { return errorOf(p.MemoryMaps()) },
			"Limits":           func() error { return errorOf(p.Limits()) },
			"Children":         func() error { return errorOf(p.Children()) },
			"Descendants":      func() error { return errorOf(p.Descendants()) },
			"Parents":          func() error { return errorOf(p.Parents()) },
			"Interfaces":       func() error { return errorOf(i.Interfaces(ctx)) },
			"Mounts":           func() error { return errorOf(i.Mounts(ctx)) },
			"Sessions":         func() error { return errorOf(i.Sessions(ctx)) },
		} {
			if err := ask(); o.lacks(name) && !errors.Is(err, errors.ErrUnsupported) {
				f.add("%s is not declared, and gave %v", name, err)
			}
		}
	})
}

// errorOf is the error of an answer.
func errorOf[T any](_ T, err error) error { return err }

func checkClosed(i platform.Inspector, _ *Observer) error {
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

func checkCancelledInspection(i platform.Inspector, _ *Observer) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var f faults
	if p, err := i.Inspect(ctx, platform.Self); !errors.Is(err, context.Canceled) {
		f.add("it gave %v, %v", p, err)
	}
	return f.err()
}

func checkBesidePass(i platform.Inspector, o *Observer) error {
	return within(i, func(platform.Reader) error {
		return errors.Join(checkSelfInspection(i, o), checkOwnThreads(i, o))
	})
}
