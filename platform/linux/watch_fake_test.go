package linux

import (
	"context"
	"io/fs"
	"strings"
	"syscall"

	"github.com/pidometer/pidometer/platform"
)

// watchKernel is a kernel of files that can also be watched: what a descriptor gives is
// a script, and each call may fail.
type watchKernel struct {
	*treeKernel
	records map[string][]string // what each read of a file or socket gives; "!x" is an error
	peer    int
	clock   int64

	calls  int
	failAt int
	fault  error
	names  map[int]string // of the open scripts
	polls  []*fakePoll
	sent   []string
	open   map[int]bool
}

// treeProc is the handle of proc in a tree.
const treeProc = 4

func newWatchKernel(root string) *watchKernel {
	return &watchKernel{treeKernel: newTreeKernel(root), records: map[string][]string{}, names: map[int]string{}, open: map[int]bool{}, peer: 1}
}

// call counts a call, and fails if it is its turn.
func (k *watchKernel) call() error {
	if k.calls++; k.calls == k.failAt {
		return k.fault
	}
	return nil
}

// script opens a descriptor that reads what a script says.
func (k *watchKernel) script(name string) int {
	k.next++
	k.names[k.next], k.open[k.next] = name, true
	return k.next
}

func (k *watchKernel) Open(dir int, path []byte) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	name := k.name(path)
	if _, ok := k.records[name]; ok {
		return k.script(name), nil
	}
	if dir == treeProc {
		path = append([]byte("proc/"), path...)
	}
	fd, err := k.treeKernel.Open(dir, path)
	if err != nil {
		return -1, fs.ErrNotExist
	}
	return fd, nil
}

func (k *watchKernel) OpenWrite(_ int, path []byte) (int, error) {
	name := k.name(path)
	if err := k.call(); err != nil {
		return -1, err
	}
	if _, ok := k.records[name]; !ok {
		return -1, fs.ErrNotExist
	}
	return k.script(name), nil
}

func (k *watchKernel) Connect(path string) (int, int, error) {
	if err := k.call(); err != nil {
		return -1, 0, err
	}
	if _, ok := k.records[path]; !ok {
		return -1, 0, syscall.ECONNREFUSED
	}
	return k.script(path), k.peer, nil
}

func (k *watchKernel) Read(fd int, buf []byte) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	name, ok := k.names[fd]
	if !ok {
		return k.treeKernel.Read(fd, buf)
	}
	left := k.records[name]
	if len(left) == 0 {
		return -1, syscall.EAGAIN
	}
	k.records[name] = left[1:]
	if rest, found := strings.CutPrefix(left[0], "!"); found {
		return -1, map[string]error{"EPIPE": syscall.EPIPE, "EIO": syscall.EIO, "EINVAL": syscall.EINVAL}[rest]
	}
	return copy(buf, left[0]), nil
}

func (k *watchKernel) Pread(fd int, buf []byte, offset int64) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	return k.treeKernel.Pread(fd, buf, offset)
}

func (k *watchKernel) Stat(dir int, path []byte) (Stat, error) {
	if err := k.call(); err != nil {
		return Stat{}, err
	}
	return k.treeKernel.Stat(dir, path)
}

func (k *watchKernel) ReadDir(fd int, buf []byte) (int, error) {
	if err := k.call(); err != nil {
		return -1, err
	}
	return k.treeKernel.ReadDir(fd, buf)
}

func (k *watchKernel) End(int) error { return k.call() }

func (k *watchKernel) Write(fd int, b []byte) error { return k.Send(fd, b) }

func (k *watchKernel) Send(fd int, b []byte) error {
	k.sent = append(k.sent, k.names[fd]+" "+string(b))
	return k.call()
}

func (k *watchKernel) Close(fd int) error {
	if name, ok := k.names[fd]; ok {
		if !k.open[fd] {
			panic(name + " is closed twice")
		}
		delete(k.open, fd)
		return nil
	}
	return k.treeKernel.Close(fd)
}

func (k *watchKernel) ReadLink(_ int, path, buf []byte) (int, error) {
	return 0, fs.ErrNotExist
}

func (k *watchKernel) UID() int                             { return 0 }
func (k *watchKernel) Clocks() (int64, int64)               { return 1e15, k.clock }
func (k *watchKernel) Affinity(uint64, []byte) (int, error) { return 0, fs.ErrInvalid }
func (k *watchKernel) IOPriority(uint64) (uint64, error)    { return 0, fs.ErrInvalid }
func (k *watchKernel) OpenNetlink(int) (int, error)         { return -1, fs.ErrInvalid }
func (k *watchKernel) OpenPoll() (Poll, error) {
	if err := k.call(); err != nil {
		return nil, err
	}
	p := &fakePoll{kernel: k}
	k.polls = append(k.polls, p)
	return p, nil
}

// leaked returns how many descriptors and polls are open.
func (k *watchKernel) leaked() (n int) {
	for _, p := range k.polls {
		if !p.closed {
			n++
		}
	}
	return n + len(k.open) + k.treeKernel.open()
}

// fakePoll is ready with what a test says.
type fakePoll struct {
	kernel *watchKernel
	of     []any
	ready  []Ready
	closed bool
}

func (p *fakePoll) Add(_ int, _ PollEvents, of any) error {
	if err := p.kernel.call(); err != nil {
		return err
	}
	p.of = append(p.of, of)
	return nil
}

func (p *fakePoll) Ready(ready []Ready) (int, error) {
	if err := p.kernel.call(); err != nil {
		return 0, err
	}
	n := copy(ready, p.ready)
	p.ready = p.ready[n:]
	return n, nil
}

// Wait is over at once: what a script holds is there from the start.
func (p *fakePoll) Wait(ctx context.Context) error {
	if err := p.kernel.call(); err != nil {
		return err
	}
	return ctx.Err()
}

func (p *fakePoll) Close() error {
	p.closed = true
	return nil
}

// all makes everything ready that was added.
func (p *fakePoll) all(failed bool) {
	for _, of := range p.of {
		p.ready = append(p.ready, Ready{of, failed})
	}
}

// watchTree watches a kernel of files.
func watchTree(k *watchKernel, o platform.WatchOptions) (*watch, error) {
	b := treeBackend(k.treeKernel, Options{Root: "/"})
	b.kernel, b.proc = k, treeProc
	w, err := b.Watch(context.Background(), o)
	if err != nil {
		return nil, err
	}
	return w.(*watch), nil
}
