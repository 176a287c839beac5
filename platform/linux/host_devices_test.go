package linux

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const oneDisk = " 1 2 3 4 5 6 7 8 0 10 11\n"

// diskLines prints a line for each name.
func diskLines(names ...string) string {
	var lines strings.Builder
	for i, name := range names {
		fmt.Fprintf(&lines, "%4d %7d %s%s", 8, i, name, oneDisk)
	}
	return lines.String()
}

func manyDisks() []string {
	return []string{
		"loop0", "ram0", "zram0", "sda", "sda1", "sdaa", "sdaa12", "nvme0n1", "nvme0n1p1", "mmcblk0",
		"mmcblk0p2", "dm-0", "md127", "sr0", "vda", "xvda1", "hdb", "cciss/c0d0", "cciss/c0d0p1",
	}
}

// The sum over what is reported is what the disks did: nothing twice.
func TestDisksBySysfs(t *testing.T) {
	files := map[string]string{"proc/diskstats": diskLines(manyDisks()...)}
	for _, name := range manyDisks() {
		files["sys/block/"+strings.ReplaceAll(name, "/", "!")+"/size"] = "8\n"
	}
	for _, name := range []string{"sda", "nvme0n1", "cciss!c0d0"} {
		files["sys/block/"+name+"/device"] = "/"
	}
	c := readFiles(t, files, Options{}, sourcesOf(fromDiskstats, fromDiskSize))
	if got, want := c.names(platform.Disk), []string{"sda", "nvme0n1", "cciss/c0d0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, g := range c.given {
		if g.fields[platform.DiskSize] != 4096 || g.fields[platform.DiskReads] != 1 {
			t.Errorf("%s: %v", g.key.Name, g.fields)
		}
	}
	c = readFiles(t, files, Options{AllDevices: true}, sourcesOf(fromDiskstats))
	if got := c.names(platform.Disk); !slices.Equal(got, manyDisks()) {
		t.Errorf("all devices: %q", got)
	}
}

func TestDisksByName(t *testing.T) {
	c := readFiles(t, map[string]string{"proc/diskstats": diskLines(manyDisks()...)}, Options{}, sourcesOf(fromDiskstats))
	want := []string{"sda", "sdaa", "nvme0n1", "mmcblk0", "vda", "hdb", "cciss/c0d0"}
	if got := c.names(platform.Disk); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestDisksOfLinux24(t *testing.T) {
	c := readFiles(t, map[string]string{"proc/partitions": `major minor  #blocks  name     rio rmerge rsect ruse wio wmerge wsect wuse running use aveq

   3     0   39082680 hda 446216 784926 9550688 4382310 424847 312726 5922052 19310380 0 3376340 23705160
   3     1     104391 hda1 35486 0 38030 38030 38030 0 38030 38030 0 38030 38030
`}, Options{}, sourcesOf(fromDiskstats))
	if got := c.names(platform.Disk); !slices.Equal(got, []string{"hda"}) {
		t.Fatalf("%q", got)
	}
	if got := c.given[0].fields[platform.DiskReadBytes]; got != 9550688*512 {
		t.Errorf("read %d", got)
	}
}

func TestDiskSizeAlone(t *testing.T) {
	b, k := hostTree(t, Options{AllDevices: true})
	c := readTree(t, b, sourcesOf(fromDiskSize))
	got := map[string]uint64{}
	for _, g := range c.given {
		got[g.key.Name] = g.fields[platform.DiskSize]
		if len(g.fields) != 1 {
			t.Errorf("%s: %v", g.key.Name, g.fields)
		}
	}
	if want := map[string]uint64{"loop0": 0, "vda": 512000, "vda1": 460800}; !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
	k.fail["sys/block/vda/size"] = fs.ErrPermission
	if got := readTree(t, b, sourcesOf(fromDiskSize)).misses[fromDiskSize]; !slices.Equal(got, []platform.Reason{platform.Denied}) {
		t.Errorf("%v", got)
	}
}

// What sysfs says of a device is looked up once in its life.
func TestDevicesAreRemembered(t *testing.T) {
	b, k := hostTree(t, Options{})
	set := sourcesOf(fromDiskstats, fromInterfaces)
	const disk, nic = "stat sys/block/vda/device", "stat sys/class/net/eth0/device"
	for range 3 {
		readTree(t, b, set)
	}
	if k.times(disk) != 1 || k.times(nic) != 1 {
		t.Errorf("looked up %d and %d times", k.times(disk), k.times(nic))
	}
	replace(t, k, "proc/diskstats", "")
	replace(t, k, "proc/net/dev", "")
	if c := readTree(t, b, set); len(c.given) != 0 {
		t.Errorf("devices that vanished: %v", c.given)
	}
	replace(t, k, "proc/diskstats", diskstatsText)
	replace(t, k, "proc/net/dev", netDevText)
	if c := readTree(t, b, set); len(c.given) != 2 || k.times(disk) != 2 || k.times(nic) != 2 {
		t.Errorf("back again: %v, looked up %d and %d times", c.given, k.times(disk), k.times(nic))
	}
	if n := len(b.hostState().disks.known); n != 2 {
		t.Errorf("%d disks are remembered, want 2", n)
	}
}

// replace writes a file of the tree anew.
func replace(t *testing.T, k *treeKernel, path, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(k.root, path), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func interfaceLines(names ...string) string {
	lines := strings.SplitAfterN(netDevText, "\n", 3)[0] + " face |bytes\n"
	for _, name := range names {
		lines += name + ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	}
	return lines
}

func TestInterfaces(t *testing.T) {
	names := []string{"lo", "eth0", "bond0", "eth0.7", "docker0", "veth1", "eth0:1"}
	files := map[string]string{
		"proc/net/dev":                interfaceLines(names...),
		"sys/class/net/eth0/device":   "/",
		"sys/class/net/bond0/bonding": "/",
		"proc/net/vlan/eth0.7":        "",
		"sys/class/net/docker0":       "/",
	}
	for _, c := range []struct {
		name    string
		all     bool
		without []string
		want    []string
	}{
		{"host", false, nil, []string{"eth0", "bond0", "eth0.7"}},
		{"all devices", true, nil, names},
		{"container", false, []string{"sys/class/net/eth0/device", "sys/class/net/bond0/bonding", "proc/net/vlan/eth0.7"}, names[1:]},
	} {
		here := maps.Clone(files)
		for _, path := range c.without {
			delete(here, path)
		}
		got := readFiles(t, here, Options{AllDevices: c.all}, sourcesOf(fromInterfaces)).names(platform.Network)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	files["proc/net/dev"] = interfaceLines("eth0", "eth0")
	if got := readFiles(t, files, Options{}, sourcesOf(fromInterfaces)).names(platform.Network); len(got) != 1 {
		t.Errorf("a name that is there twice: %q", got)
	}
}

func TestCPUs(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     platform.SourceSet
		without string
		want    []uint64 // frequencies
		columns int      // of each CPU
		missed  bool
	}{
		{"both", sourcesOf(fromStat, fromCPUFreq), "", []uint64{2_300_000_000, 2_400_000_000}, 9, false},
		{"frequency", sourcesOf(fromCPUFreq), "", []uint64{2_300_000_000, 2_400_000_000}, 2, false},
		{"times", sourcesOf(fromStat), "", []uint64{0, 0}, 7, false},
		{"no driver", sourcesOf(fromCPUFreq), "cpufreq", []uint64{2596_096_000, 3100_500_000}, 1, false},
		{"no sys", sourcesOf(fromCPUFreq), "sys/", []uint64{2596_096_000, 3100_500_000}, 1, false},
		{"nothing", sourcesOf(fromStat, fromCPUFreq), "cpu", []uint64{0, 0}, 7, true},
	} {
		files := hostFiles()
		maps.DeleteFunc(files, func(path, _ string) bool { return c.without != "" && strings.Contains(path, c.without) })
		got := readFiles(t, files, Options{}, c.set)
		cpus := got.of(platform.CPU)
		for i, cpu := range cpus {
			if cpu.key.ID != uint64(i) || cpu.fields[platform.CPUFrequency] != c.want[i] || len(cpu.fields) != c.columns {
				t.Errorf("%s: CPU %d: %v", c.name, i, cpu)
			}
		}
		if len(cpus) != len(c.want) || (len(got.misses[fromCPUFreq]) > 0) != c.missed {
			t.Errorf("%s: %d CPUs, misses %v", c.name, len(cpus), got.misses)
		}
	}
}

// A driver may say that it does not know, or come and go.
func TestFrequencyOfOneCPU(t *testing.T) {
	b, k := hostTree(t, Options{})
	const path = "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"
	replace(t, k, path, "<unknown>\n")
	c := readTree(t, b, sourcesOf(fromCPUFreq))
	if got := c.of(platform.CPU); len(got) != 1 || got[0].key.ID != 1 {
		t.Errorf("%v", got)
	}
	if got := c.misses[fromCPUFreq]; !slices.Equal(got, []platform.Reason{platform.Unknown}) {
		t.Errorf("%v", got)
	}
	replace(t, k, "sys/devices/system/cpu/online", "1\n")
	if got := readTree(t, b, sourcesOf(fromCPUFreq)).of(platform.CPU); len(got) != 1 || got[0].key.ID != 1 {
		t.Errorf("one CPU online: %v", got)
	}
	folder := filepath.Join(k.root, "sys/devices/system/cpu/cpu1/cpufreq")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	readTree(t, b, sourcesOf(fromCPUFreq)) // finds out
	if got := readTree(t, b, sourcesOf(fromCPUFreq)).of(platform.CPU); len(got) != 2 {
		t.Errorf("after the driver went: %v", got)
	}
}

func TestTopology(t *testing.T) {
	const folder = "sys/devices/system/cpu/"
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"two threads a core": {map[string]string{
			folder + "online":                       "0-3\n",
			folder + "cpu0/topology/core_cpus_list": "0,2\n", folder + "cpu1/topology/core_cpus_list": "1,3\n",
			folder + "cpu2/topology/core_cpus_list": "0,2\n", folder + "cpu3/topology/core_cpus_list": "1,3\n",
		}, 2},
		"before Linux 5.3": {map[string]string{
			folder + "online": "0-1\n",
			folder + "cpu0/topology/thread_siblings_list": "0\n", folder + "cpu1/topology/thread_siblings_list": "1\n",
		}, 2},
		"one offline": {map[string]string{
			folder + "online":                       "0\n",
			folder + "cpu0/topology/core_cpus_list": "0\n", folder + "cpu1/topology/core_cpus_list": "1\n",
		}, 1},
		"no sys":  {map[string]string{"proc/cpuinfo": cpuinfoText}, 2},
		"nothing": {map[string]string{"proc/cpuinfo": "processor : 0\n"}, 0},
	} {
		got := readFiles(t, c.files, Options{}, sourcesOf(fromTopology))
		v, ok := got.of(platform.Host)[0].fields[platform.HostCPUPhysical]
		if v != c.want || ok != (c.want > 0) {
			t.Errorf("%s: %d, %v, want %d", name, v, ok, c.want)
		}
		if missed := len(got.misses[fromTopology]) > 0; missed == ok {
			t.Errorf("%s: misses %v", name, got.misses)
		}
	}
}

func TestTopologyIsRemembered(t *testing.T) {
	b, k := hostTree(t, Options{})
	const path = "sys/devices/system/cpu/cpu0/topology/core_cpus_list"
	for range 3 {
		readTree(t, b, sourcesOf(fromTopology))
	}
	if k.times(path) != 1 {
		t.Errorf("read %d times", k.times(path))
	}
	replace(t, k, "sys/devices/system/cpu/online", "0\n")
	readTree(t, b, sourcesOf(fromTopology))
	if k.times(path) != 2 {
		t.Error("not read again when another set of CPUs was online")
	}
}

func TestLocks(t *testing.T) {
	b, _ := hostTree(t, Options{})
	c := readTree(t, b, sourcesOf(fromLocks))
	want := map[platform.Field]uint64{
		platform.LockPosixRead: 1, platform.LockPosixWrite: 1, platform.LockFlockRead: 1, platform.LockFlockWrite: 0,
		platform.LockOFDRead: 1, platform.LockOFDWrite: 0, platform.LockLeaseRead: 1, platform.LockLeaseWrite: 0,
	}
	if got := c.of(platform.Lock)[1].fields; !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
