package windows

import (
	"errors"
	"math"

	"github.com/pidometer/pidometer/platform"
)

// load is the number of threads that wait for a CPU, averaged like the load of Unix
// over one, five and fifteen minutes. psutil defines it so for Windows, from a
// performance counter that it samples every five seconds; here it moves with each
// pass, by the table of processes that the pass asks for.
type load struct {
	known    bool
	at       uint64 // FILETIME
	averages [3]float64
}

// loadSeconds are the times over which is averaged.
var loadSeconds = [3]float64{60, 300, 900}

// move takes the queue as it is now.
func (l *load) move(now uint64, queue int) {
	elapsed := float64(max(now, l.at)-l.at) / float64(second)
	for i := range l.averages {
		keep := math.Exp(-elapsed / loadSeconds[i])
		if !l.known {
			keep = 0
		}
		l.averages[i] = l.averages[i]*keep + float64(queue)*(1-keep)
	}
	l.known, l.at = true, now
}

// readQueue counts the threads that run or could, and those that wait for a CPU.
func (p *hostPass) readQueue() error {
	if err := p.processes(); err != nil {
		return err
	}
	running, waiting, told := p.pass.table.queue(p.entries)
	if !told {
		return errors.ErrUnsupported
	}
	p.host.load.move(p.pass.now, waiting)
	s := &p.host.sample
	s.Set(platform.HostTasksRunnable, uint64(running+waiting))
	for i, f := range [...]platform.Field{platform.HostWindowsLoad1, platform.HostWindowsLoad5, platform.HostWindowsLoad15} {
		s.Set(f, uint64(math.Round(p.host.load.averages[i]*100)))
	}
	return nil
}

// queue counts the threads on a CPU and those that only lack one, and reports whether
// the kernel tells states at all.
func (t *processTable) queue(entries []entry) (running, waiting int, told bool) {
	for _, e := range entries {
		for i := range e.count {
			state := t.thread(e, i).state
			told = told || state != threadInitialized
			switch {
			case state == threadReady || state == threadDeferredReady:
				waiting++
			case runnable(state):
				running++
			}
		}
	}
	return running, waiting, told
}
