package sysctl

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// AddressTable says where a message about an address of an interface has what (net/if.h:
// struct ifa_msghdr). It begins with its length in 16 bits, its version and its type.
// Behind it are addresses, each for a bit of its set, from the lowest.
type AddressTable struct {
	Type   byte // RTM_NEWADDR
	Size   int  // of the header
	Header int  // where the header's own length is told, 0 if nowhere
	Index  int  // 16 bits
	Set    int  // which addresses there are
	Align  int  // addresses lie at multiples of it
	Inet6  byte // AF_INET6
}

// Places of addresses behind a message (RTAX_* of net/route.h), and AF_INET.
const (
	placeMask      = 2
	placeAddress   = 5
	placeBroadcast = 7 // of a point-to-point interface its other end
	places         = 16
	familyInet     = 2
)

// interfaceFlags are the names of flags as ifconfig(8) spells them, which all have in
// common (net/if.h).
var interfaceFlags = [...]Option{
	{0x1, "up"}, {0x2, "broadcast"}, {0x4, "debug"}, {0x8, "loopback"}, {0x10, pointToPoint}, {0x40, "running"},
	{0x80, "noarp"}, {0x100, "promisc"}, {0x200, "allmulti"}, {0x400, "oactive"}, {0x800, "simplex"}, {0x8000, "multicast"},
}

const pointToPoint = "pointopoint"

// Interfaces implements [platform.Inspector].
func (b *Backend) Interfaces(ctx context.Context) ([]platform.Interface, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := p.Ask(p.dialect.Interface.MIB...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", interfaceList, err)
	}
	list, ok := p.dialect.Interface.describe(answer)
	if !ok {
		return nil, fmt.Errorf("%s: %w", interfaceList, ErrContent)
	}
	return list, nil
}

// describe returns all interfaces of a list with their addresses. An interface without a
// name is none.
func (t *InterfaceTable) describe(b []byte) (list []platform.Interface, whole bool) {
	list = []platform.Interface{}
	at := map[int]int{} // in the list, by the kernel's number
	whole = t.decodeInterfaces(b, func(m message) bool {
		if i := t.interfaceOf(m); i.Name != "" {
			at[i.Index] = len(list)
			list = append(list, i)
		}
		return true
	})
	whole = whole && t.Address.decodeAddresses(b, func(index int, a [places][]byte) {
		n, known := at[index]
		if !known {
			return
		}
		if address, ok := t.Address.address(a, &list[n]); ok {
			list[n].Addresses = append(list[n].Addresses, address)
		}
	})
	return list, whole
}

// interfaceOf describes one interface.
func (t *InterfaceTable) interfaceOf(m message) platform.Interface {
	flags, mtu := m.header.U32(t.Flags), layout.Word(m.header, t.MTU, width(t.MTUWide))
	i := platform.Interface{Index: int(layout.U16(m.header, t.Index)), Name: string(m.name), Up: flags&ifUp != 0, MTU: &mtu,
		Addresses: []platform.Address{}}
	for _, f := range interfaceFlags {
		if flags&f.Bit != 0 {
			i.Flags = append(i.Flags, f.Name)
		}
	}
	if up, known := t.up(m.header); known {
		i.State = [...]string{"down", "up"}[up]
	}
	if speed := m.header.U64(t.Speed); speed != 0 {
		i.Speed = &speed
	}
	if len(m.address) > 0 {
		i.Hardware = bytes.Clone(m.address)
	}
	return i
}

// decodeAddresses calls each with every message about an address, and the structures
// behind it by their places.
func (t *AddressTable) decodeAddresses(b []byte, each func(index int, a [places][]byte)) (whole bool) {
	for len(b) >= 4 {
		n := int(layout.U16(b, 0))
		if n < 4 || n > len(b) {
			return false
		}
		if b[3] == t.Type {
			a, ok := t.split(b[:n:n])
			if !ok {
				return false
			}
			each(int(layout.U16(b, t.Index)), a)
		}
		b = b[n:]
	}
	return len(b) == 0
}

// split takes a message apart. Each structure begins with its length; one of length 0
// takes as much room as the shortest.
func (t *AddressTable) split(b []byte) (a [places][]byte, ok bool) {
	size := t.Size
	if t.Header != 0 && len(b) >= t.Size {
		size = int(layout.U16(b, t.Header))
	}
	if size < t.Size || len(b) < size {
		return a, false
	}
	set := layout.U32(b, t.Set)
	b = b[size:]
	for place := range places {
		if set&(1<<place) == 0 {
			continue
		}
		if len(b) == 0 {
			return a, false
		}
		n := int(b[0])
		if n > len(b) {
			return a, false
		}
		a[place] = b[:n:n]
		b = b[min((max(n, 1)+t.Align-1)/t.Align*t.Align, len(b)):]
	}
	return a, true
}

// address returns an address of an interface. Those of hardware are none.
func (t *AddressTable) address(a [places][]byte, i *platform.Interface) (address platform.Address, ok bool) {
	own := a[placeAddress]
	ip := t.ip(own)
	if !ip.IsValid() {
		return address, false
	}
	address = platform.Address{IP: ip, Bits: t.bits(a[placeMask], ip.Is4())}
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		address.IP = ip.WithZone(i.Name)
	}
	other := t.ip(a[placeBroadcast])
	switch {
	case !other.IsValid() || other == ip || other.IsUnspecified():
	case slices.Contains(i.Flags, pointToPoint):
		address.Peer = other
	case ip.Is4():
		address.Broadcast = other
	}
	return address, true
}

// ip returns the address in a struct sockaddr_in or sockaddr_in6. A link-local one of
// version 6 has the number of its interface in its third and fourth byte (the KAME form),
// which is no part of it.
func (t *AddressTable) ip(b []byte) netip.Addr {
	switch {
	case len(b) >= 8 && b[1] == familyInet:
		return netip.AddrFrom4([4]byte(b[4:]))
	case len(b) >= 24 && b[1] == t.Inet6:
		a := [16]byte(b[8:])
		if ip := netip.AddrFrom16(a); ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
			a[2], a[3] = 0, 0
		}
		return netip.AddrFrom16(a)
	}
	return netip.Addr{}
}

// bits returns the length of a network's prefix by its mask, which the kernel cuts off
// behind the last byte that is not 0.
func (t *AddressTable) bits(mask []byte, is4 bool) (n int) {
	from, most := 8, 16
	if is4 {
		from, most = 4, 4
	}
	if len(mask) < from {
		return 0
	}
	for _, b := range mask[from:min(len(mask), from+most)] {
		ones := bits.LeadingZeros8(^b)
		if n += ones; ones < 8 {
			break
		}
	}
	return n
}

// Mounts implements [platform.Inspector].
func (b *Backend) Mounts(ctx context.Context) ([]platform.Mount, error) {
	p, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	t := &p.dialect.Mount
	answer, err := grow(&p.buf, p.kernel.Mounts)
	mounts := []platform.Mount{}
	if err == nil && !Each(answer, t.Size, func(r Row) { mounts = append(mounts, t.describe(r)) }) {
		err = ErrContent
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return mounts, nil
}

// describe tells of one mount.
func (t *MountTable) describe(r Row) platform.Mount {
	flags := layout.Word(r, t.Flags, t.FlagsWidth)
	m := platform.Mount{Device: r.U64(t.Device), Root: "/", Point: string(t.text(r, t.Point, t.PointLength)),
		Type: string(t.text(r, t.Type, t.TypeLength)), Source: string(t.text(r, t.Source, t.SourceLength)), ReadOnly: flags&mountReadOnly != 0}
	options := []string{"rw"}
	if m.ReadOnly {
		options[0] = "ro"
	}
	for _, o := range t.Options {
		if flags&o.Bit != 0 {
			options = append(options, o.Name)
		}
	}
	m.Options = strings.Join(options, ",")
	return m
}
