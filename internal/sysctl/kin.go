package sysctl

import (
	"cmp"
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// everybody asks for the table of all processes, and finds the process in it.
func (p *Inspection) everybody() ([]platform.Relative, error) {
	if _, err := p.find(); err != nil {
		return nil, err
	}
	p.pass = state{}
	if err := p.processes(); err != nil {
		return nil, err
	}
	all := make([]platform.Relative, 0, len(p.rows))
	t := &p.dialect.Table
	for _, r := range p.rows {
		key, _ := p.identify(r)
		if key.ID == p.key.ID {
			key = p.key
		}
		all = append(all, platform.Relative{Key: key, Parent: r.U32(t.Parent), Command: string(t.command(r))})
	}
	_, err := p.find()
	return all, err
}

// Children returns the processes that this one is the parent of.
func (p *Inspection) Children() ([]platform.Relative, error) { return p.descend(false) }

// Descendants returns children, their children and so on.
func (p *Inspection) Descendants() ([]platform.Relative, error) { return p.descend(true) }

// descend looks for children. The table is of one moment, so that a parent is who has its
// PID; the kernel's first process is its own parent.
func (p *Inspection) descend(deep bool) ([]platform.Relative, error) {
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
func (p *Inspection) Parents() ([]platform.Relative, error) {
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
