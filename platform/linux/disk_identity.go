package linux

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
)

// diskWords are the files that tell who a disk is, by what they tell and in the order
// in which they count: those of NVMe (drivers/nvme/host/sysfs.c) and virtio disks
// (drivers/block/virtio_blk.c), of SCSI and ATA ones (drivers/scsi/scsi_sysfs.c), and
// of memory cards (drivers/mmc/core).
var diskWords = [...]struct {
	text platform.Text
	file string
}{
	{platform.DiskID, "wwid"}, {platform.DiskID, "device/wwid"},
	{platform.DiskModel, "device/model"}, {platform.DiskModel, "device/name"},
	{platform.DiskVendor, "device/vendor"},
	{platform.DiskSerial, "serial"}, {platform.DiskSerial, "device/serial"},
	{platform.DiskFirmware, "device/firmware_rev"}, {platform.DiskFirmware, "device/rev"}, {platform.DiskFirmware, "device/fwrev"},
}

// diskRotates is the place of the file that tells whether a disk rotates.
const diskRotates = len(diskWords)

var diskClass = classKind{
	source: fromDiskIdentity, folder: "sys/block/",
	names:  func([]byte) bool { return true },
	layOut: layOutDisk,
}

// layOutDisk finds the files of a disk that is reported. What it is made of does not
// matter, so that sysfs alone need know it.
func layOutDisk(p *hostPass, d *sysDevice) error {
	if !p.options.AllDevices && !p.exists(d.folder, "device") {
		return nil
	}
	c := d.add("", 0)
	for place, w := range diskWords {
		c.take(d.folder, w.file, place, true)
	}
	c.take(d.folder, "queue/rotational", diskRotates, false)
	return nil
}

// askDisks asks each disk who it is, until it has answered: some ask the hardware.
func (p *hostPass) askDisks() {
	c := &p.host.identities
	c.devices = c.devices[:0]
	if !p.wants(fromDiskIdentity) {
		return
	}
	if err := p.list(c); err != nil {
		p.miss(fromDiskIdentity, missReason(err))
		return
	}
	for _, d := range c.devices {
		if len(d.parts) > 0 && !d.settled() {
			p.host.guard.ask(&d.question)
		}
	}
}

// settled reports whether a device has told something.
func (d *sysDevice) settled() bool { return d.answer() == nil }

// readDiskIdentity tells who a disk is. One that tells nothing, as most of virtual
// machines, is no miss.
func (p *hostPass) readDiskIdentity(name string) {
	if !p.wants(fromDiskIdentity) {
		return
	}
	d, ok := p.host.identities.known[sysName(name)]
	if !ok || len(d.parts) == 0 {
		return
	}
	if err := d.answer(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.miss(fromDiskIdentity, missReason(err))
		return
	}
	c := d.parts[0]
	for place := len(diskWords) - 1; place >= 0; place-- { // what counts more comes later
		p.describe(diskWords[place].text, diskWord(c.word(place)))
	}
	p.describe(platform.DiskKind, diskKind(c.get(diskRotates)))
}

// diskWord drops what is a number on a bus, and not a name: the vendor of a virtio disk.
func diskWord(word []byte) []byte {
	if bytes.HasPrefix(word, []byte("0x")) {
		return nil
	}
	return word
}

// Kinds of disks.
var (
	kindRotating = []byte("HDD")
	kindFlash    = []byte("SSD")
)

// diskKind says what kind of disk one is. What does not rotate is flash.
func diskKind(rotates int64, ok bool) []byte {
	switch {
	case ok && rotates == 1:
		return kindRotating
	case ok && rotates == 0:
		return kindFlash
	}
	return nil
}
