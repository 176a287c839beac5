package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// fileLimit is the limit on open files, RLIMIT_NOFILE.
type fileLimit struct{ soft, hard platform.Bound }

// decodeFileLimit reads one line of /proc/[pid]/limits.
//
//	Limit                     Soft Limit           Hard Limit           Units
//	Max open files            20000                20000                files
func decodeFileLimit(b []byte) (limit fileLimit, ok bool) {
	for line := range text.Lines(text.Whole(b)) {
		rest, found := bytes.CutPrefix(line, []byte("Max open files "))
		if !found {
			continue
		}
		var softOK, hardOK bool
		limit.soft, rest, softOK = boundOf(rest)
		limit.hard, _, hardOK = boundOf(rest)
		return limit, softOK && hardOK
	}
	return limit, false
}

// readLimits reads the limit on open files. Without one there is nothing to tell.
func (r *reader) readLimits(v *visit) error {
	b, err := r.once(v.dir, r.join("limits"))
	if err != nil {
		return err
	}
	limit, ok := decodeFileLimit(b)
	if !ok {
		return errContent
	}
	setBound(&r.sample, platform.ProcessFileLimitSoft, limit.soft)
	setBound(&r.sample, platform.ProcessFileLimitHard, limit.hard)
	return nil
}

func setBound(s *platform.Sample, f platform.Field, b platform.Bound) {
	if !b.Infinite {
		s.Set(f, b.Value)
	}
}
