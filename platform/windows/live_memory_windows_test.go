package windows

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// aChild starts this program again. It waits until it is let go.
func aChild(t *testing.T, mode string) (c *exec.Cmd, letGo func()) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c = exec.Command(path)
	c.Env = append(os.Environ(), asChild+"="+mode)
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); c.Wait() })
	if _, err := io.ReadFull(stdout, make([]byte, 1)); err != nil {
		t.Fatalf("the child does not run: %v", err)
	}
	return c, func() { stdin.Close() }
}

// The mappings of this process are those of its program among others, do not overlap,
// and hold what is unique to it, which is less than what is in memory.
func TestLiveMemoryMaps(t *testing.T) {
	b := liveBackend(t)
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Self)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	maps, err := p.MemoryMaps()
	if err != nil {
		t.Fatal(err)
	}
	path, _ := os.Executable()
	var end, resident, unique uint64
	program := false
	for _, m := range maps {
		if m.Start < end || m.End <= m.Start {
			t.Errorf("%x-%x, behind %x", m.Start, m.End, end)
		}
		end = m.End
		program = program || strings.EqualFold(m.Path, path) && strings.Contains(m.Permissions, "x")
		if m.Use == nil {
			t.Fatalf("the use of %x-%x of this process is not known", m.Start, m.End)
		}
		resident, unique = resident+m.Use.RSS, unique+m.Use.USS()
	}
	if !program || unique == 0 || unique > resident {
		t.Errorf("the program is there: %v; %d of %d bytes are unique", program, unique, resident)
	}
	c, letGo := aChild(t, "wait")
	defer letGo()
	child, err := b.(platform.Inspector).Inspect(context.Background(), platform.Key{ID: uint64(c.Process.Pid)})
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	if maps, err := child.MemoryMaps(); err != nil || len(maps) < 10 {
		t.Errorf("%d mappings of a child: %v", len(maps), err)
	}
}

func liveBackend(t *testing.T) platform.Backend {
	t.Helper()
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// The unique memory of this process is there, and less than the machine has.
func TestLiveUnique(t *testing.T) {
	b := liveBackend(t)
	r := newRecord()
	reader, err := b.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Process(platform.Self, only|1<<fromUnique, r); err != nil {
		t.Fatal(err)
	}
	s := r.only(t, platform.Process)
	if uss, ok := s.fields[platform.ProcessMemoryUSS]; !ok || uss < 1<<20 {
		t.Errorf("%d bytes, %v; missed %v", uss, ok, r.misses)
	}
}

// Whoever waits for a process is told what it returned, and may give up.
func TestLiveWaitProcess(t *testing.T) {
	b := liveBackend(t)
	c, letGo := aChild(t, "exit with 77")
	key := platform.Key{ID: uint64(c.Process.Pid)}
	ctx, cancel := context.WithCancel(context.Background())
	given := make(chan error)
	go func() {
		_, err := b.(platform.Waiter).WaitProcess(ctx, key)
		given <- err
	}()
	cancel()
	if err := <-given; !errors.Is(err, context.Canceled) {
		t.Errorf("gave up: %v", err)
	}
	told := make(chan platform.Exit)
	go func() {
		exit, err := b.(platform.Waiter).WaitProcess(context.Background(), key)
		if err != nil {
			t.Error(err)
		}
		told <- exit
	}()
	letGo()
	if exit := <-told; !exit.Known || exit.Code != 77 {
		t.Errorf("%+v", exit)
	}
	if _, err := b.(platform.Waiter).WaitProcess(context.Background(), platform.Key{ID: uint64(os.Getpid()), Start: 1}); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("another start: %v", err)
	}
}
