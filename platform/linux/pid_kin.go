package linux

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// Children looks for them in the stat of all processes: task/[tid]/children takes a
// kernel with CONFIG_PROC_CHILDREN and says itself that it is not reliable
// (proc_tid_children(5)).
func (p *inspection) Children() ([]platform.Relative, error) {
	return p.offspring(false)
}

// Descendants looks for children, their children and so on.
func (p *inspection) Descendants() ([]platform.Relative, error) {
	return p.offspring(true)
}

func (p *inspection) offspring(all bool) ([]platform.Relative, error) {
	everybody, err := p.everybody()
	if err != nil {
		return nil, err
	}
	found := []platform.Relative{}
	generation := []platform.Key{p.key}
	seen := map[platform.Key]bool{p.key: true} // the files are not of one moment
	for len(generation) > 0 {
		parent := generation[0]
		generation = generation[1:]
		for _, child := range everybody[parent.ID] {
			if child.Key.Start < parent.Start || seen[child.Key] {
				continue // older: of somebody before, who had the parent's PID
			}
			seen[child.Key] = true
			found = append(found, child)
			if all {
				generation = append(generation, child.Key)
			}
		}
	}
	slices.SortFunc(found, func(a, b platform.Relative) int {
		return cmp.Or(cmp.Compare(a.Key.Start, b.Key.Start), cmp.Compare(a.Key.ID, b.Key.ID))
	})
	return found, nil
}

// everybody lists all processes by the PID of their parent, while this one lives.
func (p *inspection) everybody() (map[uint64][]platform.Relative, error) {
	if err := p.usable(); err != nil {
		return nil, p.failed("stat", err)
	}
	pids, err := p.entries(p.proc, ".")
	if err != nil {
		return nil, err
	}
	all := map[uint64][]platform.Relative{}
	for _, pid := range pids {
		relative, err := p.relative(pid)
		switch {
		case err == nil:
			all[relative.Parent] = append(all[relative.Parent], relative)
		case errors.Is(err, os.ErrProcessDone), errors.Is(err, fs.ErrPermission): // ended, or hidden (hidepid)
		default:
			return nil, p.failed("stat", err)
		}
	}
	if err := p.look(); err != nil {
		return nil, p.failed("stat", p.absent(err))
	}
	return all, p.ctx.Err()
}

// relative reads the stat of another process.
func (p *inspection) relative(pid uint64) (platform.Relative, error) {
	b, err := p.once(p.proc, p.joinNumber(pid, "/stat"))
	if err != nil {
		return platform.Relative{}, p.absent(err)
	}
	var stat processStat
	if !decodePidStat(b, &stat) {
		return platform.Relative{}, errContent
	}
	if stat.dead() {
		return platform.Relative{}, os.ErrProcessDone
	}
	return platform.Relative{
		Key:     platform.Key{ID: pid, Start: stat.columns[statStart]},
		Parent:  stat.columns[statParent],
		Command: string(stat.comm),
	}, nil
}

// Parents follows the numbers of parents. A parent that is younger than its child
// has taken the PID of the true one, which ended meanwhile; then the kernel has
// given the child another (forget_original_parent in kernel/exit.c), and it is asked
// again.
func (p *inspection) Parents() ([]platform.Relative, error) {
	if err := p.usable(); err != nil {
		return nil, p.failed("stat", err)
	}
	if err := p.look(); err != nil {
		return nil, p.failed("stat", p.absent(err))
	}
	parents := []platform.Relative{}
	seen := map[platform.Key]bool{p.key: true}
	child := platform.Relative{Key: p.key, Parent: p.stat.columns[statParent]}
	for child.Parent != 0 {
		parent, err := p.parentOf(child)
		if errors.Is(err, os.ErrProcessDone) || err == nil && seen[parent.Key] {
			break // the chain ends where somebody ended
		}
		if err != nil {
			return nil, err
		}
		seen[parent.Key] = true
		parents = append(parents, parent)
		child = parent
	}
	return parents, p.ctx.Err()
}

// parentOf reads the parent of a process, again if it ended between two reads.
func (p *inspection) parentOf(child platform.Relative) (parent platform.Relative, err error) {
	const attempts = 3
	for range attempts {
		parent, err = p.relative(child.Parent)
		if err == nil && parent.Key.Start <= child.Key.Start {
			return parent, nil
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return parent, p.failed("stat", err)
		}
		again, err := p.relative(child.Key.ID)
		if err != nil || again.Key.Start != child.Key.Start || again.Parent == 0 {
			break
		}
		child = again
	}
	return parent, os.ErrProcessDone
}
