package simkernel

import "math/rand/v2"

// Sensors are what a machine measures of itself.
type Sensors struct {
	Temperatures []int64 // of each CPU, in thousandths of a degree
	Broken       int     // the CPU whose sensor does not work, -1 for none
	Warm, Hot    int64   // where a CPU is too warm, and where it is switched off
	Fan, Slow    uint64  // rounds a minute, and below which they are too few
	Volts        int64   // thousandths
	Supply       bool    // gives power
	Battery      Battery
}

// Battery is what keeps a machine running: capacities in thousandths of a watt-hour, and in
// thousandths of a watt what flows.
type Battery struct {
	Absent, Charging, Discharging bool
	Design, Full, Left, Low       uint64
	Flow                          uint64
}

// Sensors returns what is measured now. It follows from the time and the seed alone, so that
// whoever asks changes nothing.
func (w *World) Sensors() Sensors {
	rng := rand.New(rand.NewPCG(w.Seed, uint64(w.Now)))
	s := Sensors{Broken: rng.IntN(4*len(w.CPUs)) - 3*len(w.CPUs), Warm: 70_000, Hot: 95_500,
		Fan: rng.Uint64N(4000), Slow: 400, Volts: rng.Int64N(30_000) - 15_000, Supply: rng.IntN(2) == 0}
	for range w.CPUs {
		s.Temperatures = append(s.Temperatures, rng.Int64N(160_000)-40_000)
	}
	b := &s.Battery
	b.Absent, b.Design, b.Full, b.Low = rng.IntN(8) == 0, 50_500, 1+rng.Uint64N(50_000), rng.Uint64N(2)*1500
	b.Left = min(rng.Uint64N(b.Full+b.Full/4+1), b.Full)
	b.Discharging = !s.Supply && rng.IntN(4) > 0
	b.Charging = s.Supply && b.Left < b.Full && rng.IntN(4) > 0
	if b.Charging || b.Discharging {
		b.Flow = 1 + rng.Uint64N(60_000)
	}
	return s
}
