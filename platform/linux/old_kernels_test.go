package linux

import (
	"maps"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// oldKernel is a machine that no Go program of today runs on, as its files were: a tree
// that was copied from it, looked at from elsewhere. The layouts are those of proc(5)
// and of Documentation/admin-guide/iostats.rst, the numbers all differ.
type oldKernel struct {
	name  string
	files map[string]string
	host  map[platform.Field]uint64
	disks map[string]map[platform.Field]uint64
	none  []platform.Field // of the host, which that kernel did not tell
}

const oldKB = 1 << 10

// statOf24 is /proc/stat before 2.6: four columns, no line of soft interrupts.
const statOf24 = `cpu  1000 20 300 4000
cpu0 1000 20 300 4000
page 5741 1808
swap 7 9
intr 1462898 1 2 3
disk_io: (3,0):(22,16,8,6,4)
ctxt 115315
btime 1000000000
processes 86031
`

const statOf26 = `cpu  1000 20 300 4000 50 6 7 8
cpu0 600 10 200 2000 30 3 4 5
cpu1 400 10 100 2000 20 3 3 3
intr 1462898 1 2 3
ctxt 115315
btime 1100000000
processes 86031
procs_running 2
procs_blocked 1
`

const zoneinfoOf26 = `Node 0, zone      DMA
  pages free     2816
        min      17
        low      21
        high     25
Node 0, zone   Normal
  pages free     12000
        min      936
        low      1170
        high     1404
`

var oldKernels = []oldKernel{
	{
		name: "Linux 2.4",
		files: map[string]string{
			"proc/stat":    statOf24,
			"proc/uptime":  "1234.50 1200.00\n",
			"proc/loadavg": "0.10 0.20 0.30 1/46 1234\n",
			"proc/mounts":  "/dev/hda1 / ext2 rw 0 0\nnone /proc proc rw 0 0\n",
			"proc/meminfo": `        total:    used:    free:  shared: buffers:  cached:
Mem:  527953920 519237632  8716288        0 68259840 314724352
Swap: 1073733632 12595200 1061138432
MemTotal:       515580 kB
MemFree:          8512 kB
MemShared:         128 kB
Buffers:         66660 kB
Cached:         304824 kB
SwapCached:       2524 kB
Active:         320120 kB
Inactive:        98304 kB
SwapTotal:     1048568 kB
SwapFree:      1036268 kB
`,
			"proc/partitions": `major minor  #blocks  name     rio rmerge rsect ruse wio wmerge wsect wuse running use aveq

   3     0   39082680 hda 446216 784926 9550688 4382310 424847 312726 5922052 19310380 1 3376340 23705160
   3     1     104391 hda1 35486 38030 38031 38032 11 12 13 14 0 15 16
`,
			"proc/42/stat":   "42 (httpd) S 1 42 42 0 -1 64 11 12 13 14 15 16 17 18 9 0 0 0 5000 3133440 415 4294967295 134512640 134793620 3221223264 3221222000 1074000000 0 0 4096 16384 0 0 0 17 0\n",
			"proc/42/status": "Name:\thttpd\nState:\tS (sleeping)\nPid:\t42\nPPid:\t1\nUid:\t48\t48\t48\t48\nGid:\t48\t48\t48\t48\nVmSize:\t    3060 kB\nVmRSS:\t    1660 kB\n",
		},
		host: map[platform.Field]uint64{
			platform.HostCPUUser: 1000 * tickNanos, platform.HostCPUIdle: 4000 * tickNanos, platform.HostCPULogical: 1,
			platform.HostMemoryTotal: 515580 * oldKB, platform.HostMemoryShared: 128 * oldKB, platform.HostMemoryActive: 320120 * oldKB,
			platform.HostMemoryAvailable: (8512 + 304824) * oldKB, platform.HostMemoryUsed: (515580 - 8512 - 304824) * oldKB,
			platform.HostProcessesCreated: 86031, platform.HostContextSwitches: 115315, platform.HostInterrupts: 1462898,
			platform.HostLoad15: 30, platform.HostUptime: 1_234_500_000_000,
		},
		disks: map[string]map[platform.Field]uint64{
			"hda": {
				platform.DiskReads: 446216, platform.DiskReadsMerged: 784926, platform.DiskReadBytes: 9550688 * 512,
				platform.DiskReadTime: 4382310 * milli, platform.DiskWrites: 424847, platform.DiskWritesMerged: 312726,
				platform.DiskWriteBytes: 5922052 * 512, platform.DiskWriteTime: 19310380 * milli, platform.DiskPending: 1,
				platform.DiskIOTime: 3376340 * milli, platform.DiskWeightedTime: 23705160 * milli,
			},
			"hda1": {
				platform.DiskReads: 35486, platform.DiskReadsMerged: 38030, platform.DiskReadBytes: 38031 * 512,
				platform.DiskReadTime: 38032 * milli, platform.DiskWrites: 11, platform.DiskWritesMerged: 12,
				platform.DiskWriteBytes: 13 * 512, platform.DiskWriteTime: 14 * milli, platform.DiskPending: 0,
				platform.DiskIOTime: 15 * milli, platform.DiskWeightedTime: 16 * milli,
			},
		},
		none: []platform.Field{
			platform.HostCPUIowait, platform.HostCPUInterrupt, platform.HostCPUSteal, platform.HostSoftInterrupts,
			platform.HostTasksRunnable, platform.HostSwapIn, platform.HostFaultsMajor, platform.HostSlabReclaimable,
		},
	},
	{
		name: "Linux 2.6.18",
		files: map[string]string{
			"proc/stat":      statOf26,
			"proc/mounts":    "/dev/sda1 / ext3 rw 0 0\n",
			"proc/zoneinfo":  zoneinfoOf26,
			"proc/meminfo":   "MemTotal:      2075420 kB\nMemFree:         59264 kB\nBuffers:        103072 kB\nCached:        1652724 kB\nActive:         811180 kB\nInactive:      1055260 kB\nHighTotal:     1179328 kB\nHighFree:         1344 kB\nSlab:           124232 kB\nCommitted_AS:   341512 kB\nHugePages_Total:     0\nHugePages_Free:      0\nHugePages_Rsvd:      0\nHugepagesize:     4096 kB\n",
			"proc/vmstat":    "pgpgin 1\npswpin 3\npswpout 4\npgfault 1000\npgmajfault 10\n",
			"proc/diskstats": "   8    0 sda 446216 784926 9550688 4382310 424847 312726 5922052 19310380 0 3376340 23705160\n   8    1 sda1 35486 38030 38031 38032\n",
		},
		host: map[platform.Field]uint64{
			platform.HostCPUIowait: 50 * tickNanos, platform.HostCPUInterrupt: 13 * tickNanos, platform.HostCPUSteal: 8 * tickNanos,
			platform.HostCPULogical: 2, platform.HostMemoryAvailable: (59264 + 1652724) * oldKB,
			platform.HostMemoryUsed: (2075420 - 59264 - 1652724) * oldKB, platform.HostMemoryCached: 1652724 * oldKB,
			platform.HostSwapIn: 3, platform.HostFaultsMinor: 990, platform.HostTasksBlocked: 1, platform.HostHugePagesTotal: 0,
		},
		disks: map[string]map[platform.Field]uint64{
			"sda": {
				platform.DiskReads: 446216, platform.DiskReadsMerged: 784926, platform.DiskReadBytes: 9550688 * 512,
				platform.DiskReadTime: 4382310 * milli, platform.DiskWrites: 424847, platform.DiskWritesMerged: 312726,
				platform.DiskWriteBytes: 5922052 * 512, platform.DiskWriteTime: 19310380 * milli, platform.DiskPending: 0,
				platform.DiskIOTime: 3376340 * milli, platform.DiskWeightedTime: 23705160 * milli,
			},
			"sda1": {
				platform.DiskReads: 35486, platform.DiskReadBytes: 38030 * 512, platform.DiskWrites: 38031, platform.DiskWriteBytes: 38032 * 512,
			},
		},
		none: []platform.Field{platform.HostMemoryShared, platform.HostSlabReclaimable, platform.HostOOMKills},
	},
	{
		name: "Linux 3.10",
		files: map[string]string{
			"proc/stat":     statOf26 + "softirq 86384 0 17404\n",
			"proc/zoneinfo": zoneinfoOf26,
			"proc/meminfo":  "MemTotal:        1000000 kB\nMemFree:          100000 kB\nBuffers:           20000 kB\nCached:           300000 kB\nActive:           200000 kB\nInactive:         150000 kB\nActive(anon):      80000 kB\nInactive(anon):    30000 kB\nActive(file):     120000 kB\nInactive(file):   120000 kB\nShmem:              7000 kB\nSReclaimable:      50000 kB\nSUnreclaim:         9000 kB\n",
		},
		host: map[platform.Field]uint64{
			// Low watermarks: (21 + 1170) pages. Of the cache and of the slab all but them.
			platform.HostMemoryAvailable: (100000-4764)*oldKB + (240000-4764)*oldKB + (50000-4764)*oldKB,
			platform.HostMemoryShared:    7000 * oldKB, platform.HostMemoryCached: 350000 * oldKB, platform.HostSoftInterrupts: 86384,
		},
	},
	{
		name: "LXC with the host's estimate",
		files: map[string]string{
			"proc/stat":    statOf26,
			"proc/meminfo": "MemTotal:         524288 kB\nMemFree:          393216 kB\nMemAvailable:    8000000 kB\nBuffers:               0 kB\nCached:            65536 kB\n",
		},
		host: map[platform.Field]uint64{
			platform.HostMemoryTotal: 524288 * oldKB, platform.HostMemoryAvailable: 393216 * oldKB, platform.HostMemoryUsed: (524288 - 393216) * oldKB,
		},
	},
	{
		name: "LXC without an estimate, and the host's cache",
		files: map[string]string{
			"proc/stat":    statOf26,
			"proc/meminfo": "MemTotal:         524288 kB\nMemFree:          393216 kB\nMemAvailable:          0 kB\nBuffers:               0 kB\nCached:          6553600 kB\n",
		},
		host: map[platform.Field]uint64{
			platform.HostMemoryAvailable: 393216 * oldKB, platform.HostMemoryUsed: (524288 - 393216) * oldKB,
		},
	},
}

func TestOldKernels(t *testing.T) {
	for _, k := range oldKernels {
		t.Run(k.name, func(t *testing.T) {
			c := readFiles(t, k.files, Options{AllDevices: true}, everything&^containerSources)
			host := c.of(platform.Host)[0].fields
			for f, want := range k.host {
				if v, ok := host[f]; !ok || v != want {
					t.Errorf("%v is %d, %v, want %d", f, v, ok, want)
				}
			}
			for _, f := range k.none {
				if v, ok := host[f]; ok {
					t.Errorf("%v is %d, which that kernel did not tell", f, v)
				}
			}
			disks := map[string]map[platform.Field]uint64{}
			for _, g := range c.of(platform.Disk) {
				disks[g.key.Name] = g.fields
			}
			if !maps.EqualFunc(disks, k.disks, maps.Equal) {
				t.Errorf("disks %v, want %v", disks, k.disks)
			}
		})
	}
}
