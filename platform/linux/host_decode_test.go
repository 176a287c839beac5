package linux

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Recorded on Linux 6.18, x86_64, unless it says otherwise.

const statText = `cpu  2191 5 1807 289905 123 2 25 11 40 3
cpu0 926 2 701 145441 16 1 4 3 20 1
cpu1 1264 3 1105 144464 107 1 20 7 20 2
intr 154119 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 1 13 0 0 0 0 294 32
ctxt 281259
btime 1795387780
processes 4718
procs_running 3
procs_blocked 0
softirq 86384 0 17404 4 3297 14768 0 246 31290 0 19375
`

// Linux 2.4.20, from man 5 proc of that time: four columns and no idle details.
const stat24Text = `cpu  1904 0 1302 41215
cpu0 1904 0 1302 41215
page 28654 19921
disk_io: (3,0):(4023,2911,57308,1112,39842)
btime 1057921012
processes 1043
`

const meminfoText = `MemTotal:       24684084 kB
MemFree:        24543360 kB
MemAvailable:   24454512 kB
Buffers:             680 kB
Cached:            33460 kB
SwapCached:            0 kB
Active:             9116 kB
Inactive:          23808 kB
Active(anon):       1536 kB
Inactive(anon):     6124 kB
Active(file):       7580 kB
Inactive(file):    17684 kB
Shmem:              8872 kB
KReclaimable:      34136 kB
Slab:              55012 kB
SReclaimable:      34136 kB
SUnreclaim:        20876 kB
HugePages_Total:      16
HugePages_Free:       10
HugePages_Rsvd:        2
HugePages_Surp:        1
Hugepagesize:       2048 kB
DirectMap4k:       32768 kB
`

const zoneinfoText = `Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 1531
  pages free     3840
        boost    0
        min      44
        low      56
        high     68
        protection: (0, 3011, 23600, 23600, 23600)
Node 0, zone    DMA32
  pages free     770948
        boost    0
        min      2160
        low      2936
        high     3712
Node 0, zone   Normal
  pages free     5263640
        min      14690
        low      19962
  pagesets
    cpu: 0
              count: 2
              high:  3712
Node 0, zone   Device
  pages free     0
        low      0
`

const vmstatText = `nr_free_pages 6038457
pswpin 12
pswpout 34
pgfault 31141643
pgmajfault 3729
pgrefill 0
`

const diskstatsText = `   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 15907 5050 1127794 5802 1538 13963 699088 2113 0 2264 8124 3263 28 41912 207 4 0
`

const netDevText = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0: 34453406    2514    1    2    3     4          5         6   208990    1931    7    8    9    10      11          12
`

const mountinfoText = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
36 27 98:0 /mnt1 /mnt\0402 ro,noatime master:1 shared:4 - ext3 /dev/root\011x rw,errors=continue
40 27 0:44 / /srv rw - nfs4 server:/export ro,vers=4.2
`

const swapsText = `Filename				Type		Size		Used		Priority
/dev/dm-2                               partition	8388604		1048576		-2
/swap\040file\040(deleted)              file		1024		0		-3
`

const locksText = `1: FLOCK  ADVISORY  WRITE 5367 00:1b:2 0 EOF
2: POSIX  ADVISORY  READ 5367 fe:00:9977905 5 14
3: LEASE  ACTIVE    READ 5367 fe:00:9977904 0 EOF
4: OFDLCK ADVISORY  READ -1 fe:00:9977903 0 EOF
5: FLOCK  ADVISORY  READ 5367 fe:00:9977902 0 EOF
6: POSIX  ADVISORY  WRITE 5367 fe:00:9977901 0 EOF
6: -> POSIX  ADVISORY  WRITE 5408 fe:00:9977901 0 EOF
`

const tcpText = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:C0AF 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 56873 2 000000003fdb49c1 100 0 0 10 0                     
   1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 452 1 0000000060f394be 100 0 0 10 0                       
   2: 0100007F:E808 0100007F:C0AF 01 00000000:00000000 00:00000000 00000000     0        0 56874 2 00000000e607a3f4 20 0 0 10 -1                     
   3: 0100007F:C0AF 0100007F:E808 0C 00000000:00000000 00:00000000 00000000     0        0 0 1 00000000ca0e79b2 20 0 0 10 -1                         
   4: 0100007F:C0AF 0100007F:E809 03 00000000:00000000 00:00000000 00000000     0        0 0 1 00000000ca0e79b2 20 0 0 10 -1                         
`

const udpText = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
10636: 0100007F:D306 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 56875 2 0000000092009256 0         
`

const cpuinfoText = `processor	: 0
model name	: AMD EPYC
cpu MHz		: 2596.096
physical id	: 0
siblings	: 2
core id		: 0

processor	: 1
cpu MHz		: 3100.5
physical id	: 0
core id		: 1

`

const osReleaseText = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
# a comment
VERSION='12 (bookworm)'
ID=debian
`

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

func TestDecodeStat(t *testing.T) {
	s := sample(platform.Host)
	cpus := decodeStat([]byte(statText), s, nil)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostCPUUser: 21910000000, platform.HostCPUNice: 50000000,
		platform.HostCPUSystem: 18070000000, platform.HostCPUIdle: 2899050000000,
		platform.HostCPUIowait: 1230000000, platform.HostCPUInterrupt: 270000000,
		platform.HostCPUSteal: 110000000, platform.HostCPULogical: 2, platform.HostProcessesCreated: 4718,
	})
	if len(cpus) != 2 || cpus[1].id != 1 {
		t.Fatalf("CPUs: %v", cpus)
	}
	one := sample(platform.CPU)
	cpus[1].set(one, &cpuModes)
	wantFields(t, one, map[platform.Field]uint64{
		platform.CPUUser: 12640000000, platform.CPUNice: 30000000, platform.CPUSystem: 11050000000,
		platform.CPUIdle: 1444640000000, platform.CPUIowait: 1070000000,
		platform.CPUInterrupt: 210000000, platform.CPUSteal: 70000000,
	})
}

func TestDecodeStatOfLinux24(t *testing.T) {
	s := sample(platform.Host)
	decodeStat([]byte(stat24Text), s, nil)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostCPUUser: 19040000000, platform.HostCPUNice: 0,
		platform.HostCPUSystem: 13020000000, platform.HostCPUIdle: 412150000000,
		platform.HostCPULogical: 1, platform.HostProcessesCreated: 1043,
	})
}

// A file that was cut off tells nothing that the whole one does not tell.
func TestCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		entity platform.Entity
		decode func([]byte, *platform.Sample)
	}{
		"stat":   {statText, platform.Host, func(b []byte, s *platform.Sample) { decodeStat(b, s, nil) }},
		"vmstat": {vmstatText, platform.Host, func(b []byte, s *platform.Sample) { decodeVmstat(b, 64, s) }},
	} {
		whole := sample(c.entity)
		c.decode([]byte(c.text), whole)
		for i := range c.text {
			part := sample(c.entity)
			c.decode([]byte(c.text[:i]), part)
			first, count := c.entity.Block()
			for f := first; f < first+platform.Field(count); f++ {
				want, _ := whole.Get(f)
				if v, ok := part.Get(f); ok && v != want {
					t.Fatalf("%s cut at %d: %v = %d, in the whole %d", name, i, f, v, want)
				}
			}
		}
	}
}

func TestDecodeBootTime(t *testing.T) {
	if v, ok := decodeBootTime([]byte(statText)); !ok || v != 1795387780 {
		t.Errorf("btime = %d, %v", v, ok)
	}
	if _, ok := decodeBootTime([]byte("btime \n")); ok {
		t.Error("found a time that is not there")
	}
}

func TestDecodeMeminfo(t *testing.T) {
	s := sample(platform.Host)
	m := decodeMeminfo([]byte(meminfoText))
	m.set(s, 0, false)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostMemoryTotal: 24684084 << 10, platform.HostMemoryFree: 24543360 << 10,
		platform.HostMemoryAvailable: 24454512 << 10, platform.HostMemoryUsed: (24684084 - 24454512) << 10,
		platform.HostMemoryBuffers: 680 << 10, platform.HostMemoryCached: (33460 + 34136) << 10,
		platform.HostMemoryShared: 8872 << 10, platform.HostSlabReclaimable: 34136 << 10,
		platform.HostSlabUnreclaimable: 20876 << 10,
		platform.HostHugePagesTotal:    16, platform.HostHugePagesFree: 10, platform.HostHugePagesUsed: 6,
		platform.HostHugePagesReserved: 2, platform.HostHugePagesSurplus: 1, platform.HostHugePageSize: 2048 << 10,
	})
}

func TestMemoryAvailable(t *testing.T) {
	const k = 1 << 10
	for _, c := range []struct {
		name, text      string
		low             uint64
		lowKnown        bool
		available, used uint64
	}{
		{"kernel's own", "MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 60 kB\n", 0, false, 60 * k, 40 * k},
		{"no blanks", "MemTotal:100 kB\nMemFree:10 kB\nMemAvailable:60 kB\n", 0, false, 60 * k, 40 * k},
		{
			"Linux before 3.14",
			"MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 300 kB\nActive(file): 120 kB\nInactive(file): 80 kB\nSReclaimable: 50 kB\n",
			// 100 - 30 + 200 - min(100, 30) + 50 - min(25, 30)
			30 * k, true, 265 * k, 735 * k,
		},
		{
			"said to be 0",
			"MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 0 kB\nCached: 300 kB\nActive(file): 120 kB\nInactive(file): 80 kB\nSReclaimable: 50 kB\n",
			30 * k, true, 265 * k, 735 * k,
		},
		{
			"watermarks above what is free",
			"MemTotal: 1000 kB\nMemFree: 10 kB\nActive(file): 4 kB\nInactive(file): 4 kB\nSReclaimable: 2 kB\n",
			50 * k, true, 0, 1000 * k,
		},
		{
			"no zoneinfo",
			"MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 300 kB\nActive(file): 120 kB\nInactive(file): 80 kB\nSReclaimable: 50 kB\n",
			0, false, 400 * k, 600 * k,
		},
		{"Linux 2.6.18", "MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 300 kB\nActive: 9 kB\n", 30 * k, true, 400 * k, 600 * k},
		{"LXC", "MemTotal: 100 kB\nMemFree: 70 kB\nMemAvailable: 5000 kB\n", 0, false, 70 * k, 30 * k},
		{"LXC estimated", "MemTotal: 100 kB\nMemFree: 70 kB\nCached: 900 kB\n", 0, false, 70 * k, 30 * k},
	} {
		s := sample(platform.Host)
		m := decodeMeminfo([]byte(c.text))
		m.set(s, c.low, c.lowKnown)
		available, _ := s.Get(platform.HostMemoryAvailable)
		used, _ := s.Get(platform.HostMemoryUsed)
		if available != c.available || used != c.used {
			t.Errorf("%s: available %d kB, used %d kB, want %d, %d", c.name, available/k, used/k, c.available/k, c.used/k)
		}
	}
}

func TestMemoryNotTold(t *testing.T) {
	for name, text := range map[string]string{
		"empty":      "",
		"cut off":    "MemTotal: 100",
		"no number":  "MemTotal: kB\n",
		"absurd":     "MemTotal: 99999999999999999 kB\n",
		"other line": "MemTotalX: 1 kB\n",
	} {
		s := sample(platform.Host)
		m := decodeMeminfo([]byte(text))
		if m.set(s, 0, false); s.Len() != 0 {
			t.Errorf("%s: %d fields are set", name, s.Len())
		}
	}
	s := sample(platform.Host)
	m := decodeMeminfo([]byte("MemTotal: 10 kB\nMemFree: 20 kB\nMemAvailable: 30 kB\n"))
	m.set(s, 0, false)
	if v, ok := s.Get(platform.HostMemoryUsed); ok {
		t.Errorf("more free than there is: used = %d, want nothing", v)
	}
}

// Linux 2.4 prints its table first, in bytes, and MemShared.
func TestDecodeMeminfoOfLinux24(t *testing.T) {
	s := sample(platform.Host)
	m := decodeMeminfo([]byte(`        total:    used:    free:  shared: buffers:  cached:
Mem:  527953920 519237632  8716288        0 68259840 314724352
Swap: 1073733632 12595200 1061138432
MemTotal:       515580 kB
MemFree:          8512 kB
MemShared:         128 kB
Buffers:         66660 kB
Cached:         304824 kB
`))
	m.set(s, 0, false)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostMemoryTotal: 515580 << 10, platform.HostMemoryFree: 8512 << 10,
		platform.HostMemoryShared: 128 << 10, platform.HostMemoryBuffers: 66660 << 10,
		platform.HostMemoryCached: 304824 << 10, platform.HostMemoryAvailable: (8512 + 304824) << 10,
		platform.HostMemoryUsed: (515580 - 8512 - 304824) << 10,
	})
}

func TestDecodeZoneinfo(t *testing.T) {
	if low, ok := decodeZoneinfo([]byte(zoneinfoText)); !ok || low != 56+2936+19962 {
		t.Errorf("low = %d, %v", low, ok)
	}
	if _, ok := decodeZoneinfo([]byte("Node 0, zone DMA\n")); ok {
		t.Error("found a watermark that is not there")
	}
}

func TestDecodeVmstat(t *testing.T) {
	s := sample(platform.Host)
	decodeVmstat([]byte(vmstatText), 64, s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostSwapIn: 12, platform.HostSwapOut: 34,
		platform.HostFaultsMajor: 3729, platform.HostFaultsMinor: 31141643 - 3729,
	})
	s = sample(platform.Host)
	decodeVmstat([]byte("pgfault 5\npgmajfault 10\n"), 32, s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostFaultsMajor: 10, platform.HostFaultsMinor: 1<<32 - 5,
	})
	s = sample(platform.Host)
	decodeVmstat([]byte("pgfault 5\npgmajfault 10\n"), 64, s)
	wantFields(t, s, map[platform.Field]uint64{platform.HostFaultsMajor: 10})
}

func TestDecodeDisk(t *testing.T) {
	full := map[platform.Field]uint64{
		platform.DiskReads: 446216, platform.DiskReadsMerged: 784926,
		platform.DiskReadBytes: 9550688 * 512, platform.DiskReadTime: 4382310_000_000,
		platform.DiskWrites: 424847, platform.DiskWritesMerged: 312726,
		platform.DiskWriteBytes: 5922052 * 512, platform.DiskWriteTime: 19310380_000_000,
		platform.DiskIOTime: 3376340_000_000,
	}
	const stats = "446216 784926 9550688 4382310 424847 312726 5922052 19310380 0 3376340 23705160"
	for _, c := range []struct {
		name, line, disk string
		want             map[platform.Field]uint64
	}{
		{"Linux 2.6", "3    0   hda " + stats, "hda", full},
		{"Linux 4.18", "3 0 hda " + stats + " 1 2 3 4", "hda", full},
		{"Linux 5.5", "3 0 hda " + stats + " 1 2 3 4 5 6", "hda", full},
		{"Linux 2.4", "3     0   39082680 hda " + stats, "hda", full},
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

func TestDecodeInterface(t *testing.T) {
	want := map[platform.Field]uint64{
		platform.NetworkReceiveBytes: 34453406, platform.NetworkReceivePackets: 2514,
		platform.NetworkReceiveErrors: 1, platform.NetworkReceiveDropped: 2,
		platform.NetworkTransmitBytes: 208990, platform.NetworkTransmitPackets: 1931,
		platform.NetworkTransmitErrors: 7, platform.NetworkTransmitDropped: 8,
	}
	const columns = "34453406 2514 1 2 3 4 5 6 208990 1931 7 8 9 10 11 12"
	for line, name := range map[string]string{
		"  eth0: " + columns:    "eth0",
		"eth0:" + columns:       "eth0",
		"eth0:1:" + columns:     "eth0:1",
		" eth0:av1: " + columns: "eth0:av1",
	} {
		s := sample(platform.Network)
		if got, ok := decodeInterface([]byte(line), s); !ok || string(got) != name {
			t.Errorf("%q: name %q, %v", line, got, ok)
		}
		wantFields(t, s, want)
	}
	for _, line := range strings.Split(netDevText, "\n")[:2] {
		if name, ok := decodeInterface([]byte(line), sample(platform.Network)); ok {
			t.Errorf("headline gave %q", name)
		}
	}
}

func TestDecodeMountinfo(t *testing.T) {
	lines := strings.Split(mountinfoText, "\n")
	for i, want := range []slowMount{
		{21, true, "/proc", "proc", "proc", "rw"},
		{254 << 20, true, "/", "ext4", "/dev/vda", "rw"},
		{98 << 20, false, `/mnt\0402`, "ext3", `/dev/root\011x`, "ro"},
		{44, true, "/srv", "nfs4", "server:/export", "ro"},
	} {
		m, ok := decodeMountinfo([]byte(lines[i]))
		if !ok || plain(m) != want {
			t.Errorf("%q: %v, %v", lines[i], plain(m), ok)
		}
	}
	for _, line := range []string{
		"", "22 27", "22 27 0:21 / /proc rw,relatime - ", "22 27 0:21 / /proc rw proc proc rw",
		"22 27 x:21 / /proc rw - proc proc rw", "22 27 0 / /proc rw - proc proc rw",
	} {
		if m, ok := decodeMountinfo([]byte(line)); ok {
			t.Errorf("%q gave %v", line, plain(m))
		}
	}
}

func plain(m mountLine) slowMount {
	return slowMount{m.device, m.whole, string(m.point), string(m.kind), string(m.source), m.mode}
}

func TestDecodeMount(t *testing.T) {
	m, ok := decodeMount([]byte(`/dev/hda1 /mnt\040x ext2 ro,noatime 0 0`))
	if want := (slowMount{0, true, `/mnt\040x`, "ext2", "/dev/hda1", "ro"}); !ok || plain(m) != want {
		t.Errorf("%v, %v", plain(m), ok)
	}
	if _, ok := decodeMount([]byte("/dev/hda1 / ext2")); ok {
		t.Error("a line without options was taken")
	}
}

func TestDecodeSwap(t *testing.T) {
	lines := strings.Split(swapsText, "\n")
	if _, ok := decodeSwap([]byte(lines[0]), sample(platform.Swap), nil); ok {
		t.Error("the headline was taken")
	}
	s := sample(platform.Swap)
	if path, ok := decodeSwap([]byte(lines[1]), s, nil); !ok || string(path) != "/dev/dm-2" {
		t.Errorf("path %q, %v", path, ok)
	}
	wantFields(t, s, map[platform.Field]uint64{
		platform.SwapTotal: 8388604 << 10, platform.SwapUsed: 1048576 << 10, platform.SwapFree: (8388604 - 1048576) << 10,
	})
	if path, ok := decodeSwap([]byte(lines[2]), sample(platform.Swap), nil); !ok || string(path) != "/swap file" {
		t.Errorf("path %q, %v", path, ok)
	}
	s = sample(platform.Swap)
	decodeSwap([]byte("/a file 10 11 -2"), s, nil)
	wantFields(t, s, map[platform.Field]uint64{platform.SwapTotal: 10 << 10})
}

func TestDecodeLock(t *testing.T) {
	for line, want := range map[string]platform.Field{
		"1: POSIX  ADVISORY  READ 5 08:01:786 128 128": platform.LockPosixRead,
		"1: POSIX  MANDATORY WRITE 5 08:01:786 0 EOF":  platform.LockPosixWrite,
		"1: FLOCK  ADVISORY  READ 5 08:01:786 0 EOF":   platform.LockFlockRead,
		"1: FLOCK  ADVISORY  WRITE 5 08:01:786 0 EOF":  platform.LockFlockWrite,
		"1: OFDLCK ADVISORY  READ -1 08:01:786 0 EOF":  platform.LockOFDRead,
		"1: OFDLCK ADVISORY  WRITE -1 08:01:786 0 EOF": platform.LockOFDWrite,
		"1: LEASE  ACTIVE    READ 5 08:01:786 0 EOF":   platform.LockLeaseRead,
		"1: LEASE  BREAKING  READ 5 08:01:786 0 EOF":   platform.LockLeaseRead,
		"1: DELEG  ACTIVE    WRITE 5 08:01:786 0 EOF":  platform.LockLeaseWrite,
		"12345: POSIX  ADVISORY  READ 5 08:01:9 0 EOF": platform.LockPosixRead,
	} {
		device, f, ok := decodeLock([]byte(line))
		if !ok || f != want || string(device) != "08:01" {
			t.Errorf("%q: %q, %v, %v", line, device, f, ok)
		}
	}
	for _, line := range []string{
		"", "1: POSIX", "1: -> POSIX  ADVISORY  WRITE 5 08:01:786 0 EOF", "1:  -> FLOCK  ADVISORY  WRITE 5 08:01:786 0 EOF",
		"1: LEASE  BREAKING  UNLCK 5 08:01:786 0 EOF", "1: ACCESS ADVISORY  READ 5 08:01:786 0 EOF",
		"1: POSIX  *NOINODE* READ 5 <none>:0 0 EOF", "1: FLOCK  MSNFS     RW    5 08:01:786 0 EOF",
	} {
		if device, f, ok := decodeLock([]byte(line)); ok {
			t.Errorf("%q counted as %v on %s", line, f, device)
		}
	}
}

func TestDecodeTCP(t *testing.T) {
	var counts tcpCounts
	var udp uint64
	for line := range strings.Lines(tcpText) {
		decodeTCP([]byte(line), &counts)
	}
	for line := range strings.Lines(udpText) {
		decodeUDP([]byte(line), &udp)
	}
	s := sample(platform.Host)
	counts.set(s)
	want := map[platform.Field]uint64{
		platform.HostTCPEstablished: 1, platform.HostTCPSynReceived: 2, platform.HostTCPListen: 2,
	}
	for _, f := range tcpSource().Gives {
		want[f.Field] += 0
	}
	wantFields(t, s, want)
	if udp != 1 {
		t.Errorf("%d UDP sockets, want 1", udp)
	}
	decodeTCP([]byte("   2: 0100007F:E808 0100007F:C0AF 01"), &counts)
	if counts[1] != 1 {
		t.Error("a line that was cut off behind the state was counted")
	}
}

func TestDecodeUptimeAndLoad(t *testing.T) {
	s := sample(platform.Host)
	decodeUptime([]byte("1473.48 2899.09\n"), s)
	decodeLoadavg([]byte("0.09 12.03 100.01 2/87 4717\n"), s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostUptime: 1473_480_000_000,
		platform.HostLoad1:  9, platform.HostLoad5: 1203, platform.HostLoad15: 10001,
	})
	s = sample(platform.Host)
	decodeUptime([]byte("soon\n"), s)
	decodeLoadavg([]byte("0.09 x"), s)
	wantFields(t, s, map[platform.Field]uint64{platform.HostLoad1: 9})
}

func TestDecodeOSRelease(t *testing.T) {
	for _, c := range []struct{ text, name, version, description string }{
		{osReleaseText, "Debian GNU/Linux", "12", "Debian GNU/Linux 12 (bookworm)"},
		{"NAME=Fedora\nVERSION_ID=43", "Fedora", "43", ""},
		{`NAME="a \"b\" \$c"`, `a "b" $c`, "", ""},
		{`NAME='a\b'`, `a\b`, "", ""},
		{`NAME="it's"`, `it's`, "", ""},
		{`NAME="open`, `open`, "", ""},
		{`NAME=a\`, `a\`, "", ""},
		{"", "", "", ""},
	} {
		r := decodeOSRelease([]byte(c.text))
		if string(r.name) != c.name || string(r.version) != c.version || string(r.description) != c.description {
			t.Errorf("%q: %q, %q, %q", c.text, r.name, r.version, r.description)
		}
	}
}

func TestDecodeMachineID(t *testing.T) {
	const id = "3d1219c7c4c5404aaa1f6d2a48adfda4"
	for text, want := range map[string]string{
		id + "\n": id, id: id, "uninitialized\n": "", "": "", "3D1219C7C4C5404AAA1F6D2A48ADFDA4\n": "",
	} {
		got, ok := decodeMachineID([]byte(text))
		if string(got) != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func TestDecodeNodeName(t *testing.T) {
	for text, want := range map[string]string{
		"box\n": "box", "box": "box", "# name\n\n box \n": "box", "\n": "", "": "",
	} {
		got, ok := decodeNodeName([]byte(text))
		if string(got) != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func TestDecodeCPUList(t *testing.T) {
	for text, want := range map[string][]uint64{
		"0-3\n": {0, 1, 2, 3}, "0,2,4-5\n": {0, 2, 4, 5}, "7": {7}, "\n": nil, "": nil, "x": nil,
		"3-1": nil, "0-99999999": nil, "0,": {0}, "1-": nil,
	} {
		if got := slices.Collect(decodeCPUList([]byte(text))); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestDecodeCPUInfo(t *testing.T) {
	got := decodeCPUInfo([]byte(cpuinfoText), nil)
	want := []cpuInfo{
		{hasHertz: true, hasSocket: true, hasCore: true, id: 0, hertz: 2596_096_000, socket: 0, core: 0},
		{hasHertz: true, hasSocket: true, hasCore: true, id: 1, hertz: 3100_500_000, socket: 0, core: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	// Linux 6.1 on arm64 tells neither.
	arm := decodeCPUInfo([]byte("processor\t: 0\nBogoMIPS\t: 50.00\nCPU part\t: 0xd0c\n\n"), nil)
	if len(arm) != 1 || arm[0] != (cpuInfo{}) {
		t.Errorf("%+v", arm)
	}
}

func TestDecodeCurFreq(t *testing.T) {
	if hz, ok := decodeCurFreq([]byte("2300000\n")); !ok || hz != 2_300_000_000 {
		t.Errorf("%d, %v", hz, ok)
	}
	for _, text := range []string{"<unknown>\n", "", "18446744073709551615\n"} {
		if hz, ok := decodeCurFreq([]byte(text)); ok {
			t.Errorf("%q: %d", text, hz)
		}
	}
}

func TestHostArch(t *testing.T) {
	for machine, want := range map[string]string{
		"x86_64": "amd64", "aarch64": "arm64", "i686": "x86", "i386": "x86", "armv7l": "arm32",
		"ppc64le": "ppc64", "ppc64": "ppc64", "s390x": "s390x", "riscv64": "riscv64", "": "",
	} {
		if got := hostArch(machine); got != want {
			t.Errorf("%s is %s, want %s", machine, got, want)
		}
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

func FuzzDecodeStat(f *testing.F) {
	f.Add([]byte(statText))
	f.Add([]byte(stat24Text))
	f.Add([]byte("cpu0 1\nintr\ncpu 18446744073709551615 2 3 4 5 9999999999999999999 7\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		cpus := decodeStat(b, fast, nil)
		ids, columns := slowStat(string(b), slow)
		same(t, fast, slow)
		if len(cpus) != len(ids) {
			t.Fatalf("%d CPUs, want %d", len(cpus), len(ids))
		}
		for i, c := range cpus {
			if c.id != ids[i] || !slices.Equal(c.ticks[:c.columns], columns[i]) {
				t.Fatalf("CPU %v, want %d %v", c, ids[i], columns[i])
			}
		}
	})
}

func FuzzDecodeBootTime(f *testing.F) {
	f.Add([]byte(statText))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := decodeBootTime(b)
		if want, wantOK := slowBootTime(string(b)); v != want || ok != wantOK {
			t.Fatalf("%d, %v, want %d, %v", v, ok, want, wantOK)
		}
	})
}

func FuzzDecodeMeminfo(f *testing.F) {
	f.Add([]byte(meminfoText), uint64(1<<20), true)
	f.Add([]byte("MemFree:1 kB\nActive(file):9 kB\nInactive(file): 9\nSReclaimable: 3 kB\n"), uint64(5), true)
	f.Fuzz(func(t *testing.T, b []byte, low uint64, lowKnown bool) {
		low %= 1 << 52
		fast, slow := sample(platform.Host), sample(platform.Host)
		m := decodeMeminfo(b)
		m.set(fast, low, lowKnown)
		slowMemory(string(b), int64(low), lowKnown, slow)
		same(t, fast, slow)
		total, _ := fast.Get(platform.HostMemoryTotal)
		if used, ok := fast.Get(platform.HostMemoryUsed); ok && used > total {
			t.Fatalf("used %d of %d", used, total)
		}
	})
}

func FuzzDecodeZoneinfo(f *testing.F) {
	f.Add([]byte(zoneinfoText))
	f.Fuzz(func(t *testing.T, b []byte) {
		low, ok := decodeZoneinfo(b)
		if want, wantOK := slowZoneinfo(string(b)); low != want || ok != wantOK {
			t.Fatalf("%d, %v, want %d, %v", low, ok, want, wantOK)
		}
	})
}

func FuzzDecodeVmstat(f *testing.F) {
	f.Add([]byte(vmstatText), false)
	f.Add([]byte("pgfault 5\npgmajfault 10\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, narrow bool) {
		word := uint8(64)
		if narrow {
			word = 32
		}
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeVmstat(b, word, fast)
		slowVmstat(string(b), word, slow)
		same(t, fast, slow)
	})
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

func FuzzDecodeInterface(f *testing.F) {
	for line := range strings.Lines(netDevText) {
		f.Add([]byte(line))
	}
	f.Add([]byte("eth0:1:34453406 2514"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Network), sample(platform.Network)
		name, ok := decodeInterface(b, fast)
		want, wantOK := slowInterface(string(b), slow)
		if string(name) != want || ok != wantOK {
			t.Fatalf("%q, %v, want %q, %v", name, ok, want, wantOK)
		}
		same(t, fast, slow)
	})
}

func FuzzDecodeMountinfo(f *testing.F) {
	for line := range strings.Lines(mountinfoText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := decodeMountinfo(b)
		want, wantOK := slowMountinfo(string(b))
		if ok != wantOK || ok && plain(m) != want {
			t.Fatalf("%v, %v, want %v, %v", plain(m), ok, want, wantOK)
		}
	})
}

func FuzzDecodeMount(f *testing.F) {
	f.Add([]byte(`/dev/hda1 /mnt\040x ext2 ro,noatime 0 0`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := decodeMount(b)
		want, wantOK := slowMounts(string(b))
		if ok != wantOK || ok && plain(m) != want {
			t.Fatalf("%v, %v, want %v, %v", plain(m), ok, want, wantOK)
		}
	})
}

func FuzzDecodeSwap(f *testing.F) {
	for line := range strings.Lines(swapsText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Swap), sample(platform.Swap)
		path, ok := decodeSwap(b, fast, nil)
		want, wantOK := slowSwap(string(b), slow)
		if ok != wantOK || string(path) != want {
			t.Fatalf("%q, %v, want %q, %v", path, ok, want, wantOK)
		}
		same(t, fast, slow)
	})
}

func FuzzDecodeLock(f *testing.F) {
	for line := range strings.Lines(locksText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		device, field, ok := decodeLock(b)
		want, wantField, wantOK := slowLock(string(b))
		if ok != wantOK || ok && (string(device) != want || field != wantField) {
			t.Fatalf("%q, %v, %v, want %q, %v, %v", device, field, ok, want, wantField, wantOK)
		}
	})
}

func FuzzDecodeTCP(f *testing.F) {
	for line := range strings.Lines(tcpText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var fast, slow tcpCounts
		decodeTCP(b, &fast)
		slowTCP(string(b), &slow)
		if fast != slow {
			t.Fatalf("%v, want %v", fast, slow)
		}
	})
}

func FuzzDecodeUDP(f *testing.F) {
	for line := range strings.Lines(udpText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var n uint64
		decodeUDP(b, &n)
		if is := slowSocket(string(b)) != nil; is != (n == 1) {
			t.Fatalf("%d sockets", n)
		}
	})
}

func FuzzDecodeUptime(f *testing.F) {
	f.Add([]byte("1473.48 2899.09\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeUptime(b, fast)
		slowUptime(string(b), slow)
		same(t, fast, slow)
	})
}

func FuzzDecodeLoadavg(f *testing.F) {
	f.Add([]byte("0.09 0.03 0.01 2/87 4717\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeLoadavg(b, fast)
		slowLoadavg(string(b), slow)
		same(t, fast, slow)
	})
}

func FuzzDecodeOSRelease(f *testing.F) {
	f.Add([]byte(osReleaseText))
	f.Add([]byte(`NAME="a \"b\"'c'"d'e\f'\`))
	f.Fuzz(func(t *testing.T, b []byte) {
		want := slowOSRelease(string(b))
		r := decodeOSRelease(slices.Clone(b))
		got := map[string]string{
			"NAME": string(r.name), "VERSION_ID": string(r.version), "PRETTY_NAME": string(r.description),
		}
		maps.DeleteFunc(want, func(key, _ string) bool { _, ok := got[key]; return !ok })
		maps.DeleteFunc(want, func(_, v string) bool { return v == "" })
		maps.DeleteFunc(got, func(_, v string) bool { return v == "" })
		if !maps.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func FuzzDecodeMachineID(f *testing.F) {
	f.Add([]byte("3d1219c7c4c5404aaa1f6d2a48adfda4\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, ok := decodeMachineID(b)
		want, wantOK := slowMachineID(string(b))
		if ok != wantOK || ok && string(id) != want {
			t.Fatalf("%q, %v, want %q, %v", id, ok, want, wantOK)
		}
	})
}

func FuzzDecodeNodeName(f *testing.F) {
	f.Add([]byte("# name\n\n box \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name, ok := decodeNodeName(b)
		if want, wantOK := slowNodeName(string(b)); ok != wantOK || string(name) != want {
			t.Fatalf("%q, %v, want %q, %v", name, ok, want, wantOK)
		}
	})
}

func FuzzDecodeCPUList(f *testing.F) {
	f.Add([]byte("0-3,8,10-11\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 40 {
			return // ranges of 65536, over and over, take their time
		}
		got := slices.Collect(decodeCPUList(b))
		if want := slowCPUList(string(b)); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func FuzzDecodeCPUInfo(f *testing.F) {
	f.Add([]byte(cpuinfoText))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := decodeCPUInfo(b, nil)
		if want := slowCPUInfo(string(b)); !slices.Equal(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

func FuzzDecodeCurFreq(f *testing.F) {
	f.Add([]byte("2300000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		hz, ok := decodeCurFreq(b)
		n := slowNumbers(slowFields(string(b)), 1)
		if want := len(n) == 1 && n[0] < 1<<54; ok != want || ok && hz != n[0]*1000 {
			t.Fatalf("%d, %v", hz, ok)
		}
	})
}
