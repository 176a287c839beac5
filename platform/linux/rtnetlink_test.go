package linux

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Messages of rtnetlink as a little-endian machine writes them.
const (
	linkMessage = "0000 0100 04000000 43100100 00000000" + "0900 0300 65746830 00000000" +
		"0a00 0100 02fc00000001 0000" + "0800 0400 78050000" + "0500 1000 06000000"
	addressMessage = "02 18 80 00 04000000" + "0800 0100 c0000202" + "0800 0200 c0000202" + "0800 0400 c00002ff"
	peerMessage    = "02 20 80 00 05000000" + "0800 0100 0a000002" + "0800 0200 0a000001"
)

func TestDecodeLink(t *testing.T) {
	littleEndian(t)
	mtu := uint64(1400)
	want := platform.Interface{
		Index: 4, Name: "eth0", Up: true, Flags: []string{"up", "broadcast", "running", "multicast"}, State: "up", MTU: &mtu,
		Hardware: []byte{2, 0xfc, 0, 0, 0, 1}, Addresses: []platform.Address{},
	}
	if i, ok := decodeLink(bytesOf(t, linkMessage)); !ok || !reflect.DeepEqual(i, want) {
		t.Errorf("%v %+v, want %+v", ok, i, want)
	}
	for n := range len(bytesOf(t, linkMessage)) {
		decodeLink(bytesOf(t, linkMessage)[:n])
	}
}

func TestDecodeAddress(t *testing.T) {
	littleEndian(t)
	addr := netip.MustParseAddr
	index, a, ok := decodeAddress(bytesOf(t, addressMessage))
	if want := (platform.Address{IP: addr("192.0.2.2"), Bits: 24, Broadcast: addr("192.0.2.255")}); !ok || index != 4 || a != want {
		t.Errorf("%v %d %+v, want %+v", ok, index, a, want)
	}
	if mask := a.Netmask(); mask != addr("255.255.255.0") {
		t.Error(mask)
	}
	index, a, ok = decodeAddress(bytesOf(t, peerMessage))
	if want := (platform.Address{IP: addr("10.0.0.1"), Bits: 32, Peer: addr("10.0.0.2")}); !ok || index != 5 || a != want {
		t.Errorf("%v %d %+v, want %+v", ok, index, a, want)
	}
}

func FuzzDecodeLink(f *testing.F) {
	f.Add(bytesOf(f, linkMessage))
	f.Fuzz(func(t *testing.T, b []byte) {
		i, ok := decodeLink(b)
		want, wantOK := slowLink(b)
		alike(t, i, ok, want, wantOK)
	})
}

func FuzzDecodeAddress(f *testing.F) {
	f.Add(bytesOf(f, addressMessage))
	f.Add(bytesOf(f, peerMessage))
	f.Fuzz(func(t *testing.T, b []byte) {
		index, a, ok := decodeAddress(b)
		wantIndex, want, wantOK := slowAddress(b)
		alike(t, a, ok, want, wantOK)
		alike(t, index, ok, wantIndex, wantOK)
	})
}

func slowLink(b []byte) (i platform.Interface, ok bool) {
	m, rest, ok := slowStruct[struct {
		Family, Pad   uint8
		Type          uint16
		Index         uint32
		Flags, Change uint32
	}](b)
	if !ok {
		return i, false
	}
	i.Index, i.Up, i.Addresses, i.Flags = int(m.Index), m.Flags%2 == 1, []platform.Address{}, []string{}
	for bit := range 16 {
		if m.Flags&(1<<bit) != 0 {
			i.Flags = append(i.Flags, flagNames[bit])
		}
	}
	for _, a := range slowAttributes(rest) {
		switch {
		case a.kind == 3:
			i.Name = strings.TrimRight(a.value, "\x00")
		case a.kind == 1 && a.value != "":
			i.Hardware = []byte(a.value)
		case a.kind == 4 && len(a.value) == 4:
			mtu := uint64(binary.NativeEndian.Uint32([]byte(a.value)))
			i.MTU = &mtu
		case a.kind == 16 && len(a.value) == 1:
			i.State = map[byte]string{1: "notpresent", 2: "down", 3: "lowerlayerdown", 4: "testing", 5: "dormant", 6: "up"}[a.value[0]]
		}
	}
	return i, i.Name != ""
}

func slowAddress(b []byte) (index int, a platform.Address, ok bool) {
	m, rest, ok := slowStruct[struct {
		Family, Bits, Flags, Scope uint8
		Index                      uint32
	}](b)
	if !ok || m.Family != 2 && m.Family != 10 {
		return 0, a, false
	}
	addrs := map[uint16]netip.Addr{}
	for _, attribute := range slowAttributes(rest) {
		addrs[attribute.kind], _ = netip.AddrFromSlice([]byte(attribute.value))
	}
	a = platform.Address{IP: addrs[1], Bits: int(m.Bits), Broadcast: addrs[4]}
	if local := addrs[2]; local.IsValid() {
		if a.IP != local {
			a.Peer = a.IP
		}
		a.IP = local
	}
	return int(m.Index), a, a.IP.IsValid() && a.Bits <= a.IP.BitLen()
}
