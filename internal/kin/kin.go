// Package kin finds who a process comes from and who comes from it, in a list of all processes.
// A parent is who has its PID: Unix gives the children of one that ended another parent at once,
// and the list of Windows names none where somebody younger has the PID.
package kin

import (
	"cmp"
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// Below returns the children of a process, the eldest first. With deep it returns their
// children too, and so on. The kernel's first process is its own parent, and nobody's child.
func Below(everybody func() ([]platform.Relative, error), pid uint64, deep bool) ([]platform.Relative, error) {
	all, err := everybody()
	if err != nil {
		return nil, err
	}
	kin := []platform.Relative{}
	seen := map[uint64]bool{pid: true}
	for open := []uint64{pid}; len(open) > 0; open = open[1:] {
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

// Above returns the parent of a process, its parent and so on, as far as they live. Processes
// that are each other's parents are told once.
func Above(everybody func() ([]platform.Relative, error), pid uint64) ([]platform.Relative, error) {
	all, err := everybody()
	if err != nil {
		return nil, err
	}
	by := map[uint64]platform.Relative{}
	for _, r := range all {
		by[r.Key.ID] = r
	}
	parents := []platform.Relative{}
	seen := map[uint64]bool{pid: true}
	for child := by[pid]; ; {
		parent, ok := by[child.Parent]
		if !ok || seen[parent.Key.ID] {
			return parents, nil
		}
		seen[parent.Key.ID] = true
		parents = append(parents, parent)
		child = parent
	}
}
