package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodePidStatm reads the first two numbers of /proc/[pid]/statm, in pages: the
// whole address space and what of it is in memory (man 5 proc_pid_statm).
//
//	765 415 399 5 0 90 0
func decodePidStatm(b []byte) (virtual, rss uint64, ok bool) {
	virtual, b, ok = text.UintField(text.Whole(b))
	if !ok {
		return 0, 0, false
	}
	rss, _, ok = text.UintField(b)
	return virtual, rss, ok
}

func (r *reader) readStatm(v *visit) error {
	b, err := r.once(v.dir, r.join("statm"))
	if err != nil {
		return err
	}
	virtual, rss, ok := decodePidStatm(b)
	if !ok {
		return errContent
	}
	setMemory(&r.sample, platform.ProcessMemoryVirtual, virtual, r.page)
	setMemory(&r.sample, platform.ProcessMemoryRSS, rss, r.page)
	return nil
}
