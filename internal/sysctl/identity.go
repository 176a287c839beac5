package sysctl

import (
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// IdentityTable says where a row of the table of processes has who a process is. 0 is what
// a kernel does not tell there.
type IdentityTable struct {
	Reads []string // beside the table

	Group, Session                        int
	Terminal                              int
	TerminalWide                          bool
	RealUser, SavedUser                   int
	EffectiveGroup, RealGroup, SavedGroup int
	Groups, GroupCount                    int // 32 bits each; how many, in 16 bits
	Priority                              int // 8 bits
	// EffectiveFirst says that the effective group is the first of the groups, and the
	// supplementary ones are behind it.
	EffectiveFirst bool
	// Letters are those that ps(1) shows for what is at Stat, from 0.
	Stat    int
	Letters string
	// More sets what else tells, with its errors left out: what it does not set is unknown.
	More func(*Inspection, *Visit, *platform.Identity)
	// Name is the name of a user; nil means that /etc/passwd tells it.
	Name func(id uint64) (string, error)
}

// Identity returns who the process is.
func (p *Inspection) Identity() (platform.Identity, error) {
	v, err := p.find()
	if err != nil {
		return platform.Identity{}, err
	}
	t, i, r := &p.dialect.Table, &p.dialect.Details.Identity, v.Row
	nice := int(t.nice(r))
	id := platform.Identity{Key: v.Key, Command: string(t.command(r)), Parent: r.U32(t.Parent), Nice: &nice,
		Group: i.number(r, i.Group), Session: i.number(r, i.Session), Users: i.users(r, t.User), Groups: i.groups(r), Supplementary: i.supplementary(r)}
	if v.Known {
		id.State = &v.State
	}
	if stat := int(r[i.Stat]); i.Stat != 0 && stat < len(i.Letters) {
		id.Letter = i.Letters[stat]
	}
	if i.Priority != 0 {
		priority := int(r[i.Priority])
		id.Priority = &priority
	}
	if cpu, ok := t.cpu(r); ok && t.live(r) {
		last := int(cpu)
		id.LastCPU = &last
	}
	p.setTimes(&id, v)
	id.Owner = p.ownerOf(r.U32(t.User))
	id.Terminal = p.terminalOf(r)
	if i.More != nil {
		i.More(p, v, &id)
	}
	if _, err := p.find(); err != nil {
		return platform.Identity{}, err // it ended meanwhile
	}
	return id, nil
}

// number returns 32 bits, nil for what is not told.
func (i *IdentityTable) number(r Row, at int) *uint64 {
	if at == 0 {
		return nil
	}
	n := r.U32(at)
	return &n
}

func (i *IdentityTable) users(r Row, effective int) *platform.IDs {
	return &platform.IDs{Real: layout.U32(r, i.RealUser), Effective: layout.U32(r, effective), Saved: new(layout.U32(r, i.SavedUser))}
}

func (i *IdentityTable) groups(r Row) *platform.IDs {
	effective := i.EffectiveGroup
	if i.EffectiveFirst {
		effective = i.Groups
	}
	return &platform.IDs{Real: layout.U32(r, i.RealGroup), Effective: layout.U32(r, effective), Saved: new(layout.U32(r, i.SavedGroup))}
}

// mostGroups is KI_NGROUPS: what there is room for.
const mostGroups = 16

// supplementary returns the further groups, as many as the row has room for.
func (i *IdentityTable) supplementary(r Row) []uint32 {
	groups := []uint32{}
	for n := range min(int(layout.U16(r, i.GroupCount)), mostGroups) {
		if n > 0 || !i.EffectiveFirst {
			groups = append(groups, layout.U32(r, i.Groups+4*n))
		}
	}
	return groups
}

// setTimes sets the CPU times that the row has.
func (p *Inspection) setTimes(id *platform.Identity, v *Visit) {
	if !p.dialect.Table.live(v.Row) {
		return
	}
	times := map[platform.Field]*time.Duration{
		platform.ProcessCPUUser: &id.CPU.User, platform.ProcessCPUSystem: &id.CPU.System,
		platform.ProcessChildCPUUser: &id.Children.User, platform.ProcessChildCPUSystem: &id.Children.System,
	}
	for _, m := range p.dialect.Table.Members {
		if to := times[m.Field]; to != nil {
			*to = time.Duration(m.Value(v.Row, p.page))
		}
	}
}

// ownerOf returns the name of a user, nil for one that is not known.
func (p *Inspection) ownerOf(id uint64) *string {
	if of := p.dialect.Details.Identity.Name; of != nil {
		if name, err := of(id); err == nil && name != "" {
			return &name
		}
		return nil
	}
	owners, err := p.owners()
	if b, ok := owners[id]; err == nil && ok {
		name := string(b)
		return &name
	}
	return nil
}

// Devices is what a kernel's files of devices are looked up by.
type Devices interface {
	// Folder lists the names in a folder.
	Folder(path string) ([]string, error)
	// Device is the number of the device that a file leads to, st_rdev of stat(2).
	Device(path string) (uint64, error)
}

// terminalFolders are where terminals are, and what their names begin with.
var terminalFolders = [...]struct{ path, prefix string }{{"/dev/pts/", ""}, {"/dev/", "tty"}, {"/dev/", "console"}}

// terminalOf returns the path of the controlling terminal, "" for none, nil for one that is
// not found.
func (p *Inspection) terminalOf(r Row) *string {
	i := &p.dialect.Details.Identity
	none := ""
	number, is := i.device(r)
	if !is {
		return &none
	}
	kernel := p.kernel.(Devices)
	for _, folder := range terminalFolders {
		names, _ := kernel.Folder(folder.path)
		for _, name := range names {
			if !strings.HasPrefix(name, folder.prefix) {
				continue
			}
			path := folder.path + name
			if device, err := kernel.Device(path); err == nil && device == number {
				return &path
			}
		}
	}
	return nil
}

// device returns the number of the controlling terminal. NODEV, all bits set, is none.
func (i *IdentityTable) device(r Row) (number uint64, is bool) {
	if i.TerminalWide {
		number = r.U64(i.Terminal)
		return number, number != ^uint64(0)
	}
	number = r.U32(i.Terminal)
	return number, number != 1<<32-1
}
