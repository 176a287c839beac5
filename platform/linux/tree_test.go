package linux

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// writeTree writes files, by their path, into a folder of the test. A content
// that begins with "-> " is a symbolic link, one that is "/" an empty folder.
func writeTree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, content := range files {
		if err := writeEntry(filepath.Join(root, path), content); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func writeEntry(path, content string) error {
	if content == "/" {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		return os.Symlink(target, path)
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// treeKernel is a kernel whose files are those of a tree, and whose failures and
// file systems are what a test says.
type treeKernel struct {
	root    string
	machine string
	space   map[string]Statfs        // by the path that statfs is asked for
	fail    map[string]error         // by path in the tree, or path of statfs
	block   map[string]chan struct{} // likewise: an answer waits until it is closed

	mu    sync.Mutex
	files map[int]*os.File
	next  int
	asked map[string]int // how often a path was opened or asked for its space
}

func newTreeKernel(root string) *treeKernel {
	return &treeKernel{
		root: root, machine: "x86_64",
		space: map[string]Statfs{}, fail: map[string]error{}, block: map[string]chan struct{}{},
		files: map[int]*os.File{}, next: 10, asked: map[string]int{},
	}
}

// meet counts a question, waits where it is to wait, and fails where it is to fail.
func (k *treeKernel) meet(path string) error {
	k.mu.Lock()
	k.asked[path]++
	wait, err := k.block[path], k.fail[path]
	k.mu.Unlock()
	if wait != nil {
		<-wait
	}
	return err
}

func (k *treeKernel) times(path string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asked[path]
}

func (k *treeKernel) name(path []byte) string {
	return strings.TrimSuffix(string(path), "\x00")
}

func (k *treeKernel) OpenRoot(string) (int, error) { return 3, nil }

func (k *treeKernel) OpenDir(_ int, path []byte) (int, error) { return k.Open(3, path) }

func (k *treeKernel) Open(_ int, path []byte) (int, error) {
	name := k.name(path)
	if err := k.meet(name); err != nil {
		return -1, err
	}
	f, err := os.Open(filepath.Join(k.root, name))
	if err != nil {
		return -1, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next++
	k.files[k.next] = f
	return k.next, nil
}

func (k *treeKernel) file(fd int) *os.File {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.files[fd]
}

func (k *treeKernel) Read(fd int, buf []byte) (int, error) {
	n, err := k.file(fd).Read(buf)
	if err == io.EOF {
		return 0, nil
	}
	return n, err
}

func (k *treeKernel) Pread(fd int, buf []byte, offset int64) (int, error) {
	n, err := k.file(fd).ReadAt(buf, offset)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// ReadDir gives a few entries at a time, whatever the room, so that every list takes
// several calls.
func (k *treeKernel) ReadDir(fd int, buf []byte) (int, error) {
	const few = 3
	entries, err := k.file(fd).ReadDir(few)
	if err != nil && err != io.EOF {
		return 0, err
	}
	n := 0
	for _, e := range entries {
		b := dirents(e.Name())
		if e.IsDir() {
			b[direntType] = typeFolder
		} else {
			b[direntType] = 8 // DT_REG
		}
		n += copy(buf[n:], b)
	}
	return n, nil
}

func (k *treeKernel) ReadLink(_ int, path, buf []byte) (int, error) {
	target, err := os.Readlink(filepath.Join(k.root, k.name(path)))
	return copy(buf, target), err
}

func (k *treeKernel) Stat(_ int, path []byte) (Stat, error) {
	name := k.name(path)
	if err := k.meet("stat " + name); err != nil {
		return Stat{}, err
	}
	info, err := os.Stat(filepath.Join(k.root, name))
	if err != nil {
		return Stat{}, err
	}
	return Stat{Size: info.Size(), Links: names(filepath.Join(k.root, name))}, nil
}

// names is how many names a folder has, as in the kernel's own file systems: its own, the
// dot in it, and a pair of dots in each folder below.
func names(path string) uint32 {
	links := uint32(leafLinks)
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		if e.IsDir() {
			links++
		}
	}
	if err != nil {
		links = 1 // a file
	}
	return links
}

func (k *treeKernel) Statfs(path string) (Statfs, error) {
	if err := k.meet(path); err != nil {
		return Statfs{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.space[path]
	if !ok {
		return Statfs{}, fs.ErrNotExist
	}
	return s, nil
}

func (k *treeKernel) Close(fd int) error {
	k.mu.Lock()
	f := k.files[fd]
	delete(k.files, fd)
	k.mu.Unlock()
	return f.Close()
}

// open returns how many files are open.
func (k *treeKernel) open() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.files)
}

func (k *treeKernel) PageSize() uint64           { return 4096 }
func (k *treeKernel) Machine() string            { return k.machine }
func (k *treeKernel) Clocks() (real, boot int64) { return 0, 0 }
func (k *treeKernel) Pid() int                   { return 1 }

// treeBackend is a backend over a tree, enough of one for the host half.
func treeBackend(k *treeKernel, o Options) *backend {
	return &backend{
		kernel: k, options: o, word: wordOf(k.machine), root: 3,
		buf: make([]byte, 4096), dirents: make([]byte, 4096), names: map[string]string{},
	}
}

// given is a copy of a sample.
type given struct {
	entity platform.Entity
	key    platform.Key
	fields map[platform.Field]uint64
	texts  map[platform.Text]string
}

// collector is a sink that keeps everything.
type collector struct {
	given  []given
	misses map[int][]platform.Reason
	stop   int // after so many samples; 0 is never
}

func (c *collector) Sample(s *platform.Sample) bool {
	g := given{s.Entity, s.Key, map[platform.Field]uint64{}, map[platform.Text]string{}}
	first, count := s.Entity.Block()
	for f := first; f < first+platform.Field(count); f++ {
		if v, ok := s.Get(f); ok {
			g.fields[f] = v
		}
	}
	for t := range platform.Text(platform.TextCount) {
		if b, ok := s.Text(t); ok {
			g.texts[t] = string(b)
		}
	}
	c.given = append(c.given, g)
	return c.stop == 0 || len(c.given) < c.stop
}

func (c *collector) Miss(source int, why platform.Reason) {
	if c.misses == nil {
		c.misses = map[int][]platform.Reason{}
	}
	c.misses[source] = append(c.misses[source], why)
}

// of returns the samples of one entity.
func (c *collector) of(e platform.Entity) (of []given) {
	for _, g := range c.given {
		if g.entity == e {
			of = append(of, g)
		}
	}
	return of
}

// names returns the names of the samples of one entity, in the order they came.
func (c *collector) names(e platform.Entity) (names []string) {
	for _, g := range c.of(e) {
		names = append(names, g.key.Name)
	}
	return names
}

// sourcesOf is a set of sources of the host half.
func sourcesOf(sources ...int) (set platform.SourceSet) {
	for _, s := range sources {
		set = set.With(s)
	}
	return set
}

const everything platform.SourceSet = 1<<numHostSources - 1

// readTree makes one pass over a backend.
func readTree(t testing.TB, b *backend, set platform.SourceSet) *collector {
	t.Helper()
	c := &collector{}
	if err := (&reader{b, t.Context()}).readHost(set, 0, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// readFiles makes one pass over a tree of files.
func readFiles(t testing.TB, files map[string]string, o Options, set platform.SourceSet) *collector {
	t.Helper()
	return readTree(t, treeBackend(newTreeKernel(writeTree(t, files)), o), set)
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
