package windows

import (
	"context"
	"fmt"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// crowd is a world of so many processes with ten threads each.
func crowd(n int) *world {
	w := newWorld(8)
	for i := range n {
		t := w.service(uint64(10000 + 4*i))
		t.name = wide(fmt.Sprintf("program-%04d.exe", i))
		t.threads = someThreads(t.pid, 10, threadWaiting)
		w.tasks = append(w.tasks, t)
	}
	return w
}

// frozen answers with a table made once, into each buffer once: what the kernel takes to
// write it is not ours.
type frozen struct {
	*world
	content []byte
	written *byte // where it stands
}

func (k *frozen) System(class int32, buf []byte) (int, error) {
	if class == classProcesses {
		if k.written == &buf[0] {
			return len(k.content), nil
		}
		if len(buf) >= len(k.content) {
			k.written = &buf[0]
		}
		return answer(buf, k.content)
	}
	return k.world.System(class, buf)
}

// A pass over everything that needs no handle makes the same calls for ten processes
// and for a thousand.
func TestCallsDoNotGrow(t *testing.T) {
	bulk := all&^allProcessSources | 1<<fromProcesses | 1<<fromThreads | 1<<fromProcessDisk | 1<<fromSockets
	var sums []int
	for _, n := range []int{10, 1000} {
		w := crowd(n)
		b := opened(t, w)
		passOver(t, b, bulk) // buffers grow
		w.counts()
		passOver(t, b, bulk)
		calls, sum := w.counts()
		sums = append(sums, sum)
		t.Logf("%d processes: %d calls: %v", n, sum, calls)
	}
	if sums[0] != sums[1] {
		t.Errorf("%d calls for 10 processes, %d for 1000", sums[0], sums[1])
	}
}

// All fields of one process in one pass take fewer calls than each by itself (the
// seed of this is psutil's oneshot: 1.9 times as fast for own processes on Windows,
// 6.5 times for others).
func TestOneshot(t *testing.T) {
	w := newWorld(8)
	b := opened(t, w)
	var fields []platform.Field
	for _, g := range processSources()[fromProcesses].Gives {
		fields = append(fields, g.Field)
	}
	read := func(times int) int {
		w.counts()
		for range times {
			reader, _ := b.Begin(context.Background())
			if err := reader.Process(platform.Key{ID: 612}, only, newRecord()); err != nil {
				t.Fatal(err)
			}
			reader.Close()
		}
		_, sum := w.counts()
		return sum
	}
	single, pass := read(len(fields)), read(1)
	t.Logf("%d fields one by one: %d calls; in one pass: %d", len(fields), single, pass)
	if pass != 1 || single != len(fields) {
		t.Errorf("%d calls one by one, %d in one pass", single, pass)
	}
}

// One handle serves everything that takes one, so that the fields of a process in one
// pass take fewer calls than each by itself, also where the table has none of them.
func TestOneshotByHandle(t *testing.T) {
	calls := func(sets ...platform.SourceSet) int {
		w := newWorld(8)
		b := opened(t, w) // nothing is remembered
		w.counts()
		for _, set := range sets {
			reader, _ := b.Begin(context.Background())
			if err := reader.Process(platform.Key{ID: 612}, set, newRecord()); err != nil {
				t.Fatal(err)
			}
			reader.Close()
		}
		_, sum := w.counts()
		return sum
	}
	single := calls(1<<fromImage, 1<<fromOwner, 1<<fromCommandLine, 1<<fromAffinity)
	pass := calls(1<<fromImage | 1<<fromOwner | 1<<fromCommandLine | 1<<fromAffinity)
	t.Logf("program, owner, arguments and affinity one by one: %d calls; in one pass: %d", single, pass)
	if single < 2*pass {
		t.Errorf("%d calls one by one, %d in one pass", single, pass)
	}
}

// What is told of a process by a handle is asked once in its life.
func TestHandlesAreRemembered(t *testing.T) {
	w := newWorld(8)
	b := opened(t, w)
	set := only | 1<<fromImage | 1<<fromOwner | 1<<fromCommandLine
	passOver(t, b, set)
	w.counts()
	passOver(t, b, set)
	if calls, _ := w.counts(); calls["Open"] != 0 {
		t.Errorf("calls of the second pass: %v", calls)
	}
}

// discard takes samples and keeps nothing.
type discard struct{ n int }

func (d *discard) Sample(*platform.Sample) bool { d.n++; return true }
func (d *discard) Miss(int, platform.Reason)    {}

// frozenPass returns a function that makes one pass over n processes, and how many
// it hands on.
func frozenPass(tb testing.TB, n int, set platform.SourceSet) func() int {
	w := crowd(n)
	k := &frozen{world: w, content: w.table()}
	b, err := New(Options{Kernel: k})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { b.Close() })
	d := &discard{}
	return func() int {
		d.n = 0
		reader, _ := b.Begin(context.Background())
		if err := reader.Read(set, d); err != nil {
			tb.Fatal(err)
		}
		reader.Close()
		return d.n
	}
}

// A steady pass allocates the same few things for ten processes and for 3000.
func TestAllocations(t *testing.T) {
	set := only | 1<<fromThreads | 1<<fromProcessDisk
	count := func(n int) float64 {
		pass := frozenPass(t, n, set)
		pass()
		return testing.AllocsPerRun(5, func() { pass() })
	}
	small, large := count(10), count(3000)
	t.Logf("%v allocations for 10 processes, %v for 3000", small, large)
	if large > small {
		t.Errorf("%v allocations for 10 processes, %v for 3000", small, large)
	}
}

// BenchmarkDecode3000 is one pass over 3000 processes of ten threads, without the
// system call.
func BenchmarkDecode3000(b *testing.B) {
	pass := frozenPass(b, 3000, only)
	b.ReportAllocs()
	for b.Loop() {
		if n := pass(); n != 3004 {
			b.Fatalf("%d processes", n)
		}
	}
}
