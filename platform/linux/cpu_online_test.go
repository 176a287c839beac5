package linux

import (
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestOnlineCPUs(t *testing.T) {
	for _, c := range []struct {
		online, mask string
		want         uint64
		ok           bool
	}{
		{"0-1\n", "3", 2, true},
		{"0-3\n", "ffffffff,ffffffff,ffffffff,ffffffff", 4, true},
		{"0-3\n", "00000000,00000006", 2, true},
		{"0,33,127\n", "80000000,00000000,00000002,00000001", 3, true},
		{"64-127\n", "f,00000000,00000003", 4, true},
		{"0-3\n", "", 0, false},
		{"0-3\n", ",", 0, false},
		{"0-3\n", "3x", 0, false},
		{"0-3\n", strings.Repeat("f", 8192), 4, true},
	} {
		var set onlineCPUs
		if !decodeOnlineCPUs([]byte(c.online), &set) {
			t.Errorf("%q was not taken", c.online)
		}
		if n, ok := set.count([]byte(c.mask)); n != c.want || ok != c.ok {
			t.Errorf("%q of %q: %d, %v, want %d, %v", c.mask, c.online, n, ok, c.want, c.ok)
		}
	}
	for _, text := range []string{"", "\n", "x", "8192\n"} {
		if decodeOnlineCPUs([]byte(text), new(onlineCPUs)) {
			t.Errorf("%q was taken", text)
		}
	}
}

func FuzzOnlineCPUs(f *testing.F) {
	f.Add("0-3,64\n", "00000001,ffffffff,fffffff3")
	f.Fuzz(func(t *testing.T, online, mask string) {
		var set onlineCPUs
		decodeOnlineCPUs([]byte(online), &set)
		n, ok := set.count([]byte(mask))
		digits := strings.ReplaceAll(mask, ",", "")
		isHex := digits != "" && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
		there := map[uint64]bool{}
		for cpu := range decodeCPUList([]byte(online)) {
			there[cpu] = cpu < 8192
		}
		var want uint64
		for cpu := range there {
			if at := len(digits) - 1 - int(cpu/4); isHex && at >= 0 && there[cpu] {
				four, _ := strconv.ParseUint(digits[at:at+1], 16, 8)
				want += four >> (cpu % 4) & 1
			}
		}
		if ok != isHex || ok && n != want {
			t.Fatalf("%d, %v, want %d, %v", n, ok, want, isHex)
		}
	})
}

// A process that may run on CPUs that are not there may run on those that are.
func TestAffinityOfOnlineCPUs(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for online, want := range map[string]uint64{"": 4, "0-1\n": 2, "2\n": 1, "garbage\n": 4} {
		w.write("sys/devices/system/cpu/online", online)
		if got := read(t, b, 1<<pidStatus).fields[43][platform.ProcessCPUAllowed]; got != want {
			t.Errorf("online %q: %d, want %d", online, got, want)
		}
	}
}
