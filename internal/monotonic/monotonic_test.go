package monotonic

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The sequences of psutil's TestWrapNumbers (tests/test_misc.py): its sums are the
// floor, since it adds the value before a fall.
func TestSequences(t *testing.T) {
	for _, test := range []struct {
		name string
		rule Rule
		raw  []uint64
		want []uint64
	}{
		{"grows", Rule{}, []uint64{5, 5, 7}, []uint64{5, 5, 7}},
		{"psutil wrap", Rule{}, []uint64{100, 10, 90, 20}, []uint64{100, 110, 190, 210}},
		{"psutil nvme", Rule{}, []uint64{300, 100}, []uint64{300, 400}},
		{"falls twice", Rule{}, []uint64{100, 10, 5, 50, 40}, []uint64{100, 110, 115, 160, 200}},
		{"true wrap of 32 bits", Rule{Modulus: 1 << 32}, []uint64{4294967290, 5}, []uint64{4294967290, 4294967301}},
		{"restart of 32 bits", Rule{Modulus: 1 << 32}, []uint64{100, 10}, []uint64{100, 110}},
		{"jitter", Rule{Jitter: 3}, []uint64{548282, 548281, 548282, 548290}, []uint64{548282, 548282, 548282, 548290}},
		{"fall past jitter", Rule{Jitter: 3}, []uint64{5000, 3}, []uint64{5000, 5003}},
		{"transient zero", Rule{Modulus: 1 << 32}, []uint64{1000, 0, 1000}, []uint64{1000, 1000, 2000}},
		{"more than an int64", Rule{}, []uint64{math.MaxUint64, 5}, []uint64{math.MaxInt64, math.MaxInt64}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c Counter
			for i, raw := range test.raw {
				c.Next(raw, time.Second, test.rule)
				if c.Sum() != test.want[i] {
					t.Fatalf("reading %d: %d gives %d, want %d", i, raw, c.Sum(), test.want[i])
				}
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	ms := Rule{Modulus: 1 << 32 * uint64(time.Millisecond), PerSecond: uint64(time.Second), Jitter: uint64(3 * time.Second)}
	top := ms.Modulus - uint64(time.Second)
	for _, test := range []struct {
		name        string
		rule        Rule
		first, next uint64
		elapsed     time.Duration
		want        Verdict
	}{
		{"a 64-bit fall is a restart", Rule{}, math.MaxUint64, 0, time.Hour, Restarted},
		{"milliseconds wrap when there was time", ms, top, uint64(time.Second), 15 * time.Second, Wrapped},
		{"milliseconds restart when there was not", ms, uint64(time.Hour), uint64(time.Second), 15 * time.Second, Restarted},
		{"backwards a little", ms, uint64(time.Hour), uint64(time.Hour - time.Second), time.Second, Held},
		{"same", Rule{}, 7, 7, time.Second, Grew},
		{"wider than declared", Rule{Modulus: 1 << 32}, 1 << 40, 5, time.Second, Restarted},
	} {
		var c Counter
		if v := c.Next(test.first, 0, test.rule); v != First {
			t.Errorf("%s: first verdict %d", test.name, v)
		}
		if v := c.Next(test.next, test.elapsed, test.rule); v != test.want {
			t.Errorf("%s: verdict %d, want %d", test.name, v, test.want)
		}
	}
}

// world is one true counter and what a kernel of a given width shows of it.
type world struct {
	rng     *rand.Rand
	modulus uint64 // 0: 64 bits
	truth   uint64 // everything ever counted
	shown   uint64 // since the last restart
}

func (w *world) step(most uint64) uint64 {
	n := w.rng.Uint64N(most)
	w.truth += n
	w.shown += n
	return w.read()
}

func (w *world) read() uint64 {
	if w.modulus == 0 {
		return w.shown
	}
	return w.shown % w.modulus
}

// P1 the sum never falls, P2 it grows by exactly the truth while each step is
// less than the width, P6 the same reading twice adds nothing.
func TestWrapsFollowTheTruth(t *testing.T) {
	for seed := range uint64(2000) {
		w := world{rng: rand.New(rand.NewPCG(seed, 1)), modulus: 1 << 32}
		rule := Rule{Modulus: w.modulus, PerSecond: math.MaxUint64} // any step is plausible
		var c Counter
		c.Next(w.step(1<<32), 0, rule)
		base, truth, last := c.Sum(), w.truth, uint64(0)
		for range 200 {
			raw := w.step(1 << 32)
			c.Next(raw, time.Second, rule)
			sum := c.Sum()
			if sum < last {
				t.Fatalf("seed %d: %d after %d", seed, sum, last)
			}
			if sum-base != w.truth-truth {
				t.Fatalf("seed %d: counted %d, truth %d", seed, sum-base, w.truth-truth)
			}
			if v := c.Next(raw, 0, rule); v != Grew || c.Sum() != sum {
				t.Fatalf("seed %d: the same reading again gave verdict %d and %d", seed, v, c.Sum())
			}
			last = sum
		}
	}
}

// P2 without a known rate: exact while each step is less than half the width.
func TestHalfTheRangeIsExact(t *testing.T) {
	for seed := range uint64(500) {
		w := world{rng: rand.New(rand.NewPCG(seed, 2)), modulus: 1 << 16}
		var c Counter
		rule := Rule{Modulus: w.modulus}
		c.Next(w.step(100), 0, rule)
		base, truth := c.Sum(), w.truth
		for range 200 {
			c.Next(w.step(1<<15), time.Second, rule)
		}
		if c.Sum()-base != w.truth-truth {
			t.Fatalf("seed %d: counted %d, truth %d", seed, c.Sum()-base, w.truth-truth)
		}
	}
}

// P3 a restart continues from the old sum and is reported, P7 a fall of 64 bits
// is a restart, never a wrap.
func TestRestartsContinue(t *testing.T) {
	for seed := range uint64(500) {
		w := world{rng: rand.New(rand.NewPCG(seed, 3))}
		var c Counter
		c.Next(w.step(1000), 0, Rule{})
		told := 0
		for range 200 {
			before := w.shown
			if w.rng.IntN(10) == 0 {
				w.shown = 0
			}
			raw := w.step(1000)
			sum := c.Sum()
			verdict := c.Next(raw, time.Second, Rule{})
			if raw < before {
				told++
				if verdict != Restarted || c.Sum() != sum+raw {
					t.Fatalf("seed %d: verdict %d, %d after %d and reading %d", seed, verdict, c.Sum(), sum, raw)
				}
			}
			if verdict == Wrapped {
				t.Fatalf("seed %d: a 64-bit counter wrapped", seed)
			}
		}
		if told == 0 {
			t.Fatalf("seed %d: no restart seen", seed)
		}
	}
}

// A sum is never below psutil's, which adds the value before every fall.
func FuzzNeverBelowTheFloor(f *testing.F) {
	f.Add(uint64(100), uint64(10), uint64(90), uint8(32), uint64(0))
	f.Fuzz(func(t *testing.T, a, b, c uint64, bits uint8, rate uint64) {
		rule := Rule{PerSecond: rate}
		if bits = bits % 65; bits < 64 {
			rule.Modulus = 1 << bits
		}
		var counter Counter
		var floor, last uint64
		for i, raw := range []uint64{a, b, c} {
			if rule.Modulus != 0 {
				raw %= rule.Modulus
			}
			raw >>= 3 // keeps three of them within an int64
			if i > 0 && raw < last {
				floor += last
			}
			last = raw
			before := counter.Sum()
			counter.Next(raw, time.Second, rule)
			if counter.Sum() < before {
				t.Fatalf("fell from %d to %d", before, counter.Sum())
			}
			if want := min(floor+raw, math.MaxInt64); counter.Sum() < want {
				t.Fatalf("sum %d is below psutil's %d", counter.Sum(), want)
			}
		}
	})
}

func TestNoAllocations(t *testing.T) {
	var c Counter
	if n := testing.AllocsPerRun(100, func() { c.Next(5, time.Second, Rule{Modulus: 1 << 32}) }); n != 0 {
		t.Errorf("%v allocations per reading", n)
	}
}
