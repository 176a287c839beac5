package exporter

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Identity is where the identity of a process stands in what is sent.
type Identity string

const (
	// IdentityPoint leaves process.pid, process.creation.time and what else describes
	// a process on each of its points. Prometheus wants it so: it makes labels of
	// attributes of points alone.
	IdentityPoint Identity = "point"
	// IdentityResource makes a Resource of each process, as the entities of the
	// semantic conventions want it: what describes the process leaves its points, and
	// joins what is known of the host. Attributes that describe who measures
	// (service.*, telemetry.*, process.*, container.*, k8s.pod.* and k8s.container.* of
	// the exporter's own resource) are not on it. The resources of many processes
	// share a request.
	IdentityResource Identity = "resource"
)

// The two attributes that make a point one of a process.
const (
	pidKey      attribute.Key = "process.pid"
	creationKey attribute.Key = "process.creation.time"
)

// describing are the attributes that say something of a process rather than of a
// measurement: those of the process entity of semantic conventions 1.44.0, those of
// what it runs in, and our own. One that ends with a dot stands for all below it.
var describing = []string{
	"process.args_count", "process.command", "process.command_args", "process.command_line", "process.creation.time",
	"process.executable.", "process.group_leader.", "process.interactive", "process.linux.cgroup", "process.owner",
	"process.parent_pid", "process.pid", "process.real_user.", "process.runtime.", "process.saved_user.",
	"process.session_leader.", "process.title", "process.user.", "process.vpid", "process.working_directory",
	"container.", "k8s.pod.", "k8s.container.", "pidometer.process.unit",
}

// measuring are the attributes of the exporter's resource that do not describe what
// is measured.
var measuring = []string{"service.", "telemetry.", "process.", "container.", "k8s.pod.", "k8s.container."}

// among reports whether a list as above holds a key.
func among(list []string, key string) bool {
	for _, k := range list {
		if k == key || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k) {
			return true
		}
	}
	return false
}

// promoted is the attribute of a scope that becomes the resource around it on the
// wire, see [promote]. Its value is a map. One pass has one resource in the SDK.
const promoted attribute.Key = "pidometer.exporter.promoted"

// splitter gives each process a scope of its own. It remembers how attribute sets
// part, so that each is looked through once.
type splitter struct {
	scopes map[instrumentation.Scope]*partition
	pass   uint64
}

// partition is what is remembered of one scope.
type partition struct {
	sets   map[attribute.Distinct]*parted
	groups map[attribute.Distinct]*group
	order  []*group // of this pass; the first is for points of no process
	rank   []int    // of the points of a metric
	ends   []int    // of the groups, among those
}

// parted is an attribute set without what describes the process.
type parted struct {
	rest  attribute.Set
	group *group // nil: of no process, and rest is the whole
	pass  uint64
}

// group is the points of one process.
type group struct {
	scope   instrumentation.Scope
	index   int // in order, in this pass
	pass    uint64
	metrics []metricdata.Metrics
}

// split replaces scopes by one for what is of no process, and one for each process.
func (s *splitter) split(rm *metricdata.ResourceMetrics, ours map[string]bool) {
	if s.scopes == nil {
		s.scopes = make(map[instrumentation.Scope]*partition)
	}
	s.pass++
	var all []metricdata.ScopeMetrics
	for _, sm := range rm.ScopeMetrics {
		if ours[sm.Scope.Name] {
			all = s.partition(sm.Scope).split(all, sm, s.pass)
		} else {
			all = append(all, sm)
		}
	}
	rm.ScopeMetrics = all
}

func (s *splitter) partition(scope instrumentation.Scope) *partition {
	p, ok := s.scopes[scope]
	if !ok {
		p = &partition{sets: make(map[attribute.Distinct]*parted), groups: make(map[attribute.Distinct]*group)}
		s.scopes[scope] = p
	}
	return p
}

func (p *partition) split(all []metricdata.ScopeMetrics, sm metricdata.ScopeMetrics, pass uint64) []metricdata.ScopeMetrics {
	p.order = append(p.order[:0], &group{scope: sm.Scope})
	for _, m := range sm.Metrics {
		if pts := pointsOf(m.Data); pts != nil {
			p.sort(sm.Scope, pts, pass)
			p.deal(m, pts)
		}
	}
	for _, g := range p.order {
		if len(g.metrics) > 0 {
			all = append(all, metricdata.ScopeMetrics{Scope: g.scope, Metrics: g.metrics})
		}
	}
	p.prune(pass)
	return all
}

// sort brings the points of each group together, in place, and notes where each
// group ends. Instruments give their points in the order of a map.
func (p *partition) sort(scope instrumentation.Scope, pts points, pass uint64) {
	p.rank = p.rank[:0]
	p.ends = p.ends[:0]
	for i := range pts.len() {
		index := p.enter(scope, pts.set(i), pass)
		for len(p.ends) <= index {
			p.ends = append(p.ends, 0)
		}
		p.ends[index]++
		p.rank = append(p.rank, index)
	}
	sum := 0
	for g, n := range p.ends {
		p.ends[g] = sum // where the group begins, and ends in the end
		sum += n
	}
	for i, g := range p.rank {
		p.rank[i] = p.ends[g]
		p.ends[g]++
	}
	for i := range p.rank {
		for p.rank[i] != i {
			j := p.rank[i]
			pts.swap(i, j)
			p.rank[i], p.rank[j] = p.rank[j], p.rank[i]
		}
	}
}

// enter takes what describes a process off a set, and returns the index of its group.
func (p *partition) enter(scope instrumentation.Scope, set *attribute.Set, pass uint64) int {
	key := set.Equivalent()
	part, ok := p.sets[key]
	if !ok {
		part = p.part(scope, *set)
		p.sets[key] = part
	}
	part.pass = pass
	g := part.group
	if g == nil {
		return 0
	}
	*set = part.rest
	if g.pass != pass {
		g.pass, g.index, g.metrics = pass, len(p.order), nil
		p.order = append(p.order, g)
	}
	return g.index
}

// part looks through a set that was not seen before.
func (p *partition) part(scope instrumentation.Scope, set attribute.Set) *parted {
	if !set.HasValue(pidKey) || !set.HasValue(creationKey) {
		return &parted{rest: set}
	}
	var moved, rest []attribute.KeyValue
	for _, kv := range set.ToSlice() {
		if among(describing, string(kv.Key)) {
			moved = append(moved, kv)
		} else {
			rest = append(rest, kv)
		}
	}
	process := attribute.NewSet(moved...)
	g, ok := p.groups[process.Equivalent()]
	if !ok {
		g = &group{scope: scope}
		g.scope.Attributes = attribute.NewSet(append(scope.Attributes.ToSlice(),
			attribute.KeyValue{Key: promoted, Value: attribute.MapValue(moved...)})...)
		p.groups[process.Equivalent()] = g
	}
	return &parted{rest: attribute.NewSet(rest...), group: g}
}

// deal hands the points of a metric, sorted, to their groups.
func (p *partition) deal(m metricdata.Metrics, pts points) {
	begin := 0
	for i, end := range p.ends {
		if begin < end {
			mine := m
			mine.Data = pts.part(begin, end)
			p.order[i].metrics = append(p.order[i].metrics, mine)
		}
		begin = end
	}
}

// prune forgets what this pass did not show.
func (p *partition) prune(pass uint64) {
	for key, part := range p.sets {
		if part.pass != pass {
			delete(p.sets, key)
		}
	}
	for key, g := range p.groups {
		if g.pass != pass {
			delete(p.groups, key)
		}
	}
}
