package linux

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// Threads reads the stat of each thread. The kernel keeps task/[tid]/stat readable
// for everybody.
func (p *inspection) Threads() ([]platform.Thread, error) {
	list := func(int) ([]platform.Thread, error) { return p.listThreads() }
	return detail(p, "task", anyLiving, list)
}

// listThreads reads all threads that live long enough.
func (p *inspection) listThreads() ([]platform.Thread, error) {
	task, err := p.kernel.OpenDir(p.dir, p.join("task"))
	if err != nil {
		return nil, err
	}
	defer p.kernel.Close(task)
	ids, err := p.threadIDs(p.dir)
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	threads := make([]platform.Thread, 0, len(ids))
	for _, id := range ids {
		b, err := p.once(task, p.joinNumber(id, "/stat"))
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrProcessDone):
			continue
		case err != nil:
			return nil, err
		}
		if t, ok := decodeThread(b); ok {
			t.Key.ID = id
			threads = append(threads, t)
		}
	}
	return threads, p.ctx.Err()
}

// decodeThread reads /proc/[pid]/task/[tid]/stat, which is laid out like that of a
// process. The name ends at the last ')': psutil 5.9, which cuts at the first, gave
// a thread called "w) S 9 9 9" 38.82 s of system time.
func decodeThread(b []byte) (t platform.Thread, ok bool) {
	var stat processStat
	if !decodePidStat(b, &stat) || stat.dead() {
		return t, false
	}
	t.Key.Start = stat.columns[statStart]
	t.Name = string(stat.comm)
	t.State = stateName(stat.state)
	t.CPU = platform.CPUTimes{User: ticks(stat.columns[statUser]), System: ticks(stat.columns[statSystem])}
	return t, true
}
