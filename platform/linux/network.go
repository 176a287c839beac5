package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// interfaceSources are those that tell of interfaces.
const interfaceSources platform.SourceSet = 1<<fromInterfaces | 1<<fromMTU | 1<<fromLink

// sendInterfaces hands on the network interfaces: physical ones, bonds and
// VLANs, unless all are wanted. Where there is none of these, as in a container
// or a tree without sys, it hands on all but the loopback.
func (p *hostPass) sendInterfaces() bool {
	if p.set&interfaceSources == 0 {
		return true
	}
	if p.wants(fromLink) && !p.wait() {
		return false
	}
	b, err := p.file(p.net, "dev")
	if err != nil {
		p.missInterfaces(missReason(err))
		return true
	}
	b = text.Whole(b)
	listed := p.seeInterfaces(b)
	p.host.interfaces.begin() // a second time, to hand on each name once
	for line := range text.Lines(b) {
		if !p.sendInterface(line, listed) {
			return false
		}
	}
	return true
}

func (p *hostPass) missInterfaces(why platform.Reason) {
	for source := range (p.set & interfaceSources).All() {
		p.miss(source, why)
	}
}

// seeInterfaces looks up the interfaces that are new, and reports whether any is
// to be reported for what it is.
func (p *hostPass) seeInterfaces(b []byte) (listed bool) {
	interfaces := &p.host.interfaces
	interfaces.begin()
	for line := range text.Lines(b) {
		p.host.sample.Reset(platform.Network, platform.Key{})
		name, ok := decodeInterface(line, &p.host.sample)
		if !ok {
			continue
		}
		dev, _, fresh := interfaces.see(name)
		if fresh {
			dev.listed = p.options.AllDevices || p.isRealInterface(dev.name)
		}
		listed = listed || dev.listed
	}
	interfaces.prune()
	return listed
}

// isRealInterface reports whether an interface has hardware behind it, or stands
// for hardware: a bond of several, a VLAN on one.
func (p *hostPass) isRealInterface(name string) bool {
	return p.exists("sys/class/net/", name, "/device") ||
		p.exists("sys/class/net/", name, "/bonding") ||
		p.exists(p.net, "vlan/", name)
}

// sendInterface hands on the interface of one line, if it is to be reported:
// listed says whether to go by what was looked up.
func (p *hostPass) sendInterface(line []byte, listed bool) bool {
	s := &p.host.sample
	s.Reset(platform.Network, platform.Key{})
	name, ok := decodeInterface(line, s)
	if !ok {
		return true
	}
	dev, first, _ := p.host.interfaces.see(name)
	if !first || !p.reportsInterface(dev, listed) {
		return true
	}
	s.Key.Name = dev.name
	if !p.wants(fromInterfaces) {
		s.Reset(platform.Network, s.Key)
	}
	p.readMTU(dev.name)
	p.readLink(dev)
	return p.send()
}

// reportsInterface reports whether an interface is one to hand on: listed says that
// some are for what they are.
func (p *hostPass) reportsInterface(dev *device, listed bool) bool {
	if listed {
		return dev.listed
	}
	return dev.name != "lo"
}

// readMTU reads how large a packet may be, which can change at any time.
func (p *hostPass) readMTU(name string) {
	if !p.wants(fromMTU) {
		return
	}
	mtu, err := p.number("sys/class/net/", name, "/mtu")
	if err != nil {
		p.miss(fromMTU, missReason(err))
		return
	}
	p.host.sample.Set(platform.NetworkMTU, mtu)
}
