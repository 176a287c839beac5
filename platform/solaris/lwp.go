package solaris

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// lpsinfo and lusage begin with a prheader_t: how many structures follow, and how long each
// is, which differs between illumos and Solaris.
const (
	listHead     = 16
	mostLWPs     = 1 << 20
	lwpinfoSize  = 112 // up to pr_lgrp
	lwpNumber    = 4
	lwpLetter    = 26
	lwpStart     = 40
	lwpName      = 80 // of the kernel's own
	lwpNameSize  = 16
	usageNumber  = 0
	leastUsage   = 120 // up to pr_ttime
	lwpnameBytes = 32  // of illumos since its issue 8158
)

// decodeList takes apart a list of structures that are at least so long, and passes each on.
func decodeList(b []byte, least int, each func([]byte)) (whole bool) {
	if len(b) < listHead {
		return false
	}
	count, size := layout.U64(b, 0), layout.U64(b, 8)
	b = b[listHead:]
	if count > mostLWPs || size < uint64(least) || size > uint64(len(b)) && count > 0 || count*size > uint64(len(b)) {
		return false
	}
	for range count {
		each(b[:size])
		b = b[size:]
	}
	return true
}

// threads are the lwps. Of one that ended while they were read the times are missing, and of
// those of other users and on Solaris the names: lwpname is of illumos.
func (p *inspection) threads() ([]platform.Thread, error) {
	b, err := p.readGrown("lpsinfo")
	if err != nil {
		return nil, err
	}
	all, whole := decodeThreads(b)
	if !whole {
		return nil, errContent
	}
	if b, err = p.readGrown("lusage"); err != nil {
		return nil, err
	}
	times, whole := decodeUsages(b)
	if !whole {
		return nil, errContent
	}
	for i := range all {
		t := &all[i]
		t.CPU = times[t.Key.ID]
		if err := p.nameThread(t); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// nameThread reads what a thread calls itself.
func (p *inspection) nameThread(t *platform.Thread) error {
	var name [lwpnameBytes]byte
	n, err := p.kernel.Read(p.file("lwp/"+strconv.FormatUint(t.Key.ID, 10)+"/lwpname"), 0, name[:])
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	if text := cString(name[:n]); err == nil && len(text) > 0 {
		t.Name = string(text)
	}
	return err
}

// decodeThreads reads the lwps of lpsinfo, by their number.
func decodeThreads(b []byte) (all []platform.Thread, whole bool) {
	all = []platform.Thread{}
	whole = decodeList(b, lwpinfoSize, func(b []byte) {
		t := platform.Thread{Key: platform.Key{ID: uint64(layout.U32(b, lwpNumber)), Start: timestruc(b, lwpStart)},
			Name: string(cString(b[lwpName : lwpName+lwpNameSize]))}
		if state, ok := states[b[lwpLetter]]; ok {
			t.State = &state
		}
		all = append(all, t)
	})
	slices.SortFunc(all, func(a, b platform.Thread) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
	return all, whole
}

// decodeUsages reads the times of lusage. The first structure, of lwp 0, is the sum of those
// that ended.
func decodeUsages(b []byte) (times map[uint64]platform.CPUTimes, whole bool) {
	times = map[uint64]platform.CPUTimes{}
	whole = decodeList(b, leastUsage, func(b []byte) { times[uint64(layout.U32(b, usageNumber))] = cpuTimes(b) })
	return times, whole
}
