// Package monotonic turns the readings of a kernel counter, which may wrap,
// restart or slip back a little, into a sum that never falls.
package monotonic

import (
	"math"
	"math/bits"
	"time"
)

// Rule says how one kernel counter runs. The zero value is a 64-bit count.
type Rule struct {
	// Modulus is where the counter wraps to 0, in the unit of its readings. 0
	// means 2^64: such a counter is never seen to wrap, it only restarts.
	Modulus uint64
	// PerSecond is the most that the counter can grow in a second. 0 means unknown.
	PerSecond uint64
	// Jitter is how far a reading may fall and be taken for noise. The kernel's
	// idle and iowait times do fall: proc_stat(5) says that iowait is not reliable
	// and "the value in this field may decrease".
	Jitter uint64
}

// Verdict is what one reading was taken for.
type Verdict uint8

// The verdicts.
const (
	First     Verdict = iota // nothing to compare with
	Grew                     // or stayed
	Held                     // fell by no more than jitter: the last value stands
	Wrapped                  // passed its width
	Restarted                // began anew
)

// Counter is one counter's state. The zero value has seen nothing.
type Counter struct {
	last, carry uint64
	seen        bool
}

// Next takes a reading made elapsed after the one before, on a clock that never
// steps, and says what it was taken for.
func (c *Counter) Next(raw uint64, elapsed time.Duration, r Rule) Verdict {
	switch {
	case !c.seen:
		c.last, c.seen = raw, true
		return First
	case raw >= c.last:
		c.last = raw
		return Grew
	case c.last-raw <= r.Jitter:
		return Held
	case r.wraps(c.last, raw, elapsed):
		c.carry = add(c.carry, r.Modulus)
		c.last = raw
		return Wrapped
	default:
		// The sum keeps what was counted, and what the new life has counted so
		// far comes on top: nothing is known about the time between, so this is
		// the least that can have happened.
		c.carry = add(c.carry, c.last)
		c.last = raw
		return Restarted
	}
}

// Sum is everything counted so far, held at the largest int64, since OTLP has no
// larger integer.
func (c *Counter) Sum() uint64 { return min(add(c.carry, c.last), math.MaxInt64) }

// Seen reports whether there was any reading.
func (c *Counter) Seen() bool { return c.seen }

// Raw is the last reading that was taken for true.
func (c *Counter) Raw() uint64 { return c.last }

// wraps reports whether the fall from last to raw is a plausible wrap: the step
// through the modulus must fit the time, or, where the kernel sets no bound, be
// less than half the range, as serial numbers are compared (RFC 1982).
func (r Rule) wraps(last, raw uint64, elapsed time.Duration) bool {
	if r.Modulus == 0 || last >= r.Modulus {
		return false
	}
	step := r.Modulus - last + raw
	if r.PerSecond == 0 {
		return step < r.Modulus/2
	}
	return step <= r.most(elapsed)
}

// most is how far the counter can have run, with a second for the reading itself.
func (r Rule) most(elapsed time.Duration) uint64 {
	nanos := uint64(max(elapsed, 0)) + uint64(time.Second)
	hi, lo := bits.Mul64(r.PerSecond, nanos)
	if hi >= uint64(time.Second) {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, uint64(time.Second))
	return q
}

// add is addition that stops at the largest value instead of wrapping.
func add(a, b uint64) uint64 {
	sum, over := bits.Add64(a, b, 0)
	if over != 0 {
		return math.MaxUint64
	}
	return sum
}
