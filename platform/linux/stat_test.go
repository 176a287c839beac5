package linux

import (
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Recorded on Linux 6.18, x86_64, unless it says otherwise.

const statText = `cpu  2191 5 1807 289905 123 2 25 11 40 3
cpu0 926 2 701 145441 16 1 4 3 20 1
cpu1 1264 3 1105 144464 107 1 20 7 20 2
intr 154119 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 1 13 0 0 0 0 294 32
ctxt 281259
btime 1795387780
processes 4718
procs_running 3
procs_blocked 0
softirq 86384 0 17404 4 3297 14768 0 246 31290 0 19375
`

// Linux 2.4.20, from man 5 proc of that time: four columns and no idle details.
const stat24Text = `cpu  1904 0 1302 41215
cpu0 1904 0 1302 41215
page 28654 19921
disk_io: (3,0):(4023,2911,57308,1112,39842)
btime 1057921012
processes 1043
`

func TestDecodeStat(t *testing.T) {
	s := sample(platform.Host)
	cpus := decodeStat([]byte(statText), s, nil)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostCPUUser: 21910000000, platform.HostCPUNice: 50000000,
		platform.HostCPUSystem: 18070000000, platform.HostCPUIdle: 2899050000000,
		platform.HostCPUIowait: 1230000000, platform.HostCPUInterrupt: 270000000,
		platform.HostCPUSteal: 110000000, platform.HostCPULogical: 2, platform.HostProcessesCreated: 4718,
		platform.HostContextSwitches: 281259, platform.HostInterrupts: 154119, platform.HostSoftInterrupts: 86384,
		platform.HostTasksRunnable: 3, platform.HostTasksBlocked: 0,
	})
	if len(cpus) != 2 || cpus[1].id != 1 {
		t.Fatalf("CPUs: %v", cpus)
	}
	one := sample(platform.CPU)
	cpus[1].set(one, &cpuModes)
	wantFields(t, one, map[platform.Field]uint64{
		platform.CPUUser: 12640000000, platform.CPUNice: 30000000, platform.CPUSystem: 11050000000,
		platform.CPUIdle: 1444640000000, platform.CPUIowait: 1070000000,
		platform.CPUInterrupt: 210000000, platform.CPUSteal: 70000000,
	})
}

func TestDecodeStatOfLinux24(t *testing.T) {
	s := sample(platform.Host)
	decodeStat([]byte(stat24Text), s, nil)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostCPUUser: 19040000000, platform.HostCPUNice: 0,
		platform.HostCPUSystem: 13020000000, platform.HostCPUIdle: 412150000000,
		platform.HostCPULogical: 1, platform.HostProcessesCreated: 1043,
	})
}

// A file that was cut off tells nothing that the whole one does not tell.
func TestCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		entity platform.Entity
		decode func([]byte, *platform.Sample)
	}{
		"stat":   {statText, platform.Host, func(b []byte, s *platform.Sample) { decodeStat(b, s, nil) }},
		"vmstat": {vmstatText, platform.Host, func(b []byte, s *platform.Sample) { decodeVmstat(b, 64, s) }},
	} {
		whole := sample(c.entity)
		c.decode([]byte(c.text), whole)
		for i := range c.text {
			part := sample(c.entity)
			c.decode([]byte(c.text[:i]), part)
			first, count := c.entity.Block()
			for f := first; f < first+platform.Field(count); f++ {
				want, _ := whole.Get(f)
				if v, ok := part.Get(f); ok && v != want {
					t.Fatalf("%s cut at %d: %v = %d, in the whole %d", name, i, f, v, want)
				}
			}
		}
	}
}

func TestDecodeBootTime(t *testing.T) {
	if v, ok := decodeBootTime([]byte(statText)); !ok || v != 1795387780 {
		t.Errorf("btime = %d, %v", v, ok)
	}
	if _, ok := decodeBootTime([]byte("btime \n")); ok {
		t.Error("found a time that is not there")
	}
}

func FuzzDecodeStat(f *testing.F) {
	f.Add([]byte(statText))
	f.Add([]byte(stat24Text))
	f.Add([]byte("cpu0 1\nintr\ncpu 18446744073709551615 2 3 4 5 9999999999999999999 7\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		cpus := decodeStat(b, fast, nil)
		ids, columns := slowStat(string(b), slow)
		same(t, fast, slow)
		if len(cpus) != len(ids) {
			t.Fatalf("%d CPUs, want %d", len(cpus), len(ids))
		}
		for i, c := range cpus {
			if c.id != ids[i] || !slices.Equal(c.ticks[:c.columns], columns[i]) {
				t.Fatalf("CPU %v, want %d %v", c, ids[i], columns[i])
			}
		}
	})
}

func FuzzDecodeBootTime(f *testing.F) {
	f.Add([]byte(statText))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := decodeBootTime(b)
		if want, wantOK := slowBootTime(string(b)); v != want || ok != wantOK {
			t.Fatalf("%d, %v, want %d, %v", v, ok, want, wantOK)
		}
	})
}
