package platform_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestGroupMaps(t *testing.T) {
	use := func(rss, pss uint64) *platform.MemoryUse {
		return &platform.MemoryUse{RSS: rss, PSS: pss, PrivateDirty: rss / 2, Swap: 1}
	}
	groups := platform.GroupMaps([]platform.MemoryMap{
		{Start: 0, End: 10, Path: "/lib", Use: use(4, 1)},
		{Start: 10, End: 30, Use: use(8, 8)},
		{Start: 30, End: 40, Path: "/lib", Use: use(2, 1)},
		{Start: 40, End: 41, Use: use(8, 8)},
		{Start: 50, End: 99, Path: "/dev/null"},
		{Start: 99, End: 100, Path: "/dev/null", Use: use(100, 1)},
		{Start: 100, End: 104, Path: "/b", Use: use(6, 0)},
		{Start: 104, End: 108, Path: "/a", Use: use(6, 0)},
	})
	want := []struct {
		path      string
		count     int
		size, rss uint64
	}{{"[anon]", 2, 21, 16}, {"/lib", 2, 20, 6}, {"/a", 1, 4, 6}, {"/b", 1, 4, 6}, {"/dev/null", 2, 50, 0}}
	if len(groups) != len(want) {
		t.Fatalf("%+v", groups)
	}
	for i, w := range want {
		g := groups[i]
		if g.Path != w.path || g.Count != w.count || g.Size != w.size || (g.Use == nil) != (w.rss == 0) {
			t.Errorf("%+v, want %+v", g, w)
		}
		if g.Use != nil && (g.Use.RSS != w.rss || g.Use.Swap != uint64(w.count) || g.Use.USS() != w.rss/2) {
			t.Errorf("%s: %+v, want %+v", g.Path, g.Use, w)
		}
	}
	if none := platform.GroupMaps(nil); none == nil || len(none) > 0 {
		t.Errorf("%+v", none)
	}
}

// A process with huge pages has them in no other sum.
func TestUSS(t *testing.T) {
	u := platform.MemoryUse{RSS: 7, PrivateClean: 1, PrivateDirty: 2, PrivateHugetlb: 4, SharedClean: 8}
	if got := u.USS(); got != 7 {
		t.Errorf("%d, want 7", got)
	}
}

func TestNamesOfSockets(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		platform.FamilyUnknown: "unknown", platform.FamilyInet: "inet", platform.FamilyInet6: "inet6", platform.FamilyUnix: "unix",
		platform.TypeUnknown: "unknown", platform.TypeStream: "stream", platform.TypeDatagram: "dgram", platform.TypeSeqPacket: "seqpacket",
		platform.TCPNone: "", platform.TCPEstablished: "established", platform.TCPSynReceived: "syn_received", platform.TCPFinWait2: "fin_wait_2",
		platform.TCPListen: "listen", platform.TCPClosing: "closing", platform.TCPState(99): "unknown",
	} {
		if got.String() != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNetmask(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.2/24": "255.255.255.0", "10.0.0.1/32": "255.255.255.255", "10.0.0.1/0": "0.0.0.0",
		"fe80::1/64": "ffff:ffff:ffff:ffff::", "::1/128": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		p := netip.MustParsePrefix(text)
		if got := (platform.Address{IP: p.Addr(), Bits: p.Bits()}).Netmask(); got.String() != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
	if got := (platform.Address{IP: netip.MustParseAddr("10.0.0.1"), Bits: 40}).Netmask(); got.IsValid() {
		t.Errorf("a prefix longer than the address has the mask %v", got)
	}
}
