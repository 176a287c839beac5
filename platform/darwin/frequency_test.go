package darwin

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/darwin"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

const (
	ofSpeeds = "hw.cpufrequency"
	ofTimes  = "host_statistics64 HOST_CPU"
)

// hearSpeeds reads sources of a backend whose names begin so, and returns what each CPU is told
// to be capable of and how many of them have times.
func hearSpeeds(t *testing.T, b platform.Backend, sources ...string) (got map[uint64]sysctl.Speed, timed int, h *simkernel.Heard) {
	t.Helper()
	var set platform.SourceSet
	for i, s := range b.Sources() {
		for _, name := range sources {
			if strings.HasPrefix(s.Name, name) {
				set = set.With(i)
			}
		}
	}
	got, h = map[uint64]sysctl.Speed{}, simkernel.NewHeard()
	h.Each = func(s *platform.Sample) {
		if s.Entity != platform.CPU {
			return
		}
		if _, ok := s.Get(platform.CPUIdle); ok {
			timed++
		}
		if _, ok := s.Get(platform.CPUFrequencyLive); ok {
			t.Errorf("%v: nothing tells how fast it is", s.Key)
		}
		now, known := s.Get(platform.CPUFrequency)
		nominal, made := s.Get(platform.CPUFrequencyNominal)
		low, bounded := s.Get(platform.CPUFrequencyMin)
		high, _ := s.Get(platform.CPUFrequencyMax)
		if known != made || now != nominal || made && nominal == 0 || bounded && low == 0 || low > high {
			t.Errorf("%v: %d Hz, made for %d, from %d to %d", s.Key, now, nominal, low, high)
		}
		if known {
			got[s.Key.ID] = sysctl.Speed{ID: s.Key.ID, Nominal: nominal, Min: low, Max: high}
		}
	}
	if err := h.Read(b, set); err != nil {
		t.Fatal(err)
	}
	return got, timed, h
}

func open(t *testing.T, k *sim.Kernel) platform.Backend {
	t.Helper()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// tableOf makes up what a kind of cluster can do, as the firmware of a model writes it.
func tableOf(rng *rand.Rand, unit uint32) (table []byte, want sysctl.Speed) {
	speed := 600 + rng.Uint32N(800)
	want.Min = uint64(speed) * 1e6
	var states []uint32
	for range 1 + rng.IntN(20) {
		states = append(states, speed*unit)
		want.Max = uint64(speed) * 1e6
		if speed += 1 + rng.Uint32N(150); rng.IntN(5) == 0 {
			states = append(states, 0) // a row of nothing
		}
	}
	want.Nominal = want.Max
	return sim.States(states...), want
}

// What CPUs are told to be capable of is what their clusters are, in every world and in both
// units: with their times and without. No CPU is told twice.
func TestFrequencies(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 13))
		k := sim.New(simkernel.New(seed, 4))
		unit := [...]uint32{1_000_000, 1_000}[seed%2]
		slow, ofSlow := tableOf(rng, unit)
		fast, ofFast := tableOf(rng, unit)
		k.Nodes = map[string][]map[string]any{"pmgr": {{}, {"voltage-states1-sram": slow, "voltage-states5-sram": fast}}, "cpu": nil}
		want := map[uint64]sysctl.Speed{}
		for _, cpu := range rng.Perm(len(k.CPUs)) {
			kind := "EP"[rng.IntN(2)]
			s := map[byte]sysctl.Speed{'E': ofSlow, 'P': ofFast}[kind]
			s.ID = uint64(cpu)
			want[s.ID] = s
			k.Nodes["cpu"] = append(k.Nodes["cpu"], sim.Node(s.ID, kind))
		}
		b := open(t, k)
		both, timed, h := hearSpeeds(t, b, ofSpeeds, ofTimes)
		if !maps.Equal(both, want) || timed != len(k.CPUs) || h.Samples[platform.CPU] != timed {
			t.Errorf("seed %d: %v of %v, want %v", seed, both, h.Samples, want)
		}
		asked := k.Calls["node pmgr"] + k.Calls["node cpu"]
		alone, none, _ := hearSpeeds(t, b, ofSpeeds)
		if !maps.Equal(alone, want) || none != 0 {
			t.Errorf("seed %d: without times %v, want %v", seed, alone, want)
		}
		if now := k.Calls["node pmgr"] + k.Calls["node cpu"]; asked != 2 || now != asked {
			t.Errorf("seed %d: what stays was asked for %d times, and then %d", seed, asked, now)
		}
	}
}

// Intel's are the same for all, and the device tree is left alone.
func TestIntelFrequencies(t *testing.T) {
	k := mac()
	k.Intel = true
	for _, sources := range [][]string{{ofSpeeds, ofTimes}, {ofSpeeds}} {
		got, _, _ := hearSpeeds(t, open(t, k), sources...)
		for cpu := range k.CPUs {
			if want := (sysctl.Speed{ID: uint64(cpu), Nominal: 2400e6, Min: 1200e6, Max: 3100e6}); got[want.ID] != want {
				t.Errorf("%v: %+v, want %+v", sources, got[want.ID], want)
			}
		}
		if len(got) != len(k.CPUs) || k.Calls["node pmgr"] != 0 {
			t.Errorf("%v: %d CPUs, %v", sources, len(got), k.Calls)
		}
	}
}

// Who wants times does not pay for frequencies.
func TestTimesWithoutFrequencies(t *testing.T) {
	k := mac()
	if got, timed, _ := hearSpeeds(t, open(t, k), ofTimes); len(got) != 0 || timed != len(k.CPUs) {
		t.Errorf("%v, %d CPUs", got, timed)
	}
	for call := range k.Calls {
		if strings.HasPrefix(call, "node") || strings.HasPrefix(call, ofSpeeds) {
			t.Errorf("%s was asked", call)
		}
	}
}

// What the device tree does not say for sure is not told.
func TestUnclearClusters(t *testing.T) {
	slow, fast := sim.States(sim.Slow...), sim.States(sim.Fast...)
	for name, c := range map[string]struct {
		nodes map[string][]map[string]any
		told  int
	}{
		"a virtual machine":     {nil, 0},
		"no CPUs":               {map[string][]map[string]any{"pmgr": {{"voltage-states5-sram": fast}}}, 0},
		"no manager":            {map[string][]map[string]any{"cpu": {sim.Node(0, 'P')}}, 0},
		"a third kind":          {nodesOf(slow, fast, sim.Node(0, 'P'), sim.Node(1, 'M'), sim.Node(2, 'E')), 0},
		"one kind alone":        {nodesOf(nil, fast, sim.Node(0, 'P'), sim.Node(1, 'P')), 2},
		"a kind without table":  {nodesOf(nil, fast, sim.Node(0, 'P'), sim.Node(1, 'E')), 0},
		"a number in bytes":     {nodesOf(slow, fast, map[string]any{"logical-cpu-id": []byte{1, 0, 0, 0}, "cluster-type": []byte("E\x00")}), 1},
		"a number of 64 bits":   {nodesOf(slow, fast, map[string]any{"logical-cpu-id": []byte{1, 0, 0, 0, 0, 0, 0, 0}, "cluster-type": []byte("E\x00")}), 1},
		"a number of 3 bytes":   {nodesOf(slow, fast, map[string]any{"logical-cpu-id": []byte{1, 0, 0}, "cluster-type": []byte("E\x00")}), 0},
		"text for a number":     {nodesOf(slow, fast, map[string]any{"logical-cpu-id": "1", "cluster-type": []byte("E\x00")}), 0},
		"a number beyond all":   {nodesOf(slow, fast, sim.Node(1<<40, 'E')), 0},
		"a CPU without cluster": {nodesOf(slow, fast, map[string]any{"logical-cpu-id": uint64(0)}, sim.Node(1, 'E')), 1},
		"an empty cluster":      {nodesOf(slow, fast, map[string]any{"logical-cpu-id": uint64(0), "cluster-type": []byte{}}), 0},
		"a table that is text":  {map[string][]map[string]any{"pmgr": {{"voltage-states5-sram": "none"}}, "cpu": {sim.Node(0, 'P')}}, 0},
	} {
		k := mac()
		k.Nodes = c.nodes
		got, _, h := hearSpeeds(t, open(t, k), ofSpeeds)
		if len(got) != c.told || len(h.Missed) != 0 {
			t.Errorf("%s: %v, %v", name, got, h.Missed)
		}
		if _, timed, _ := hearSpeeds(t, open(t, k), ofSpeeds, ofTimes); timed != len(k.CPUs) {
			t.Errorf("%s: times of %d CPUs", name, timed)
		}
	}
}

func nodesOf(slow, fast []byte, cpus ...map[string]any) map[string][]map[string]any {
	manager := map[string]any{}
	for key, table := range map[string][]byte{"voltage-states1-sram": slow, "voltage-states5-sram": fast} {
		if table != nil {
			manager[key] = table
		}
	}
	return map[string][]map[string]any{"pmgr": {manager}, "cpu": cpus}
}

// A frequency that cannot be read costs no times, is told, and is asked for again.
func TestFrequencyFaults(t *testing.T) {
	broken := sim.States(sim.Fast...)
	for _, c := range []struct {
		call   string
		intel  bool
		fault  error
		nodes  map[string][]map[string]any
		told   int // of as many CPUs as there are
		missed platform.Reason
	}{
		{"hw.cpufrequency", false, fs.ErrPermission, nil, 0, platform.Denied},
		{"hw.cpufrequency", true, fs.ErrPermission, nil, 0, platform.Denied},
		{"hw.ncpu", true, fs.ErrPermission, nil, 0, platform.Denied},
		{"hw.cpufrequency_min", true, fs.ErrPermission, nil, math.MaxInt, platform.Denied},
		{"node pmgr", false, fs.ErrPermission, nil, 0, platform.Denied},
		{"node cpu", false, fs.ErrPermission, nil, 0, platform.Denied},
		{"a table that breaks off", false, nil, nodesOf(nil, broken[:len(broken)-3], sim.Node(0, 'P')), 0, platform.Unknown},
		{"a table of nothing", false, nil, nodesOf(nil, make([]byte, 16), sim.Node(0, 'P')), 0, platform.Unknown},
	} {
		k := mac()
		k.Intel = c.intel
		if c.nodes != nil {
			k.Nodes = c.nodes
		}
		k.Fail = func(call string) error {
			if call == c.call {
				return c.fault
			}
			return nil
		}
		b := open(t, k)
		for pass := range 2 {
			got, timed, h := hearSpeeds(t, b, ofSpeeds, ofTimes)
			if len(got) != min(c.told, len(k.CPUs)) || timed != len(k.CPUs) || fmt.Sprint(h.Missed) != fmt.Sprint(map[platform.Reason]int{c.missed: 1}) {
				t.Errorf("%s: pass %d: %v, %d CPUs, %v", c.call, pass, got, timed, h.Missed)
			}
		}
		k.Fail, k.Nodes = nil, nodesOf(nil, sim.States(sim.Fast...), sim.Node(0, 'P'))
		if got, _, h := hearSpeeds(t, b, ofSpeeds); len(got) == 0 || len(h.Missed) != 0 {
			t.Errorf("%s: %v, %v once it can be read", c.call, got, h.Missed)
		}
	}
}

// Rows as machines have them: of an M5 that were printed, and of one whose unit is the hertz.
func TestRecordedStates(t *testing.T) {
	for table, want := range map[string][2]uint64{
		"\x60\xf5\x13\x00\x16\x03\x00\x00\x40\x89\x18\x00\x16\x03\x00\x00\xe0\x7a\x1d\x00\x2a\x03\x00\x00": {1_308_000_000, 1_932_000_000},
		"\x00\x0c\x14\xa3\x07\x05\x00\x00": {2_736_000_000, 2_736_000_000},
	} {
		if low, high, ok := decodeStates([]byte(table)); !ok || low != want[0] || high != want[1] {
			t.Errorf("%x: %d to %d, %v, want %v", table, low, high, ok, want)
		}
	}
}

func FuzzDecodeStates(f *testing.F) {
	f.Add(sim.States(sim.Slow...))
	f.Add(sim.States(1_308_000, 0, 4_608_000))
	f.Add(sim.States(99_999_999, 100_000_000))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		low, high, ok := decodeStates(b)
		slowLow, slowHigh, good := slowStates(b)
		if ok != good || ok && (low != slowLow || high != slowHigh) {
			t.Errorf("%x: %d to %d, %v, want %d to %d, %v", b, low, high, ok, slowLow, slowHigh, good)
		}
	})
}

// slowStates reads a table number by number.
func slowStates(b []byte) (low, high uint64, ok bool) {
	if len(b)%8 != 0 {
		return 0, 0, false
	}
	for i := 0; i < len(b); i += 8 {
		hertz := uint64(b[i]) + uint64(b[i+1])<<8 + uint64(b[i+2])<<16 + uint64(b[i+3])<<24
		if hertz/100_000_000 == 0 {
			hertz *= 1000
		}
		if hertz > high {
			high = hertz
		}
		if hertz != 0 && (low == 0 || low > hertz) {
			low = hertz
		}
	}
	return low, high, high > 0
}
