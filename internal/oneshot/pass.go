// Package oneshot plans and runs passes: the fewest kernel reads that tell what
// is wanted, each made at most once per entity, their counters corrected and
// kept from pass to pass.
package oneshot

import (
	"context"
	"errors"
	"iter"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/pidometer/pidometer/internal/filter"
	"github.com/pidometer/pidometer/internal/monotonic"
	"github.com/pidometer/pidometer/platform"
)

// Config is what a pass is to tell.
type Config struct {
	Backend   platform.Backend
	Want      platform.Want
	Rates     platform.FieldSet // fields whose growth over time is wanted too
	Processes Processes
	Limit     int                          // how many the top is, by CPU and by memory; 0 means 30
	Always    func(executable string) bool // processes that are reported in full beside the top; nil: none
	Raw       bool                         // show counters as the kernel gives them, falling ones too
	// Lifetime shows the counters of top processes since their creation, and the
	// plain sum of the others as the remainder: right for a program that looks
	// once, wrong for one that goes on looking, since processes come and go.
	Lifetime bool
	Keep     platform.TextSet   // texts of processes that their rows keep
	Filter   []filter.Condition // all must hold of a process to be seen; the cheapest first
	Now      func() time.Time   // nil means time.Now
	// Ended, if not nil, yields the last readings of processes that ended since the last
	// call, lent until yield returns. A Start of 0 is unknown, another one may be one too
	// large. A pass calls it once, after it has seen every process.
	Ended func(yield func(*platform.Sample))
}

// defaultLimit is N of the top N by CPU and the top N by memory.
const defaultLimit = 30

// freshness is how old a pass may be and still be shared with another reader.
const freshness = 200 * time.Millisecond

// Stats is what the passes so far met.
type Stats struct {
	Passes   uint64
	Verdicts [monotonic.Restarted + 1]uint64
	Misses   map[Miss]uint64
	Errors   uint64        // passes that could not be made or not be finished
	Took     time.Duration // the last pass
}

// Miss is one way in which a source gave nothing.
type Miss struct {
	Source string
	Why    platform.Reason
}

// Pass is the state that passes leave behind: the rows. It is safe for
// concurrent use.
type Pass struct {
	config            Config
	sources           []platform.Source
	plan              Plan
	layouts           [platform.Entities]layout
	rules             [platform.FieldCount]monotonic.Rule
	cheap             []filter.Condition // those that the first stage decides
	dear              []filter.Condition // and those that take another read
	unsure            platform.FieldSet  // counters whose earlier wraps nobody knows
	shared            mask               // slots of processes that the remainder adds up
	notFirst, notWide mask               // slots that a stage leaves to a later one
	boot              platform.Boot

	mu         sync.Mutex
	tables     [platform.Entities]table
	other      *Row // nil unless Processes is Top
	generation uint64
	at, before time.Time // of this pass and the one before; zero for none
	elapsed    time.Duration
	youngest   uint64 // latest start of a process in any whole pass before
	latest     uint64 // and in this one
	mourning   bool   // what the dead have used is in the remainder
	dead       dead
	states     [len(counted)]uint64
	missed     [platform.Entities]bool
	cut        bool // this pass did not get to its end
	made       bool // a pass is there to be shared; false after one that panicked
	candidates []candidate
	dropped    []*Row
	restarts   []Restart
	parents    map[uint64]uint64 // of every process, where a filter asks for a tree
	stats      Stats
	recent     tally
}

// table holds the rows of one kind of entity.
type table struct {
	rows map[platform.Key]*Row
	list []*Row // in order of appearance
	ever bool   // an earlier pass saw one
	gone int    // rows dropped since the map was made
}

// New prepares passes over a backend, which the Pass closes.
func New(c Config) *Pass {
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Pass{config: c, sources: c.Backend.Sources(), boot: c.Backend.Boot()}
	p.plan = NewPlan(p.sources, c.Want, c.Processes)
	if c.Always != nil {
		p.nameAll()
	}
	p.cheap, p.dear = p.plan.narrow(p.sources, c.Filter)
	p.stats.Misses = map[Miss]uint64{}
	for _, f := range c.Filter {
		if f.Tree != 0 {
			p.parents = map[uint64]uint64{}
		}
	}
	p.layOut()
	p.declare()
	p.mourning = p.mourns()
	p.Reset()
	return p
}

// nameAll moves the sources of names to the first stage, since every process
// must be asked whether it is on the always-list.
func (p *Pass) nameAll() {
	for i := range p.plan.Second.All() {
		for _, t := range p.sources[i].Texts {
			if t == platform.ProcessExecutable {
				p.plan.First, p.plan.Second = p.plan.First.With(i), p.plan.Second&^platform.SourceSet(0).With(i)
			}
		}
	}
}

// layOut gives every wanted field its slot.
func (p *Pass) layOut() {
	wanted := p.config.Want.Fields
	if p.config.Processes == Top {
		wanted = wanted.Union(ranked).Union(platform.Fields(platform.ProcessMemoryRSS))
	}
	for e := range p.layouts {
		p.layouts[e] = newLayout(platform.Entity(e), wanted, p.config.Rates)
	}
	p.stage()
}

// stage finds which slots of processes each stage fills: one that has but an
// approximation of a field leaves it to a later one that reads it exactly.
func (p *Pass) stage() {
	early, wide := exactly(p.sources, p.plan.First), exactly(p.sources, p.plan.Wide)
	late := exactly(p.sources, p.plan.Second)
	given := gives(p.sources, p.plan.First|p.plan.Wide)
	for i, f := range p.layouts[platform.Process].fields {
		if !early.Has(f) && !wide.Has(f) && late.Has(f) {
			p.notWide.add(i)
		}
		if !early.Has(f) && (wide.Has(f) || late.Has(f)) {
			p.notFirst.add(i)
		}
		if given.Has(f) && !p.notWide.has(i) {
			p.shared.add(i)
		}
	}
}

// declare takes the widths that the sources of the plan declare.
func (p *Pass) declare() {
	uptime := p.config.Now().Sub(p.boot.Time)
	for i := range (p.plan.First | p.plan.Wide | p.plan.Second).All() {
		for _, g := range p.sources[i].Gives {
			p.rules[g.Field] = rule(g)
			if wrapsWithin(g.Field, p.rules[g.Field], uptime) {
				p.unsure.Add(g.Field)
			}
		}
	}
}

// Reset forgets everything: rows, sums, wraps. The next pass is a first one.
func (p *Pass) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := range p.tables {
		p.tables[e] = table{rows: map[platform.Key]*Row{}}
	}
	p.at, p.before, p.youngest, p.latest = time.Time{}, time.Time{}, 0, 0
	p.other, p.dead, p.made = nil, dead{}, false
}

// Plan returns what a pass reads.
func (p *Pass) Plan() Plan { return p.plan }

// Sources returns what could be read.
func (p *Pass) Sources() []platform.Source { return p.sources }

// Boot returns the origin of the kernel's times.
func (p *Pass) Boot() platform.Boot { return p.boot }

// Close closes the backend. It waits for a pass that is running.
func (p *Pass) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.config.Backend.Close()
}

// Collect runs a pass, unless the last one is fresh enough to be shared, and then
// lets read look at the rows. A second caller waits for the first. The rows are
// the caller's until read returns.
func (p *Pass) Collect(ctx context.Context, read func(*Pass)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.config.Now(); !p.made || now.Sub(p.at) >= freshness {
		p.run(ctx, now)
	}
	read(p)
	p.dropped, p.restarts = nil, nil
}

// run makes one pass. What can't be read is missing from its rows; rows that a
// pass cut short never reached show what they showed before.
func (p *Pass) run(ctx context.Context, now time.Time) {
	p.made = false
	p.start(now)
	whole := p.read(ctx)
	p.cut = !whole
	if whole {
		p.bury()
		p.prune()
	} else {
		p.stats.Errors++
	}
	p.count(whole)
	for e := range p.tables {
		for _, r := range p.tables[e].list {
			if r.seen == p.generation {
				r.measure(now)
			}
		}
	}
	p.stats.Took = p.config.Now().Sub(now)
	p.made = true
}

func (p *Pass) start(now time.Time) {
	p.generation++
	p.stats.Passes++
	p.before, p.at = p.at, now
	p.elapsed = 0
	if !p.before.IsZero() {
		p.elapsed = now.Sub(p.before)
	}
	if !p.cut || p.youngest == 0 { // who was not reached is not born later
		p.youngest = max(p.youngest, p.latest)
	}
	p.latest = 0
	p.states = [len(counted)]uint64{}
	p.recent = tally{}
	clear(p.parents)
	p.missed = [platform.Entities]bool{}
	for e := range p.tables {
		p.tables[e].ever = len(p.tables[e].list) > 0 || p.tables[e].ever
	}
}

// read reads both stages and reports whether it got to the end.
func (p *Pass) read(ctx context.Context) bool {
	reader, err := p.config.Backend.Begin(ctx)
	if err != nil {
		return false
	}
	defer reader.Close()
	err = reader.Read(p.plan.First, (*firstStage)(p))
	p.sift(reader)
	switch p.config.Processes {
	case Self:
		err = errors.Join(err, p.readProcess(reader, platform.Self))
	case Top:
		p.choose(reader)
	}
	return err == nil
}

// choose selects the processes of this pass, reads the rest of them, and keeps
// the books.
func (p *Pass) choose(reader platform.Reader) {
	p.rank()
	list := p.tables[platform.Process].list
	for _, r := range list {
		if r.hidden {
			continue
		}
		p.enter(r)
		if p.plan.Second != 0 && r.seen == p.generation && r.Shown() {
			p.readProcess(reader, r.Key)
		}
	}
	if p.other == nil {
		p.other = p.newOther()
	}
	for _, r := range list {
		if r.seen == p.generation && !r.hidden && !r.member.always && !p.config.Lifetime {
			p.settle(r)
		}
	}
	p.remain()
}

// readProcess reads the second stage of one process. One that is gone by now
// shows what the first stage saw.
func (p *Pass) readProcess(reader platform.Reader, key platform.Key) error {
	err := reader.Process(key, p.plan.Second, (*secondStage)(p))
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// newOther makes the remainder, which is 0 in its first pass.
func (p *Pass) newOther() *Row {
	o := newRow(platform.Process, platform.Key{}, &p.layouts[platform.Process])
	o.member.own = make([]uint64, o.layout.counts)
	o.Start, o.first = p.at, p.at
	if p.config.Lifetime {
		o.Start = p.boot.Time
	}
	return o
}

func (p *Pass) miss(source int, why platform.Reason) {
	p.missed[p.sources[source].Entity] = true
	p.stats.Misses[Miss{p.sources[source].Name, why}]++
	p.recent.missed[source][why]++
}

// first reports whether this is the first pass.
func (p *Pass) first() bool { return p.before.IsZero() }

// prune drops the rows of what is gone. Devices stay while their source fails:
// it is not known that they are gone. Processes and containers come and go, and
// their kernel fails to tell something of one of them in every pass.
func (p *Pass) prune() {
	for _, r := range p.tables[platform.Process].list {
		if r.seen != p.generation {
			p.dropped = append(p.dropped, r)
		}
	}
	for e := range p.tables {
		if lasts := platform.Entity(e) != platform.Process && platform.Entity(e) != platform.Container; lasts && p.missed[e] {
			continue
		}
		p.tables[e].prune(p.generation)
	}
}

// prune drops the rows that an earlier pass saw last. A map keeps the room of all that
// was ever in it: once more are gone than are left, it is made anew.
func (t *table) prune(generation uint64) {
	kept := t.list[:0]
	for _, r := range t.list {
		if r.seen == generation {
			kept = append(kept, r)
		} else {
			delete(t.rows, r.Key)
			t.gone++
		}
	}
	clear(t.list[len(kept):])
	t.list = kept
	if t.gone > len(kept) {
		rows := make(map[platform.Key]*Row, len(kept))
		maps.Copy(rows, t.rows)
		t.rows, t.gone = rows, 0
	}
}

// count gives the host its processes by state, known when all were walked.
func (p *Pass) count(whole bool) {
	l := &p.layouts[platform.Host]
	host := p.tables[platform.Host].rows[platform.Key{}]
	if !whole || l.slot(counted[0]) < 0 || p.latest == 0 && p.states == [len(counted)]uint64{} {
		return
	}
	if host == nil {
		var s platform.Sample
		s.Reset(platform.Host, platform.Key{})
		p.keep(&s, mask{})
		host = p.tables[platform.Host].rows[platform.Key{}]
	}
	host.begin(p)
	for state, f := range counted {
		if i := l.slot(f); i >= 0 {
			host.values[i] = p.states[state]
			host.has.add(int(i))
		}
	}
}

// Rows yields the rows of one kind that this pass reports: those with something
// read, of processes the selected ones, and last the remainder.
func (p *Pass) Rows(e platform.Entity) iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for _, r := range p.tables[e].list {
			if p.reports(r) && !yield(r) {
				return
			}
		}
		if e == platform.Process && p.other != nil {
			yield(p.other)
		}
	}
}

// Rest yields the processes that the remainder stands for.
func (p *Pass) Rest() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for _, r := range p.tables[platform.Process].list {
			if p.leftOver(r) && !yield(r) {
				return
			}
		}
	}
}

// reports reports whether a row is shown. What was not reached by a pass that was
// cut short shows what it showed before; what was reached and is not there, nothing.
func (p *Pass) reports(r *Row) bool {
	if r.seen != p.generation && !p.cut || r.hidden {
		return false
	}
	return r.Entity != platform.Process || p.config.Processes != Top || r.Shown()
}

// Host returns the row of the host, or nil before anything was read of it.
func (p *Pass) Host() *Row { return p.tables[platform.Host].rows[platform.Key{}] }

// IsOther reports whether r is the remainder.
func (p *Pass) IsOther(r *Row) bool { return r == p.other }

// At returns when the pass was made.
func (p *Pass) At() time.Time { return p.at }

// Whole reports whether the pass got to its end, to those whom Collect shows it.
func (p *Pass) Whole() bool { return !p.cut }

// StartOf returns when the series of a field began. A counter that may have
// wrapped before anybody looked begins with the first look.
func (p *Pass) StartOf(r *Row, f platform.Field) time.Time {
	if p.unsure.Has(f) && r.first.After(r.Start) {
		return r.first
	}
	return r.Start
}

// Stats returns what the passes so far met. It is the caller's to keep.
func (p *Pass) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Misses = make(map[Miss]uint64, len(p.stats.Misses))
	for k, v := range p.stats.Misses {
		s.Misses[k] = v
	}
	return s
}
