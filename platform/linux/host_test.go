package linux

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// hostFiles is a small host: two CPUs, a disk with a partition, and one of each
// of the rest.
func hostFiles() map[string]string {
	files := map[string]string{
		"proc/stat":                   statText,
		"proc/meminfo":                meminfoText,
		"proc/vmstat":                 vmstatText,
		"proc/uptime":                 "1473.48 2899.09\n",
		"proc/loadavg":                "0.09 0.03 0.01 2/87 4717\n",
		"proc/diskstats":              diskstatsText + " 254       1 vda1 1 2 3 4 5 6 7 8 0 10 11\n",
		"proc/swaps":                  swapsText,
		"proc/locks":                  locksText,
		"proc/cpuinfo":                cpuinfoText,
		"proc/self/mountinfo":         mountinfoText,
		"proc/net/dev":                netDevText,
		"proc/net/tcp":                tcpText,
		"proc/net/tcp6":               "  sl  local_address\n",
		"proc/net/udp":                udpText,
		"proc/sys/kernel/threads-max": "192743\n",
		"proc/sys/kernel/pid_max":     "4194304\n",
		"proc/sys/kernel/hostname":    "box\n",
		"proc/sys/kernel/osrelease":   "6.18.44\n",
		"etc/machine-id":              "3d1219c7c4c5404aaa1f6d2a48adfda4\n",
		"etc/os-release":              osReleaseText,
		"sys/block/vda/size":          "1000\n",
		"sys/block/loop0/size":        "0\n",
		"sys/class/block/vda1/size":   "900\n",
		"sys/class/net/lo":            "/",
		"sys/class/net/eth0/device":   "/",
		"proc/4711/stat":              strings.Replace(statLine(4711, task{name: "nginx", state: "S", threads: 1, scale: 1}), " 0 8192000 ", " 100000 8192000 ", 1),
		"proc/4711/cgroup":            "0::" + containerGroup + "\n",

		"sys/fs/cgroup/cgroup.controllers":                    "cpu io memory pids\n",
		"sys/fs/cgroup/init.scope/cgroup.procs":               "1\n",
		"sys/fs/cgroup" + containerGroup + "/cgroup.procs":    "4711\n",
		"sys/fs/cgroup" + containerGroup + "/cpu.stat":        cpuStatText,
		"sys/fs/cgroup" + containerGroup + "/cpu.max":         "150000 100000\n",
		"sys/fs/cgroup" + containerGroup + "/memory.current":  "104857600\n",
		"sys/fs/cgroup" + containerGroup + "/memory.max":      "1073741824\n",
		"sys/fs/cgroup" + containerGroup + "/memory.events":   "low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\n",
		"sys/fs/cgroup" + containerGroup + "/memory.stat":     memoryStatText,
		"sys/fs/cgroup" + containerGroup + "/io.stat":         ioStatText,
		"sys/fs/cgroup" + containerGroup + "/cpu.pressure":    pressureOf(1),
		"sys/fs/cgroup" + containerGroup + "/memory.pressure": pressureOf(2),
		"sys/fs/cgroup" + containerGroup + "/io.pressure":     pressureOf(3),
		"sys/fs/cgroup" + containerGroup + "/pids.current":    "12\n",
		"sys/fs/cgroup" + containerGroup + "/pids.max":        "100\n",
		"sys/dev/block/8:16/device":                           "/",
		"sys/class/net/eth0/mtu":                              "1500\n",
		"proc/sys/fs/file-nr":                                 "903\t0\t2466170\n",
		"proc/net/sockstat":                                   sockstatText,
		"proc/net/sockstat6":                                  "TCP6: inuse 2\n",
		"proc/net/snmp":                                       snmpText,
		"proc/net/snmp6":                                      snmp6Text,
		"proc/net/netstat":                                    netstatText,
		"proc/pressure/io":                                    pressureText,
		"run/utmp":                                            "",

		"proc/sys/net/netfilter/nf_conntrack_count": "5\n",
		"proc/sys/net/netfilter/nf_conntrack_max":   "262144\n",
		"sys/devices/system/node/online":            "0\n",
		"sys/devices/system/node/node0/meminfo":     nodeText,
		"sys/devices/system/node/node0/numastat":    numastatText,
	}
	maps.Copy(files, cpuFiles)
	maps.Copy(files, hardwareFiles)
	return files
}

// cpuFiles are those that tell of its CPUs.
var cpuFiles = map[string]string{
	"sys/devices/system/cpu/online":                            "0-1\n",
	"sys/devices/system/cpu/cpu0/topology/core_cpus_list":      "0-1\n",
	"sys/devices/system/cpu/cpu1/topology/core_cpus_list":      "0-1\n",
	"sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq":     "2300000\n",
	"sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq":     "2400000\n",
	"sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq":     "3000000\n",
	"sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq":     "800000\n",
	"sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq":     "2900000\n",
	"sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq":     "900000\n",
	"sys/devices/system/cpu/cpu0/cpufreq/base_frequency":       "2200000\n",
	"sys/devices/system/cpu/cpu0/topology/physical_package_id": "0\n",
}

// hostTree is a backend over the small host.
func hostTree(t testing.TB, o Options) (*backend, *treeKernel) {
	k := newTreeKernel(writeTree(t, hostFiles()))
	k.space["/"] = Statfs{Unit: 4096, Blocks: 1000, Free: 400, Avail: 300, Files: 50, FreeFiles: 20}
	k.space["/mnt 2"] = Statfs{Unit: 512, Blocks: 10, Free: 10, Avail: 10}
	k.space["/srv"] = Statfs{Unit: 1 << 20, Blocks: 7, Free: 0, Avail: 0}
	return treeBackend(k, o), k
}

func TestReadHost(t *testing.T) {
	b, k := hostTree(t, Options{})
	c := readTree(t, b, everything)
	if len(c.misses) > 0 {
		t.Errorf("misses: %v", c.misses)
	}
	var order []platform.Entity
	for _, g := range c.given {
		order = append(order, g.entity)
	}
	if !slices.IsSorted(order) {
		t.Errorf("entities came in the order %v", order)
	}
	for e, want := range map[platform.Entity][]string{
		platform.Host: {""}, platform.CPU: {"", ""}, platform.Disk: {"vda"},
		platform.Filesystem: {"/", "/mnt 2", "/srv"}, platform.Network: {"eth0"},
		platform.Swap: {"/dev/dm-2", "/swap file"}, platform.Lock: {"00:1b", "fe:00"},
		platform.Container: {containerID},
		platform.Hardware: {"coretemp@coretemp.0/temp1", "coretemp@coretemp.0/temp2", "nct6775@nct6775.656/temp1",
			"nct6775@nct6775.656/fan1", "nct6775@nct6775.656/in0", "amdgpu/power1", "power_meter@ACPI000D:00/power1",
			"AC", "BAT0", "BAT1", "intel-rapl:0", "intel-rapl:0:2", "intel-rapl:1", "mc0"},
	} {
		if got := c.names(e); !slices.Equal(got, want) {
			t.Errorf("%v: %q, want %q", e, got, want)
		}
	}
	if k.open() != 0 {
		t.Errorf("%d files were left open", k.open())
	}
}

// What the table of sources promises is what a host that has everything gives.
func TestHostSourcesTellTheTruth(t *testing.T) {
	b, _ := hostTree(t, Options{})
	for i, source := range hostSources(64) {
		c := readTree(t, b, sourcesOf(i))
		fields, texts := map[platform.Field]bool{}, map[platform.Text]bool{}
		for _, g := range c.given {
			for f := range g.fields {
				fields[f] = true
			}
			for x := range g.texts {
				texts[x] = true
			}
		}
		for _, g := range source.Gives {
			if !fields[g.Field] {
				t.Errorf("%s does not give %v", source.Name, g.Field)
			}
			delete(fields, g.Field)
		}
		for _, x := range source.Texts {
			if !texts[x] {
				t.Errorf("%s does not give %v", source.Name, x)
			}
			delete(texts, x)
		}
		if len(fields)+len(texts) > 0 {
			t.Errorf("%s also gives %v %v", source.Name, fields, texts)
		}
		if source.Name == "" || source.Cost == 0 || source.Files == 0 {
			t.Errorf("%s is incomplete: %+v", source.Name, source)
		}
	}
}

func TestHostTexts(t *testing.T) {
	b, _ := hostTree(t, Options{})
	want := map[platform.Text]string{
		platform.HostID: "3d1219c7c4c5404aaa1f6d2a48adfda4", platform.HostName: "box",
		platform.HostArch: "amd64", platform.OSType: "linux", platform.OSName: "Debian GNU/Linux",
		platform.OSVersion: "12", platform.OSDescription: "Debian GNU/Linux 12 (bookworm)",
		platform.OSBuild: "6.18.44",
	}
	if got := readTree(t, b, everything).of(platform.Host)[0].texts; !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestHostTextsElsewhere(t *testing.T) {
	files := map[string]string{
		"etc/machine-id":           "uninitialized\n",
		"var/lib/dbus/machine-id":  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		"etc/hostname":             "# set at installation\nnode7\n",
		"proc/sys/kernel/hostname": "container\n",
		"usr/lib/os-release":       "NAME=Flatcar\n",
	}
	set := sourcesOf(fromMachineID, fromHostname, fromOSRelease, fromKernelRelease)
	c := readFiles(t, files, Options{Root: "/host"}, set)
	want := map[platform.Text]string{
		platform.HostID:   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		platform.HostName: "node7", platform.OSName: "Flatcar",
	}
	if got := c.of(platform.Host)[0].texts; !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := c.misses[fromKernelRelease]; !slices.Equal(got, []platform.Reason{platform.Unsupported}) {
		t.Errorf("kernel release: %v", got)
	}
	c = readFiles(t, files, Options{}, sourcesOf(fromHostname))
	if got := c.of(platform.Host)[0].texts[platform.HostName]; got != "container" {
		t.Errorf("this machine's own name: %q", got)
	}
}

// A file that fails costs its own fields, and says why.
func TestHostMisses(t *testing.T) {
	paths := map[int]string{
		fromStat: "proc/stat", fromMeminfo: "proc/meminfo", fromVmstat: "proc/vmstat",
		fromUptime: "proc/uptime", fromLoadavg: "proc/loadavg", fromTCP: "proc/net/tcp",
		fromUDP: "proc/net/udp", fromKernelRelease: "proc/sys/kernel/osrelease",
		fromDiskstats: "proc/diskstats", fromInterfaces: "proc/net/dev",
		fromSwaps: "proc/swaps", fromLocks: "proc/locks", fromFileHandles: "proc/sys/fs/file-nr",
		fromSockstat: "proc/net/sockstat", fromSNMP: "proc/net/snmp", fromNetstat: "proc/net/netstat",
		fromNodes: "sys/devices/system/node/online", fromConntrack: "proc/sys/net/netfilter/nf_conntrack_count",
	}
	b, k := hostTree(t, Options{})
	others := sourcesOf(fromDiskSize, fromDiskIdentity, fromMTU, fromLink, fromContainerStart) // need the lists of disks and interfaces, and the uptime, too
	set := everything &^ others
	all := allFields()
	for source := range others.All() {
		all = all.Minus(fieldsOf(source))
	}
	for err, why := range map[error]platform.Reason{
		fs.ErrPermission: platform.Denied, fs.ErrNotExist: platform.Unsupported,
		os.ErrProcessDone: platform.Gone, errors.ErrUnsupported: platform.Unsupported,
		errors.New("input/output error"): platform.Unknown, os.ErrDeadlineExceeded: platform.Stuck,
	} {
		for source, path := range paths {
			k.fail = map[string]error{path: err}
			c := readTree(t, b, set)
			if got := c.misses[source]; len(c.misses) != 1 || !slices.Equal(got, []platform.Reason{why}) {
				t.Errorf("%s failed with %v: %v", path, err, c.misses)
			}
			if got, want := c.fields(), all.Minus(fieldsOf(source)); got != want {
				t.Errorf("%s failed with %v: too few %v, too many %v", path, err,
					slices.Collect(want.Minus(got).All()), slices.Collect(got.Minus(want).All()))
			}
		}
	}
}

// fields returns every field that any sample has.
func (c *collector) fields() (set platform.FieldSet) {
	for _, g := range c.given {
		for f := range g.fields {
			set.Add(f)
		}
	}
	return set
}

// fieldsOf returns the fields of one source.
func fieldsOf(source int) (set platform.FieldSet) {
	for _, g := range hostSources(64)[source].Gives {
		set.Add(g.Field)
	}
	return set
}

func allFields() (set platform.FieldSet) {
	for source := range numHostSources {
		set = set.Union(fieldsOf(source))
	}
	return set
}

func TestHostGarbage(t *testing.T) {
	files := hostFiles()
	for path := range files {
		if strings.HasPrefix(path, "proc/") {
			files[path] = "garbage\n"
		}
	}
	c := readFiles(t, files, Options{}, everything)
	for _, source := range []int{fromStat, fromMeminfo, fromVmstat, fromUptime, fromLoadavg, fromLimit,
		fromFileHandles, fromConntrack, fromSockstat, fromSNMP, fromNetstat} {
		if got := c.misses[source]; !slices.Equal(got, []platform.Reason{platform.Unknown}) {
			t.Errorf("source %d: %v", source, got)
		}
	}
}

func TestHostStops(t *testing.T) {
	b, _ := hostTree(t, Options{})
	total := len(readTree(t, b, everything).given)
	for stop := 1; stop <= total; stop++ {
		c := &collector{stop: stop}
		if err := (&reader{b, t.Context()}).readHost(everything, 0, c); err != nil || len(c.given) != stop {
			t.Fatalf("stopped after %d of %d samples: %v", len(c.given), stop, err)
		}
	}
	c := &collector{}
	if err := (&reader{b, ended()}).readHost(everything, 0, c); err == nil || len(c.given) > 0 {
		t.Errorf("after the end of the context: %d samples, %v", len(c.given), err)
	}
	if len(c.misses) > 0 {
		t.Errorf("a pass that was called off misses %v", c.misses)
	}
}

func TestHostIndex(t *testing.T) {
	b, k := hostTree(t, Options{})
	k.fail["proc/stat"] = fs.ErrPermission
	c := &collector{}
	if err := (&reader{b, t.Context()}).readHost(sourcesOf(fromStat)<<7, 7, c); err != nil {
		t.Fatal(err)
	}
	if len(c.misses) != 1 || len(c.misses[7+fromStat]) != 1 {
		t.Errorf("misses: %v", c.misses)
	}
}

// A disabled metric is never read.
func TestHostReadsOnlyWhatIsChosen(t *testing.T) {
	for source, path := range map[int]string{
		fromUptime: "proc/uptime", fromSwaps: "proc/swaps", fromMounts: "proc/self/mountinfo",
	} {
		b, k := hostTree(t, Options{})
		readTree(t, b, sourcesOf(source))
		for asked := range k.asked {
			if strings.HasPrefix(asked, "proc/") && asked != path {
				t.Errorf("%s was read for %s", asked, path)
			}
		}
		if k.asked[path] != 1 {
			t.Errorf("%s was read %d times", path, k.asked[path])
		}
	}
}

func TestMemoryOfTree(t *testing.T) {
	const old = "MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 300 kB\nActive(file): 120 kB\nInactive(file): 80 kB\nSReclaimable: 50 kB\n"
	for _, c := range []struct {
		name      string
		files     map[string]string
		available uint64
	}{
		{"with zoneinfo", map[string]string{"proc/meminfo": old, "proc/zoneinfo": "Node 0, zone DMA\n low 5\nNode 0, zone Normal\n low 2\n"}, 269 << 10},
		{"without", map[string]string{"proc/meminfo": old}, 400 << 10},
		{"zoneinfo not needed", map[string]string{"proc/meminfo": old + "MemAvailable: 7 kB\n", "proc/zoneinfo": " low 5\n"}, 7 << 10},
	} {
		got := readFiles(t, c.files, Options{}, sourcesOf(fromMeminfo))
		// 100 - 28 + 200 - min(100, 28) + 50 - min(25, 28)
		if v := got.of(platform.Host)[0].fields[platform.HostMemoryAvailable]; v != c.available || len(got.misses) > 0 {
			t.Errorf("%s: %d kB, misses %v", c.name, v>>10, got.misses)
		}
	}
}

func TestProcessLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"threads": {map[string]string{"proc/sys/kernel/threads-max": "10\n", "proc/sys/kernel/pid_max": "20\n"}, 10},
		"pids":    {map[string]string{"proc/sys/kernel/threads-max": "30\n", "proc/sys/kernel/pid_max": "20\n"}, 20},
		"one":     {map[string]string{"proc/sys/kernel/threads-max": "30\n"}, 30},
		"other":   {map[string]string{"proc/sys/kernel/pid_max": "20\n"}, 20},
	} {
		got := readFiles(t, c.files, Options{}, sourcesOf(fromLimit)).of(platform.Host)[0].fields
		if got[platform.HostProcessLimit] != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSockets(t *testing.T) {
	set := sourcesOf(fromTCP, fromUDP)
	b, k := hostTree(t, Options{})
	got := readTree(t, b, set).of(platform.Host)[0].fields
	if got[platform.HostTCPListen] != 2 || got[platform.HostUDP] != 1 {
		t.Errorf("%v", got)
	}
	k.fail["proc/net/tcp6"] = fs.ErrPermission
	c := readTree(t, b, set)
	if _, ok := c.of(platform.Host)[0].fields[platform.HostTCPListen]; ok || len(c.misses[fromTCP]) != 1 {
		t.Errorf("half of the sockets were counted for all: %v", c.given)
	}
	// More lines than the buffer holds at once.
	long := strings.Repeat(tcpText, 500)
	c = readFiles(t, map[string]string{"proc/net/tcp": long}, Options{}, sourcesOf(fromTCP))
	if got := c.of(platform.Host)[0].fields[platform.HostTCPListen]; got != 1000 {
		t.Errorf("%d of 1000 sockets", got)
	}
	c = readFiles(t, map[string]string{"proc/net/tcp": strings.Repeat("x", streamSize+1)}, Options{}, sourcesOf(fromTCP))
	if got := c.misses[fromTCP]; !slices.Equal(got, []platform.Reason{platform.Unknown}) {
		t.Errorf("a line without an end: %v", got)
	}
}

// In a moved view the tables of the first process are the host's.
func TestNetworkOfMovedView(t *testing.T) {
	files := map[string]string{
		"proc/net/dev":      strings.ReplaceAll(netDevText, "eth0", "veth"),
		"proc/1/net/dev":    netDevText,
		"proc/1/net/vlan/x": "",
	}
	set := sourcesOf(fromInterfaces)
	if got := readFiles(t, files, Options{Root: "/host"}, set).names(platform.Network); !slices.Equal(got, []string{"eth0"}) {
		t.Errorf("moved: %v", got)
	}
	if got := readFiles(t, files, Options{}, set).names(platform.Network); !slices.Equal(got, []string{"veth"}) {
		t.Errorf("own: %v", got)
	}
	delete(files, "proc/1/net/dev")
	if got := readFiles(t, files, Options{Root: "/host"}, set).names(platform.Network); !slices.Equal(got, []string{"veth"}) {
		t.Errorf("moved, without it: %v", got)
	}
}

func TestHostPassAllocates(t *testing.T) {
	b, _ := hostTree(t, Options{})
	counts := &counter{}
	r := &reader{newMemoryBackend(b.kernel.(*treeKernel)), t.Context()}
	all := everything &^ (1 << fromSessions) // which asks the tree for a process, at the price of a string
	read := func() {
		if err := r.readHost(all, 0, counts); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if n := testing.AllocsPerRun(50, read); n > 0 {
		t.Errorf("%v allocations in a pass", n)
	}
	if counts.samples == 0 || counts.misses > 0 {
		t.Errorf("%d samples, %d misses", counts.samples, counts.misses)
	}
}

// counter is a sink that counts.
type counter struct{ samples, misses int }

func (c *counter) Sample(*platform.Sample) bool { c.samples++; return true }
func (c *counter) Miss(int, platform.Reason)    { c.misses++ }

func (m *memoryKernel) ReadDir(fd int, buf []byte) (int, error) { return m.Read(fd, buf) }

func (m *memoryKernel) Open(_ int, path []byte) (int, error) {
	content, ok := m.files[string(path)]
	if !ok {
		return -1, fs.ErrNotExist
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for fd, used := range m.used {
		if !used {
			m.live[fd], m.used[fd] = content, true
			return fd, nil
		}
	}
	return -1, errors.New("too many open files")
}

func (m *memoryKernel) Read(fd int, buf []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := copy(buf, m.live[fd])
	m.live[fd] = m.live[fd][n:]
	return n, nil
}

func (m *memoryKernel) Close(fd int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used[fd] = false
	return nil
}

func (m *memoryKernel) Stat(_ int, path []byte) (Stat, error) {
	if _, ok := m.files[string(path)]; !ok {
		return Stat{}, fs.ErrNotExist
	}
	return Stat{}, nil
}

func (m *memoryKernel) Statfs(path string) (Statfs, error) { return m.space[path], nil }
