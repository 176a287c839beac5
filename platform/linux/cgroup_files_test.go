package linux

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const (
	containerID    = "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2"
	podID          = "0b2c9f3e-8a1d-4c7e-9f10-2b7c5d6e7f80"
	containerGroup = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0b2c9f3e_8a1d_4c7e_9f10_2b7c5d6e7f80.slice/cri-containerd-" + containerID + ".scope"

	cpuStatText = "usage_usec 3233401\nuser_usec 2107390\nsystem_usec 1126011\nnice_usec 0\ncore_sched.force_idle_usec 0\n" +
		"nr_periods 40\nnr_throttled 7\nthrottled_usec 250\nnr_bursts 0\nburst_usec 0\n"
	oldCPUStatText = "nr_periods 40\nnr_throttled 7\nthrottled_time 250000\nnr_bursts 0\nburst_time 0\n"
	cpuacctText    = "user 210\nsystem 112\n"
	memoryStatText = "anon 52428800\nfile 41943040\nkernel 1000\ninactive_anon 1\nactive_anon 2\ninactive_file 20971520\n" +
		"active_file 3\npgfault 900\npgmajfault 25\n"
	oldMemoryStatText = "cache 1\nrss 2\ninactive_file 3\npgfault 4\npgmajfault 5\nhierarchical_memory_limit 1073741824\n" +
		"total_cache 41943040\ntotal_rss 52428800\ntotal_pgfault 900\ntotal_pgmajfault 25\ntotal_inactive_file 20971520\n"
	ioStatText = "7:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n" +
		"253:0 8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n"
	oldIOText = "8:16 Read 1459200\n8:16 Write 314773504\n8:16 Sync 7\n8:16 Async 8\n8:16 Discard 0\n8:16 Total 316232704\n" +
		"7:0 Read 1\n7:0 Write 2\nTotal 316232707\n"
)

// pressureOf is a file of pressure with totals of n and ten times n milliseconds.
func pressureOf(n int) string {
	return fmt.Sprintf("some avg10=0.00 avg60=0.12 avg300=0.00 total=%d\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=%d\n", n*1000, n*10_000)
}

// fieldsIn returns what a sample holds.
func fieldsIn(s *platform.Sample) map[platform.Field]uint64 {
	c := &collector{}
	c.Sample(s)
	return c.given[0].fields
}

func TestDecodeFlat(t *testing.T) {
	for _, x := range []struct {
		content string
		keys    []flatKey
		want    map[platform.Field]uint64
	}{
		{cpuStatText, cpuStatKeys, map[platform.Field]uint64{
			platform.ContainerCPUUser: 2107390e3, platform.ContainerCPUSystem: 1126011e3, platform.ContainerCPUPeriods: 40,
			platform.ContainerCPUThrottled: 7, platform.ContainerCPUThrottledTime: 250e3}},
		{oldCPUStatText, cpuStatKeys, map[platform.Field]uint64{
			platform.ContainerCPUPeriods: 40, platform.ContainerCPUThrottled: 7, platform.ContainerCPUThrottledTime: 250e3}},
		{cpuacctText, cpuacctKeys, map[platform.Field]uint64{platform.ContainerCPUUser: 2100e6, platform.ContainerCPUSystem: 1120e6}},
		{"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", oomKeys, map[platform.Field]uint64{platform.ContainerOOMKills: 3}},
		{"oom_kill_disable 0\nunder_oom 0\n", oomKeys, map[platform.Field]uint64{}},                  // before Linux 4.13
		{"nr_periods -2147483648\n", cpuStatKeys, map[platform.Field]uint64{}},                       // an int that ran over
		{"user_usec 18446744073709551615\n", cpuStatKeys, map[platform.Field]uint64{}},               // too large for nanoseconds
		{"user_usec 12", cpuStatKeys, map[platform.Field]uint64{}},                                   // cut short
		{"user_usec\n user_usec 1x\n\n", cpuStatKeys, map[platform.Field]uint64{}},                   // nothing
		{"user_usec 5 6\n", cpuStatKeys, map[platform.Field]uint64{platform.ContainerCPUUser: 5000}}, // more than there is today
	} {
		s := sample(platform.Container)
		decodeFlat([]byte(x.content), x.keys, s)
		if got := fieldsIn(s); !maps.Equal(got, x.want) {
			t.Errorf("%q: %v, want %v", x.content, got, x.want)
		}
	}
}

func TestDecodeMemoryStat(t *testing.T) {
	want := groupMemory{known: 15, anonymous: 50 << 20, idle: 20 << 20, faults: 900, hard: 25}
	if got := decodeMemoryStat([]byte(memoryStatText), false); got != want {
		t.Errorf("version 2: %+v", got)
	}
	if got := decodeMemoryStat([]byte(oldMemoryStatText), true); got != want {
		t.Errorf("version 1: %+v", got)
	}
	if got := decodeMemoryStat([]byte("anon 5"), false); got.known != 0 {
		t.Errorf("cut short: %+v", got)
	}
}

// A working set is never below zero, and what is not told makes nothing up.
func TestMemoryOfGroup(t *testing.T) {
	for _, x := range []struct {
		why          string
		m            groupMemory
		usage, limit uint64
		limited      bool
		want         map[platform.Field]uint64
	}{
		{"all", groupMemory{15, 5, 20, 9, 4}, 100, 200, true, map[platform.Field]uint64{
			platform.ContainerMemoryRSS: 5, platform.ContainerMemoryWorkingSet: 80, platform.ContainerMemoryAvailable: 120,
			platform.ContainerFaultsMajor: 4, platform.ContainerFaultsMinor: 5}},
		{"no limit", groupMemory{2, 0, 20, 0, 0}, 100, 0, false, map[platform.Field]uint64{platform.ContainerMemoryWorkingSet: 80}},
		{"read at different times", groupMemory{15, 5, 120, 3, 4}, 100, 50, true, map[platform.Field]uint64{
			platform.ContainerMemoryRSS: 5, platform.ContainerMemoryWorkingSet: 0, platform.ContainerMemoryAvailable: 50, platform.ContainerFaultsMajor: 4}},
		{"over the limit", groupMemory{2, 0, 0, 0, 0}, 100, 50, true, map[platform.Field]uint64{
			platform.ContainerMemoryWorkingSet: 100, platform.ContainerMemoryAvailable: 0}},
		{"nothing", groupMemory{}, 100, 50, true, map[platform.Field]uint64{}},
	} {
		s := sample(platform.Container)
		x.m.set(s, x.usage, x.limit, x.limited)
		if got := fieldsIn(s); !maps.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", x.why, got, x.want)
		}
	}
}

func TestDecodeGroupLimits(t *testing.T) {
	type answer struct {
		v           uint64
		limited, ok bool
	}
	on64, on32, arm := noLimit(64, 4096), noLimit(32, 4096), noLimit(64, 65536)
	if on64 != 9223372036854771712 || on32 != 8796093018112 || arm != 9223372036854710272 {
		t.Errorf("no limit is %d, %d, %d", on64, on32, arm)
	}
	for _, x := range []struct {
		content string
		none    uint64
		want    answer
	}{
		{"max\n", math.MaxUint64, answer{0, false, true}},
		{"1073741824\n", math.MaxUint64, answer{1 << 30, true, true}},
		{"0\n", math.MaxUint64, answer{0, true, true}},
		{"9223372036854771712\n", on64, answer{9223372036854771712, false, true}},
		{"9223372036854775807\n", on64, answer{9223372036854775807, false, true}}, // before Linux 3.19
		{"9223372036854710272\n", arm, answer{9223372036854710272, false, true}},
		{"1073741824\n", on64, answer{1 << 30, true, true}},
		{"10737", on64, answer{}}, {"", on64, answer{}}, {"maximal\n", on64, answer{}}, {"-1\n", on64, answer{}},
	} {
		v, limited, ok := decodeLimit([]byte(x.content), x.none)
		if got := (answer{v, limited, ok}); got != x.want {
			t.Errorf("%q: %v, want %v", x.content, got, x.want)
		}
	}
	for content, want := range map[string]answer{
		"150000 100000\n": {1_500_000, true, true}, "max 100000\n": {0, false, true}, "10000 100000\n": {100_000, true, true},
		"33330 100000\n": {333_300, true, true}, "1 3\n": {333_333, true, true},
		"max\n": {}, "150000\n": {}, "150000 0\n": {}, "x 100000\n": {}, "150000 1000": {}, "": {},
		"18446744073709551615 100000\n": {0, false, true}, // what nobody can use is no limit
	} {
		v, limited, ok := decodeCPUMax([]byte(content))
		if got := (answer{v, limited, ok}); got != want {
			t.Errorf("%q: %v, want %v", content, got, want)
		}
	}
	for content, want := range map[string]answer{
		"150000\n|100000\n": {1_500_000, true, true}, "-1\n|100000\n": {0, false, true}, "-1\n|": {0, false, true},
		"150000\n|0\n": {}, "150000\n|": {}, "-2\n|100000\n": {}, "15|100000\n": {}, "-1|100000\n": {},
	} {
		quota, period, _ := strings.Cut(content, "|")
		v, limited, ok := decodeQuota([]byte(quota), []byte(period))
		if got := (answer{v, limited, ok}); got != want {
			t.Errorf("%q: %v, want %v", content, got, want)
		}
	}
}

func TestDecodeGroupIO(t *testing.T) {
	for line, want := range map[string]groupIO{
		"8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0": {8<<20 | 16, 1459200, 314773504},
		"7:7 7:6 253:1 rbytes=1 wbytes=2 rios=3 wios=4":                          {253<<20 | 1, 1, 2},
		"8:16 Read 5":     {8<<20 | 16, 5, 0},
		"8:16 Write 6":    {8<<20 | 16, 0, 6},
		"8:16 Sync 6":     {8<<20 | 16, 0, 0},
		"8:16":            {8<<20 | 16, 0, 0},
		"8:16 rbytes=x":   {8<<20 | 16, 0, 0},
		"8:16 rbytes=-1":  {8<<20 | 16, 0, 0},
		"8:16 Read 5 6:7": {6<<20 | 7, 0, 0},
	} {
		if got, ok := decodeGroupIO([]byte(line)); !ok || got != want {
			t.Errorf("%q: %+v, %v, want %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{"", "Total 316232707", "sda rbytes=1", "8 rbytes=1"} {
		if got, ok := decodeGroupIO([]byte(line)); ok {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func TestDecodeStallsOfGroup(t *testing.T) {
	s := sample(platform.Container)
	decodeStalls([]byte(pressureOf(3)), stall{total: platform.ContainerPressureIOSome}, stall{total: platform.ContainerPressureIOFull}, s)
	want := map[platform.Field]uint64{platform.ContainerPressureIOSome: 3e6, platform.ContainerPressureIOFull: 30e6}
	if got := fieldsIn(s); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, content := range []string{"", "some avg10=0.00 total=5", "some avg10=0.00\n", "none total=5\n", "some total=x\n"} {
		s := sample(platform.Container)
		decodeStalls([]byte(content), stall{total: platform.ContainerPressureIOSome}, stall{total: platform.ContainerPressureIOFull}, s)
		if got := fieldsIn(s); len(got) > 0 {
			t.Errorf("%q: %v", content, got)
		}
	}
}

// The plain twins of these decoders.

func slowFlat(s string, keys []flatKey) map[platform.Field]uint64 {
	all := map[platform.Field]uint64{}
	for _, line := range slowLines(s) {
		f := append(slowFields(line), "", "")
		v, err := strconv.ParseUint(f[1], 10, 64)
		for _, k := range keys {
			if err == nil && f[0] == k.name && v*k.unit/k.unit == v {
				all[k.field] = v * k.unit
			}
		}
	}
	return all
}

func slowGroupIO(line string) (d groupIO, ok bool) {
	words := slowFields(line)
	for i := 0; i < len(words); i++ {
		major, minor, colon := strings.Cut(words[i], ":")
		x, err := strconv.ParseUint(major, 10, 64)
		y, err2 := strconv.ParseUint(minor, 10, 64)
		key, number, _ := strings.Cut(words[i], "=")
		v, err3 := strconv.ParseUint(number, 10, 64)
		switch {
		case colon && err == nil && err2 == nil:
			d, ok = groupIO{device: x<<20 | y}, true
		case words[i] == "Read" || words[i] == "Write":
			into := map[string]*uint64{"Read": &d.read, "Write": &d.write}[words[i]]
			*into = 0
			if n, err := strconv.ParseUint(append(words, "")[i+1], 10, 64); err == nil {
				*into = n
				i++
			}
		case key == "rbytes" && err3 == nil:
			d.read = v
		case key == "wbytes" && err3 == nil:
			d.write = v
		}
	}
	return d, ok
}
func FuzzDecodeGroupFiles(f *testing.F) {
	for _, s := range []string{cpuStatText, oldCPUStatText, cpuacctText, memoryStatText, oldMemoryStatText, ioStatText, oldIOText,
		pressureOf(3), "max\n", "150000 100000\n", "-1\n", "max 100000\n", "oom_kill 3\n", "12\n15\n0\n", "9223372036854771712\n"} {
		f.Add([]byte(s))
	}
	keys := append(append(append([]flatKey{}, cpuStatKeys...), cpuacctKeys...), oomKeys...)
	f.Fuzz(func(t *testing.T, b []byte) {
		s := sample(platform.Container)
		decodeFlat(b, keys, s)
		if got, want := fieldsIn(s), slowFlat(string(b), keys); !maps.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		s = sample(platform.Container)
		io := [2]stall{{total: platform.ContainerPressureIOSome}, {total: platform.ContainerPressureIOFull}}
		decodeStalls(b, io[0], io[1], s)
		slow := sample(platform.Container)
		slowStalls(string(b), io[0], io[1], slow)
		same(t, s, slow)
		for line := range strings.Lines(string(b)) {
			got, ok := decodeGroupIO([]byte(line))
			if want, known := slowGroupIO(line); ok != known || ok && got != want {
				t.Fatalf("%q: %+v, %v, want %+v, %v", line, got, ok, want, known)
			}
		}
		for _, old := range []bool{false, true} {
			decodeMemoryStat(b, old)
		}
		if v, limited, ok := decodeLimit(b, 1<<62); limited && (!ok || v >= 1<<62) {
			t.Fatalf("limit %d, %v", v, ok)
		}
		if _, limited, ok := decodeCPUMax(b); limited && !ok {
			t.Fatal("a limit in bad content")
		}
		if _, limited, ok := decodeQuota(b, b); limited && !ok {
			t.Fatal("a quota in bad content")
		}
		for _, pid := range decodeMembers(b, nil) {
			if pid == 0 {
				t.Fatal("a process without number")
			}
		}
	})
}
