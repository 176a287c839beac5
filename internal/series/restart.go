package series

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/oneshot"
)

// Restarts yields the counters that began anew in a pass, each by the first metric that
// shows it. It is for a [Companion] that takes the pass.
func (r *Reader) Restarts(p *oneshot.Pass, yield func(metric string, set attribute.Set, previous, value uint64)) {
	for restart := range p.Restarts() {
		for _, s := range r.series(p, restart.Row).series {
			if s.Point.Field == restart.Field {
				yield(r.metrics[s.Metric].Name, s.Set, restart.Previous, restart.Value)
				break
			}
		}
	}
}
