package events

import (
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// accounted are the sums of a process that ended which a remainder may take over.
var accounted = [...]platform.Field{
	platform.ProcessCPUUser, platform.ProcessCPUSystem,
	platform.ProcessFaultsMinor, platform.ProcessFaultsMajor,
}

// mostRecords is how many records wait for a pass. What more would tell, the parents'
// counters do.
const mostRecords = 1 << 16

// record is the last reading of a process.
type record struct {
	key       platform.Key
	estimated bool
	has       [len(accounted)]bool
	values    [len(accounted)]uint64
}

// account keeps an exit record for the next pass, and for the event of the end.
func (e *Engine) account(o *platform.Occurrence) {
	if o.Usage == nil {
		return
	}
	if e.config.All { // nobody else tells what a process has used
		e.accounts.add(o)
	}
	if len(e.records) == mostRecords {
		e.lost(1)
		return
	}
	r := record{key: o.Key, estimated: o.Estimated}
	for i, f := range accounted {
		r.values[i], r.has[i] = o.Usage.Get(f)
	}
	e.records = append(e.records, r)
}

// accounts are the exit records of one read. They may come before the beginnings and
// ends that they belong to, from another source, and need not tell a start: those of one
// PID are taken in their order.
type accounts struct {
	list  []account
	first map[uint64]int // in list, by PID
}

// account is one of them.
type account struct {
	key     platform.Key
	command []byte
	usage   usage
	next    int // of the same PID; 0 for none
}

func (a *accounts) add(o *platform.Occurrence) {
	if a.first == nil {
		a.first = map[uint64]int{}
	}
	c := account{key: o.Key, command: slices.Clone(o.Command)}
	u := &c.usage
	u.user, u.hasUser = o.Usage.Get(platform.ProcessCPUUser)
	u.system, u.hasSystem = o.Usage.Get(platform.ProcessCPUSystem)
	u.peak, u.hasPeak = o.Usage.Get(platform.ProcessMemoryPeak)
	at, later := a.first[o.Key.ID]
	if a.list = append(a.list, c); !later {
		a.first[o.Key.ID] = len(a.list) - 1
		return
	}
	for a.list[at].next != 0 {
		at = a.list[at].next
	}
	a.list[at].next = len(a.list) - 1
}

// take returns the first that may be of a life, and is not another's.
func (a *accounts) take(l *life) *account {
	at, ok := a.first[l.key.ID]
	if !ok || !l.is(a.list[at].key) {
		return nil
	}
	if next := a.list[at].next; next != 0 {
		a.first[l.key.ID] = next
	} else {
		delete(a.first, l.key.ID)
	}
	return &a.list[at]
}

// settle hands the exit records of this read to the lives that they are of: to those that
// end in it, one each, and what is left to those whose ends are still to come.
func (e *Engine) settle() {
	a := &e.accounts
	for _, m := range e.moments {
		if m.end {
			m.life.use(a.take(m.life))
		}
	}
	for pid := range a.first {
		if l := e.lives[pid]; l != nil {
			l.use(a.take(l))
		}
	}
	clear(a.list)
	clear(a.first)
	a.list = a.list[:0]
}

// use notes what a process has used.
func (l *life) use(a *account) {
	if a == nil {
		return
	}
	l.usage = a.usage
	if l.executable == "" {
		l.name(a.command)
	}
}

// Ended hands the exit records since the last call to a pass.
func (e *Engine) Ended(yield func(*platform.Sample)) {
	e.mu.Lock()
	e.read()
	records := e.records
	e.records = nil
	e.mu.Unlock()
	var s platform.Sample
	for i := range records {
		records[i].fill(&s)
		yield(&s)
	}
}

func (r *record) fill(s *platform.Sample) {
	s.Reset(platform.Process, r.key)
	for i, f := range accounted {
		if r.has[i] {
			s.Set(f, r.values[i])
		}
	}
}
