package linux

import (
	"context"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// witnessKernel is the real one, and keeps what it was asked for, each by the name that
// the table of details has for it.
type witnessKernel struct {
	realKernel
	mu    sync.Mutex
	paths map[int]string // of the open handles
	asked map[string]bool
}

func newWitnessKernel(t *testing.T) *witnessKernel {
	t.Helper()
	k, err := newKernel()
	if err != nil {
		t.Fatal(err)
	}
	return &witnessKernel{realKernel: k.(realKernel), paths: map[int]string{}, asked: map[string]bool{}}
}

// ask notes a path under a handle.
func (k *witnessKernel) ask(dir int, name []byte) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	full := path.Join(k.paths[dir], strings.TrimSuffix(string(name), "\x00"))
	k.asked[patternOf(full)] = true
	return full
}

func (k *witnessKernel) opened(fd int, err error, full string) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.paths[fd] = full
	}
	return fd, err
}

func (k *witnessKernel) call(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked[name] = true
}

func (k *witnessKernel) OpenRoot(path string) (int, error) {
	fd, err := k.realKernel.OpenRoot(path)
	return k.opened(fd, err, path)
}

func (k *witnessKernel) OpenDir(dir int, name []byte) (int, error) {
	full := k.ask(dir, name)
	fd, err := k.realKernel.OpenDir(dir, name)
	return k.opened(fd, err, full)
}

func (k *witnessKernel) Open(dir int, name []byte) (int, error) {
	full := k.ask(dir, name)
	fd, err := k.realKernel.Open(dir, name)
	return k.opened(fd, err, full)
}

func (k *witnessKernel) ReadLink(dir int, name, buf []byte) (int, error) {
	k.ask(dir, name)
	return k.realKernel.ReadLink(dir, name, buf)
}

func (k *witnessKernel) Stat(dir int, name []byte) (Stat, error) {
	k.ask(dir, name)
	return k.realKernel.Stat(dir, name)
}

func (k *witnessKernel) Affinity(id uint64, mask []byte) (int, error) {
	k.call("sched_getaffinity")
	return k.realKernel.Affinity(id, mask)
}

func (k *witnessKernel) IOPriority(id uint64) (uint64, error) {
	k.call("ioprio_get")
	return k.realKernel.IOPriority(id)
}

func (k *witnessKernel) OpenNetlink(protocol int) (int, error) {
	k.call(map[int]string{protocolRoute: "rtnetlink", protocolDiag: "sock_diag"}[protocol])
	return k.realKernel.OpenNetlink(protocol)
}

// patterns turn a path into that of the table, which names what varies.
var patterns = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`^/proc/\d+(/|$)`), "/proc/[pid]$1"},
	{regexp.MustCompile(`^(/proc/\[pid\]/task)/\d+`), "$1/[tid]"},
	{regexp.MustCompile(`^(/sys/class/net)/[^/]+`), "$1/[interface]"},
}

func patternOf(path string) string {
	for _, p := range patterns {
		path = p.from.ReplaceAllString(path, p.to)
	}
	return path
}

// methods are what an interface has beyond another.
func methods[T any](but ...string) (names []string) {
	typ := reflect.TypeFor[T]()
	for i := range typ.NumMethod() {
		if name := typ.Method(i).Name; !slices.Contains(but, name) {
			names = append(names, name)
		}
	}
	return names
}

// The table has each detail once, in the order of nothing but the interfaces.
func TestDetailsAreComplete(t *testing.T) {
	want := append(methods[platform.Inspection]("Key", "Close"), methods[platform.Inspector]("Sources", "Boot", "Begin", "Close", "Inspect")...)
	var have []string
	for _, d := range Details() {
		have = append(have, d.Detail)
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("the table has %q, want %q", have, want)
	}
}

// Whatever a detail asks the kernel for is in the table, and what the table says of it
// is asked for, on this machine.
func TestDetailsReadWhatTheTableSays(t *testing.T) {
	s := newStage(t)
	k := newWitnessKernel(t)
	opened, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	b := opened.(*backend)
	p, err := b.Inspect(t.Context(), platform.Key{ID: uint64(s.cmd.Process.Pid)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, d := range Details() {
		clear(k.asked)
		if d.Entity == platform.Process {
			reflect.ValueOf(p).MethodByName(d.Detail).Call(nil)
		} else {
			reflect.ValueOf(b).MethodByName(d.Detail).Call([]reflect.Value{reflect.ValueOf(context.Background())})
		}
		for asked := range k.asked {
			if !slices.ContainsFunc(append(d.Reads, looked...), func(read string) bool { return covers(read, asked) }) {
				t.Errorf("%s asks for %s, which the table does not say", d.Detail, asked)
			}
		}
		for _, read := range d.Reads {
			if !slices.Contains(seldom, d.Detail+" "+read) && !hasUnder(k.asked, read) && isThere(read) {
				t.Errorf("%s does not ask for %s", d.Detail, read)
			}
		}
	}
}

// looked is what every detail may look at: who the process is, and whether it is in the
// caller's own namespaces.
var looked = []string{"/proc/[pid]/stat", "/proc/self/ns/net", "/proc/self/status", "/var/run/utmp"}

// seldom is what is read only of terminals with rare drivers, of files whose names end
// in "(deleted)", or where another file is not there.
var seldom = []string{
	"Identity /proc/tty/drivers", "Executable /proc/[pid]/root", "WorkingDirectory /proc/[pid]/root",
	"MemoryMaps /proc/[pid]/maps", "Sessions /run/utmp",
}

// covers reports whether a path is that of the table, on the way to it, or below it.
func covers(read, asked string) bool {
	return asked == read || strings.HasPrefix(asked, read+"/") || strings.HasPrefix(read, strings.TrimSuffix(asked, "/")+"/")
}

func hasUnder(asked map[string]bool, read string) bool {
	for a := range asked {
		if a == read || strings.HasPrefix(a, read+"/") {
			return true
		}
	}
	return false
}

// isThere reports whether this machine has a file at all: without IPv6 it lacks two.
func isThere(read string) bool {
	if !strings.HasPrefix(read, "/proc/[pid]/") {
		return true
	}
	_, err := os.Lstat(strings.NewReplacer("[pid]", "self", "[tid]", "").Replace(read))
	return err == nil || strings.Contains(read, "[tid]")
}
