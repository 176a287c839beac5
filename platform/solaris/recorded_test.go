package solaris

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/solaris"
	"github.com/pidometer/pidometer/platform"
)

// Values that others recorded on illumos, laid out anew: zsh and cron in a zone, and their
// usage of the same moment (psinfo and usage of processes 26939 and 8055), a CPU (cpu:3:sys)
// and a link (link:0:dns_net0) of github.com/snltd/illumos-telegraf-plugins. What it has of
// a process is this, in the order of the headers.
var (
	zshInfo = info{1, 26939, 26938, 264, 9576, 7668, 1714149757, 58469948, "zsh", 1, 18446740225416708664, 18446740225416708680, 2}
	cron    = info{1, 8055, 4231, 0, 1932, 1120, 1714117612, 740645896, "cron", 1, 134512140, 134512148, 1}
)

type info struct {
	threads, pid, parent, user uint32
	size, resident             uint64
	seconds, nanos             uint64
	name                       string
	argc                       uint32
	argv, envp                 uint64
	model                      byte
}

// bytes lays it out: ints, then pointers and sizes, then times, texts, and the first thread,
// which sleeps, is of the class FSS and has a nice value of 20. That, the terminal and what is
// not read are zsh's in both.
func (i info) bytes() (b []byte) {
	word := func(v ...uint32) {
		for _, n := range v {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	long := func(v ...uint64) {
		for _, n := range v {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
	}
	text := func(s string, n int) { b = append(append(b, s...), make([]byte, n-len(s))...) }
	word(1<<25, i.threads, i.pid, i.parent, i.pid, i.pid, i.user, i.user, 1, 1)
	long(18446741973123092984, i.size, i.resident, 0, 730144440324)
	word(15<<16|24, 0)
	long(i.seconds, i.nanos, 3, 950614751, 649, 571000000)
	text(i.name, 16)
	text("-"+i.name, 80)
	word(0, i.argc)
	long(i.argv, i.envp)
	word(uint32(i.model), 5075, 3, 0, 0, 6, 1415, 0)
	word(0, 1)
	long(18446741966979309600, 18446741966979354126)
	b = append(b, 3, 1, 'S', 20, 96, 0, 40, 0)
	word(59, 24)
	long(1714149757, 0, 3, 950614752)
	text("FSS", 8)
	text("", 16)
	word(1, 1<<32-1, 1<<32-1, 0)
	long(0, 0)
	return b
}

// usageOf lays out the times and the counters of a usage.
func usageOf(times [14][2]uint64, counts [12]uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, 1<<32)
	for _, t := range times {
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, t[0]), t[1])
	}
	b = append(b, make([]byte, 6*16)...)
	for _, c := range counts {
		b = binary.LittleEndian.AppendUint64(b, c)
	}
	return append(b, make([]byte, 10*8)...)
}

var zshUsage = usageOf([14][2]uint64{{55635, 849213336}, {32259, 457312722}, {}, {23376, 390518801}, {2, 677181461}, {1, 270098003}, {0, 3335287},
	{}, {}, {}, {}, {23372, 325336373}, {0, 114548245}, {0, 19430}}, [12]uint64{7: 598, 8: 4463, 9: 205, 10: 417222, 11: 1133708})

// recorded answers for the recorded processes, and for all else as a made-up machine.
type recorded struct {
	*sim.Kernel
	files map[string][]byte
}

func (r recorded) Names(string) ([]string, error) { return []string{"26939", "8055"}, nil }

func (r recorded) Read(path string, _ uint64, buf []byte) (int, error) {
	b, ok := r.files[path]
	if !ok {
		return 0, errContent
	}
	return copy(buf, b), nil
}

// The structures have the sizes of the headers, and what was recorded reads as it was: to
// the nanosecond the user's and the system's time are the sum that the kernel told (pr_time
// of psinfo, 3.950614751 s), which has the time in traps in it.
func TestRecordedProcesses(t *testing.T) {
	if got := len(zshInfo.bytes()); got != infoSize || len(zshUsage) != usageSize {
		t.Fatalf("%d and %d bytes", got, len(zshUsage))
	}
	k := recorded{machine(), map[string][]byte{"/proc/26939/psinfo": zshInfo.bytes(), "/proc/26939/usage": zshUsage, "/proc/8055/psinfo": cron.bytes()}}
	b, err := New(Options{Kernel: k, Budget: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	h := simkernel.NewHeard()
	seen := 0
	h.Each = func(s *platform.Sample) {
		name, _ := s.Text(platform.ProcessCommand)
		switch s.Key {
		case platform.Key{ID: 8055, Start: 1714117612_740645896}:
			seen++
			if string(name) != "cron" {
				t.Errorf("%q", name)
			}
		case platform.Key{ID: 26939, Start: 1714149757_058469948}:
			seen++
			isZsh(t, s, string(name))
		}
	}
	if err := h.Read(b, platform.SourceSet(0).With(0).With(usageSource)); err != nil || seen != 2 {
		t.Error(err, seen)
	}
}

func isZsh(t *testing.T, s *platform.Sample, name string) {
	t.Helper()
	if name != "zsh" {
		t.Errorf("%q", name)
	}
	for f, want := range map[platform.Field]uint64{
		platform.ProcessParent: 26938, platform.ProcessUser: 264, platform.ProcessThreads: 1, platform.ProcessMemoryVirtual: 9576 << 10,
		platform.ProcessMemoryRSS: 7668 << 10, platform.ProcessSleeping: 1, platform.ProcessNice: 0, platform.ProcessCPUNumber: 1,
		platform.ProcessCPUUser: 2_677181461, platform.ProcessCPUSystem: 3_950614751 - 2_677181461, platform.ProcessSwitchesVoluntary: 4463,
		platform.ProcessSwitchesInvoluntary: 205, platform.ProcessUptime: 55635_849213336 - 32259_457312722,
	} {
		if got, ok := s.Get(f); !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, want)
		}
	}
}

// datum is a named value, of 64 bits without a sign or of 32.
type datum struct {
	name  string
	value uint64
	kind  byte
}

// values lays out named values.
func values(list []datum) (b []byte) {
	for _, d := range list {
		v := make([]byte, namedSize)
		copy(v, d.name)
		v[valueType] = d.kind
		binary.LittleEndian.PutUint64(v[valueAt:], d.value)
		b = append(b, v...)
	}
	return b
}

// What was recorded of a CPU and of a link reads as it was.
func TestRecordedStatistics(t *testing.T) {
	cpu3 := values([]datum{{"cpu_ticks_idle", 595093047, valueUint64}, {"cpu_ticks_wait", 0, valueUint64}, {"cpu_nsec_idle", 595093047840217, valueUint64}, {"cpu_nsec_user", 105926508484786, valueUint64},
		{"cpu_nsec_kernel", 31203774025847, valueUint64}, {"cpu_nsec_intr", 3203901292813, valueUint64}, {"pswitch", 2289563637, valueUint64},
		{"trap", 1224214864, valueUint64}, {"intr", 691279812, valueUint64}, {"syscall", 4495629901, valueUint64}, {"sysread", 233234470, valueUint64},
		{"sysfork", 490972, valueUint64}, {"sysvfork", 96387, valueUint64}, {"intrthread", 379130571, valueUint64}})
	sums := map[platform.Field]uint64{}
	addValues(sums, cpu3, cpuValues)
	for f, want := range map[platform.Field]uint64{platform.HostContextSwitches: 2289563637, platform.HostInterrupts: 691279812,
		platform.HostSystemCalls: 4495629901, platform.HostProcessesCreated: 490972 + 96387} {
		if sums[f] != want {
			t.Errorf("%v is %d, want %d", f, sums[f], want)
		}
	}
	dns := values([]datum{{"ifspeed", 1000000000, valueUint64}, {"norcvbuf", 0, valueUint32}, {"ierrors", 0, valueUint32}, {"rbytes", 1518773044, valueUint32}, {"rbytes64", 1518773044, valueUint64},
		{"ipackets64", 1637072, valueUint64}, {"obytes64", 69053870, valueUint64}, {"opackets64", 687231, valueUint64}, {"link_state", 1, valueUint32}})
	p := &pass{backend: &backend{}}
	p.sample.Reset(platform.Network, platform.Key{Name: "dns_net0"})
	p.setValues(dns, linkValues)
	for f, want := range map[platform.Field]uint64{platform.NetworkReceiveBytes: 1518773044, platform.NetworkTransmitBytes: 69053870,
		platform.NetworkReceivePackets: 1637072, platform.NetworkTransmitPackets: 687231, platform.NetworkReceiveErrors: 0} {
		if got, ok := p.sample.Get(f); !ok || got != want {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, want)
		}
	}
	if _, ok := p.sample.Get(platform.NetworkTransmitErrors); ok {
		t.Error("what is not there is told")
	}
}
