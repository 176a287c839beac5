package solaris

import (
	"errors"
	"os"
	"strconv"

	"github.com/pidometer/pidometer/internal/kin"
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
func (p *inspection) Children() ([]platform.Relative, error) {
	return kin.Below(p.everybody, p.key.ID, false)
}

// Descendants returns children, their children and so on.
func (p *inspection) Descendants() ([]platform.Relative, error) {
	return kin.Below(p.everybody, p.key.ID, true)
}

// Parents returns the parent, its parent and so on.
func (p *inspection) Parents() ([]platform.Relative, error) { return kin.Above(p.everybody, p.key.ID) }
