package linux

import (
	"bytes"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// wantFields fails if s does not hold exactly the fields.
func wantFields(t *testing.T, s *platform.Sample, want map[platform.Field]uint64) {
	t.Helper()
	for f, v := range want {
		if got, ok := s.Get(f); !ok || got != v {
			t.Errorf("%v = %d, %v, want %d", f, got, ok, v)
		}
	}
	if s.Len() != len(want) {
		t.Errorf("%d fields are set, want %d", s.Len(), len(want))
	}
}

func TestHostDecodersDoNotAllocate(t *testing.T) {
	s := &platform.Sample{}
	times := make([]cpuTimes, 0, 8)
	infos := make([]cpuInfo, 0, 8)
	path := make([]byte, 0, 256)
	var counts tcpCounts
	lines := func(text string, decode func([]byte)) func() {
		split := bytes.Split([]byte(text), []byte("\n"))
		return func() {
			for _, line := range split {
				decode(line)
			}
		}
	}
	whole := func(text string, decode func([]byte)) func() {
		b := []byte(text)
		return func() { decode(b) }
	}
	for name, run := range map[string]func(){
		"stat":       whole(statText, func(b []byte) { s.Reset(platform.Host, platform.Key{}); times = decodeStat(b, s, times) }),
		"btime":      whole(statText, func(b []byte) { decodeBootTime(b) }),
		"meminfo":    whole(meminfoText, func(b []byte) { m := decodeMeminfo(b); m.set(s, 0, false) }),
		"zoneinfo":   whole(zoneinfoText, func(b []byte) { decodeZoneinfo(b) }),
		"vmstat":     whole(vmstatText, func(b []byte) { decodeVmstat(b, 64, s) }),
		"uptime":     whole("1473.48 2899.09\n", func(b []byte) { decodeUptime(b, s) }),
		"loadavg":    whole("0.09 0.03 0.01 2/87 4717\n", func(b []byte) { decodeLoadavg(b, s) }),
		"cpuinfo":    whole(cpuinfoText, func(b []byte) { infos = decodeCPUInfo(b, infos) }),
		"machine-id": whole("3d1219c7c4c5404aaa1f6d2a48adfda4", func(b []byte) { decodeMachineID(b) }),
		"hostname":   whole("box\n", func(b []byte) { decodeNodeName(b) }),
		"cur_freq":   whole("2300000\n", func(b []byte) { decodeCurFreq(b) }),
		"online": whole("0-3,8\n", func(b []byte) {
			for range decodeCPUList(b) {
			}
		}),
		"os-release": whole("NAME=Fedora\n", func(b []byte) { decodeOSRelease(b) }),
		"diskstats":  lines(diskstatsText, func(b []byte) { s.Reset(platform.Disk, platform.Key{}); decodeDisk(b, s) }),
		"net/dev":    lines(netDevText, func(b []byte) { s.Reset(platform.Network, platform.Key{}); decodeInterface(b, s) }),
		"mountinfo":  lines(mountinfoText, func(b []byte) { decodeMountinfo(b) }),
		"mounts":     lines("/dev/vda / ext4 rw 0 0", func(b []byte) { decodeMount(b) }),
		"swaps":      lines(swapsText, func(b []byte) { s.Reset(platform.Swap, platform.Key{}); decodeSwap(b, s, path) }),
		"locks":      lines(locksText, func(b []byte) { decodeLock(b) }),
		"tcp":        lines(tcpText, func(b []byte) { decodeTCP(b, &counts) }),
	} {
		s.Reset(platform.Host, platform.Key{})
		if n := testing.AllocsPerRun(50, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
