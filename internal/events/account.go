package events

import "github.com/pidometer/pidometer/platform"

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
	if l := e.lives[o.Key.ID]; l != nil && l.is(o.Key) {
		if l.executable == "" {
			l.name(o.Command)
		}
		u := &l.usage
		u.user, u.hasUser = o.Usage.Get(platform.ProcessCPUUser)
		u.system, u.hasSystem = o.Usage.Get(platform.ProcessCPUSystem)
		u.peak, u.hasPeak = o.Usage.Get(platform.ProcessMemoryPeak)
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
