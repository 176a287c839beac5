package sysctl

import "github.com/pidometer/pidometer/platform"

// DiskTable says where a record about a disk has what. It begins with its name.
type DiskTable struct {
	Name       string // of the call
	MIB        []int32
	Size       int
	NameLength int
	Disk       func(Row) bool // whether it is one; nil where all are
	Members    []Member
}

// Disks is the list of disks. What is no disk is left out unless wanted.
func Disks(t *DiskTable) HostSource {
	s := platform.Source{Name: t.Name, Entity: platform.Disk, Cost: 5}
	for _, m := range t.Members {
		s.Gives = append(s.Gives, m.Given())
	}
	return HostSource{Source: s, Each: func(p *Pass) error { return p.sendDisks(t) }}
}

func (p *Pass) sendDisks(t *DiskTable) error {
	b, err := p.Ask(t.MIB...)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	whole := Each(b, t.Size, func(r Row) {
		name := CString(r[:t.NameLength])
		wanted := p.options.AllDevices || t.Disk == nil || t.Disk(r)
		if err != nil || name == "" || seen[name] || !wanted {
			return
		}
		seen[name] = true
		p.sample.Reset(platform.Disk, platform.Key{Name: name})
		for _, m := range t.Members {
			p.sample.Set(m.Field, m.Value(r, 0))
		}
		err = p.Hand()
	})
	if !whole && err == nil {
		return ErrContent
	}
	return err
}
