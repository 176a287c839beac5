package solaris

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// ioValues are the members of struct kstat_io.
var ioValues = []struct {
	at    int
	width int
	field platform.Field
}{
	{ioReadBytes, 8, platform.DiskReadBytes}, {ioWritten, 8, platform.DiskWriteBytes}, {ioReads, 4, platform.DiskReads}, {ioWrites, 4, platform.DiskWrites},
	{ioBusy, 8, platform.DiskIOTime},
}

func diskSource() platform.Source {
	s := platform.Source{Name: "disk:*:*", Entity: platform.Disk, Cost: 5}
	for _, v := range ioValues {
		s.Gives = append(s.Gives, platform.Given{Field: v.field, Bits: uint8(8 * v.width)})
	}
	s.Gives = append(s.Gives, platform.Given{Field: platform.DiskWeightedTime}, platform.Given{Field: platform.DiskPending})
	return s
}

// sendDisks hands on each statistic of class disk: whole ones. Their parts are of class
// partition.
func (p *pass) sendDisks() error {
	if err := p.follow(); err != nil {
		return err
	}
	for i := range p.chain.all {
		d := &p.chain.all[i]
		if d.kind != typeIO || d.class != "disk" {
			continue
		}
		b, err := p.statistic(d)
		if isGone(err) {
			continue
		}
		if err == nil && len(b) < ioSize {
			err = errContent
		}
		if err != nil {
			return err
		}
		p.sample.Reset(platform.Disk, platform.Key{Name: d.name})
		setDisk(&p.sample, b)
		if err := p.hand(); err != nil {
			return err
		}
	}
	return nil
}

// setDisk sets what a struct kstat_io tells.
func setDisk(s *platform.Sample, b []byte) {
	for _, v := range ioValues {
		s.Set(v.field, layout.Word(b, v.at, v.width))
	}
	s.Set(platform.DiskWeightedTime, layout.U64(b, ioQueued)+layout.U64(b, ioServed))
	s.Set(platform.DiskPending, uint64(layout.U32(b, ioWaiting))+uint64(layout.U32(b, ioRunning)))
}

// linkValues are those of link:*:*. Bytes and packets are there in 32 bits too.
var linkValues = []value{
	{"rbytes64", platform.NetworkReceiveBytes, 0}, {"obytes64", platform.NetworkTransmitBytes, 0},
	{"ipackets64", platform.NetworkReceivePackets, 0}, {"opackets64", platform.NetworkTransmitPackets, 0},
	{"ierrors", platform.NetworkReceiveErrors, 32}, {"oerrors", platform.NetworkTransmitErrors, 32},
	{"norcvbuf", platform.NetworkReceiveDropped, 32}, {"noxmtbuf", platform.NetworkTransmitDropped, 32},
}

func linkSource() platform.Source {
	return platform.Source{Name: "link:*:*, SIOCGLIFMTU", Entity: platform.Network, Cost: 15,
		Gives: append(valuesGiven(linkValues), given(platform.NetworkUp, platform.NetworkSpeed, platform.NetworkMTU)...)}
}

// sendLinks hands on each link. The instance is the zone that it is lent to: the same link
// may be there for that and for the global one.
func (p *pass) sendLinks() error {
	seen := map[string]bool{}
	return p.eachNamed(func(s *statistic) bool { return s.module == "link" && s.class == "net" && !seen[s.name] }, func(s *statistic, values named) error {
		seen[s.name] = true
		p.sample.Reset(platform.Network, platform.Key{Name: s.name})
		p.setValues(values, linkValues)
		switch state, _ := values.get("link_state"); state { // link_state_t of sys/mac.h; -1 is unknown
		case 0, 1:
			p.sample.Set(platform.NetworkUp, state)
		}
		if speed, ok := values.get("ifspeed"); ok && speed != 0 {
			p.sample.Set(platform.NetworkSpeed, speed/8)
		}
		if err := p.setMTU(s.name); err != nil {
			return err
		}
		return p.hand()
	})
}

// setMTU asks for the MTU of a link, which it has where an address of IP is configured.
func (p *pass) setMTU(name string) error {
	for _, family := range [...]int{familyInet, familyInet6} {
		b, err := p.askLink(family, getMTU, name)
		switch {
		case err == nil:
			p.sample.Set(platform.NetworkMTU, uint64(layout.U32(b, 0)))
			return nil
		case !isGone(err) && !errors.Is(err, errors.ErrUnsupported):
			return err
		}
	}
	return nil
}

const mountPath = "/etc/mnttab"

// pseudo are file systems without storage of their own. Remote ones, and those that lead to
// one, are never asked: statvfs(2) waits for a server that does not answer.
var (
	pseudo = map[string]bool{"bootfs": true, "ctfs": true, "dev": true, "devfs": true, "fd": true,
		"mntfs": true, "namefs": true, "objfs": true, "proc": true, "sharefs": true}
	remote = map[string]bool{"autofs": true, "lofs": true, "nfs": true, "nfs2": true, "nfs3": true, "nfs4": true, "smbfs": true}
)

func mountSource() platform.Source {
	s := level(mountPath+", statvfs", platform.Filesystem, 20, platform.FilesystemTotal, platform.FilesystemUsed, platform.FilesystemFree,
		platform.FilesystemReserved, platform.FilesystemInodes, platform.FilesystemInodesUsed, platform.FilesystemInodesFree)
	s.Texts = []platform.Text{platform.FilesystemDevice, platform.FilesystemType, platform.FilesystemMode}
	return s
}

// mount is a line of mnttab(5).
type mount struct {
	device, point, kind string
	options             []string
}

// decodeMount reads a line: the device, the mount point, the type, the options and the
// time, between tabs.
func decodeMount(line []byte) (m mount, ok bool) {
	words := strings.Split(strings.TrimSuffix(string(line), "\n"), "\t")
	if len(words) < 5 || words[0] == "" || words[1] == "" {
		return m, false
	}
	return mount{words[0], words[1], words[2], strings.Split(words[3], ",")}, true
}

// sendMounts hands on each mounted file system. Of several on one mount point the last is
// seen, and told by statvfs(2).
func (p *pass) sendMounts() error {
	b, err := p.kernel.File(mountPath)
	if err != nil {
		return err
	}
	var mounts []mount
	for line := range bytes.Lines(b) {
		if m, ok := decodeMount(line); ok {
			mounts = slices.DeleteFunc(mounts, func(was mount) bool { return was.point == m.point })
			mounts = append(mounts, m)
		}
	}
	var failed error
	for i := range mounts {
		m := &mounts[i]
		if remote[m.kind] || pseudo[m.kind] && !p.all {
			continue
		}
		err := p.sendMount(m)
		if err == errStopped {
			return err
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func (p *pass) sendMount(m *mount) error {
	v, err := p.usageOf(m.point)
	if err != nil {
		return err
	}
	if v[1] == 0 && !p.all {
		return nil
	}
	p.sample.Reset(platform.Filesystem, platform.Key{ID: m.number(v[6]), Name: m.point})
	setMount(&p.sample, v)
	mode := "rw"
	if slices.Contains(m.options, "ro") {
		mode = "ro"
	}
	p.setText(platform.FilesystemMode, mode)
	p.setText(platform.FilesystemType, m.kind)
	p.setText(platform.FilesystemDevice, m.device)
	return p.hand()
}

// noMount is dev= where a number does not fit into its 32 bits (cmpldev, mntvnops.c).
const noMount = 0x7fff_ffff

// number returns the device number, which the kernel adds to the options in hexadecimal
// digits, and the file system's own number where it is not there.
func (m *mount) number(id uint64) uint64 {
	for _, o := range m.options {
		if digits, ok := strings.CutPrefix(o, "dev="); ok {
			if n, err := strconv.ParseUint(digits, 16, 64); err == nil && n != noMount {
				return n
			}
		}
	}
	return id
}

// setMount sets what statvfs(2) tells.
func setMount(s *platform.Sample, v [7]uint64) {
	block, total, free, usable, files, unused := v[0], v[1], v[2], v[3], v[4], v[5]
	s.Set(platform.FilesystemTotal, total*block)
	s.Set(platform.FilesystemUsed, (max(total, free)-free)*block)
	s.Set(platform.FilesystemFree, usable*block)
	s.Set(platform.FilesystemReserved, (max(free, usable)-usable)*block)
	s.Set(platform.FilesystemInodes, files)
	s.Set(platform.FilesystemInodesUsed, max(files, unused)-unused)
	s.Set(platform.FilesystemInodesFree, unused)
}
