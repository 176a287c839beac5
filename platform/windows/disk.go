package windows

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Questions to a disk (winioctl.h), none of which takes a right to it.
const (
	ioctlDiskPerformance = 0x70020
	ioctlDiskGeometryEx  = 0x700a0
)

// Offsets in DISK_PERFORMANCE, and the parts of it that are read.
const (
	diskPerformanceSize = 52
	diskIdle            = 32
	diskPending         = 48
)

// mostDisks is how many numbers of disks are tried.
const mostDisks = 64

// diskSystemCount is the size of the front of SYSTEM_DEVICE_INFORMATION: how many
// disks there are.
const diskSystemCount = 4

func disksSource() platform.Source {
	return platform.Source{Name: "IOCTL_DISK_PERFORMANCE", Entity: platform.Disk, Cost: 50, Gives: []platform.Given{
		{Field: platform.DiskReadBytes}, {Field: platform.DiskWriteBytes},
		{Field: platform.DiskReads, Bits: 32}, {Field: platform.DiskWrites, Bits: 32},
		{Field: platform.DiskReadTime, Step: tickNanos}, {Field: platform.DiskWriteTime, Step: tickNanos},
		{Field: platform.DiskIOTime}, {Field: platform.DiskPending},
	}}
}

// decodeDisk reads DISK_PERFORMANCE. A disk was busy when it was not idle: uptime
// minus idle time, as the conventions measure it.
func decodeDisk(b []byte, uptime uint64, s *platform.Sample) bool {
	if len(b) < diskPerformanceSize {
		return false
	}
	s.Set(platform.DiskReadBytes, layout.U64(b, 0))
	s.Set(platform.DiskWriteBytes, layout.U64(b, 8))
	s.Set(platform.DiskReadTime, layout.U64(b, 16)*tickNanos)
	s.Set(platform.DiskWriteTime, layout.U64(b, 24)*tickNanos)
	s.Set(platform.DiskReads, uint64(layout.U32(b, 40)))
	s.Set(platform.DiskWrites, uint64(layout.U32(b, 44)))
	s.Set(platform.DiskPending, uint64(layout.U32(b, diskPending)))
	if idle := layout.U64(b, diskIdle) * tickNanos; idle != 0 && idle <= uptime {
		s.Set(platform.DiskIOTime, uptime-idle)
	}
	return true
}

// geometrySize is the size of the front of DISK_GEOMETRY_EX: 24 bytes of DISK_GEOMETRY
// and the size of the disk.
const geometrySize = 32

// decodeGeometry reads the size of a disk in bytes from DISK_GEOMETRY_EX.
func decodeGeometry(b []byte) (size uint64, ok bool) {
	if len(b) < geometrySize {
		return 0, false
	}
	return layout.U64(b, geometrySize-8), true
}

// diskCount returns how many disks there are, or the most that are looked for.
func (p *hostPass) diskCount() int {
	answer, err := p.system(classDevices)
	if count, ok := decodeDiskCount(answer); err == nil && ok && count > 0 {
		return min(count, mostDisks)
	}
	return mostDisks
}

// decodeDiskCount reads the front of SYSTEM_DEVICE_INFORMATION.
func decodeDiskCount(b []byte) (count int, ok bool) {
	if len(b) < diskSystemCount {
		return 0, false
	}
	return int(layout.U32(b, 0) & 0xffff), true
}

// sendDisks hands on each whole disk. Their numbers may have gaps.
func (p *hostPass) sendDisks() bool {
	if !p.wants(fromDisks) && !p.wants(fromDiskSize) {
		return true
	}
	left := p.diskCount()
	for number := 0; number < mostDisks && left > 0; number++ {
		h, err := p.kernel.OpenDisk(number)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		left--
		if err != nil {
			p.missDisk(err)
			continue
		}
		p.readDisk(number, h)
		p.kernel.Close(h)
		if !p.send() {
			return false
		}
	}
	return true
}

func (p *hostPass) missDisk(err error) {
	for _, source := range [...]int{fromDisks, fromDiskSize} {
		if p.wants(source) {
			p.check(source, err)
		}
	}
}

// readDisk fills the sample of one disk.
func (p *hostPass) readDisk(number int, h Handle) {
	s := &p.host.sample
	s.Reset(platform.Disk, platform.Key{Name: "PhysicalDrive" + strconv.Itoa(number)})
	if p.wants(fromDisks) {
		answer, err := p.control(h, ioctlDiskPerformance)
		_, uptime := p.kernel.Clocks()
		if err == nil && !decodeDisk(answer, uptime, s) {
			err = errContent
		}
		p.check(fromDisks, err)
	}
	if p.wants(fromDiskSize) {
		answer, err := p.control(h, ioctlDiskGeometryEx)
		size, ok := decodeGeometry(answer)
		if err == nil && !ok {
			err = errContent
		}
		if err == nil {
			s.Set(platform.DiskSize, size)
		}
		p.check(fromDiskSize, err)
	}
}

func (p *hostPass) control(h Handle, code uint32) ([]byte, error) {
	return p.grow(func(buf []byte) (int, error) { return p.kernel.Control(h, code, buf) })
}
