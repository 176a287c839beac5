package sysctl

import (
	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// MountTable says where a record about a mount has what: struct statvfs on NetBSD,
// struct statfs on OpenBSD.
type MountTable struct {
	Name                                string // of the call
	Size                                int
	Flags, FlagsWidth                   int
	Block, BlockWidth                   int // bytes of a block
	Blocks, Free, Usable, Files, Unused int // 64 bits each; Usable may be negative
	Device                              int // 64 bits
	Type, TypeLength                    int
	Point, PointLength                  int
	Source, SourceLength                int
	Options                             []Option
}

// Option is the name of a flag of a mount.
type Option struct {
	Bit  uint64
	Name string
}

const mountReadOnly = 0x1 // MNT_RDONLY

// pseudo are file systems without storage behind them.
var pseudo = map[string]bool{"kernfs": true, "procfs": true, "ptyfs": true, "fdesc": true, "fdescfs": true, "null": true, "union": true,
	"devfs": true, "linprocfs": true, "linsysfs": true, "nullfs": true, "unionfs": true, "autofs": true}

// Mounts is the list of mounts. The kernel tells what it last knew of each and waits for
// none: a dead server costs nothing.
func Mounts(t *MountTable) HostSource {
	s := Level(t.Name, platform.Filesystem, 10, platform.FilesystemTotal, platform.FilesystemUsed, platform.FilesystemFree,
		platform.FilesystemReserved, platform.FilesystemInodes, platform.FilesystemInodesUsed, platform.FilesystemInodesFree)
	s.Texts = []platform.Text{platform.FilesystemDevice, platform.FilesystemType, platform.FilesystemMode}
	return HostSource{Source: s, Each: func(p *Pass) error { return p.sendMounts(t) }}
}

func (p *Pass) sendMounts(t *MountTable) error {
	b, err := grow(&p.buf, p.kernel.Mounts)
	if err != nil {
		return err
	}
	seen := map[platform.Key]bool{}
	whole := Each(b, t.Size, func(r Row) {
		pseudo := pseudo[string(t.text(r, t.Type, t.TypeLength))]
		key := platform.Key{ID: r.U64(t.Device), Name: string(t.text(r, t.Point, t.PointLength))}
		if err != nil || seen[key] || !p.options.AllDevices && (pseudo || r.U64(t.Blocks) == 0) {
			return
		}
		seen[key] = true
		p.sample.Reset(platform.Filesystem, key)
		t.set(&p.sample, r)
		err = p.Hand()
	})
	if !whole && err == nil {
		return ErrContent
	}
	return err
}

func (t *MountTable) text(r Row, at, length int) []byte { return cString(r[at : at+length]) }

// set sets what a record tells. What is free to everybody falls below 0 when the
// superuser has taken from the reserve.
func (t *MountTable) set(s *platform.Sample, r Row) {
	block := layout.Word(r, t.Block, t.BlockWidth)
	total, free := r.U64(t.Blocks), r.U64(t.Free)
	usable := uint64(max(int64(r.U64(t.Usable)), 0))
	s.Set(platform.FilesystemTotal, total*block)
	s.Set(platform.FilesystemUsed, (max(total, free)-free)*block)
	s.Set(platform.FilesystemFree, usable*block)
	s.Set(platform.FilesystemReserved, (max(free, usable)-usable)*block)
	files, unused := r.U64(t.Files), r.U64(t.Unused)
	s.Set(platform.FilesystemInodes, files)
	s.Set(platform.FilesystemInodesUsed, max(files, unused)-unused)
	s.Set(platform.FilesystemInodesFree, unused)
	mode := "rw"
	if layout.Word(r, t.Flags, t.FlagsWidth)&mountReadOnly != 0 {
		mode = "ro"
	}
	s.SetText(platform.FilesystemMode, []byte(mode))
	s.SetText(platform.FilesystemType, t.text(r, t.Type, t.TypeLength))
	s.SetText(platform.FilesystemDevice, t.text(r, t.Source, t.SourceLength))
}
