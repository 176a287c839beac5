package freebsd

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/freebsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

var frequencyFields = [...]platform.Field{platform.CPUFrequency, platform.CPUFrequencyLive, platform.CPUFrequencyNominal,
	platform.CPUFrequencyMin, platform.CPUFrequencyMax}

// frequencyOf tells of a CPU what it was heard to have, by the order of frequencyFields.
type frequencyOf map[uint64][len(frequencyFields)]uint64

// hearFrequencies reads sources of a kernel whose names begin so, and returns what it tells of
// CPUs and how many of them have times.
func hearFrequencies(t *testing.T, k *sim.Kernel, sources ...string) (got frequencyOf, timed int, h *simkernel.Heard) {
	t.Helper()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var set platform.SourceSet
	for i, s := range b.Sources() {
		for _, name := range sources {
			if strings.HasPrefix(s.Name, name) {
				set = set.With(i)
			}
		}
	}
	got, h = frequencyOf{}, simkernel.NewHeard()
	h.Each = func(s *platform.Sample) {
		if s.Entity != platform.CPU {
			return
		}
		if _, ok := s.Get(platform.CPUIdle); ok {
			timed++
		}
		var all [len(frequencyFields)]uint64
		for i, f := range frequencyFields {
			v, ok := s.Get(f)
			if ok && v == 0 {
				t.Errorf("%v of %v is told, and nobody knows it", f, s.Key)
			}
			all[i] = v
		}
		if all != [len(frequencyFields)]uint64{} {
			got[s.Key.ID] = all
		}
	}
	if err := h.Read(b, set); err != nil {
		t.Fatal(err)
	}
	return got, timed, h
}

// driverOf makes up what drives a CPU, and what is then so.
func driverOf(rng *rand.Rand) (d sim.Driver, want [len(frequencyFields)]uint64) {
	d.Current = 400 + rng.Int32N(5000)
	if rng.IntN(4) == 0 {
		d.Current = -1
	} else {
		want[0], want[1] = uint64(d.Current)*1e6, uint64(d.Current)*1e6
	}
	switch rng.IntN(3) {
	case 0: // the hardware chooses
		if d.Nominal = 1 + rng.Int32N(4000); rng.IntN(4) == 0 {
			d.Nominal = -1
			return d, want
		}
		if want[2] = uint64(d.Nominal) * 1e6; d.Current < 0 {
			want[0] = want[2]
		}
	case 1:
		for speed, most := 3000+rng.Int32N(1000), 1+rng.IntN(32); speed > 0 && len(d.Levels) < most; speed -= 1 + rng.Int32N(1000) {
			d.Levels = append(d.Levels, speed)
		}
		want[3], want[4] = uint64(d.Levels[len(d.Levels)-1])*1e6, uint64(d.Levels[0])*1e6
	}
	return d, want
}

// What CPUs are told to run at is what drives them, in every world: with their times, without
// them, and where a CPU has no driver. No CPU is told twice.
func TestFrequencies(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 11))
		k := sim.New(simkernel.New(seed, 4))
		clear(k.Drivers)
		want := frequencyOf{}
		for cpu := range k.CPUs {
			if rng.IntN(3) == 0 {
				continue
			}
			var all [len(frequencyFields)]uint64
			k.Drivers[cpu], all = driverOf(rng)
			if all != [len(frequencyFields)]uint64{} {
				want[uint64(cpu)] = all
			}
		}
		both, timed, h := hearFrequencies(t, k, "dev.cpu.N.freq", "kern.cp_times")
		alone, none, _ := hearFrequencies(t, k, "dev.cpu.N.freq")
		if fmt.Sprint(both) != fmt.Sprint(want) || timed != len(k.CPUs) || h.Samples[platform.CPU] != timed {
			t.Errorf("seed %d: %v of %v, want %v", seed, both, h.Samples, want)
		}
		if fmt.Sprint(alone) != fmt.Sprint(want) || none != 0 {
			t.Errorf("seed %d: without times %v, want %v", seed, alone, want)
		}
	}
}

// Who wants times does not pay for frequencies, which hardware measures when asked.
func TestTimesWithoutFrequencies(t *testing.T) {
	k := machine()
	if got, timed, _ := hearFrequencies(t, k, "kern.cp_times"); len(got) != 0 || timed != len(k.CPUs) {
		t.Errorf("%v, %d CPUs", got, timed)
	}
	for call := range k.Calls {
		if strings.HasPrefix(call, "dev.cpu") {
			t.Errorf("%s was asked", call)
		}
	}
}

// Times that cannot be read cost no frequency.
func TestFrequenciesWithoutTimes(t *testing.T) {
	k := machine()
	k.Fail = func(call string) error {
		if call == "kern.cp_times" {
			return fs.ErrPermission
		}
		return nil
	}
	got, timed, h := hearFrequencies(t, k, "dev.cpu.N.freq", "kern.cp_times")
	if got[0][0] != 2401e6 || timed != 0 || h.Samples[platform.CPU] != 1 || h.Missed[platform.Denied] != 1 {
		t.Errorf("%v, %d CPUs, %v", got, timed, h.Missed)
	}
}

// A frequency that cannot be read costs neither times nor what else is known; one that the
// machine does not have is no failure.
func TestFrequencyFaults(t *testing.T) {
	full := [...]uint64{2401e6, 2401e6, 0, 1200e6, 2401e6}
	for _, c := range []struct {
		call   string
		fault  error
		want   [len(frequencyFields)]uint64
		missed platform.Reason
	}{
		{"dev.cpu.0.freq", fs.ErrPermission, [...]uint64{0, 0, 0, 0, 0}, platform.Denied},
		{"dev.cpu.0.freq_levels", fs.ErrPermission, [...]uint64{2401e6, 2401e6, 0, 0, 0}, platform.Denied},
		{"dev.cpu.0.freq_levels", fs.ErrNotExist, [...]uint64{2401e6, 2401e6, 0, 0, 0}, 0},
		{"dev.cpu.1.freq", fs.ErrPermission, full, platform.Denied},
		{"dev.cpu.1.freq", fs.ErrNotExist, full, 0},
		{"hw.ncpu", fs.ErrPermission, [...]uint64{0, 0, 0, 0, 0}, platform.Denied},
	} {
		k := machine()
		k.Fail = func(call string) error {
			if call == c.call {
				return c.fault
			}
			return nil
		}
		got, timed, h := hearFrequencies(t, k, "dev.cpu.N.freq", "kern.cp_times")
		failures := 0
		for _, n := range h.Missed {
			failures += n
		}
		if got[0] != c.want || timed != len(k.CPUs) || (c.fault == fs.ErrPermission) != (failures == 1) || failures != h.Missed[c.missed] {
			t.Errorf("%s: %v: %v, %d CPUs, %v", c.call, c.fault, got, timed, h.Missed)
		}
	}
}

func FuzzDecodeLevels(f *testing.F) {
	for _, text := range []string{"2401/45000 2400/-1 1200/9000\x00", "2401", "/5", "0\x00", "-1/-1", "2112/-1", "1/", ""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, _, _ := strings.Cut(string(b), "\x00")
		want, valid := slowLevels(text)
		got, ok := decodeLevels(b)
		if ok != valid || got != want {
			t.Errorf("%q: %+v, %v, want %+v, %v", b, got, ok, want, valid)
		}
		var s sysctl.Speed
		if got.set(&s); s.Nominal != 0 && s.Max != 0 || s.Min > s.Max {
			t.Errorf("%q: %+v", b, s)
		}
	})
}

// slowLevels keeps all levels, and sorts them out when it has them.
func slowLevels(text string) (l levels, valid bool) {
	if text == "0" {
		return l, true
	}
	words := strings.Fields(text)
	var speeds []uint64
	for _, word := range words {
		parts := strings.SplitN(word, "/", 2)
		if len(parts) != 2 {
			return levels{}, false
		}
		speed, err := strconv.ParseInt(parts[0], 10, 32)
		power, err2 := strconv.ParseInt(parts[1], 10, 32)
		if err != nil || err2 != nil {
			return levels{}, false
		}
		if speed > 0 {
			speeds, l.power = append(speeds, uint64(speed)), power
		}
	}
	for i, speed := range speeds {
		if i == 0 || speed < l.low {
			l.low = speed
		}
		if speed > l.high {
			l.high = speed
		}
	}
	l.count = len(speeds)
	return l, len(words) > 0
}
