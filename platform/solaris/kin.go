package solaris

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strconv"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// everybody reads psinfo of all processes. Who ended meanwhile is left out.
func (p *inspection) everybody() ([]platform.Relative, error) {
	if _, err := p.find(); err != nil {
		return nil, err
	}
	names, err := p.kernel.Names("/proc")
	if err != nil {
		return nil, err
	}
	var all []platform.Relative
	for _, name := range names {
		pid, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			continue
		}
		key, err := p.readInfo(pid)
		if errors.Is(err, os.ErrProcessDone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if pid == p.key.ID {
			key = p.key
		}
		all = append(all, platform.Relative{Key: key, Parent: uint64(layout.U32(p.info[:], parentAt)), Command: string(p.command())})
	}
	_, err = p.find()
	return all, err
}

// Children returns the processes that this one is the parent of.
func (p *inspection) Children() ([]platform.Relative, error) { return p.descend(false) }

// Descendants returns children, their children and so on.
func (p *inspection) Descendants() ([]platform.Relative, error) { return p.descend(true) }

// descend looks for children. A parent is who has its PID: the children of one that ended
// have another parent at once. The kernel's first process is its own.
func (p *inspection) descend(deep bool) ([]platform.Relative, error) {
	all, err := p.everybody()
	if err != nil {
		return nil, err
	}
	kin := []platform.Relative{}
	seen := map[uint64]bool{p.key.ID: true}
	for open := []uint64{p.key.ID}; len(open) > 0; open = open[1:] {
		for _, r := range all {
			if r.Parent != open[0] || seen[r.Key.ID] {
				continue
			}
			seen[r.Key.ID] = true
			kin = append(kin, r)
			if deep {
				open = append(open, r.Key.ID)
			}
		}
	}
	slices.SortFunc(kin, func(a, b platform.Relative) int {
		return cmp.Or(cmp.Compare(a.Key.Start, b.Key.Start), cmp.Compare(a.Key.ID, b.Key.ID))
	})
	return kin, nil
}

// Parents returns the parent, its parent and so on.
func (p *inspection) Parents() ([]platform.Relative, error) {
	all, err := p.everybody()
	if err != nil {
		return nil, err
	}
	by := map[uint64]platform.Relative{}
	for _, r := range all {
		by[r.Key.ID] = r
	}
	parents := []platform.Relative{}
	seen := map[uint64]bool{p.key.ID: true}
	for child := by[p.key.ID]; ; {
		parent, ok := by[child.Parent]
		if !ok || seen[parent.Key.ID] {
			return parents, nil
		}
		seen[parent.Key.ID] = true
		parents = append(parents, parent)
		child = parent
	}
}
