package linux

import (
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const limitsText = "Limit                     Soft Limit           Hard Limit           Units     \n" +
	"Max cpu time              unlimited            unlimited            seconds   \n" +
	"Max open files            1024                 18446744073709551614 files     \n" +
	"Max nice priority         0                    0                    \n" +
	"Max realtime timeout      1                    unlimited            us        \n" +
	"Max something new         1                    2                    things    \n"

func TestDecodeLimits(t *testing.T) {
	infinite := platform.Bound{Infinite: true}
	want := []platform.Limit{
		{Name: "RLIMIT_CPU", Unit: "seconds", Soft: infinite, Hard: infinite},
		{Name: "RLIMIT_NOFILE", Unit: "files", Soft: platform.Bound{Value: 1024}, Hard: platform.Bound{Value: 1<<64 - 2}},
		{Name: "RLIMIT_NICE"},
		{Name: "RLIMIT_RTTIME", Unit: "microseconds", Soft: platform.Bound{Value: 1}, Hard: infinite},
	}
	if got := decodeLimits([]byte(limitsText)); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func FuzzDecodeLimits(f *testing.F) {
	f.Add([]byte(limitsText))
	f.Add([]byte("Max cpu time             1 unlimited us\nMax cpu time             unlimited\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		alike(t, decodeLimits(b), true, slowLimits(string(b)), true)
	})
}

func slowLimits(s string) []platform.Limit {
	names := map[string]string{
		"Max cpu time": "CPU", "Max file size": "FSIZE", "Max data size": "DATA", "Max stack size": "STACK",
		"Max core file size": "CORE", "Max resident set": "RSS", "Max processes": "NPROC", "Max open files": "NOFILE",
		"Max locked memory": "MEMLOCK", "Max address space": "AS", "Max file locks": "LOCKS",
		"Max pending signals": "SIGPENDING", "Max msgqueue size": "MSGQUEUE", "Max nice priority": "NICE",
		"Max realtime priority": "RTPRIO", "Max realtime timeout": "RTTIME",
	}
	bound := func(s string) (platform.Bound, bool) {
		if s == "unlimited" {
			return platform.Bound{Infinite: true}, true
		}
		v, ok := slowUint(s, 10, 64)
		return platform.Bound{Value: v}, ok
	}
	limits := []platform.Limit{}
	for _, line := range slowLines(s) {
		if len(line) < 25 || names[slowTrim(line[:25])] == "" {
			continue
		}
		soft, ok := bound(slowField(line[25:], 0))
		hard, ok2 := bound(slowField(line[25:], 1))
		unit := slowTrim(line[25:])
		for range 2 {
			unit = slowTrim(strings.TrimPrefix(unit, slowField(unit, 0)))
		}
		if unit == "us" {
			unit = "microseconds"
		}
		if ok && ok2 {
			limits = append(limits, platform.Limit{Name: "RLIMIT_" + names[slowTrim(line[:25])], Unit: unit, Soft: soft, Hard: hard})
		}
	}
	return limits
}
