package windows

import (
	"errors"
	"os"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Limits of what may be spent on the unique memory of processes, unless Options say
// otherwise: the kernel looks up every page of the process.
const (
	defaultMapsCeiling = 4 << 30
	defaultMapsBudget  = time.Second
)

// errSkipped says that reading would have cost more than it may.
var errSkipped = errors.New("left out as too dear")

// readUnique reads what would be free if the process ended now: the pages of its
// working set that no other process maps.
func (r *reader) readUnique(v *visit) error {
	ceiling, budget := r.options.MapsCeiling, r.options.MapsBudget
	if ceiling == 0 {
		ceiling = defaultMapsCeiling
	}
	if budget <= 0 {
		budget = defaultMapsBudget
	}
	t := &r.pass.table
	if t.size(v.entry, t.proc.workingSet) > ceiling || r.pass.maps >= budget {
		return errSkipped
	}
	h, err := r.openFor(v, processQuery)
	if err != nil {
		return err
	}
	_, began := r.kernel.Clocks()
	before := r.pass.maps
	enough := func() error {
		_, now := r.kernel.Clocks()
		if r.pass.maps = before + time.Duration(now-began); r.pass.maps >= budget {
			return errSkipped
		}
		return r.ctx.Err()
	}
	var sum uint64
	err = r.regions(h, func(x *region) error {
		p, err := r.pagesOf(h, x, enough)
		sum += p.unique
		return err
	})
	if err = r.orGone(v, h, err); err != nil {
		return err
	}
	r.sample.Set(platform.ProcessMemoryUSS, sum*pageSize)
	return nil
}

// orGone returns that a process has ended, if it has, for what its address space
// seemed to be meanwhile.
func (r *reader) orGone(v *visit, h Handle, err error) error {
	if gone := r.prove(v, h); errors.Is(gone, os.ErrProcessDone) {
		return gone
	}
	return err
}

// MemoryMaps returns the mappings by address, each a stretch of pages that are all
// alike. What is only reserved is no mapping.
func (p *inspection) MemoryMaps() ([]platform.MemoryMap, error) {
	v, err := p.owned()
	if err != nil {
		return nil, err
	}
	defer p.release(v)
	h, err := p.openFor(v, processQuery)
	if err != nil {
		return nil, named("VirtualQueryEx", err)
	}
	w := mapWalk{inspection: p, handle: h}
	err = p.regions(h, w.take)
	if err = p.orGone(v, h, err); err != nil {
		return nil, named("VirtualQueryEx", err)
	}
	if w.blind {
		for i := range w.maps {
			w.maps[i].Use = nil
		}
	}
	return w.maps, nil
}

// mapWalk collects the mappings of a process.
type mapWalk struct {
	*inspection
	handle Handle
	maps   []platform.MemoryMap
	file   uint64 // where what the last path is of begins
	path   string
	blind  bool // nobody tells what is in memory
}

func (w *mapWalk) take(x *region) error {
	m := platform.MemoryMap{Start: x.base, End: x.end, Permissions: x.permissions()}
	if x.named() {
		if x.allocation != w.file || len(w.maps) == 0 {
			w.file, w.path = x.allocation, w.mapped(x.allocation)
		}
		m.Path = w.path
	}
	if !w.blind {
		use, err := w.pagesOf(w.handle, x, w.ctx.Err)
		if w.ctx.Err() != nil {
			return err
		}
		w.blind = err != nil
		m.Use = use.memoryUse()
	}
	w.maps = append(w.maps, m)
	return nil
}

// mapped returns the path of the file that is mapped at an address, "" for memory that
// is shared without one.
func (w *mapWalk) mapped(address uint64) string {
	h := hostPass{reader: &w.reader}
	wide, err := h.grow(func(buf []byte) (int, error) { return w.kernel.MappedFile(w.handle, address, buf) })
	if err != nil {
		return ""
	}
	return w.dosPath(wide)
}
