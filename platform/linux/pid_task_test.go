package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// setThread sets the switches of one thread of 42.
func (w *world) setThread(id, start uint64, voluntary, involuntary int) {
	p := firstOf42
	p.start = start
	w.write(fmt.Sprintf("proc/42/task/%d/stat", id), statLine(id, p))
	w.write(fmt.Sprintf("proc/42/task/%d/status", id), statusLines(p, voluntary, involuntary))
}

// switchesOf42 makes a pass and returns both sums.
func switchesOf42(t *testing.T, b *backend) (voluntary, involuntary uint64) {
	t.Helper()
	s := read(t, b, 1<<pidTask)
	return s.fields[42][platform.ProcessSwitchesVoluntary], s.fields[42][platform.ProcessSwitchesInvoluntary]
}

func TestSwitches(t *testing.T) {
	steps := []struct {
		name                   string
		change                 func(w *world)
		voluntary, involuntary uint64
	}{
		{"three threads", func(*world) {}, 60, 6},
		{"one grows", func(w *world) { w.setThread(1042, 5000, 25, 3) }, 65, 7},
		{"one ends", func(w *world) { w.remove("proc/42/task/2042") }, 65, 7},
		{"one comes", func(w *world) { w.setThread(9042, 9000, 100, 1) }, 165, 8},
		{"its ID is used again, for a thread with more", func(w *world) { w.setThread(9042, 9001, 300, 5) }, 465, 13},
		{"and again, for one with fewer", func(w *world) { w.setThread(9042, 9002, 2, 0) }, 467, 13},
		{"another than the first calls exec", func(w *world) { w.setThread(42, 5000, 1, 1) }, 467, 13},
		{"and goes on", func(w *world) { w.setThread(42, 5000, 4, 1) }, 470, 13},
		{"all others end", func(w *world) {
			w.remove("proc/42/task/1042")
			w.remove("proc/42/task/9042")
			p := firstOf42
			p.threads = 1
			w.write("proc/42/stat", statLine(42, p))
			w.write("proc/42/status", statusLines(p, 5, 1))
		}, 471, 13},
	}
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for _, step := range steps {
		step.change(w)
		for range 2 {
			if v, i := switchesOf42(t, b); v != step.voluntary || i != step.involuntary {
				t.Errorf("%s: %d and %d, want %d and %d", step.name, v, i, step.voluntary, step.involuntary)
			}
		}
	}
}

// A thread that can't be read for once is counted neither twice nor not at all.
func TestSwitchesUnreadable(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	switchesOf42(t, b)
	w.before = func(_ *world, _ int, _, path string) error {
		if strings.HasPrefix(path, "/proc/42/task/1042") {
			return fs.ErrPermission
		}
		return nil
	}
	if v, _ := switchesOf42(t, b); v != 60 {
		t.Errorf("%d while unreadable, want 60", v)
	}
	w.before = nil
	w.setThread(1042, 5000, 21, 2)
	if v, _ := switchesOf42(t, b); v != 61 {
		t.Errorf("%d when readable again, want 61", v)
	}
}

// A list that breaks off changes nothing.
func TestSwitchesOfBrokenList(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	switchesOf42(t, b)
	lists := 0
	w.before = func(_ *world, _ int, op, path string) error {
		if op == "list" && strings.HasPrefix(path, "/proc/42/task") {
			if lists++; lists == 2 {
				return errors.New("broken")
			}
		}
		return nil
	}
	s := read(t, b, 1<<pidTask)
	if s.misses[pidTask][platform.Unknown] != 1 || len(s.fields[42]) > 0 {
		t.Errorf("%v, misses %v", s.fields[42], s.misses)
	}
	w.before = nil
	if v, _ := switchesOf42(t, b); v != 60 {
		t.Errorf("%d afterwards, want 60", v)
	}
}

func TestGrowth(t *testing.T) {
	tests := []struct {
		old, now uint64
		word     uint8
		want     uint64
	}{
		{5, 9, 64, 4},
		{9, 5, 64, 0},
		{1<<32 - 3, 4, 32, 7},
		{1 << 20, 4, 32, 0},
		{1<<64 - 3, 4, 64, 7},
	}
	for _, test := range tests {
		if got := growth(test.old, test.now, test.word); got != test.want {
			t.Errorf("from %d to %d in %d bits: %d, want %d", test.old, test.now, test.word, got, test.want)
		}
	}
}

// Against a sum kept by the plainest means: all that every thread ever showed.
func TestSwitchesOfManyThreads(t *testing.T) {
	type life struct{ id, start uint64 }
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		alive, shown := map[uint64]life{}, map[life]uint64{}
		var s switches
		var before uint64
		for step := range uint64(50) {
			var now []thread
			for id := range uint64(8) {
				l, lives := alive[id]
				switch {
				case !lives && r.IntN(3) == 0, lives && r.IntN(8) == 0:
					l = life{id, step + 1}
					alive[id] = l
				case lives && r.IntN(8) == 0:
					delete(alive, id)
					continue
				case !lives:
					continue
				}
				shown[l] += r.Uint64N(1000)
				now = append(now, thread{l.id, l.start, shown[l], 0})
			}
			r.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
			s.update(now, 64)
			var want uint64
			for _, v := range shown {
				want += v
			}
			if s.voluntary != want || s.voluntary < before {
				t.Fatalf("seed %d, step %d: %d, want %d", seed, step, s.voluntary, want)
			}
			before = s.voluntary
		}
	}
}
