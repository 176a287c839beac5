package linux

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// limit is the strictest of the limits met so far.
type limit struct {
	value   uint64
	limited bool
}

func (l *limit) meet(v uint64, limited bool) {
	if limited && (!l.limited || v < l.value) {
		l.value, l.limited = v, true
	}
}

// group reads the files of one control group.
type group struct {
	*backend
	dir  int // handle of the root that the path is under
	tree *hierarchy
	path []byte // from the mount point down
	old  bool   // of version 1
}

// read reads a file of the group. The bytes are lent until the next read.
func (g *group) read(name string) ([]byte, error) {
	g.backend.path = append(append(append(append(g.backend.path[:0], g.tree.point...), g.path...), name...), 0)
	if g.cgroups.buf == nil {
		g.cgroups.buf = make([]byte, 0, leastBuffer)
	}
	b, err := readFile(g.kernel, g.dir, g.backend.path, g.cgroups.buf[:0])
	g.cgroups.buf = b
	return b, err
}

// number reads a file that holds one number.
func (g *group) number(name string) (uint64, error) {
	b, err := g.read(name)
	if err != nil {
		return 0, err
	}
	v, _, ok := text.UintField(text.Whole(b))
	if !ok {
		return 0, errNoNumber
	}
	return v, nil
}

// readGroupLimits sets the limits that control groups put on a process: each group
// above its own binds it too, so the strictest holds. Without a limit there is no
// value.
func (r *reader) readGroupLimits(v *visit) error {
	c, err := r.cgroupsOf(v)
	if err != nil {
		return err
	}
	dir := r.root
	if v.foreign {
		// The own groups are those of the true file system, whatever is looked at.
		if dir, err = r.kernel.OpenRoot("/"); err != nil {
			return err
		}
		defer r.kernel.Close(dir)
	}
	h := r.hierarchies(v.foreign)
	cpu, err := r.strictest(dir, h, ofCPU, &c.paths)
	memory, err2 := r.strictest(dir, h, ofMemory, &c.paths)
	if cpu.limited {
		r.sample.Set(platform.ProcessCPULimit, cpu.value)
	}
	if memory.limited {
		r.sample.Set(platform.ProcessMemoryLimit, memory.value)
	}
	return errors.Join(err, err2)
}

// strictest goes from the group of a process up to the mount point.
func (b *backend) strictest(dir int, h *hierarchies, controller int, paths *cgroupPaths) (l limit, err error) {
	tree, old := h.of(controller)
	path := paths[unified]
	if old {
		path = paths[controller]
	}
	below, ok := tree.within(path)
	if !ok {
		return l, errors.ErrUnsupported
	}
	for g := (group{b, dir, tree, below, old}); ; g.path = g.path[:bytes.LastIndexByte(g.path, '/')] {
		v, limited, err := g.limit(controller)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // the root has no limits
			return limit{}, err
		}
		l.meet(v, limited)
		if len(g.path) == 0 {
			return l, nil
		}
	}
}

func (g *group) limit(controller int) (v uint64, limited bool, err error) {
	if controller == ofCPU {
		return g.cpuLimit()
	}
	return g.memoryLimit()
}

// cpuLimit returns how many millionths of a CPU the group may use.
func (g *group) cpuLimit() (v uint64, limited bool, err error) {
	if g.old {
		return g.quota()
	}
	b, err := g.read("/cpu.max")
	if err != nil {
		return 0, false, err
	}
	v, limited, ok := decodeCPUMax(b)
	if !ok {
		err = errContent
	}
	return v, limited, err
}

// quota is cpuLimit of version 1, in two files.
func (g *group) quota() (v uint64, limited bool, err error) {
	b, err := g.read("/cpu.cfs_quota_us")
	if err != nil {
		return 0, false, err
	}
	g.cgroups.quota = append(g.cgroups.quota[:0], b...)
	period, err := g.read("/cpu.cfs_period_us")
	if err != nil {
		return 0, false, err
	}
	v, limited, ok := decodeQuota(g.cgroups.quota, period)
	if !ok {
		err = errContent
	}
	return v, limited, err
}

// memoryLimit returns how many bytes the group may use.
func (g *group) memoryLimit() (v uint64, limited bool, err error) {
	name, none := "/memory.max", uint64(1<<64-1)
	if g.old {
		name, none = "/memory.limit_in_bytes", noLimit(g.word, g.kernel.PageSize())
	}
	b, err := g.read(name)
	if err != nil {
		return 0, false, err
	}
	v, limited, ok := decodeLimit(b, none)
	if !ok {
		err = errContent
	}
	return v, limited, err
}
