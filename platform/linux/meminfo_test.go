package linux

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

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
Dirty:               412 kB
Writeback:             8 kB
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
CommitLimit:    12342040 kB
Committed_AS:     255448 kB
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
		platform.HostMemoryActive: 9116 << 10, platform.HostMemoryInactive: 23808 << 10,
		platform.HostMemoryDirty: 412 << 10, platform.HostMemoryWriteback: 8 << 10,
		platform.HostMemoryCommitted: 255448 << 10, platform.HostMemoryCommitLimit: 12342040 << 10,
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
