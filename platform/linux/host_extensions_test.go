package linux

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestDecodeFileHandles(t *testing.T) {
	for text, want := range map[string]map[platform.Field]uint64{
		"903\t0\t2466170\n":               {platform.HostFileHandles: 903, platform.HostFileHandleLimit: 2466170},
		"903\t100\t9223372036854775807\n": {platform.HostFileHandles: 803},
		"903\t0\n":                        {platform.HostFileHandles: 903},
		"903\n":                           nil,
		"1\t2\t3\n":                       nil,
		"":                                nil,
	} {
		s := sample(platform.Host)
		decodeFileHandles([]byte(text), s)
		wantFields(t, s, want)
	}
}

func FuzzDecodeFileHandles(f *testing.F) {
	f.Add([]byte("903\t0\t2466170\n"))
	f.Add([]byte("9 10 x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeFileHandles(b, fast)
		n := slowNumbers(slowFields(string(b)), 3)
		if len(n) >= 2 && n[1] <= n[0] {
			slow.Set(platform.HostFileHandles, n[0]-n[1])
			if len(n) == 3 && n[2] < 1<<63-1 {
				slow.Set(platform.HostFileHandleLimit, n[2])
			}
		}
		same(t, fast, slow)
	})
}

func TestConntrack(t *testing.T) {
	const folder = "proc/sys/net/netfilter/nf_conntrack_"
	for _, c := range []struct {
		files  map[string]string
		fields int
		miss   []platform.Reason
	}{
		{map[string]string{folder + "count": "5\n", folder + "max": "10\n"}, 2, nil},
		{map[string]string{folder + "count": "5\n", folder + "max": "0\n"}, 1, nil},
		{map[string]string{folder + "count": "5\n"}, 1, nil},
		{nil, 0, []platform.Reason{platform.Unsupported}},
	} {
		got := readFiles(t, c.files, Options{}, sourcesOf(fromConntrack))
		if n := len(got.of(platform.Host)[0].fields); n != c.fields || !slices.Equal(got.misses[fromConntrack], c.miss) {
			t.Errorf("%v: %d fields, misses %v", c.files, n, got.misses)
		}
	}
}

// A kernel without IPv6 has half of the files, and nothing is missing.
func TestCountersWithoutIPv6(t *testing.T) {
	files := map[string]string{"proc/net/snmp": snmpText, "proc/net/sockstat": sockstatText}
	k := newTreeKernel(writeTree(t, files))
	c := readTree(t, treeBackend(k, Options{}), sourcesOf(fromSNMP, fromSockstat))
	got := c.of(platform.Host)[0].fields
	if _, ok := got[platform.HostIPv6Received]; ok || got[platform.HostTCPInUse] != 1 || got[platform.HostIPv4Received] != 117833 || len(c.misses) > 0 {
		t.Errorf("%v, misses %v", got, c.misses)
	}
	k.fail["proc/net/snmp6"] = fs.ErrPermission
	c = readTree(t, treeBackend(k, Options{}), sourcesOf(fromSNMP))
	if !slices.Equal(c.misses[fromSNMP], []platform.Reason{platform.Denied}) || len(c.of(platform.Host)[0].fields) != 15 {
		t.Errorf("%v, misses %v", c.of(platform.Host), c.misses)
	}
}

// utmpText returns the records of sessions that processes began.
func utmpText(pids ...uint32) string {
	b := make([]byte, 384*len(pids))
	for i, pid := range pids {
		binary.NativeEndian.PutUint16(b[384*i+utmpType:], userProcess)
		binary.NativeEndian.PutUint32(b[384*i+utmpPID:], pid)
	}
	return string(b)
}

func TestSessions(t *testing.T) {
	const boot = "\x02\x00" // BOOT_TIME
	files := map[string]string{
		"run/utmp":    utmpText(7, 8, 9) + boot + utmpText(0)[2:],
		"proc/7/stat": "7\n", "proc/9/stat": "9\n", "proc/0/stat": "0\n",
	}
	k := newTreeKernel(writeTree(t, files))
	c := readTree(t, treeBackend(k, Options{}), sourcesOf(fromSessions))
	if got := c.of(platform.Host)[0].fields[platform.HostSessions]; got != 2 {
		t.Errorf("%d sessions, want 2", got)
	}
	c = readFiles(t, map[string]string{"var/run/utmp": utmpText()}, Options{}, sourcesOf(fromSessions))
	if got, ok := c.of(platform.Host)[0].fields[platform.HostSessions]; got != 0 || !ok || len(c.misses) > 0 {
		t.Errorf("nobody: %d, %v, misses %v", got, ok, c.misses)
	}
	c = readFiles(t, nil, Options{}, sourcesOf(fromSessions))
	if !slices.Equal(c.misses[fromSessions], []platform.Reason{platform.Unsupported}) {
		t.Errorf("without utmp: misses %v", c.misses)
	}
}

// The size of packets alone needs the list of interfaces, and not their counters.
func TestMTUAlone(t *testing.T) {
	b, k := hostTree(t, Options{})
	c := readTree(t, b, sourcesOf(fromMTU))
	got := c.of(platform.Network)
	if len(got) != 1 || len(got[0].fields) != 1 || got[0].fields[platform.NetworkMTU] != 1500 || len(c.misses) > 0 {
		t.Errorf("%v, misses %v", got, c.misses)
	}
	k.fail["sys/class/net/eth0/mtu"] = errors.New("input/output error")
	c = readTree(t, b, sourcesOf(fromMTU, fromInterfaces))
	if !slices.Equal(c.misses[fromMTU], []platform.Reason{platform.Unknown}) || len(c.of(platform.Network)[0].fields) != 8 {
		t.Errorf("%v, misses %v", c.of(platform.Network), c.misses)
	}
}

// The sum of two counters of 32 bits, one of which wraps, goes on as a counter of
// 32 bits.
func TestWrap(t *testing.T) {
	var last uint64
	a, b := uint32(1<<32-3), uint32(1<<32-1000)
	for step := range 10 {
		s := sample(platform.Host)
		s.Set(platform.HostSoftInterrupts, uint64(a)+uint64(b))
		wrap(s, platform.HostSoftInterrupts, 32)
		v, _ := s.Get(platform.HostSoftInterrupts)
		if grown := uint32(v - last); step > 0 && grown != 3 {
			t.Errorf("step %d: grew by %d, want 3", step, grown)
		}
		last = v
		a, b = a+1, b+2
	}
	s := sample(platform.Host)
	wrap(s, platform.HostInterrupts, 32)
	wantFields(t, s, nil)
	s.Set(platform.HostInterrupts, 1<<40)
	wrap(s, platform.HostInterrupts, 64)
	wantFields(t, s, map[platform.Field]uint64{platform.HostInterrupts: 1 << 40})
}
