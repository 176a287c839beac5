package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// The numbers of /proc/[pid]/statm (proc_pid_statm in fs/proc/array.c). The last
// of the file, dirty, is always 0.
const (
	statmSize = iota
	statmResident
	statmShared
	statmText
	statmLib // always 0
	statmData
	numStatm
)

// decodePidStatm reads /proc/[pid]/statm, in pages. There are n numbers.
//
//	765 415 399 5 0 90 0
func decodePidStatm(b []byte) (pages [numStatm]uint64, n int) {
	b = text.Whole(b)
	for n < numStatm {
		v, rest, ok := text.UintField(b)
		if !ok {
			break
		}
		pages[n] = v
		n++
		b = rest
	}
	return pages, n
}

func (r *reader) readStatm(v *visit) error {
	b, err := r.once(v.dir, r.join("statm"))
	if err != nil {
		return err
	}
	pages, n := decodePidStatm(b)
	if n <= statmResident {
		return errContent
	}
	s := &r.sample
	setMemory(s, platform.ProcessMemoryVirtual, pages[statmSize], r.page)
	setMemory(s, platform.ProcessMemoryRSS, pages[statmResident], r.page)
	if n == numStatm && pages[statmSize] != 0 {
		setScaled(s, platform.ProcessMemoryShared, pages[statmShared], r.page)
		setScaled(s, platform.ProcessMemoryText, pages[statmText], r.page)
		setScaled(s, platform.ProcessMemoryData, pages[statmData], r.page)
	}
	return nil
}
