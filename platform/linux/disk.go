package linux

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// diskSources are those that tell of disks.
const diskSources platform.SourceSet = 1<<fromDiskstats | 1<<fromDiskSize | 1<<fromDiskIdentity

// sendDisks hands on the block devices: whole physical disks, unless all are
// wanted, since what partitions and stacked devices do is done by a disk too.
func (p *hostPass) sendDisks() bool {
	if p.set&diskSources == 0 {
		return true
	}
	if p.wants(fromDiskIdentity) && !p.wait() {
		return false
	}
	b, err := p.file("proc/diskstats")
	if errors.Is(err, fs.ErrNotExist) {
		b, err = p.file("proc/partitions") // Linux 2.4
	}
	if err != nil {
		p.missDisks(missReason(err))
		return true
	}
	disks := &p.host.disks
	disks.begin()
	for line := range text.Lines(text.Whole(b)) {
		if !p.sendDisk(line) {
			return false
		}
	}
	disks.prune()
	return true
}

func (p *hostPass) missDisks(why platform.Reason) {
	for source := range (p.set & diskSources).All() {
		p.miss(source, why)
	}
}

// sendDisk hands on the device of one line, if it is to be reported.
func (p *hostPass) sendDisk(line []byte) bool {
	s := &p.host.sample
	s.Reset(platform.Disk, platform.Key{})
	name, ok := decodeDisk(line, s)
	if !ok {
		return true
	}
	disk, first, fresh := p.host.disks.see(name)
	if fresh {
		disk.listed = p.options.AllDevices || p.isWholeDisk(disk.name)
	}
	if !disk.listed || !first {
		return true
	}
	s.Key.Name = disk.name
	if !p.wants(fromDiskstats) {
		s.Reset(platform.Disk, s.Key)
	}
	p.readDiskSize(disk.name)
	p.readDiskIdentity(disk.name)
	return p.send()
}

// isWholeDisk reports whether a block device is a physical one: it has hardware
// behind it. A tree without sys can be judged by names alone.
func (p *hostPass) isWholeDisk(name string) bool {
	if p.exists("sys/block") {
		return p.exists("sys/block/", sysName(name), "/device")
	}
	return isDiskName(name)
}

// sysName is a device's name in sysfs, where no name can hold a slash
// (kobject_set_name_vargs in lib/kobject.c).
func sysName(name string) string { return strings.ReplaceAll(name, "/", "!") }

// isDiskName tells whole disks by the kernel's naming
// (Documentation/admin-guide/devices.txt).
func isDiskName(name string) bool {
	for _, prefix := range [...]string{"loop", "ram", "zram", "dm-", "md", "sr"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return !isPartitionName(name)
}

// isPartitionName reports whether a number follows the name of a disk: directly
// where that ends in a letter (sda1), with a p between where it ends in a digit
// (nvme0n1p1).
func isPartitionName(name string) bool {
	disk := strings.TrimRight(name, "0123456789")
	if disk == name {
		return false
	}
	if whole, ok := strings.CutSuffix(disk, "p"); ok && endsInDigit(whole) {
		return true
	}
	for _, prefix := range [...]string{"sd", "hd", "vd", "xvd"} {
		if strings.HasPrefix(disk, prefix) {
			return true
		}
	}
	return false
}

func endsInDigit(s string) bool { return s != "" && s[len(s)-1]-'0' <= 9 }

// readDiskSize reads the size, which can change while a disk is in use.
// Partitions have theirs in the class folder only.
func (p *hostPass) readDiskSize(name string) {
	if !p.wants(fromDiskSize) {
		return
	}
	name = sysName(name)
	sectors, err := p.number("sys/block/", name, "/size")
	if errors.Is(err, fs.ErrNotExist) {
		sectors, err = p.number("sys/class/block/", name, "/size")
	}
	if err != nil {
		p.miss(fromDiskSize, missReason(err))
		return
	}
	setScaled(&p.host.sample, platform.DiskSize, sectors, sectorBytes)
}
