package linux

import (
	"maps"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const diskstatsText = `   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 15907 5050 1127794 5802 1538 13963 699088 2113 0 2264 8124 3263 28 41912 207 4 0
`

func TestDecodeDisk(t *testing.T) {
	full := map[platform.Field]uint64{
		platform.DiskReads: 446216, platform.DiskReadsMerged: 784926,
		platform.DiskReadBytes: 9550688 * 512, platform.DiskReadTime: 4382310_000_000,
		platform.DiskWrites: 424847, platform.DiskWritesMerged: 312726,
		platform.DiskWriteBytes: 5922052 * 512, platform.DiskWriteTime: 19310380_000_000,
		platform.DiskIOTime: 3376340_000_000, platform.DiskPending: 2, platform.DiskWeightedTime: 23705160_000_000,
	}
	with418 := maps.Clone(full)
	maps.Copy(with418, map[platform.Field]uint64{
		platform.DiskDiscards: 1, platform.DiskDiscardsMerged: 2,
		platform.DiskDiscardBytes: 3 * 512, platform.DiskDiscardTime: 4_000_000,
	})
	with55 := maps.Clone(with418)
	maps.Copy(with55, map[platform.Field]uint64{platform.DiskFlushes: 5, platform.DiskFlushTime: 6_000_000})
	negative := maps.Clone(full)
	delete(negative, platform.DiskPending)
	const stats = "446216 784926 9550688 4382310 424847 312726 5922052 19310380 2 3376340 23705160"
	for _, c := range []struct {
		name, line, disk string
		want             map[platform.Field]uint64
	}{
		{"Linux 2.6", "3    0   hda " + stats, "hda", full},
		{"Linux 4.18", "3 0 hda " + stats + " 1 2 3 4", "hda", with418},
		{"Linux 5.5", "3 0 hda " + stats + " 1 2 3 4 5 6", "hda", with55},
		{"Linux 2.4", "3     0   39082680 hda " + stats, "hda", full},
		{"negative in flight", "3 0 hda " + strings.Replace(stats, " 2 ", " 4294967295 ", 1), "hda", negative},
		{"name with a slash", "104 0 cciss/c0d0 " + stats, "cciss/c0d0", full},
		{
			"partition in Linux 2.6", "3    1   hda1 35486 38030 38031 38032", "hda1",
			map[platform.Field]uint64{
				platform.DiskReads: 35486, platform.DiskReadBytes: 38030 * 512,
				platform.DiskWrites: 38031, platform.DiskWriteBytes: 38032 * 512,
			},
		},
		{
			"cut off", "8 0 sda 1 2 3", "sda",
			map[platform.Field]uint64{platform.DiskReads: 1, platform.DiskReadsMerged: 2, platform.DiskReadBytes: 3 * 512},
		},
		{"/proc/partitions of today", "   8        0  488386584 sda", "sda", nil},
		{"headline", "major minor  #blocks  name", "", nil},
		{"empty", "", "", nil},
	} {
		s := sample(platform.Disk)
		name, ok := decodeDisk([]byte(c.line), s)
		if string(name) != c.disk || ok != (c.disk != "") {
			t.Errorf("%s: name %q, %v", c.name, name, ok)
		}
		t.Run(c.name, func(t *testing.T) { wantFields(t, s, c.want) })
	}
}

func FuzzDecodeDisk(f *testing.F) {
	f.Add([]byte(" 254       0 vda 15907 5050 1127794 5802 1538 13963 699088 2113 0 2264 8124 3263 28 41912 207 4 0"))
	f.Add([]byte("3 1 hda1 35486 38030 38030 38030"))
	f.Add([]byte("3 0 39082680 hda 446216 784926 9550688 4382310 424847 312726 5922052 19310380 0 3376340 23705160"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Disk), sample(platform.Disk)
		name, ok := decodeDisk(b, fast)
		want, wantOK := slowDisk(string(b), slow)
		if string(name) != want || ok != wantOK {
			t.Fatalf("%q, %v, want %q, %v", name, ok, want, wantOK)
		}
		same(t, fast, slow)
	})
}
