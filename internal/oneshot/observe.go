package oneshot

import (
	"context"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// State is how a source did in the last pass.
type State uint8

// The states. A process that ends while it is read, or belongs to somebody else, is
// no fault: only what nobody expects is one.
const (
	Fine    State = iota // told everything that it was asked for
	Partial              // missed what is to be expected, or a small part of the rest
	Failing              // gave nothing, for no expected reason, for half of what it was asked for
)

// Health is how the last pass went.
type Health struct {
	Passes  uint64
	At      time.Time // zero before the first pass
	Took    time.Duration
	Cut     bool // it did not get to its end
	Sources []SourceHealth
}

// SourceHealth is how one source of the plan did in the last pass.
type SourceHealth struct {
	Name   string
	State  State
	Missed [platform.Reasons]uint32 // entities, by reason
}

// tally counts what one pass met.
type tally struct {
	told   [numStages][platform.Entities]uint32
	missed [64][platform.Reasons]uint32 // by source
}

// The stages of a pass, each of which asks for fewer processes than the one before.
const (
	stageFirst = iota
	stageWide
	stageSecond
	numStages
)

// expected are the reasons that are nobody's fault.
var expected = [platform.Reasons]bool{platform.Denied: true, platform.Gone: true, platform.Unsupported: true, platform.Skipped: true}

// Health returns how the last pass went, without making one.
func (p *Pass) Health() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := Health{Passes: p.stats.Passes, At: p.at, Took: p.stats.Took, Cut: p.cut || !p.made && p.stats.Passes > 0}
	for i := range p.planned().All() {
		h.Sources = append(h.Sources, SourceHealth{p.sources[i].Name, p.state(i), p.recent.missed[i]})
	}
	return h
}

func (p *Pass) planned() platform.SourceSet { return p.plan.First | p.plan.Wide | p.plan.Second }

// state judges a source by the share of entities that it failed for.
func (p *Pass) state(source int) State {
	var missed, fault uint32
	for why, n := range p.recent.missed[source] {
		missed += n
		if !expected[why] {
			fault += n
		}
	}
	switch asked := max(p.asked(source), fault); {
	case missed == 0:
		return Fine
	case fault > 0 && 2*fault >= asked:
		return Failing
	}
	return Partial
}

// asked is how many entities the source was to tell of: those that its stage told
// of. The host is one, however many sources tell of it.
func (p *Pass) asked(source int) uint32 {
	e := p.sources[source].Entity
	switch {
	case e == platform.Host:
		return 1
	case p.plan.First.Has(source):
		return p.recent.told[stageFirst][e]
	case p.plan.Wide.Has(source):
		return p.recent.told[stageWide][e]
	}
	return p.recent.told[stageSecond][e]
}

// ownFields are what a program tells of its own cost.
var ownFields = platform.Fields(platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessMemoryRSS, platform.ProcessOpenFiles)

// Own reads the calling process, beside the passes: nothing of it is counted there.
func (p *Pass) Own(ctx context.Context, sample func(*platform.Sample)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reader, err := p.config.Backend.Begin(ctx)
	if err != nil {
		return
	}
	defer reader.Close()
	sources, _ := platform.Choose(p.sources, platform.Want{Fields: ownFields})
	_ = reader.Process(platform.Self, sources, ownSink(sample)) // what it can't tell is absent
}

// ownSink takes samples and no notice of misses.
type ownSink func(*platform.Sample)

func (f ownSink) Sample(s *platform.Sample) bool {
	f(s)
	return true
}

func (ownSink) Miss(int, platform.Reason) {}
