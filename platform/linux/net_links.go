package linux

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Interfaces asks rtnetlink where the view's network namespace is the caller's, else
// reads net/dev and sysfs, which tell no addresses.
func (b *backend) Interfaces(ctx context.Context) ([]platform.Interface, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	list, err := p.interfaces()
	if err != nil {
		return nil, err
	}
	return list, p.addSpeeds(list)
}

func (p *inspection) interfaces() (list []platform.Interface, err error) {
	if !p.ownNetwork() {
		return p.listedInterfaces()
	}
	var asked []platform.Interface // of the goroutine until it answers
	_, err = p.bounded(func() (err error) {
		asked, err = links(p.shared.calls)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rtnetlink: %w", err)
	}
	return asked, nil
}

// ownNetwork reports whether the view's network namespace is that of the caller.
func (p *inspection) ownNetwork() bool {
	if !p.options.moved() {
		return true
	}
	if !p.live || p.selfErr != nil {
		return false
	}
	theirs, err := p.readLink(p.proc, "1/ns/net")
	if err != nil {
		return false
	}
	ours, err := p.readLink(p.self, "ns/net")
	return err == nil && ours == theirs
}

// listedInterfaces reads the names of the interfaces, and their attributes.
func (p *inspection) listedInterfaces() ([]platform.Interface, error) {
	b, err := p.once(p.proc, p.join("1/net/dev"))
	if err != nil {
		b, err = p.once(p.proc, p.join("net/dev"))
	}
	if err != nil {
		return nil, fmt.Errorf("/proc/net/dev: %w", err)
	}
	list := []platform.Interface{}
	for line := range text.Lines(text.Whole(b)) {
		p.sample.Reset(platform.Network, platform.Key{})
		if name, ok := decodeInterface(line, &p.sample); ok {
			list = append(list, platform.Interface{Name: string(name)})
		}
	}
	for i := range list {
		p.readLinkAttributes(&list[i])
	}
	return list, nil
}

// readLinkAttributes reads what sysfs tells of an interface.
func (p *inspection) readLinkAttributes(i *platform.Interface) {
	if index, ok := p.linkNumber(i.Name, "ifindex"); ok {
		i.Index = int(index)
	}
	if mtu, ok := p.linkNumber(i.Name, "mtu"); ok {
		i.MTU = &mtu
	}
	if flags, err := p.linkAttribute(i.Name, "flags"); err == nil {
		v, _, _ := text.Hex([]byte(strings.TrimPrefix(flags, "0x")))
		i.Up, i.Flags = v&1 != 0, linkFlagNames(uint32(v))
	}
	if state, err := p.linkAttribute(i.Name, "operstate"); err == nil && state != "unknown" {
		i.State = state
	}
	if address, err := p.linkAttribute(i.Name, "address"); err == nil {
		i.Hardware = decodeHardware([]byte(address))
	}
}

// linkAttribute reads a file of an interface in sysfs.
func (p *inspection) linkAttribute(name, attribute string) (string, error) {
	b, err := p.once(p.root, p.join("sys/class/net/", name, "/", attribute))
	return string(text.Trim(b)), err
}

func (p *inspection) linkNumber(name, attribute string) (uint64, bool) {
	value, err := p.linkAttribute(name, attribute)
	if err != nil {
		return 0, false
	}
	v, _, ok := text.UintField([]byte(value))
	return v, ok
}

// decodeHardware reads an address such as 02:fc:00:00:00:01. Nil is none.
func decodeHardware(b []byte) []byte {
	digits := slices.DeleteFunc(slices.Clone(b), func(c byte) bool { return c == ':' })
	address, err := hex.DecodeString(string(digits))
	if err != nil || len(address) == 0 {
		return nil
	}
	return address
}

// addSpeeds reads speed and duplex of each interface. A driver may take long to tell.
func (p *inspection) addSpeeds(list []platform.Interface) error {
	type answer struct {
		speed  *uint64
		duplex string
	}
	var answers []answer // of the goroutine until it answers
	asker := p.shared.open(p.ctx)
	own, err := p.kernel.OpenDir(p.root, p.join("."))
	if err != nil {
		return nil // no speed is known
	}
	names := slices.Clone(list)
	asker.root = own
	asked, err := p.bounded(func() error {
		defer asker.kernel.Close(own)
		for i := range names {
			speed, duplex := asker.speed(&names[i])
			answers = append(answers, answer{speed, duplex})
		}
		return nil
	})
	if !asked {
		p.kernel.Close(own)
	}
	if err != nil {
		return p.ctx.Err()
	}
	for i, a := range answers {
		list[i].Speed, list[i].Duplex = a.speed, a.duplex
	}
	return nil
}

// speed reads speed and duplex, if sysfs shows the same interface: it belongs to the
// network namespace that it was mounted in.
func (p *inspection) speed(i *platform.Interface) (speed *uint64, duplex string) {
	if index, ok := p.linkNumber(i.Name, "ifindex"); !ok || index != uint64(i.Index) {
		return nil, ""
	}
	if b, err := p.linkAttribute(i.Name, "speed"); err == nil {
		if v, ok := decodeSpeed([]byte(b)); ok {
			speed = &v
		}
	}
	if d, err := p.linkAttribute(i.Name, "duplex"); err == nil && (d == "full" || d == "half") {
		duplex = d
	}
	return speed, duplex
}

// decodeSpeed reads /sys/class/net/[interface]/speed, in Mbit/s. Unknown is -1, and
// was printed without a sign (SPEED_UNKNOWN in include/uapi/linux/ethtool.h), of 16
// bits before Linux 2.6.36.
func decodeSpeed(b []byte) (bits uint64, ok bool) {
	v, ok := decodeInteger(b)
	if !ok {
		return 0, false
	}
	return knownSpeed(v)
}

// knownSpeed returns a speed in bit/s, unless the driver does not know it.
func knownSpeed(megabits int64) (bits uint64, ok bool) {
	const unknown16, unknown32 = 1<<16 - 1, 1<<32 - 1
	if megabits <= 0 || megabits == unknown16 || megabits >= unknown32 {
		return 0, false
	}
	return uint64(megabits) * 1e6, true
}
