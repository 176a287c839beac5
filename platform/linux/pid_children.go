package linux

import (
	"errors"

	"github.com/pidometer/pidometer/platform"
)

// offspring is how many children each process has, counted once in a pass.
type offspring struct {
	err      error
	pids     []uint64
	children map[uint64]uint64 // by PID
}

// readChildren counts the children of a process in the stat of all processes: there
// is no other way that can be relied on, see [inspection.Children].
func (r *reader) readChildren(v *visit) error {
	if v.foreign {
		return errors.ErrUnsupported // its PID is somebody else's in this view
	}
	if !r.pass.related {
		r.pass.related = true
		r.offspring.err = r.countChildren()
	}
	if r.offspring.err != nil {
		return r.offspring.err
	}
	r.sample.Set(platform.ProcessChildren, r.offspring.children[v.key.ID])
	return nil
}

// countChildren walks over all processes. One that ends meanwhile is nobody's child
// any more.
func (r *reader) countChildren() error {
	fd, err := r.open(r.proc, ".")
	if err != nil {
		return err
	}
	r.offspring.pids, err = r.list(fd, r.offspring.pids[:0])
	r.kernel.Close(fd)
	if err != nil {
		return err
	}
	if r.offspring.children == nil {
		r.offspring.children = map[uint64]uint64{}
	}
	clear(r.offspring.children)
	for _, pid := range r.offspring.pids {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		b, err := r.once(r.proc, r.joinNumber(pid, "/stat"))
		if err != nil {
			continue // ended, or hidden
		}
		var stat processStat
		if decodePidStat(b, &stat) && !stat.dead() {
			r.offspring.children[stat.columns[statParent]]++
		}
	}
	return nil
}
