package linux

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Limits of what may be spent on the memory of processes, unless Options say
// otherwise. The kernel walks the page tables of the process, 15 us for each MB,
// and holds its lock on mappings meanwhile: a process of 200 GB was seen to stand
// still for four seconds (issue 246 of process-exporter).
const (
	defaultMapsCeiling = 4 << 30
	defaultMapsBudget  = time.Second
)

// errSkipped says that reading would have cost more than it may.
var errSkipped = errors.New("left out as too dear")

// mapsUse is what all mappings of a process take together, in bytes.
type mapsUse struct {
	read           uint8 // a bit for each kind of line
	uss, pss, swap uint64
}

// The kinds of lines.
const (
	usePrivate = 1 << iota
	usePSS
	useSwap
)

// line takes one line of smaps or smaps_rollup (__show_smap in
// fs/proc/task_mmu.c). The private pages are what would be free if the process
// ended now, huge ones among them, which Private_Clean and Private_Dirty leave out.
//
//	Pss:                 253 kB
//	Private_Clean:        36 kB
//	Private_Dirty:       112 kB
//	Private_Hugetlb:       0 kB
//	Swap:                  0 kB
func (u *mapsUse) line(line []byte) {
	key, value, _ := bytes.Cut(line, []byte(":"))
	kind, into := u.of(key)
	if into == nil {
		return
	}
	if v, rest, ok := text.UintField(value); ok && v>>54 == 0 && string(text.Trim(rest)) == "kB" {
		*into += v << 10
		u.read |= kind
	}
}

// of returns what a line with this key adds to.
func (u *mapsUse) of(key []byte) (kind uint8, into *uint64) {
	switch string(key) {
	case "Private_Clean", "Private_Dirty", "Private_Hugetlb":
		return usePrivate, &u.uss
	case "Pss":
		return usePSS, &u.pss
	case "Swap":
		return useSwap, &u.swap
	}
	return 0, nil
}

// whole reports whether there were lines of all kinds. Swap is the last of them.
func (u *mapsUse) whole() bool { return u.read == usePrivate|usePSS|useSwap }

func (u *mapsUse) set(s *platform.Sample) {
	s.Set(platform.ProcessMemoryUSS, u.uss)
	s.Set(platform.ProcessMemoryPSS, u.pss)
	s.Set(platform.ProcessMemorySwap, u.swap)
}

// decodeRollup reads /proc/[pid]/smaps_rollup, whose first line is that of a
// mapping as large as the address space.
func decodeRollup(b []byte) (u mapsUse) {
	for line := range text.Lines(text.Whole(b)) {
		u.line(line)
	}
	return u
}

// readMaps reads what the process's memory really takes, within the limits.
func (r *reader) readMaps(v *visit) error {
	switch {
	case v.stat.ofKernel():
		return errors.ErrUnsupported
	case r.skipsMaps(v):
		return errSkipped
	}
	_, began := r.kernel.Clocks()
	u, err := r.mapsUse(v.dir)
	_, ended := r.kernel.Clocks()
	r.pass.maps += time.Duration(ended - began)
	if err != nil {
		return err
	}
	if !u.whole() {
		return errContent
	}
	u.set(&r.sample)
	return nil
}

// skipsMaps reports whether the process is too large, or the time of this pass is
// spent.
func (r *reader) skipsMaps(v *visit) bool {
	ceiling, budget := r.options.MapsCeiling, r.options.MapsBudget
	if ceiling == 0 {
		ceiling = defaultMapsCeiling
	}
	if budget <= 0 {
		budget = defaultMapsBudget
	}
	return v.stat.columns[statRSS] > ceiling/r.page || r.pass.maps >= budget
}

// mapsUse reads the sum that the kernel makes since Linux 4.14, else makes it.
func (r *reader) mapsUse(dir int) (u mapsUse, err error) {
	b, err := r.once(dir, r.join("smaps_rollup"))
	if err == nil {
		return decodeRollup(b), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return u, err
	}
	fd, err := r.open(dir, "smaps")
	if err != nil {
		return u, err
	}
	defer r.kernel.Close(fd)
	s := stream{kernel: r.kernel, fd: fd, buf: r.buf}
	for {
		line, err := s.line()
		if err == io.EOF {
			return u, nil
		}
		if err != nil {
			return mapsUse{}, err
		}
		u.line(line)
	}
}
