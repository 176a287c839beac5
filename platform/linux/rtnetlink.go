package linux

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/pidometer/pidometer/platform"
)

// Numbers of rtnetlink(7).
const (
	protocolRoute  = 0 // NETLINK_ROUTE
	newLink        = 16
	getLink        = 18
	newAddress     = 20
	getAddress     = 22
	linkAddress    = 1 // IFLA_ADDRESS
	linkName       = 3
	linkMTU        = 4
	linkState      = 16
	addressAddress = 1 // IFA_ADDRESS
	addressLocal   = 2
	addressBrd     = 4
	familyInet     = 2
	familyInet6    = 10
)

// Offsets and sizes of struct ifinfomsg and ifaddrmsg (man 7 rtnetlink).
const (
	linkIndex     = 4 // ifi_index, 4 bytes
	linkFlags     = 8 // ifi_flags, 4
	linkHeader    = 16
	addressFamily = 0 // ifa_family, 1 byte
	addressBits   = 1 // ifa_prefixlen, 1
	addressIndex  = 4 // ifa_index, 4
	addressSize   = 8
)

// links asks for all interfaces of the calling thread's network namespace, with
// their addresses.
func links(calls Caller) (list []platform.Interface, err error) {
	buf := make([]byte, netlinkSize)
	request := dumpRequest(getLink, make([]byte, linkHeader))
	err = dump(calls, protocolRoute, request, buf, func() { list = []platform.Interface{} }, func(kind uint16, payload []byte) {
		if i, ok := decodeLink(payload); kind == newLink && ok {
			list = append(list, i)
		}
	})
	if err != nil {
		return nil, err
	}
	request = dumpRequest(getAddress, make([]byte, addressSize))
	err = dump(calls, protocolRoute, request, buf, func() { clearAddresses(list) }, func(kind uint16, payload []byte) {
		if index, a, ok := decodeAddress(payload); kind == newAddress && ok {
			addAddress(list, index, a)
		}
	})
	return list, err
}

func clearAddresses(list []platform.Interface) {
	for i := range list {
		list[i].Addresses = []platform.Address{}
	}
}

// addAddress gives an interface one of its addresses.
func addAddress(list []platform.Interface, index int, a platform.Address) {
	for i := range list {
		if list[i].Index != index {
			continue
		}
		if a.IP.Is6() && a.IP.IsLinkLocalUnicast() {
			a.IP = a.IP.WithZone(list[i].Name)
		}
		list[i].Addresses = append(list[i].Addresses, a)
	}
}

// decodeLink reads a message about an interface.
func decodeLink(b []byte) (i platform.Interface, ok bool) {
	if len(b) < linkHeader {
		return i, false
	}
	i.Index = int(binary.NativeEndian.Uint32(b[linkIndex:]))
	i.Addresses = []platform.Address{}
	flags := binary.NativeEndian.Uint32(b[linkFlags:])
	i.Up, i.Flags = flags&1 != 0, linkFlagNames(flags)
	decodeAttributes(b[linkHeader:], func(kind uint16, value []byte) {
		switch {
		case kind == linkName:
			i.Name = string(bytes.TrimRight(value, "\x00"))
		case kind == linkAddress && len(value) > 0:
			i.Hardware = bytes.Clone(value)
		case kind == linkMTU && len(value) == 4:
			mtu := uint64(binary.NativeEndian.Uint32(value))
			i.MTU = &mtu
		case kind == linkState && len(value) == 1:
			i.State = operationalState(value[0])
		}
	})
	return i, i.Name != ""
}

// decodeAddress reads a message about an address of an interface. At one end of a
// point-to-point link IFA_LOCAL is that end and IFA_ADDRESS the other; without the
// former the latter is our own (include/uapi/linux/if_addr.h).
func decodeAddress(b []byte) (index int, a platform.Address, ok bool) {
	if len(b) < addressSize || b[addressFamily] != familyInet && b[addressFamily] != familyInet6 {
		return 0, a, false
	}
	var local netip.Addr
	decodeAttributes(b[addressSize:], func(kind uint16, value []byte) {
		addr, _ := netip.AddrFromSlice(value)
		switch kind {
		case addressAddress:
			a.IP = addr
		case addressLocal:
			local = addr
		case addressBrd:
			a.Broadcast = addr
		}
	})
	if local.IsValid() {
		if a.IP.IsValid() && a.IP != local {
			a.Peer = a.IP
		}
		a.IP = local
	}
	a.Bits = int(b[addressBits])
	return int(binary.NativeEndian.Uint32(b[addressIndex:])), a, a.IP.IsValid() && a.Bits <= a.IP.BitLen()
}

// operationalState names a state of an interface (include/uapi/linux/if.h), as sysfs
// does.
func operationalState(n byte) string {
	names := [...]string{"", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"}
	if int(n) >= len(names) {
		return ""
	}
	return names[n]
}

// flagNames are the names of the flags of an interface, from the lowest bit on, as
// ifconfig(8) spells them (man 7 netdevice).
var flagNames = [...]string{
	"up", "broadcast", "debug", "loopback", "pointopoint", "notrailers", "running", "noarp",
	"promisc", "allmulti", "master", "slave", "multicast", "portsel", "automedia", "dynamic",
}

// linkFlagNames returns the names of the flags that are set.
func linkFlagNames(flags uint32) []string {
	names := []string{}
	for bit, name := range flagNames {
		if flags>>bit&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}
