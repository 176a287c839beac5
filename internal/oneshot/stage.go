package oneshot

import "github.com/pidometer/pidometer/platform"

// firstStage and secondStage are the pass as the sink of its two stages.
type (
	firstStage  Pass
	secondStage Pass
)

func (p *firstStage) Sample(s *platform.Sample) bool {
	p.recent.told[stageFirst][s.Entity]++
	return (*Pass)(p).sample(s)
}

func (p *firstStage) Miss(source int, why platform.Reason) { (*Pass)(p).miss(source, why) }

func (p *secondStage) Sample(s *platform.Sample) bool {
	p.recent.told[stageSecond][s.Entity]++
	(*Pass)(p).keep(s, mask{})
	return true
}

func (p *secondStage) Miss(source int, why platform.Reason) { (*Pass)(p).miss(source, why) }

// sample takes what the walk over everything found.
func (p *Pass) sample(s *platform.Sample) bool {
	if s.Entity == platform.Process {
		p.latest = max(p.latest, s.Key.Start)
		if state, ok := s.Get(platform.ProcessState); ok && state < uint64(len(p.states)) {
			p.states[state]++
		}
		if p.config.Processes == None || p.config.Processes == Self || !p.admits(s) {
			return true
		}
	}
	except := mask{}
	if s.Entity == platform.Process {
		except = p.notFirst
	}
	r := p.keep(s, except)
	if s.Entity == platform.Process {
		r.member.line.read(s)
	}
	return true
}

// keep puts a sample into its row, but for some slots.
func (p *Pass) keep(s *platform.Sample, except mask) *Row {
	t := &p.tables[s.Entity]
	r := t.rows[s.Key]
	if r == nil {
		r = p.appear(s)
		t.rows[s.Key] = r
		t.list = append(t.list, r)
	}
	version := r.Version
	r.take(p, s, except)
	r.name(s)
	if r.Entity == platform.Process {
		r.carry(s, p.config.Keep)
	}
	if r.Entity == platform.Process && p.config.Always != nil && (r.Version != version || r.first.Equal(p.at)) {
		p.enroll(r)
	}
	return r
}

// appear makes the row of an entity that was not there before.
func (p *Pass) appear(s *platform.Sample) *Row {
	r := newRow(s.Entity, s.Key, &p.layouts[s.Entity])
	r.first = p.at
	switch {
	case s.Entity == platform.Process:
		r.Created = p.boot.Created(s.Key.Start)
		r.Start = r.Created
		_, seen := p.dead.ghosts[s.Key] // and could not be read for a pass
		r.member.newborn = !p.first() && s.Key.Start >= p.youngest && !seen
	case s.Entity == platform.Container && s.Key.Start != 0:
		r.Start = p.boot.Created(s.Key.Start)
	case s.Entity == platform.Host || !p.tables[s.Entity].ever:
		r.Start = p.boot.Time
	default:
		// It came since the pass before, so that is the latest time at which its
		// counters were certainly not running yet.
		r.Start = p.before
	}
	return r
}

// enroll asks whether a process is on the always-list.
func (p *Pass) enroll(r *Row) {
	always := p.config.Always(r.Executable)
	if always == r.member.always {
		return
	}
	r.member = member{always: always, line: r.member.line, settled: r.member.settled, newborn: r.member.newborn}
	r.Start = r.Created
}
