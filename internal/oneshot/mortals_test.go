package oneshot

import (
	"cmp"
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// mortals is a kernel whose processes fork, burn, end, wait and are waited for, between
// passes and in the middle of them. Its PIDs are few, so that they are used again soon.
type mortals struct {
	manners
	rng     *rand.Rand
	time    time.Time
	starts  uint64 // the last one given
	next    uint64 // PID
	all     []*mortal
	init    *mortal
	truth   sums // what was counted since it was set to 0
	records []obit
	sample  platform.Sample
	walks   int
}

// manners are how a kernel, its processes and those who look at them behave.
type manners struct {
	tick       uint64  // readings of CPU time are rounded down to it
	busy       float64 // how much happens while a pass is made
	ignorant   bool    // some ignore SIGCHLD
	unreadable bool    // some can't be read for a pass
	cut        bool    // some passes are cut short
	lossy      bool    // some records are lost
	noStart    bool    // records tell no start
	late       bool    // or one that is one too large
}

// obit is an exit record.
type obit struct {
	key    platform.Key
	values sums
}

type mortal struct {
	pid, start        uint64
	parent            *mortal
	own, kids, read   sums
	zombie, immortal  bool
	ignores, subreaps bool
}

func newMortals(seed uint64, m manners) *mortals {
	k := &mortals{manners: m, rng: rand.New(rand.NewPCG(seed, 2)), time: time.Unix(100000, 0), next: 1, starts: 1}
	k.tick = max(k.tick, 1)
	k.init = k.fork(nil)
	k.init.immortal = true
	for range 12 {
		k.fork(k.anybody())
	}
	for range 200 {
		k.happen()
		k.time = k.time.Add(time.Second)
	}
	return k
}

// happen lets one thing happen.
func (k *mortals) happen() {
	p := k.anybody()
	switch n := k.rng.IntN(20); {
	case n < 4 && len(k.all) < 30:
		k.fork(p)
	case n < 11:
		k.burn(p)
	case n < 15 && !p.immortal:
		k.exit(p)
	default:
		k.reap()
	}
}

// anybody returns someone who lives.
func (k *mortals) anybody() *mortal {
	for len(k.all) > 0 {
		if p := k.all[k.rng.IntN(len(k.all))]; !p.zombie {
			return p
		}
	}
	return nil
}

func (k *mortals) fork(parent *mortal) *mortal {
	for slices.ContainsFunc(k.all, func(p *mortal) bool { return p.pid == k.next }) {
		k.next = k.next%40 + 1
	}
	k.starts = max(k.starts+2, uint64(k.time.Sub(k.Boot().Time)/k.Boot().Tick)) // one too many is not the start of another
	p := &mortal{pid: k.next, start: k.starts, parent: parent, subreaps: k.rng.IntN(6) == 0, ignores: k.ignorant && parent != nil && k.rng.IntN(4) == 0}
	k.next = k.next%40 + 1
	k.all = append(k.all, p)
	slices.SortFunc(k.all, func(a, b *mortal) int { return cmp.Compare(a.pid, b.pid) })
	return p
}

func (k *mortals) burn(p *mortal) {
	for i := range p.own {
		n := k.rng.Uint64N(30e6)
		if i > 1 {
			n %= 100
		}
		p.own[i] += n
		k.truth[i] += n
	}
}

// exit ends a process. Its children get another parent.
func (k *mortals) exit(p *mortal) {
	o := obit{key: platform.Key{ID: p.pid, Start: p.start}, values: p.own}
	switch {
	case k.noStart:
		o.key.Start = 0
	case k.late:
		o.key.Start += k.rng.Uint64N(2)
	}
	k.records = append(k.records, o)
	heir := p.parent
	for heir.zombie || !heir.subreaps && heir != k.init {
		heir = heir.parent
	}
	p.zombie = true
	for _, q := range slices.Clone(k.all) {
		if q.parent == p {
			q.parent = heir
			if q.zombie && heir.ignores {
				k.remove(q)
			}
		}
	}
	if p.parent.ignores {
		k.remove(p)
	}
}

// reap lets a parent wait for one of its children.
func (k *mortals) reap() {
	for _, i := range k.rng.Perm(len(k.all)) {
		if p := k.all[i]; p.zombie {
			p.parent.kids.add(p.own)
			p.parent.kids.add(p.kids)
			k.remove(p)
			return
		}
	}
}

func (k *mortals) remove(p *mortal) {
	k.all = slices.DeleteFunc(k.all, func(q *mortal) bool { return q == p })
}

// rest lets the living wait for the dead, and nothing else happens.
func (k *mortals) rest() {
	k.manners = manners{tick: k.tick, noStart: k.noStart}
	for slices.ContainsFunc(k.all, func(p *mortal) bool { return p.zombie }) {
		k.reap()
	}
}

func (k *mortals) Sources() []platform.Source {
	var gives []platform.Given
	for _, f := range mortalFields {
		gives = append(gives, platform.Given{Field: f, Step: k.tick})
	}
	return []platform.Source{{Name: "stat", Entity: platform.Process, Clock: true, Files: 1, Gives: gives}}
}

var mortalFields = []platform.Field{
	platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessFaultsMinor, platform.ProcessFaultsMajor,
	platform.ProcessChildCPUUser, platform.ProcessChildCPUSystem, platform.ProcessChildFaultsMinor, platform.ProcessChildFaultsMajor,
	platform.ProcessMemoryRSS, platform.ProcessState, platform.ProcessParent,
}

func (k *mortals) Boot() platform.Boot {
	return platform.Boot{Time: time.Unix(1000, 0), Tick: 10 * time.Millisecond}
}

func (k *mortals) Begin(ctx context.Context) (platform.Reader, error) { return k, nil }
func (k *mortals) Close() error                                       { return nil }
func (k *mortals) Process(platform.Key, platform.SourceSet, platform.Sink) error {
	return os.ErrProcessDone
}

// Read lists the PIDs upward, as /proc does, while the world goes on.
func (k *mortals) Read(_ platform.SourceSet, sink platform.Sink) error {
	k.walks++
	cut := k.cut && k.walks > 1 && k.rng.IntN(6) == 0
	for pid := uint64(0); ; pid++ {
		i := slices.IndexFunc(k.all, func(p *mortal) bool { return p.pid >= pid })
		if i < 0 {
			break
		}
		if cut && k.rng.IntN(8) == 0 {
			return context.DeadlineExceeded
		}
		p := k.all[i]
		pid = p.pid
		if k.unreadable && k.walks > 1 && k.rng.IntN(20) == 0 {
			sink.Miss(0, platform.Unknown)
		} else {
			sink.Sample(k.tell(p))
		}
		if k.walks > 1 {
			k.meanwhile()
		}
	}
	return nil
}

func (k *mortals) meanwhile() {
	for k.rng.Float64() < k.busy {
		k.happen()
	}
}

func (k *mortals) tell(p *mortal) *platform.Sample {
	s := &k.sample
	s.Reset(platform.Process, platform.Key{ID: p.pid, Start: p.start})
	for i := range p.own {
		tick := k.tick
		if i > 1 {
			tick = 1
		}
		p.read[i] = p.own[i] / tick * tick
		s.Set(inherited[i].own, p.read[i])
		s.Set(inherited[i].children, p.kids[i]/tick*tick)
	}
	s.Set(platform.ProcessMemoryRSS, p.pid)
	state, parent := platform.StateSleeping, uint64(0)
	if p.zombie {
		state = platform.StateDefunct
	}
	if p.parent != nil {
		parent = p.parent.pid
	}
	s.Set(platform.ProcessState, uint64(state))
	s.Set(platform.ProcessParent, parent)
	return s
}

// ended hands the records over.
func (k *mortals) ended(yield func(*platform.Sample)) {
	if k.walks > 1 {
		k.meanwhile()
	}
	for _, o := range k.records {
		if k.lossy && k.walks/2%2 == 0 && k.rng.IntN(2) == 0 {
			continue
		}
		var s platform.Sample
		s.Reset(platform.Process, o.key)
		for i := range o.values {
			s.Set(inherited[i].own, o.values[i])
		}
		yield(&s)
	}
	k.records = k.records[:0]
}

func (k *mortals) now() time.Time { return k.time }
