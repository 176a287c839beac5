package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// What the files of an interface say (Documentation/ABI/testing/sysfs-class-net).
const (
	ethSpeed = iota
	ethState
	ethCarrier
	ethAddress
)

// newLink makes the question for one interface, whose driver may have to ask the
// hardware for the speed.
func (p *hostPass) newLink(name string) *sysDevice {
	d := &sysDevice{kernel: p.kernel, root: p.root, name: name, folder: "sys/class/net/" + name + "/"}
	d.ask = d.read
	c := d.add("", 0)
	c.take(d.folder, "operstate", ethState, true)
	c.take(d.folder, "carrier", ethCarrier, false)
	c.take(d.folder, "speed", ethSpeed, false)
	c.take(d.folder, "address", ethAddress, true)
	return d
}

// askLinks asks every interface that is to be reported.
func (p *hostPass) askLinks() {
	if !p.wants(fromLink) {
		return
	}
	b, err := p.file(p.net, "dev")
	if err != nil {
		return // told when the interfaces are
	}
	b = text.Whole(b)
	listed := p.seeInterfaces(b)
	for line := range text.Lines(b) {
		p.host.sample.Reset(platform.Network, platform.Key{})
		name, ok := decodeInterface(line, &p.host.sample)
		if !ok {
			continue
		}
		if dev, _, _ := p.host.interfaces.see(name); p.reportsInterface(dev, listed) {
			if dev.link == nil {
				dev.link = p.newLink(dev.name)
			}
			p.host.guard.ask(&dev.link.question)
		}
	}
}

// readLink sets the state of an interface's link. Sysfs shows the interfaces of the
// network namespace that it was mounted in, which may be another's.
func (p *hostPass) readLink(dev *device) {
	if !p.wants(fromLink) || dev.link == nil {
		return
	}
	if err := dev.link.answer(); err != nil {
		p.miss(fromLink, missReason(err))
		return
	}
	s, c := &p.host.sample, dev.link.parts[0]
	carrier, known := c.get(ethCarrier)
	up, ok := linkIsUp(c.word(ethState), carrier, known)
	if ok {
		s.Set(platform.NetworkUp, up)
	}
	if speed, ok := c.get(ethSpeed); ok {
		if bits, ok := knownSpeed(speed); ok {
			s.Set(platform.NetworkSpeed, bits/8)
		}
	}
	dev.address = appendAddress(dev.address[:0], c.word(ethAddress))
	p.describe(platform.NetworkAddress, dev.address)
}

// linkIsUp tells whether a link is up (RFC 2863, as operstates of
// Documentation/networking/operstates.rst). Drivers that do not keep the state say
// unknown, and have a carrier or not; one that is turned off has none to tell.
func linkIsUp(state []byte, carrier int64, known bool) (up uint64, ok bool) {
	switch string(state) {
	case "up":
		return 1, true
	case "down", "notpresent", "lowerlayerdown", "testing", "dormant":
		return 0, true
	case "unknown":
		if known && carrier > 0 {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// appendAddress appends a hardware address as the conventions spell it, with hyphens
// and in upper case. An interface that is no card has none, or one of zeros.
func appendAddress(to, address []byte) []byte {
	if len(bytes.Trim(address, "0:")) == 0 {
		return to
	}
	for _, c := range address {
		switch {
		case c == ':':
			c = '-'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}
