package freebsd

import (
	"fmt"
	"math/bits"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// kern.devstat.all is a generation, a long, and records of struct devstat (sys/devicestat.h,
// version 6 since FreeBSD 5). A transfer is nothing, a read, a write or a deletion, in this
// order; times are struct bintime: seconds, and 2^-64 of a second.
const (
	generation  = 8
	diskSize    = 288
	diskBefore  = 0 // sequence0
	diskName    = 44
	diskNameMax = 16
	diskUnit    = 60
	diskBytes   = 64
	diskCounts  = 96
	diskTimes   = 128
	diskBusy    = 192
	diskType    = 260
	diskAfter   = 280 // sequence1

	read, write, deletion = 1, 2, 3
)

// Bits of the type (devstat_type_flags).
const (
	typeMask   = 0xf // 0 is a disk
	typePassed = 0x100
)

// diskTries bounds how often the list is read again because a record was being changed.
const diskTries = 5

// disks is kern.devstat.all.
func disks() sysctl.HostSource {
	s := sysctl.Level("kern.devstat.all", platform.Disk, 10, platform.DiskReads, platform.DiskWrites, platform.DiskReadBytes, platform.DiskWriteBytes,
		platform.DiskReadTime, platform.DiskWriteTime, platform.DiskIOTime, platform.DiskDiscards, platform.DiskDiscardBytes, platform.DiskDiscardTime)
	return sysctl.HostSource{Source: s, Each: sendDisks}
}

// sendDisks hands on disks. What is passed through to one, tapes and the like, and disks
// in memory are left out unless wanted.
func sendDisks(p *sysctl.Pass) error {
	b, err := readDisks(p)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	sysctl.Each(b, diskSize, func(r sysctl.Row) {
		name := nameOf(r)
		virtual := r.U32(diskType)&(typeMask|typePassed) != 0 || sysctl.CString(r[diskName:diskName+diskNameMax]) == "md"
		if err != nil || seen[name] || r.U32(diskBefore) != r.U32(diskAfter) || virtual && !p.All() {
			return
		}
		seen[name] = true
		p.Sample().Reset(platform.Disk, platform.Key{Name: name})
		setDisk(p.Sample(), r)
		err = p.Hand()
	})
	return err
}

// readDisks reads the list until no record was being changed meanwhile, which its two
// numbers tell.
func readDisks(p *sysctl.Pass) (records []byte, err error) {
	for range diskTries {
		b, err := p.AskNamed("kern.devstat.all")
		if err != nil {
			return nil, err
		}
		if len(b) < generation || (len(b)-generation)%diskSize != 0 {
			return nil, sysctl.ErrContent
		}
		records = b[generation:]
		changing := false
		sysctl.Each(records, diskSize, func(r sysctl.Row) { changing = changing || r.U32(diskBefore) != r.U32(diskAfter) })
		if !changing {
			break
		}
	}
	return records, nil
}

func nameOf(r sysctl.Row) string {
	return fmt.Sprintf("%s%d", sysctl.CString(r[diskName:diskName+diskNameMax]), int32(r.U32(diskUnit)))
}

func setDisk(s *platform.Sample, r sysctl.Row) {
	for _, f := range [...]struct {
		what               int
		count, bytes, time platform.Field
	}{
		{read, platform.DiskReads, platform.DiskReadBytes, platform.DiskReadTime},
		{write, platform.DiskWrites, platform.DiskWriteBytes, platform.DiskWriteTime},
		{deletion, platform.DiskDiscards, platform.DiskDiscardBytes, platform.DiskDiscardTime},
	} {
		s.Set(f.count, r.U64(diskCounts+8*f.what))
		s.Set(f.bytes, r.U64(diskBytes+8*f.what))
		s.Set(f.time, bintime(r, diskTimes+16*f.what))
	}
	s.Set(platform.DiskIOTime, bintime(r, diskBusy))
}

// bintime returns a struct bintime in nanoseconds, to the nearest: what was added up in
// binary is a hair below what it stands for.
func bintime(r sysctl.Row, at int) uint64 {
	nanos, rest := bits.Mul64(r.U64(at+8), 1e9)
	return r.U64(at)*1e9 + nanos + rest>>63
}
