package series

import (
	"math"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// value computes what a metric shows of one field of a row.
func (r *Reader) value(p *oneshot.Pass, w *oneshot.Row, m *semconv.Metric, f form, field platform.Field) (Number, bool) {
	switch {
	case m.Rate && p.IsOther(w):
		return sum(p, f, field)
	case m.Rate:
		v, ok := rate(p, w, f, field)
		return Number{Float: clamp(m, v)}, ok
	}
	v, ok := w.Value(field)
	if !ok {
		return Number{}, false
	}
	switch {
	case f.ratio != 0:
		over, ok := divisor(p, w, f.ratio)
		return Number{Float: clamp(m, float(field, v)/over)}, ok
	case m.Div != 0:
		return Number{Float: float(field, v) / m.Div}, true
	case field.Info().Signed:
		return Number{Int: int64(v)}, true
	}
	return Number{Int: int64(min(v, math.MaxInt64))}, true
}

// float is the value of a field, which may be below zero.
func float(f platform.Field, v uint64) float64 {
	if f.Info().Signed {
		return float64(int64(v))
	}
	return float64(v)
}

// rate is growth over elapsed time, over the divisor if the metric has one.
func rate(p *oneshot.Pass, w *oneshot.Row, f form, field platform.Field) (float64, bool) {
	grown, over, ok := w.Rate(field)
	if !ok || over <= 0 {
		return 0, false
	}
	v := float64(grown) / float64(over)
	if f.ratio == 0 {
		return v, true
	}
	by, ok := divisor(p, w, f.ratio)
	return v / by, ok
}

// sum is the rate of a remainder: the sum of those of its processes.
func sum(p *oneshot.Pass, f form, field platform.Field) (n Number, any bool) {
	for w := range p.Rest() {
		if v, ok := rate(p, w, f, field); ok {
			n.Float += v
			any = true
		}
	}
	return n, any
}

// divisor is the field that a ratio is taken of: the row's own or the host's.
func divisor(p *oneshot.Pass, w *oneshot.Row, f platform.Field) (float64, bool) {
	if f.Info().Entity == platform.Host {
		w = p.Host()
	}
	if w == nil {
		return 1, false
	}
	v, ok := w.Value(f)
	return float64(v), ok && v > 0
}

// clamp holds a share between 0 and 1: clock ticks are coarser than the clock
// that measures the time between two passes.
func clamp(m *semconv.Metric, v float64) float64 {
	if m.Unit != "1" {
		return v
	}
	return min(max(v, 0), 1)
}
