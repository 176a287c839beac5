package linux

import (
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

var onFrequencies = sourcesOf(fromCPUFreq, fromCPULimits)

const cpu0 = "sys/devices/system/cpu/cpu0/cpufreq/"

// What a CPU runs at, live or nominal, and between what limits.
func TestFrequencies(t *testing.T) {
	const current, live, nominal = platform.CPUFrequency, platform.CPUFrequencyLive, platform.CPUFrequencyNominal
	limits := map[string]string{"cpuinfo_min_freq": "700000\n", "cpuinfo_max_freq": "3000000\n", "scaling_min_freq": "600000\n", "scaling_max_freq": "2500000\n"}
	bounds := map[platform.Field]uint64{platform.CPUFrequencyMin: 700e6, platform.CPUFrequencyMax: 3000e6,
		platform.CPUFrequencyPolicyMin: 600e6, platform.CPUFrequencyPolicyMax: 2500e6}
	with := func(fields map[platform.Field]uint64, more map[platform.Field]uint64) map[platform.Field]uint64 {
		all := maps.Clone(fields)
		maps.Copy(all, more)
		return all
	}
	for _, x := range []struct {
		why    string
		cpu    map[string]string
		info   string
		want   map[platform.Field]uint64
		missed platform.SourceSet
	}{
		{"a driver", map[string]string{"scaling_cur_freq": "500000\n"}, "", with(bounds, map[platform.Field]uint64{current: 500e6, live: 500e6}), 0},
		{"and a base", map[string]string{"scaling_cur_freq": "500000\n", "base_frequency": "1800000\n"}, "",
			with(bounds, map[platform.Field]uint64{current: 500e6, live: 500e6, nominal: 1800e6}), 0},
		{"the hardware alone", map[string]string{"cpuinfo_cur_freq": "510000\n"}, "", with(bounds, map[platform.Field]uint64{current: 510e6, live: 510e6}), 0},
		{"the governor does not know", map[string]string{"scaling_cur_freq": "<unknown>\n", "cpuinfo_cur_freq": "510000\n"}, "",
			with(bounds, map[platform.Field]uint64{current: 510e6, live: 510e6}), 0},
		{"nobody knows", map[string]string{"scaling_cur_freq": "<unknown>\n"}, "", bounds, sourcesOf(fromCPUFreq)},
		{"limits alone", map[string]string{}, "", bounds, sourcesOf(fromCPUFreq)},
		{"no driver, not measured", nil, "processor : 0\ncpu MHz : 2596.096\nflags : fpu vme\n", map[platform.Field]uint64{current: 2596096e3, nominal: 2596096e3}, 0},
		{"no driver, measured", nil, "processor : 0\ncpu MHz : 2596.096\nflags : fpu aperfmperf vme\n",
			map[platform.Field]uint64{current: 2596096e3, live: 2596096e3}, sourcesOf(fromCPULimits)},
		{"s390", nil, "vendor_id : IBM/S390\nprocessor 0: version = FF\n\ncpu number      : 0\ncpu MHz dynamic : 5000\ncpu MHz static  : 5200\n",
			map[platform.Field]uint64{current: 5000e6, live: 5000e6, nominal: 5200e6}, 0},
		{"powerpc", nil, "processor\t: 0\ncpu\t\t: POWER9\nclock\t\t: 3425.500000MHz\n", map[platform.Field]uint64{current: 3425500e3, nominal: 3425500e3}, 0},
		{"a machine that tells nothing", nil, "processor : 0\nBogoMIPS : 50.00\n", nil, onFrequencies},
	} {
		files := map[string]string{"sys/devices/system/cpu/online": "0\n"}
		if x.cpu != nil {
			maps.Copy(files, under(cpu0, limits))
			maps.Copy(files, under(cpu0, x.cpu))
		}
		if x.info != "" {
			files["proc/cpuinfo"] = x.info
		}
		c := readFiles(t, files, Options{}, onFrequencies)
		got := map[platform.Field]uint64{}
		for _, g := range c.of(platform.CPU) {
			maps.Copy(got, g.fields)
		}
		var missed platform.SourceSet
		for source := range c.misses {
			missed = missed.With(source)
		}
		if !maps.Equal(got, x.want) || missed != x.missed {
			t.Errorf("%s: %v, want %v; misses %v", x.why, got, x.want, c.misses)
		}
	}
}

// Each CPU of a shared policy has its own; one that is offline has none.
func TestFrequenciesOfManyCPUs(t *testing.T) {
	files := map[string]string{"sys/devices/system/cpu/online": "0,2-3\n"}
	for _, cpu := range []string{"0", "1", "2", "3"} {
		files[strings.Replace(cpu0, "cpu0", "cpu"+cpu, 1)+"scaling_cur_freq"] = "1" + cpu + "00000\n"
	}
	c := readFiles(t, files, Options{}, onFrequencies)
	for i, want := range []struct{ id, hertz uint64 }{{0, 1000e6}, {2, 1200e6}, {3, 1300e6}} {
		g := c.of(platform.CPU)
		if len(g) != 3 || g[i].key.ID != want.id || g[i].fields[platform.CPUFrequencyLive] != want.hertz {
			t.Errorf("%v", g)
		}
	}
}

// Only root may ask the hardware. The limits are everybody's.
func TestFrequencyDenied(t *testing.T) {
	k := newTreeKernel(writeTree(t, under(cpu0, map[string]string{"cpuinfo_cur_freq": "1\n", "cpuinfo_max_freq": "3000000\n"})))
	if err := writeEntry(k.root+"/sys/devices/system/cpu/online", "0\n"); err != nil {
		t.Fatal(err)
	}
	k.fail[cpu0+"cpuinfo_cur_freq"] = fs.ErrPermission
	c := readTree(t, treeBackend(k, Options{}), onFrequencies)
	if g := c.of(platform.CPU); len(g) != 1 || g[0].fields[platform.CPUFrequencyMax] != 3e9 || len(g[0].fields) != 1 {
		t.Errorf("%v", g)
	}
	if len(c.misses) != 1 || len(c.misses[fromCPUFreq]) != 1 || c.misses[fromCPUFreq][0] != platform.Denied {
		t.Errorf("%v", c.misses)
	}
}
