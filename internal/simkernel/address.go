package simkernel

import (
	"fmt"
	"net/netip"
)

// AddressMessage is how a BSD writes a message about an address of an interface.
type AddressMessage struct {
	Header  *Struct
	Type    uint64
	Version uint64
	Align   int
	Inet6   byte   // AF_INET6
	Length  string // the member that tells the header's own length, "" for none
}

// Addresses are those of an interface, and Broadcast that of its first one.
func (i *Interface) Addresses() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.1.%d.2/22", i.Index%256)),
		netip.MustParsePrefix(fmt.Sprintf("fe80::%x/64", i.Index))}
}

// Broadcast is the broadcast address of the first address.
func (i *Interface) Broadcast() netip.Addr {
	a := i.Addresses()[0].Masked().Addr().As4()
	a[2], a[3] = a[2]|3, 255
	return netip.AddrFrom4(a)
}

// Of writes a message for each address: mask, the interface's hardware, the address, and for
// version 4 the broadcast address.
func (m *AddressMessage) Of(i *Interface, loopback bool) (all []byte) {
	for _, prefix := range i.Addresses() {
		const mask, hardware, own, broadcast = 1 << 2, 1 << 4, 1 << 5, 1 << 7
		b := make([]byte, m.Header.Size)
		set := uint64(mask | hardware | own)
		behind := [][]byte{m.mask(prefix), append([]byte{9, 18, byte(i.Index), 0, 6, 1, 0, 0}, 'x'), m.address(prefix.Addr(), i)}
		if prefix.Addr().Is4() && !loopback {
			set |= broadcast
			behind = append(behind, m.address(i.Broadcast(), i))
		}
		for _, a := range behind {
			b = append(b, a...)
			for len(b)%m.Align != m.Header.Size%m.Align {
				b = append(b, 0)
			}
		}
		m.Header.Put(b, "version", m.Version)
		m.Header.Put(b, "type", m.Type)
		m.Header.Put(b, "addrs", set)
		m.Header.Put(b, "index", uint64(i.Index))
		m.Header.Put(b, "msglen", uint64(len(b)))
		if m.Length != "" {
			m.Header.Put(b, m.Length, uint64(m.Header.Size))
		}
		all = append(all, b...)
	}
	return all
}

// mask is that of a prefix, cut off behind its last byte that is not 0, and without a
// family, as the kernel keeps it.
func (m *AddressMessage) mask(p netip.Prefix) []byte {
	b := make([]byte, 4)
	if p.Addr().Is6() {
		b = make([]byte, 8)
	}
	for n := p.Bits(); n > 0; n -= 8 {
		b = append(b, byte(0xff<<max(8-n, 0)))
	}
	b[0] = byte(len(b))
	return b
}

// address is a structure of the address. A link-local one has the number of its interface in
// it.
func (m *AddressMessage) address(a netip.Addr, i *Interface) []byte {
	if a.Is4() {
		return append(append([]byte{16, 2, 0, 0}, a.AsSlice()...), make([]byte, 8)...)
	}
	b := a.As16()
	b[3] = byte(i.Index)
	return append(append([]byte{28, m.Inet6, 0, 0, 0, 0, 0, 0}, b[:]...), 0, 0, 0, 0)
}
