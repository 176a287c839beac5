package solaris

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Calls of sys/sockio.h about the addresses of interfaces (if_tcp(4P)), as 32 bits without a
// sign. A test compares them with golang.org/x/sys.
const (
	getNumber    = 0xc00c6982 // SIOCGLIFNUM
	getList      = 0xc01069a5 // SIOCGLIFCONF
	getAddress   = 0xc0786971 // SIOCGLIFADDR
	getPeer      = 0xc0786973 // SIOCGLIFDSTADDR
	getFlags     = 0xc0786975 // SIOCGLIFFLAGS
	getMTU       = 0xc078697a // SIOCGLIFMTU
	getBroadcast = 0xc078697b // SIOCGLIFBRDADDR
	getIndex     = 0xc0786985 // SIOCGLIFINDEX
	getHardware  = 0xc07869c0 // SIOCGLIFHWADDR
)

// Offsets in struct lifnum, lifconf and lifreq (net/if.h).
const (
	countSize = 12
	countIn   = 8
	confSize  = 24
	confFlags = 4
	confSpace = 8
	confList  = 16

	linkSize    = 376
	linkName    = 32
	linkPrefix  = 32 // lifr_addrlen
	linkValue   = 40
	hardwareOf  = 5 // how long the name is
	addressSize = 6 // how long the address is

	// everyLink is LIFC_NOXMIT, LIFC_TEMPORARY, LIFC_ALLZONES and LIFC_UNDER_IPMP, which are
	// the flags of Go's own package net.
	everyLink = 0x01 | 0x04 | 0x08 | 0x10
	spareRoom = 8 // for interfaces that come meanwhile
)

// linkFlags are the names of the bits of lifr_flags, as ifconfig(8) spells them.
var linkFlags = [...]string{"up", "broadcast", "debug", "loopback", "pointopoint", "notrailers", "running", "noarp", "promisc", "allmulti",
	"intelligent", "multicast", "multi_bcast", "unnumbered", "dhcp", "private", "noxmit", "nolocal", "deprecated", "addrconf", "router", "nonud",
	"anycast", "nortexch", "ipv4", "ipv6", "noaccept", "nofailover", "failed", "standby", "inactive", "offline", "xresolv", "cos", "preferred",
	"temporary", "fixedmtu", "virtual", "duplicate", "ipmp", "vrrp", "nolinklocal"}

const (
	flagUp        = 1 << 0
	flagBroadcast = 1 << 1
	flagLoopback  = 1 << 3
	flagPeer      = 1 << 4
	flagRunning   = 1 << 6
	flagIPMP      = 1 << 39
)

// Interfaces implements [platform.Inspector]: those with an address of IP, in the kernel's
// order. A name behind a colon is a further address of the interface before it.
func (b *backend) Interfaces(ctx context.Context) ([]platform.Interface, error) {
	p, err := b.view(ctx)
	if err != nil {
		return nil, err
	}
	l := &links{pass: p, all: []platform.Interface{}}
	for _, family := range [...]int{familyInet, familyInet6} {
		if err := l.list(family); err != nil {
			return nil, fmt.Errorf("ask for interfaces: %w", err)
		}
	}
	if err := l.addSpeeds(); err != nil {
		return nil, fmt.Errorf("read link:*:* of /dev/kstat: %w", err)
	}
	return l.all, nil
}

// links are the interfaces that are found.
type links struct {
	*pass
	all []platform.Interface
}

// list asks for the addresses of a family. A machine may have none of it.
func (l *links) list(family int) error {
	number := make([]byte, countSize)
	layout.PutWord(number, 0, 2, uint64(family))
	layout.PutWord(number, confFlags, 4, everyLink)
	err := l.kernel.Ioctl(family, getNumber, number)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	conf, room := make([]byte, confSize), make([]byte, (min(int(layout.U32(number, countIn)), 1<<16)+spareRoom)*linkSize)
	layout.PutWord(conf, 0, 2, uint64(family))
	layout.PutWord(conf, confFlags, 4, everyLink)
	layout.PutWord(conf, confSpace, 4, uint64(len(room)))
	layout.PutWord(conf, confList, 8, address(room))
	err = l.kernel.Ioctl(family, getList, conf)
	runtime.KeepAlive(room)
	if err != nil {
		return err
	}
	names, whole := decodeLinks(room[:min(int(layout.U32(conf, confSpace)), len(room))])
	if !whole {
		return errContent
	}
	for _, name := range names {
		if err := l.add(family, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// decodeLinks reads the names in a list.
func decodeLinks(b []byte) (names []string, whole bool) {
	for ; len(b) >= linkSize; b = b[linkSize:] {
		names = append(names, string(cString(b[:linkName])))
	}
	return names, len(b) == 0
}

// askLink asks about a name, and returns the value, lent until it asks again.
func (b *backend) askLink(family int, command uint32, name string) ([]byte, error) {
	clear(b.request[:])
	copy(b.request[:linkName-1], name)
	err := b.kernel.Ioctl(family, command, b.request[:])
	return b.request[linkValue:], err
}

// add adds the interface of a name, or its address to one that is known.
func (l *links) add(family int, name string) error {
	b, err := l.askLink(family, getFlags, name)
	if err != nil {
		return err
	}
	flags := layout.U64(b, 0)
	physical, _, _ := strings.Cut(name, ":")
	var i *platform.Interface
	for n := range l.all {
		if l.all[n].Name == physical {
			i = &l.all[n]
		}
	}
	if i == nil {
		l.all = append(l.all, platform.Interface{Name: physical})
		i = &l.all[len(l.all)-1]
		if err := l.describe(i, family, flags); err != nil {
			return err
		}
	}
	a, err := l.address(family, name, flags, i)
	if err == nil && a.IP.IsValid() {
		i.Addresses = append(i.Addresses, a)
	}
	return err
}

// describe sets what is told of an interface beside its addresses. It is up where its link
// is, which RFC 2863 means by that.
func (l *links) describe(i *platform.Interface, family int, flags uint64) error {
	i.Up, i.State = flags&flagUp != 0, "down"
	if flags&flagRunning != 0 {
		i.State = "up"
	}
	for bit, name := range linkFlags {
		if flags>>bit&1 != 0 {
			i.Flags = append(i.Flags, name)
		}
	}
	b, err := l.askLink(family, getIndex, i.Name)
	if err != nil {
		return err
	}
	i.Index = int(layout.U32(b, 0))
	if b, err = l.askLink(family, getMTU, i.Name); err != nil {
		return err
	}
	mtu := uint64(layout.U32(b, 0))
	i.MTU = &mtu
	if flags&(flagLoopback|flagPeer|flagIPMP) != 0 {
		return nil // it has no hardware
	}
	b, err = l.askLink(family, getHardware, i.Name)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	i.Hardware = hardware(b)
	return err
}

// hardware returns the address in a struct sockaddr_dl, nil for none.
func hardware(b []byte) []byte {
	skip, n := int(b[hardwareOf]), int(b[addressSize])
	if n == 0 || 8+skip+n > len(b) {
		return nil
	}
	return append([]byte(nil), b[8+skip:8+skip+n]...)
}

// address asks for the address of a name. A name that is not in use has none.
func (l *links) address(family int, name string, flags uint64, i *platform.Interface) (a platform.Address, err error) {
	b, err := l.askLink(family, getAddress, name)
	if errors.Is(err, errors.ErrUnsupported) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	ip := ipOf(b)
	if !ip.IsValid() || ip.IsUnspecified() {
		return a, nil
	}
	if ip.IsLinkLocalUnicast() && ip.Is6() {
		ip = ip.WithZone(i.Name)
	}
	a = platform.Address{IP: ip, Bits: min(int(layout.U32(l.request[:], linkPrefix)), ip.BitLen())}
	for _, more := range [...]struct {
		flag    uint64
		command uint32
		to      *netip.Addr
	}{{flagBroadcast, getBroadcast, &a.Broadcast}, {flagPeer, getPeer, &a.Peer}} {
		if flags&more.flag == 0 || more.flag == flagBroadcast && family != familyInet {
			continue
		}
		b, err := l.askLink(family, more.command, name)
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return a, err
		}
		*more.to = ipOf(b)
	}
	return a, nil
}

// ipOf reads the address of a struct sockaddr_storage.
func ipOf(b []byte) netip.Addr {
	switch layout.U16(b, 0) {
	case familyInet:
		return netip.AddrFrom4([4]byte(b[4:]))
	case familyInet6:
		return netip.AddrFrom16([16]byte(b[8:]))
	}
	return netip.Addr{}
}

// duplexes are link_duplex_t of sys/mac.h.
var duplexes = map[uint64]string{1: "half", 2: "full"}

// addSpeeds adds what the statistics of links tell.
func (l *links) addSpeeds() error {
	return l.eachNamed(func(s *statistic) bool { return s.module == "link" && s.class == "net" }, func(s *statistic, values named) error {
		for n := range l.all {
			i := &l.all[n]
			if i.Name != s.name {
				continue
			}
			if speed, ok := values.get("ifspeed"); ok && speed != 0 {
				i.Speed = &speed
			}
			duplex, _ := values.get("link_duplex")
			i.Duplex = duplexes[duplex]
		}
		return nil
	})
}
