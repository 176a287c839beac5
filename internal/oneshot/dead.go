package oneshot

import (
	"math/bits"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// inherited are the counters whose sums a parent takes over from each child that it
// waits for, and where it keeps them.
var inherited = [...]struct{ own, children platform.Field }{
	{platform.ProcessCPUUser, platform.ProcessChildCPUUser},
	{platform.ProcessCPUSystem, platform.ProcessChildCPUSystem},
	{platform.ProcessFaultsMinor, platform.ProcessChildFaultsMinor},
	{platform.ProcessFaultsMajor, platform.ProcessChildFaultsMajor},
}

// sums is one amount of each of them.
type sums [len(inherited)]uint64

// line is what a process and those of its line that ended have used, as the kernel
// tells it.
type line struct {
	own, children sums
	parent        uint64 // PID; 0 is unknown
	known         bool   // of own
	inherits      bool   // children are known too
}

func (l *line) read(s *platform.Sample) {
	*l = line{known: true, inherits: true}
	l.parent, _ = s.Get(platform.ProcessParent)
	for i, f := range inherited {
		var ok bool
		if l.own[i], ok = s.Get(f.own); !ok {
			l.known = false
		}
		if l.children[i], ok = s.Get(f.children); !ok {
			l.inherits = false
		}
	}
}

// dead keeps the books of what processes used that no pass sees any more: from its last
// reading of them until their end, or all of their lives.
//
// Two things tell of it. Exit records tell of each process, but for what it takes to
// take its memory down. The counters of the parents tell of all that are waited for,
// exactly: what a process and its line have used changes its place when it is waited
// for, not its sum, so that the growth of all lines without the growth of the living is
// what the dead have used. Neither tells too much by itself, so that the larger sum holds:
// that of the parents makes up for lost records, and the records for parents that do not
// wait. What is read at an odd moment can make one tell too much; both are bounded by what
// the host has used.
type dead struct {
	records  []obituary
	byRecord sums
	byParent sums
	told     sums // of the larger one, which is in the remainder
	held     sums // of the parents' counters, until the next pass
	owed     [owedFor]sums
	ghosts   map[platform.Key]line // gone in the pass before: a process that can't be read for a pass comes back
	busy     uint64                // CPU time of the host at the last pass; 0: unknown
	spare    uint64                // of earlier bounds, while something is owed
	begun    bool
}

// owedFor is for how many passes a sum is looked for that vanished with a process. A
// parent that is read before it waits for a child, and the child after, has it in the
// next pass, or one of those that follow where more of the kind happens; one that
// ignores its children never has it (man 2 wait, NOTES), and what others have used is
// taken for it until then.
const owedFor = 8

// obituary is an exit record that waits for the pass which sees the process no more.
type obituary struct {
	key   platform.Key
	final line
	age   int
}

// mostObituaries and longestWait bound the records whose process does not go away: a
// zombie that nobody waits for.
const (
	mostObituaries = 1 << 16
	longestWait    = 100
)

// mourns reports whether the remainder takes over what the dead have used: something
// has to tell of it. A filter can't be asked about them, and a single look has nothing
// to compare with.
func (p *Pass) mourns() bool {
	c := &p.config
	given := gives(p.sources, p.plan.First)
	return (c.Ended != nil || given.Has(platform.ProcessChildCPUUser)) && (c.Processes == Top || c.Processes == All) && len(c.Filter) == 0 && !c.Lifetime
}

// bury settles a whole pass: rows that it did not see are the dead.
func (p *Pass) bury() {
	if !p.mourning {
		return
	}
	d := &p.dead
	p.hear()
	living, grown := p.lines()
	ended := p.mournByRecord()
	busy := p.busy()
	if d.begun {
		most := d.bound(busy, living)
		d.byRecord.add(ended.within(most))
		used := d.settle(grown).within(most)
		d.byParent.add(used)
		d.save(most, used)
	}
	d.begun, d.busy = true, busy
	if p.other == nil {
		p.other = p.newOther()
	}
	p.inherit()
}

// hear takes the exit records since the last pass.
func (p *Pass) hear() {
	if p.config.Ended == nil {
		return
	}
	d := &p.dead
	p.config.Ended(func(s *platform.Sample) {
		var o obituary
		o.key = s.Key
		o.final.read(s) // what is absent of its faults is not told
		_, o.final.known = s.Get(platform.ProcessCPUUser)
		if o.final.known && len(d.records) < mostObituaries {
			d.records = append(d.records, o)
		}
	})
}

// change is how a sum has moved: up or down.
type change struct{ up, down sums }

// lines compares the lines of all processes with those of the last whole pass: what the
// living used, and what moved besides. The rows remember this pass's from now on.
func (p *Pass) lines() (living sums, moved change) {
	d := &p.dead
	early := p.early()
	moved.up, d.held = d.held, sums{}
	defer func() { moved.up.less(d.held) }()
	ghosts := map[platform.Key]line{}
	for _, r := range p.tables[platform.Process].list {
		now, before := &r.member.line, &r.member.settled
		switch {
		case r.seen != p.generation:
			ghosts[r.Key] = *now // as read last, in a pass that was cut short maybe
			moved.leave(now)
		case before.known:
			living.grow(&before.own, &now.own)
			moved.up.grow(&before.children, &now.children)
			d.hold(early, r.Key.ID, &before.children, &now.children)
		default:
			moved.come(now, d.ghosts[r.Key], r.member.newborn)
			if r.member.newborn {
				living.add(now.own)
				d.hold(early, r.Key.ID, &sums{}, &now.children)
			}
		}
		if r.seen == p.generation {
			*before = *now
		}
	}
	d.ghosts = ghosts
	return living, moved
}

// early sums up the lines of processes that a walk by PID sees before their parent: it
// may wait for them in between, and then both tell of them. Parents are older than their
// children, so that this takes PIDs that have begun anew.
func (p *Pass) early() map[uint64]*sums {
	var early map[uint64]*sums
	for _, r := range p.tables[platform.Process].list {
		l := &r.member.line
		if r.seen != p.generation || l.parent <= r.Key.ID || !l.inherits {
			continue
		}
		if early == nil {
			early = map[uint64]*sums{}
		}
		if early[l.parent] == nil {
			early[l.parent] = new(sums)
		}
		early[l.parent].add(l.own)
		early[l.parent].add(l.children)
	}
	return early
}

// hold keeps back what a parent's counters grew by and may be of a process that this
// pass has seen. The next pass knows: it sees the process, or misses it.
func (d *dead) hold(early map[uint64]*sums, parent uint64, from, to *sums) {
	seen := early[parent]
	if seen == nil {
		return
	}
	var grown sums
	grown.grow(from, to)
	for i := range grown {
		d.held[i] += min(grown[i], seen[i])
	}
}

// leave takes the line of a process away that is gone: whoever waited for it has it.
func (c *change) leave(l *line) {
	if l.known && l.inherits {
		c.down.add(l.own)
		c.down.add(l.children)
	}
}

// come adds the line of a process that was not there in the pass before. Of one that is
// older than that nothing is known, unless it was only not to be read.
func (c *change) come(now *line, ghost line, newborn bool) {
	switch {
	case ghost.known && ghost.inherits:
		c.up.add(ghost.own)
		c.up.add(ghost.children)
		c.up.grow(&ghost.children, &now.children)
	case newborn && now.inherits:
		c.up.add(now.children)
	}
}

func (s *sums) add(t sums) {
	for i, v := range t {
		s[i] += v
	}
}

func (s *sums) less(t sums) {
	for i, v := range t {
		s[i] -= v
	}
}

// grow adds what grew. What fell has wrapped, or was read at odd moments.
func (s *sums) grow(from, to *sums) {
	for i := range s {
		if to[i] > from[i] {
			s[i] += to[i] - from[i]
		}
	}
}

// busy is the CPU time that the host's processes have used, or 0 if that is not read.
func (p *Pass) busy() (sum uint64) {
	host := p.Host()
	if host == nil {
		return 0
	}
	for _, f := range [...]platform.Field{platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem} {
		v, ok := host.Value(f)
		if !ok {
			return 0
		}
		sum += v
	}
	return sum
}

// within cuts the CPU time down to most, in the proportion of user and system time.
func (s sums) within(most uint64) sums {
	total := s[0] + s[1]
	if total > most {
		s[0] = portion(most, s[0], total)
		s[1] = most - s[0]
	}
	return s
}

// portion is v * of / total, where of <= total.
func portion(v, of, total uint64) uint64 {
	high, low := bits.Mul64(v, of)
	q, _ := bits.Div64(high, low, total)
	return q
}

// slack is what the clocks of host and processes may differ by.
const slack = uint64(time.Second)

// bound is the most CPU time that the dead can have used since the last pass: what the
// host did and the living did not. A parent that nobody could see until now, or one
// read at an odd moment, shows more.
func (d *dead) bound(busy uint64, living sums) uint64 {
	if busy == 0 || d.busy == 0 || busy < d.busy {
		return unbounded
	}
	host, alive := busy-d.busy+slack, living[0]+living[1]
	return min(max(host, alive)-alive+d.spare, unbounded)
}

const unbounded = 1 << 62

// save keeps what is left of the bound while something is owed: what the dead used in this
// pass is told by the one that pays.
func (d *dead) save(most uint64, used sums) {
	var owed uint64
	for _, o := range d.owed {
		owed += o[0] + o[1]
	}
	if d.spare = 0; owed > 0 {
		d.spare = most - (used[0] + used[1])
	}
}

// settle turns what moved into what the dead have used. What is missing is owed, and
// paid back from what comes: the line of a process that no parent has yet.
func (d *dead) settle(c change) (used sums) {
	copy(d.owed[1:], d.owed[:])
	d.owed[0] = sums{}
	for i := range used {
		up, down := c.up[i], c.down[i]
		if up < down {
			d.owed[0][i] = down - up
			continue
		}
		used[i] = d.pay(i, up-down)
	}
	return used
}

// pay pays what is owed, the oldest first, and returns the rest.
func (d *dead) pay(i int, v uint64) uint64 {
	for age := owedFor - 1; age >= 0; age-- {
		part := min(v, d.owed[age][i])
		d.owed[age][i] -= part
		v -= part
	}
	return v
}

// mournByRecord adds up what the records tell of those that this pass sees no more.
// Those of a process that it still sees wait: a zombie, or one that ended meanwhile.
func (p *Pass) mournByRecord() (used sums) {
	d := &p.dead
	gone, here := p.byPID()
	kept := d.records[:0]
	for _, o := range d.records {
		switch r := takeOut(gone, o.key); {
		case !d.begun:
		case r != nil:
			used.grow(&r.member.line.own, &o.final.own)
		case here[o.key.ID].matches(o.key) && o.age < longestWait:
			o.age++
			kept = append(kept, o)
		case o.key.Start == 0 || o.key.Start >= p.youngest:
			used.add(o.final.own)
		}
	}
	d.records = kept
	return used
}

// holder is who has a PID in this pass; zero for nobody.
type holder struct {
	start uint64
	held  bool
}

// matches reports whether a record may be that of the holder. A start that was computed
// from the time of the fork may be one too large.
func (h holder) matches(k platform.Key) bool { return h.held && isStart(h.start, k.Start) }

func isStart(start, told uint64) bool { return told == 0 || told == start || told == start+1 }

// byPID sorts the processes into those that this pass saw no more and the others.
func (p *Pass) byPID() (gone map[uint64][]*Row, here map[uint64]holder) {
	if len(p.dead.records) == 0 {
		return nil, nil
	}
	gone, here = map[uint64][]*Row{}, map[uint64]holder{}
	for _, r := range p.tables[platform.Process].list {
		switch {
		case r.seen == p.generation:
			here[r.Key.ID] = holder{r.Key.Start, true}
		case r.member.line.known:
			gone[r.Key.ID] = append(gone[r.Key.ID], r)
		}
	}
	return gone, here
}

// takeOut returns the process that a record is of, once: the next one of this PID is of
// another.
func takeOut(gone map[uint64][]*Row, k platform.Key) *Row {
	for i, r := range gone[k.ID] {
		if isStart(r.Key.Start, k.Start) {
			gone[k.ID] = append(gone[k.ID][:i:i], gone[k.ID][i+1:]...)
			return r
		}
	}
	return nil
}

// inherit lets the remainder grow to what the dead have used, by the larger sum.
func (p *Pass) inherit() {
	d, o := &p.dead, p.other
	if o.seen != p.generation { // where every process is reported there is nothing else
		o.begin(p)
	}
	grown := d.due()
	d.told.add(grown)
	for i, f := range inherited {
		slot := o.layout.slot(f.own)
		if slot < 0 || o.layout.count[slot] < 0 || !p.shared.has(int(slot)) {
			continue
		}
		o.has.add(int(slot))
		o.add(int(slot), grown[i])
	}
}

// due is what the larger sum has more than was told. User and system time come from the
// same one: two that are parted in another way would add up to more than either.
func (d *dead) due() (grown sums) {
	larger := d.byRecord
	if d.byParent[0]+d.byParent[1] > larger[0]+larger[1] {
		larger = d.byParent
	}
	for i := 2; i < len(larger); i++ {
		larger[i] = max(d.byRecord[i], d.byParent[i])
	}
	grown.grow(&d.told, &larger)
	had := d.told[0] + d.told[1]
	return grown.within(max(larger[0]+larger[1], had) - had)
}
