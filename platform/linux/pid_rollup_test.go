package linux

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

const rollupText = `55860ad6b000-7fff73281000 ---p 00000000 00:00 0                          [rollup]
Rss:                1748 kB
Pss:                 253 kB
Pss_Dirty:           112 kB
Pss_Anon:            112 kB
Shared_Clean:       1600 kB
Private_Clean:        36 kB
Private_Dirty:       112 kB
Referenced:         1748 kB
Shared_Hugetlb:        4 kB
Private_Hugetlb:    2048 kB
Swap:                 40 kB
SwapPss:               7 kB
Locked:                0 kB
`

// Linux before 4.14 has one such block for each mapping, and no sum.
const smapsText = `00400000-0040c000 r-xp 00000000 fe:00 247026                             /tmp/Swap: 9 kB
Size:                 48 kB
Rss:                  44 kB
Pss:                  40 kB
Private_Clean:         4 kB
Private_Dirty:         8 kB
Swap:                  1 kB
7ffe5e8c2000-7ffe5e8e3000 rw-p 00000000 00:00 0                          [stack]
Pss:                   2 kB
Private_Clean:        16 kB
Private_Dirty:        32 kB
Private_Hugetlb:    2048 kB
Swap:                  3 kB
VmFlags: rd wr mr mw me gd ac
`

func TestDecodeRollup(t *testing.T) {
	if got, want := decodeRollup([]byte(rollupText)), (mapsUse{7, 2196 << 10, 253 << 10, 40 << 10}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := decodeRollup([]byte(smapsText)), (mapsUse{7, 2108 << 10, 42 << 10, 4 << 10}); got != want {
		t.Errorf("sum of mappings: %v, want %v", got, want)
	}
	for n := range strings.Index(rollupText, "SwapPss") {
		if u := decodeRollup([]byte(rollupText[:n])); u.whole() {
			t.Fatalf("cut at %d: %v", n, u)
		}
	}
}

func FuzzDecodeRollup(f *testing.F) {
	f.Add([]byte(rollupText))
	f.Add([]byte(smapsText))
	f.Add([]byte("Pss: 18014398509481983 kB\nPss: 18014398509481984 kB\nSwap: 1\nPrivate_Clean: 1 mB\nSwap:\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		u := decodeRollup(b)
		var want mapsUse
		for _, p := range slowColons(string(b)) {
			f := append(slowFields(p[1]), "", "")
			v, err := strconv.ParseUint(f[0], 10, 64)
			if err != nil || v >= 1<<54 || f[1] != "kB" || len(f) != 4 {
				continue
			}
			switch p[0] {
			case "Private_Clean", "Private_Dirty", "Private_Hugetlb":
				want.uss, want.read = want.uss+v*1024, want.read|usePrivate
			case "Pss":
				want.pss, want.read = want.pss+v*1024, want.read|usePSS
			case "Swap":
				want.swap, want.read = want.swap+v*1024, want.read|useSwap
			}
		}
		if u != want {
			t.Fatalf("%v, want %v", u, want)
		}
	})
}

func TestMapsOfOldKernel(t *testing.T) {
	w := newWorld(t)
	w.remove("proc/43/smaps_rollup")
	w.write("proc/43/smaps", smapsText)
	b := w.backend(Options{})
	defer b.Close()
	s := read(t, b, 1<<pidMaps)
	if got := s.fields[43][platform.ProcessMemoryUSS]; got != 2108<<10 || len(s.misses) > 0 {
		t.Errorf("%d, misses %v", got, s.misses)
	}
	w.write("proc/43/smaps", strings.Repeat("x", 1<<17))
	if s = read(t, b, 1<<pidMaps); s.misses[pidMaps][platform.Unknown] != 1 || w.leaked() != 3 {
		t.Errorf("misses %v, %d handles", s.misses, w.leaked())
	}
	w.remove("proc/43/smaps")
	if s = read(t, b, 1<<pidMaps); s.misses[pidMaps][platform.Unsupported] != 1 {
		t.Errorf("misses %v", s.misses)
	}
}

// What is too large is not even opened, and the ceiling itself is not too large.
func TestMapsCeiling(t *testing.T) {
	for ceiling, want := range map[uint64]int{0: 3, 570 << 12: 3, 380 << 12: 2, 379<<12 + 4095: 1, 1: 0} {
		w := newWorld(t)
		b := w.backend(Options{MapsCeiling: ceiling})
		w.log = []string{}
		s := read(t, b, 1<<pidMaps)
		opened := 0
		for _, call := range w.log {
			if strings.HasPrefix(call, "open ") && strings.HasSuffix(call, "/smaps_rollup") {
				opened++
			}
		}
		if opened != want || s.misses[pidMaps][platform.Skipped] != 3-want {
			t.Errorf("ceiling %d: %d files opened, want %d; misses %v", ceiling, opened, want, s.misses)
		}
		b.Close()
	}
}

// slowClock is a kernel on which each look at the clock takes a while.
type slowClock struct {
	caller
	now *int64
}

func (s slowClock) Clocks() (real, boot int64) {
	*s.now += int64(400 * time.Millisecond)
	return 0, *s.now
}

// Reading goes on until the time is spent, and in the next pass again.
func TestMapsBudget(t *testing.T) {
	for budget, want := range map[time.Duration]int{0: 3, 900 * time.Millisecond: 3, 800 * time.Millisecond: 2, 1: 1} {
		w := newWorld(t)
		b, err := New(Options{Kernel: slowClock{caller{world: w}, new(int64)}, MapsBudget: budget})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s := read(t, b, 1<<pidMaps)
			if s.misses[pidMaps][platform.Skipped] != 3-want {
				t.Errorf("budget %v: misses %v, want %d", budget, s.misses, 3-want)
			}
		}
		b.Close()
	}
}

func TestMapsOfKernelThread(t *testing.T) {
	w := newWorld(t)
	w.write("proc/43/stat", strings.Replace(statLine(43, only43), " -1 0 ", " -1 2129984 ", 1)) // flags 0x208040
	b := w.backend(Options{})
	defer b.Close()
	if s := read(t, b, 1<<pidMaps); s.misses[pidMaps][platform.Unsupported] != 1 {
		t.Errorf("misses %v", s.misses)
	}
}

const fileLimitsText = `Limit                     Soft Limit           Hard Limit           Units     
Max processes             96365                96365                processes 
Max open files            20000                unlimited            files     
Max locked memory         8388608              8388608              bytes     
`

func TestFileLimit(t *testing.T) {
	for text, want := range map[string]map[platform.Field]uint64{
		fileLimitsText:                               {platform.ProcessFileLimitSoft: 20000},
		"Max open files 5 7 files\n":                 {platform.ProcessFileLimitSoft: 5, platform.ProcessFileLimitHard: 7},
		"Max open files unlimited unlimited files\n": {},
		"Max open files 5\n":                         nil,
		"Max open files x 7\n":                       nil,
		"Max files 5 7\n":                            nil,
		"Max open files 5 7 files":                   nil,
	} {
		limit, ok := decodeFileLimit([]byte(text))
		if ok != (want != nil) {
			t.Errorf("%q: %v", text, ok)
		}
		if !ok {
			continue
		}
		s := sample(platform.Process)
		setBound(s, platform.ProcessFileLimitSoft, limit.soft)
		setBound(s, platform.ProcessFileLimitHard, limit.hard)
		wantFields(t, s, want)
	}
}

func FuzzDecodeFileLimit(f *testing.F) {
	f.Add([]byte(fileLimitsText))
	f.Add([]byte("Max open files \tunlimited 18446744073709551616\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		limit, ok := decodeFileLimit(b)
		var soft, hard platform.Bound
		want := false
		for _, line := range slowLines(string(b)) {
			rest, found := strings.CutPrefix(line, "Max open files ")
			if !found {
				continue
			}
			f := append(slowFields(rest), "", "")
			var softOK, hardOK bool
			soft, softOK = slowBound(f[0])
			hard, hardOK = slowBound(f[1])
			want = softOK && hardOK
			break
		}
		if ok != want || ok && (limit.soft != soft || limit.hard != hard) {
			t.Fatalf("%v, %v, want %v %v, %v", limit, ok, soft, hard, want)
		}
	})
}

func slowBound(s string) (platform.Bound, bool) {
	if s == "unlimited" {
		return platform.Bound{Infinite: true}, true
	}
	n := slowNumbers([]string{s}, 1)
	if len(n) == 0 {
		return platform.Bound{}, false
	}
	return platform.Bound{Value: n[0]}, true
}

func TestIOPriority(t *testing.T) {
	for class, f := range map[uint64]platform.Field{
		0: platform.ProcessIOPriorityNone, 1: platform.ProcessIOPriorityRealtime,
		2: platform.ProcessIOPriorityBestEffort, 3: platform.ProcessIOPriorityIdle,
	} {
		if got, ok := ioPriorityField(class); !ok || got != f {
			t.Errorf("class %d is %v, %v", class, got, ok)
		}
	}
	if _, ok := ioPriorityField(4); ok {
		t.Error("class 4 is known")
	}
}

// The numbers of a view are asked for only where they mean the same to the kernel.
func TestIOPriorityElsewhere(t *testing.T) {
	for name, change := range map[string]func(*world){
		"another namespace": func(w *world) { w.write("proc/1/status", "Tgid:\t7\nNSpid:\t7\t1\n") },
		"no process of it":  func(w *world) { delete(w.find("proc").children, "self") },
		"a recorded tree":   func(w *world) { w.find("proc").stat.Size = 4096 },
		"no such call":      func(w *world) { w.mute = true },
	} {
		w := newWorld(t)
		change(w)
		b := w.backend(Options{})
		asked := false
		w.before = func(_ *world, _ int, op, _ string) error { asked = asked || op == "ioprio"; return nil }
		if s := read(t, b, 1<<pidIOPriority); s.misses[pidIOPriority][platform.Unsupported] != 3 || asked {
			t.Errorf("%s: misses %v, asked %v", name, s.misses, asked)
		}
		b.Close()
	}
}

func TestDecodeOwnNumber(t *testing.T) {
	for text, want := range map[string]bool{
		"Tgid:\t7\nNSpid:\t7\n": true, "Tgid:\t7\nNSpid:\t7\t1\n": false, "Tgid:\t7\nNSpid:\t8\n": false,
		"Tgid:\t7\n": true, "Tgid:\t8\n": false, "": false, "NSpid:\tx\n": false, "NSpid:\t7": false,
	} {
		if got := decodeOwnNumber([]byte(text), 7); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestSignedField(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "19": 19, "-20": -20, "-0": 0, "9223372036854775807": 1<<63 - 1} {
		if v, ok := signedField([]byte(text)); !ok || v != want {
			t.Errorf("%q: %d, %v", text, v, ok)
		}
	}
	for _, text := range []string{"", "-", "+1", "--1", "1x", "- 1", "9223372036854775808"} {
		if v, ok := signedField([]byte(text)); ok {
			t.Errorf("%q: %d", text, v)
		}
	}
}

func TestStates(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for letter, f := range map[string]platform.Field{
		"R": platform.ProcessRunning, "D": platform.ProcessSleeping, "t": platform.ProcessStopped, "Z": platform.ProcessDefunct,
	} {
		p := only43
		p.state = letter
		w.write("proc/43/stat", statLine(43, p))
		got := read(t, b, statAlone).fields[43]
		for _, state := range []platform.Field{
			platform.ProcessRunning, platform.ProcessSleeping, platform.ProcessStopped, platform.ProcessDefunct,
		} {
			if v, ok := got[state]; !ok || (v == 1) != (state == f) || v > 1 {
				t.Errorf("%s: %v is %d, %v", letter, state, v, ok)
			}
		}
	}
}

func TestSkippedIsAReason(t *testing.T) {
	if got := reasonOf(errSkipped); got != platform.Skipped || got.String() != "skipped" {
		t.Errorf("%v", got)
	}
	if got := reasonOf(errors.Join(fs.ErrPermission, errSkipped)); got != platform.Denied {
		t.Errorf("%v", got)
	}
}
