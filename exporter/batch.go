package exporter

import (
	"math"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// maxRequest is the most bytes in one request. A gRPC server refuses messages
// over 4 MiB unless it was told otherwise (grpc v1.85.0,
// defaultServerMaxReceiveMessageSize); the Collector leaves it so.
const maxRequest = 4 << 20

// batch is what goes into one request.
type batch struct {
	metrics metricdata.ResourceMetrics
	points  int
	bytes   int // at most
}

// packer cuts metrics into batches. It shares the points with what it is given.
// The SDK's reader could cut too (WithMaxExportBatchSize), but knows no bytes, and
// calls the exporter once per batch, so that nobody sees where a pass ends.
type packer struct {
	maxPoints, maxBytes int
	repair              *repairer
	base                int // bytes of an empty request
	out                 []batch
}

// pack cuts rm.
func (p *packer) pack(rm *metricdata.ResourceMetrics) []batch {
	res := p.repair.resource(rm.Resource)
	p.base = 4*number + message(len(res.SchemaURL())) + sizeAttrs(res.Attributes())
	p.open(metricdata.ResourceMetrics{Resource: res})
	for i := range rm.ScopeMetrics {
		p.scope(&rm.ScopeMetrics[i])
	}
	if last := len(p.out) - 1; p.out[last].points == 0 {
		p.out = p.out[:last]
	}
	return p.out
}

func (p *packer) open(empty metricdata.ResourceMetrics) {
	p.out = append(p.out, batch{metrics: empty, bytes: p.base})
}

func (p *packer) scope(s *metricdata.ScopeMetrics) {
	head := sizeScope(s)
	if s.Scope.Attributes.HasValue(promoted) {
		head += p.base // it becomes a resource of its own
	}
	p.current().bytes += head
	for i := range s.Metrics {
		p.metric(s, &s.Metrics[i], head)
	}
}

func (p *packer) metric(s *metricdata.ScopeMetrics, m *metricdata.Metrics, head int) {
	pts := pointsOf(m.Data)
	if pts == nil {
		return // a kind that this SDK cannot encode either
	}
	from, heads := 0, sizeMetric(m)
	p.current().bytes += heads
	for i := range pts.len() {
		size := pts.size(i, p.repair.look(pts.set(i)).bytes)
		if p.full(size) {
			p.place(s, m, pts, from, i)
			p.open(metricdata.ResourceMetrics{Resource: p.out[0].metrics.Resource})
			p.current().bytes += head + heads
			from = i
		}
		p.current().points++
		p.current().bytes += size
	}
	p.place(s, m, pts, from, pts.len())
}

func (p *packer) current() *batch { return &p.out[len(p.out)-1] }

// full reports whether one more point would be too much. A batch that holds none
// takes any point: it cannot be cut further.
func (p *packer) full(size int) bool {
	b := p.current()
	return b.points > 0 && (b.points >= p.maxPoints || b.bytes+size > p.maxBytes)
}

// place puts the points from i up to j into the current batch.
func (p *packer) place(s *metricdata.ScopeMetrics, m *metricdata.Metrics, pts points, i, j int) {
	if i == j {
		return
	}
	part := *m
	if j-i < pts.len() {
		part.Data = pts.part(i, j)
	}
	scopes := &p.current().metrics.ScopeMetrics
	if len(*scopes) == 0 || (*scopes)[len(*scopes)-1].Scope != s.Scope {
		*scopes = append(*scopes, metricdata.ScopeMetrics{Scope: s.Scope})
	}
	last := &(*scopes)[len(*scopes)-1]
	last.Metrics = append(last.Metrics, part)
}

// halve cuts a batch in two.
func (b batch) halve(r *repairer) []batch {
	p := packer{maxPoints: (b.points + 1) / 2, maxBytes: math.MaxInt, repair: r}
	return p.pack(&b.metrics)
}
