package linux

import (
	"errors"
	"os"

	"github.com/pidometer/pidometer/platform"
)

// thread is what is remembered of one thread. Thread IDs are used again like
// PIDs, so the start belongs to the identity.
type thread struct {
	id, start              uint64
	voluntary, involuntary uint64
}

// switches adds up the context switches of all threads that a process has or had.
type switches struct {
	threads                []thread // those alive, in the order of their list
	voluntary, involuntary uint64   // a thread that ended leaves its last values here
}

// readTask sums the switches over all threads: /proc/[pid]/status tells only
// those of the first, seen as 59 instead of 2284.
func (r *reader) readTask(v *visit) error {
	if err := r.readThreads(v); err != nil {
		return err
	}
	s := &r.remember(v).switches
	s.update(r.threads, r.word)
	r.sample.Set(platform.ProcessSwitchesVoluntary, s.voluntary)
	r.sample.Set(platform.ProcessSwitchesInvoluntary, s.involuntary)
	return nil
}

// readThreads fills r.threads. For the only thread status says it all.
func (r *reader) readThreads(v *visit) error {
	r.threads = r.threads[:0]
	if v.stat.columns[statThreads] > 1 {
		return r.walkThreads(v)
	}
	p, err := r.status(v)
	if err != nil {
		return err
	}
	return r.addThread(v.key.ID, v.key.Start, p)
}

func (r *reader) walkThreads(v *visit) error {
	fd, err := r.open(v.dir, "task")
	if err != nil {
		return err
	}
	defer r.kernel.Close(fd)
	if r.numbers, err = r.list(fd, r.numbers[:0]); err != nil {
		return err
	}
	s := &r.remember(v).switches
	none := os.ErrProcessDone
	for i, id := range r.numbers {
		err := r.walkThread(fd, id)
		if err == nil || isGone(err) {
			continue
		}
		none = err
		if old := s.find(id, i); old != nil {
			r.threads = append(r.threads, *old) // unreadable for once, and still there
		}
	}
	if len(r.threads) == 0 {
		return none
	}
	return nil
}

// walkThread reads one thread under its own handle, so that both files are of
// the same thread.
func (r *reader) walkThread(task int, id uint64) error {
	dir, err := r.kernel.OpenDir(task, r.joinNumber(id, ""))
	if err != nil {
		return err
	}
	defer r.kernel.Close(dir)
	b, err := r.once(dir, r.join("stat"))
	if err != nil {
		return err
	}
	var stat processStat
	if !decodePidStat(b, &stat) {
		return errContent
	}
	var status processStatus
	if err := r.statusOf(dir, &status); err != nil {
		return err
	}
	return r.addThread(id, stat.columns[statStart], &status)
}

func (r *reader) addThread(id, start uint64, p *processStatus) error {
	if !p.has(statusVoluntary) || !p.has(statusInvoluntary) {
		return errors.ErrUnsupported // since Linux 2.6.23
	}
	r.threads = append(r.threads, thread{id, start, p.values[statusVoluntary], p.values[statusInvoluntary]})
	return nil
}

// update brings the sums up to what the threads show now.
func (s *switches) update(now []thread, word uint8) {
	for i, t := range now {
		old := s.find(t.id, i)
		if old == nil || old.start != t.start {
			old = &thread{}
		}
		s.voluntary += growth(old.voluntary, t.voluntary, word)
		s.involuntary += growth(old.involuntary, t.involuntary, word)
	}
	s.threads = append(s.threads[:0], now...)
}

// find returns the remembered thread with the given ID, which most often is at
// the same place in the list as before.
func (s *switches) find(id uint64, hint int) *thread {
	for i := range s.threads {
		if t := &s.threads[(hint+i)%len(s.threads)]; t.id == id {
			return t
		}
	}
	return nil
}

// growth returns how much an unsigned long grew. It falls when it wraps, from the
// upper half of its range, and when a thread other than the first calls exec: it
// then goes on under the ID and start of the first (de_thread in fs/exec.c), and
// what it brings along was counted under its old ID.
func growth(old, now uint64, word uint8) uint64 {
	switch {
	case now >= old:
		return now - old
	case old>>(word-1) != 0:
		return (now - old) & (1<<word - 1)
	}
	return 0
}

func isGone(err error) bool { return reasonOf(err) == platform.Gone || errors.Is(err, os.ErrNotExist) }
