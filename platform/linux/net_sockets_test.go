package linux

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

var socketLines = []string{
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
	"   0: 0100007F:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 452 1 0000000060f394be 100 0 0 10 0",
	"   1: 0100007F:ED08 0200007F:AB77 01 00000000:00000000 03:000004DE 00000000     0        0 77 3 000000002a618225",
	"   2: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000001000000:0001 0C 00000000:00000000 00:00000000 00000000     0        0 78 1",
	"   3: 0100007F:ED08 0200007F:AB77 06 00000000:00000000 03:000004DE 00000000     0        0 0 3 000000002a618225",
}

func TestDecodeTCPSocket(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the lines are of a little-endian machine")
	}
	addr := netip.MustParseAddrPort
	want := []platform.Connection{
		{},
		{Inode: 452, Local: addr("127.0.0.1:2024"), State: platform.TCPListen},
		{Inode: 77, Local: addr("127.0.0.1:60680"), Peer: addr("127.0.0.2:43895"), State: platform.TCPEstablished},
		{Inode: 78, Local: addr("[::ffff:127.0.0.1]:8080"), Peer: addr("[::1]:1"), State: platform.TCPSynReceived},
		{},
	}
	for i, line := range socketLines {
		var c platform.Connection
		if ok := decodeTCPSocket([]byte(line), &c); ok != (want[i].Inode != 0) || ok && c != want[i] {
			t.Errorf("%v %+v, want %+v", ok, c, want[i])
		}
	}
}

var unixLines = []string{
	"Num       RefCount Protocol Flags    Type St Inode Path",
	"000000009b4991a2: 00000003 00000000 00000000 0001 03  1244",
	"000000009b4991a2: 00000002 00000000 00010000 0001 01 12345 /run/my socket ",
	"000000009b4991a2: 00000002 00000000 00010000 0005 01 12346 @ab@\xff",
	"000000009b4991a2: 00000002 00000000 00000000 0002 01     7  blank",
}

func TestDecodeUnixSocket(t *testing.T) {
	want := []platform.Connection{
		{}, {Inode: 1244, Type: platform.TypeStream}, {Inode: 12345, Type: platform.TypeStream, Path: "/run/my socket "},
		{Inode: 12346, Type: platform.TypeSeqPacket, Path: "@ab@\xff"}, {Inode: 7, Type: platform.TypeDatagram, Path: " blank"},
	}
	for i, line := range unixLines {
		var c platform.Connection
		if ok := decodeUnixSocket([]byte(line), &c); ok != (want[i].Inode != 0) || ok && c != want[i] {
			t.Errorf("%v %+v, want %+v", ok, c, want[i])
		}
	}
}

func FuzzDecodeTCPSocket(f *testing.F) {
	for _, line := range socketLines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c platform.Connection
		ok := decodeTCPSocket(b, &c)
		want, wantOK := slowTCPSocket(string(b))
		alike(t, c, ok, want, wantOK)
		c = platform.Connection{}
		ok = decodeInetSocket(b, &c)
		want, wantOK = slowInetSocket(string(b))
		alike(t, c, ok, want, wantOK)
	})
}

func FuzzDecodeEndpoint(f *testing.F) {
	f.Add([]byte("0100007F:07E8"))
	f.Add([]byte("0000000000000000FFFF00000100007F:1F90"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := decodeEndpoint(b)
		want, wantOK := slowEndpoint(string(b))
		alike(t, a, ok, want, wantOK)
	})
}

func FuzzDecodeUnixSocket(f *testing.F) {
	for _, line := range unixLines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c platform.Connection
		ok := decodeUnixSocket(b, &c)
		want, wantOK := slowUnixSocket(string(b))
		alike(t, c, ok, want, wantOK)
	})
}

func slowEndpoint(s string) (netip.AddrPort, bool) {
	addr, port, _ := strings.Cut(s, ":")
	p, err := hex.DecodeString(port)
	a, err2 := hex.DecodeString(addr)
	if err != nil || err2 != nil || len(p) != 2 || len(a) != 4 && len(a) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(a); i += 4 {
		binary.NativeEndian.PutUint32(a[i:], binary.BigEndian.Uint32(a[i:]))
	}
	ip, _ := netip.AddrFromSlice(a)
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(p)), true
}

func slowInetSocket(line string) (c platform.Connection, ok bool) {
	f := slowSocket(line)
	if len(f) < 10 {
		return c, false
	}
	local, ok := slowEndpoint(f[1])
	peer, ok2 := slowEndpoint(f[2])
	c.Local = local
	if peer.Port() != 0 || !peer.Addr().IsUnspecified() {
		c.Peer = peer
	}
	c.Inode, _ = slowUint(f[9], 10, 64)
	return c, ok && ok2 && c.Inode != 0
}

func slowTCPSocket(line string) (c platform.Connection, ok bool) {
	if c, ok = slowInetSocket(line); !ok {
		return c, false
	}
	state, ok := slowUint(slowFields(line)[3], 16, 64)
	states := []platform.TCPState{
		0, platform.TCPEstablished, platform.TCPSynSent, platform.TCPSynReceived, platform.TCPFinWait1, platform.TCPFinWait2,
		platform.TCPTimeWait, platform.TCPClosed, platform.TCPCloseWait, platform.TCPLastAck, platform.TCPListen,
		platform.TCPClosing, platform.TCPSynReceived,
	}
	if ok && state < uint64(len(states)) {
		c.State = states[state]
	}
	return c, ok
}

func slowUnixSocket(line string) (c platform.Connection, ok bool) {
	f := slowFields(line)
	if before, _, found := strings.Cut(line, ":"); !found || strings.Contains(before, " ") || len(f) < 7 {
		return c, false
	}
	kind, ok := slowUint(f[4], 16, 64)
	c.Inode, _ = slowUint(f[6], 10, 64)
	if !ok || c.Inode == 0 {
		return c, false
	}
	c.Type = map[uint64]platform.SocketType{1: platform.TypeStream, 2: platform.TypeDatagram, 5: platform.TypeSeqPacket}[kind]
	rest := line
	for _, field := range f[:7] {
		_, rest, _ = strings.Cut(rest, field)
	}
	if rest != "" {
		c.Path = rest[1:]
	}
	return c, true
}
