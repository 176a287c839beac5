package sysctl

import (
	"github.com/pidometer/pidometer/internal/kin"
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
func (p *Inspection) Children() ([]platform.Relative, error) {
	return kin.Below(p.everybody, p.key.ID, false)
}

// Descendants returns children, their children and so on.
func (p *Inspection) Descendants() ([]platform.Relative, error) {
	return kin.Below(p.everybody, p.key.ID, true)
}

// Parents returns the parent, its parent and so on.
func (p *Inspection) Parents() ([]platform.Relative, error) { return kin.Above(p.everybody, p.key.ID) }
