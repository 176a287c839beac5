package sysctl

import (
	"fmt"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// InterfaceTable says where a message about a network interface has what (net/if.h:
// struct if_msghdr with struct if_data in it). A message begins with its length in 16
// bits, its version and its type.
type InterfaceTable struct {
	MIB      []int32
	Type     byte // RTM_IFINFO
	Size     int  // of the header; the name is behind it
	Header   int  // where the header's own length is told, 0 if nowhere
	Flags    int
	Kind     int // of hardware, IFT_*
	Link     int // state of the link; 0 where it is not told: up is what is up and running
	LinkWide bool
	Down, Up uint64 // the first states of a link that is down, and of one that is up
	MTU      int
	MTUWide  bool
	Speed    int // bits per second
	Counters []Member
	Index    int // 16 bits
	Address  AddressTable
}

// interfaceList is what tells of interfaces and their addresses.
const interfaceList = "net.route NET_RT_IFLIST"

// Constants of net/if.h and net/if_types.h that both have.
const (
	ifUp       = 0x1
	ifLoopback = 0x8
	ifRunning  = 0x40
	ifEther    = 0x06 // IFT_ETHER
	addressed  = 18   // AF_LINK
	fixedSDL   = 8    // bytes of struct sockaddr_dl before the name
)

// message is one of them.
type message struct {
	header  Row
	name    []byte
	address []byte // of the hardware
}

// decodeInterfaces calls each with every message about an interface.
func (t *InterfaceTable) decodeInterfaces(b []byte, each func(message) bool) (whole bool) {
	for len(b) >= 4 {
		n := int(layout.U16(b, 0))
		if n < 4 || n > len(b) {
			return false
		}
		if b[3] == t.Type {
			m, ok := t.message(b[:n:n])
			if !ok {
				return false
			}
			if !each(m) {
				return true
			}
		}
		b = b[n:]
	}
	return len(b) == 0
}

// message takes a message apart. Behind its header is a struct sockaddr_dl
// (net/if_dl.h): length, family, index, type, and the lengths of the name, the address
// and a selector, which follow in this order.
func (t *InterfaceTable) message(b []byte) (m message, ok bool) {
	size := t.Size
	if t.Header != 0 && len(b) >= t.Size {
		size = int(layout.U16(b, t.Header))
	}
	if size < t.Size || len(b) < size+fixedSDL || b[size+1] != addressed {
		return m, false
	}
	name := b[size+fixedSDL:]
	nameLength, addressLength := int(b[size+5]), int(b[size+6])
	if nameLength+addressLength > len(name) {
		return m, false
	}
	return message{Row(b[:size]), name[:nameLength:nameLength], name[nameLength : nameLength+addressLength]}, true
}

// Interfaces is the list of network interfaces.
func Interfaces(t *InterfaceTable) HostSource {
	s := Level(interfaceList, platform.Network, 20, platform.NetworkMTU, platform.NetworkUp, platform.NetworkSpeed)
	for _, m := range t.Counters {
		s.Gives = append(s.Gives, platform.Given{Field: m.Field})
	}
	s.Texts = []platform.Text{platform.NetworkAddress}
	return HostSource{Source: s, Each: func(p *Pass) error { return p.sendInterfaces(t) }}
}

// sendInterfaces hands on Ethernet and what is like it, or all if wanted. Where there is
// nothing of the kind it hands on all but the loopback.
func (p *Pass) sendInterfaces(t *InterfaceTable) error {
	b, err := p.Ask(t.MIB...)
	if err != nil {
		return err
	}
	hardware := false
	if !t.decodeInterfaces(b, func(m message) bool { hardware = hardware || t.hardware(m); return true }) {
		return ErrContent
	}
	seen := map[string]bool{}
	t.decodeInterfaces(b, func(m message) bool {
		loopback := m.header.U32(t.Flags)&ifLoopback != 0
		wanted := p.options.AllDevices || t.hardware(m) || !hardware && !loopback
		if !wanted || len(m.name) == 0 || seen[string(m.name)] {
			return true
		}
		seen[string(m.name)] = true
		p.sample.Reset(platform.Network, platform.Key{Name: string(m.name)})
		t.set(&p.sample, m)
		err = p.Hand()
		return err == nil
	})
	return err
}

// hardware reports whether an interface looks like hardware: Ethernet, as wireless
// ones say too, with an address of its own.
func (t *InterfaceTable) hardware(m message) bool {
	return m.header[t.Kind] == ifEther && len(m.address) == 6
}

// set sets what a message tells. A speed of 0 is unknown.
func (t *InterfaceTable) set(s *platform.Sample, m message) {
	for _, c := range t.Counters {
		s.Set(c.Field, c.Value(m.header, 0))
	}
	s.Set(platform.NetworkMTU, layout.Word(m.header, t.MTU, width(t.MTUWide)))
	if up, known := t.up(m.header); known {
		s.Set(platform.NetworkUp, up)
	}
	if speed := m.header.U64(t.Speed); speed != 0 {
		s.Set(platform.NetworkSpeed, speed/8)
	}
	if len(m.address) == 6 {
		a := m.address
		s.SetText(platform.NetworkAddress, fmt.Appendf(nil, "%02X-%02X-%02X-%02X-%02X-%02X", a[0], a[1], a[2], a[3], a[4], a[5]))
	}
}

// up is 1 for an interface whose link is up, 0 for one whose link is down.
func (t *InterfaceTable) up(header Row) (up uint64, known bool) {
	link := uint64(header[t.Link])
	if t.LinkWide {
		link = header.U32(t.Link)
	}
	switch {
	case t.Link == 0:
		if header.U32(t.Flags)&(ifUp|ifRunning) == ifUp|ifRunning {
			up = 1
		}
		return up, true
	case link >= t.Up:
		return 1, true
	}
	return 0, link >= t.Down
}

func width(wide bool) int {
	if wide {
		return 8
	}
	return 4
}
