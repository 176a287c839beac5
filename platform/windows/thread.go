package windows

import (
	"errors"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// States of a thread and the one reason to wait that matters (KTHREAD_STATE and
// KWAIT_REASON of wdm.h).
const (
	threadInitialized   = 0
	threadReady         = 1
	threadRunning       = 2
	threadStandby       = 3
	threadWaiting       = 5
	threadDeferredReady = 7

	waitSuspended   = 5
	waitWrSuspended = 12
)

// runnable reports whether a thread runs or only lacks a CPU.
func runnable(state uint32) bool {
	const set = 1<<threadReady | 1<<threadRunning | 1<<threadStandby | 1<<threadDeferredReady
	return set>>state&1 != 0
}

// state derives the state of a process, which Windows does not have, from those of
// its threads: running if any of them runs or could, stopped if all are suspended,
// else sleeping. Where all are in state 0 the kernel does not tell.
func (t *processTable) state(v *visit) (platform.State, bool) {
	if v.ended {
		return platform.StateDefunct, true
	}
	told, suspended := v.count == 0, v.count > 0
	rows := t.buf[v.threads:]
	for range v.count {
		state := layout.U32(rows, t.thr.state)
		switch {
		case runnable(state):
			return platform.StateRunning, true
		case state != threadWaiting:
			told, suspended = told || state != threadInitialized, false
		default:
			wait := layout.U32(rows, t.thr.waitReason)
			told, suspended = true, suspended && (wait == waitSuspended || wait == waitWrSuspended)
		}
		rows = rows[t.thr.size:]
	}
	if suspended {
		return platform.StateStopped, true
	}
	return platform.StateSleeping, told
}

// stateFields are the fields of the states, one of which is 1.
var stateFields = [...]platform.Field{
	platform.StateRunning: platform.ProcessRunning, platform.StateSleeping: platform.ProcessSleeping,
	platform.StateStopped: platform.ProcessStopped, platform.StateDefunct: platform.ProcessDefunct,
}

func setState(s *platform.Sample, state platform.State) {
	s.Set(platform.ProcessState, uint64(state))
	for _, f := range stateFields {
		s.Set(f, 0)
	}
	s.Set(stateFields[state], 1)
}

// threadCount is what is remembered of one thread. Thread IDs are used again like
// PIDs, so the time of creation belongs to the identity.
type threadCount struct {
	id, create uint64
	switches   uint32
}

// switches adds up the context switches of all threads that a process has or had.
type switches struct {
	threads []threadCount // those alive, in the order of the table
	sum     uint64        // a thread that ended leaves its last value here
}

// readThreads reads the context switches: the kernel's own sum where it tells one,
// else the sum over the threads that were seen. Windows does not tell voluntary ones
// from the others. Where no thread of any process ever was switched the kernel does not count.
func (r *reader) readThreads(v *visit) error {
	if x, ok := r.extension(v); ok {
		r.sample.Set(platform.ProcessSwitches, x.switches)
		return nil
	}
	t := &r.pass.table
	if !r.counting.switches {
		return errors.ErrUnsupported
	}
	r.threads = r.threads[:0]
	for i := range v.count {
		th := t.thread(v.entry, i)
		r.threads = append(r.threads, threadCount{th.id, th.create, th.switches})
	}
	s := &r.remember(v).switches
	s.update(r.threads)
	r.sample.Set(platform.ProcessSwitches, s.sum)
	return nil
}

// update brings the sum up to what the threads show now. Each counts in 32 bits.
func (s *switches) update(now []threadCount) {
	for i, t := range now {
		var before uint32
		if old := s.find(t.id, i); old != nil && old.create == t.create {
			before = old.switches
		}
		s.sum += uint64(t.switches - before)
	}
	s.threads = append(s.threads[:0], now...)
}

// find returns the remembered thread with the given ID, which most often is at the
// same place in the table as before.
func (s *switches) find(id uint64, hint int) *threadCount {
	for i := range s.threads {
		if t := &s.threads[(hint+i)%len(s.threads)]; t.id == id {
			return t
		}
	}
	return nil
}
