package linux

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// told is what both versions tell of the container of these tests.
func told() map[platform.Field]uint64 {
	return map[platform.Field]uint64{
		platform.ContainerUptime:           1473480e6 - 100000*tickNanos,
		platform.ContainerCPUUser:          2107390e3,
		platform.ContainerCPUSystem:        1126011e3,
		platform.ContainerCPULimit:         1_500_000,
		platform.ContainerCPUPeriods:       40,
		platform.ContainerCPUThrottled:     7,
		platform.ContainerCPUThrottledTime: 250e3,
		platform.ContainerMemoryUsage:      100 << 20,
		platform.ContainerMemoryLimit:      1 << 30,
		platform.ContainerMemoryAvailable:  1<<30 - 80<<20,
		platform.ContainerMemoryRSS:        50 << 20,
		platform.ContainerMemoryWorkingSet: 80 << 20,
		platform.ContainerFaultsMajor:      25,
		platform.ContainerFaultsMinor:      875,
		platform.ContainerOOMKills:         1,
		platform.ContainerDiskReadBytes:    1459200,
		platform.ContainerDiskWriteBytes:   314773504,
		platform.ContainerThreads:          12,
		platform.ContainerThreadLimit:      100,

		platform.ContainerPressureCPUSome: 1e6, platform.ContainerPressureCPUFull: 10e6,
		platform.ContainerPressureMemorySome: 2e6, platform.ContainerPressureMemoryFull: 20e6,
		platform.ContainerPressureIOSome: 3e6, platform.ContainerPressureIOFull: 30e6,
	}
}

// oldFiles is the container under version 1, whose trees are mounted at a place of
// their own, with version 2 beside them for pressure alone.
func oldFiles() map[string]string {
	const group = "/docker/" + containerID
	files := map[string]string{
		"proc/self/mountinfo": "22 27 0:21 / /proc rw - proc proc rw\n32 31 0:29 / /groups/cpu rw - cgroup cgroup rw,cpu,cpuacct\n" +
			"35 31 0:32 / /groups/mem\\040ory rw - cgroup cgroup rw,memory\n38 31 0:35 / /groups/io rw - cgroup cgroup rw,blkio\n" +
			"39 31 0:36 / /groups/pids rw - cgroup cgroup rw,pids\n41 31 0:38 / /groups/unified rw - cgroup2 cgroup2 rw\n",
		"proc/uptime":           "1473.48 2899.09\n",
		"proc/4711/cgroup":      oldCgroupText,
		"proc/4711/stat":        hostFiles()["proc/4711/stat"],
		"sys/dev/block/8:16":    "/",
		"sys/dev/block/7:0":     "/",
		"groups/cpu/cpu.stat":   "nr_periods 0\n",
		"groups/mem ory/tasks":  "1\n",
		"groups/io/tasks":       "1\n",
		"groups/pids/tasks":     "1\n",
		"groups/unified/x/y":    "/",
		"groups/pids/docker/a":  "/",
		"groups/io/docker/b":    "/",
		"groups/cpu/docker/c":   "/",
		"sys/fs/cgroup/nothing": "/",
	}
	for path, content := range map[string]string{
		"cpu/cpu.stat": oldCPUStatText, "cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "100000\n",
		"cpu/cpuacct.stat": cpuacctText, "mem ory/memory.usage_in_bytes": "104857600\n", "mem ory/memory.limit_in_bytes": "1073741824\n",
		"mem ory/memory.stat": oldMemoryStatText, "mem ory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
		"mem ory/cgroup.procs": "4711\n", "io/blkio.throttle.io_service_bytes_recursive": oldIOText,
		"io/blkio.throttle.io_service_bytes": "8:16 Read 1\nTotal 1\n", "pids/pids.current": "12\n", "pids/pids.max": "100\n",
		"unified/cpu.pressure": pressureOf(1), "unified/memory.pressure": pressureOf(2), "unified/io.pressure": pressureOf(3),
	} {
		tree, file, _ := strings.Cut(path, "/")
		files["groups/"+tree+group+"/"+file] = content
	}
	return files
}

func TestContainerVersion2(t *testing.T) {
	c := readFiles(t, hostFiles(), Options{}, containerSources)
	got := c.of(platform.Container)
	if len(got) != 1 || got[0].key != (platform.Key{Name: containerID, Start: 100000}) || !maps.Equal(got[0].fields, told()) {
		t.Fatalf("%v, want %v", got, told())
	}
	texts := map[platform.Text]string{platform.ContainerRuntime: "containerd", platform.ContainerPod: podID}
	if !maps.Equal(got[0].texts, texts) || len(c.misses) > 0 {
		t.Errorf("%q, misses %v", got[0].texts, c.misses)
	}
}

func TestContainerVersion1(t *testing.T) {
	want := told()
	want[platform.ContainerCPUUser], want[platform.ContainerCPUSystem] = 2100e6, 1120e6
	want[platform.ContainerDiskReadBytes]++ // no disk is known to be one: all count
	want[platform.ContainerDiskWriteBytes] += 2
	c := readFiles(t, oldFiles(), Options{}, containerSources)
	got := c.of(platform.Container)
	if len(got) != 1 || got[0].key.Name != containerID || got[0].key.Start != 100000 || !maps.Equal(got[0].fields, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	if got[0].texts[platform.ContainerRuntime] != "docker" || len(c.misses) > 0 {
		t.Errorf("%q, misses %v", got[0].texts, c.misses)
	}
}

// What is not limited, not counted or not there is not zero.
func TestContainerLacks(t *testing.T) {
	files := oldFiles()
	for _, path := range []string{"cpu/cpu.cfs_quota_us:-1\n", "mem ory/memory.limit_in_bytes:9223372036854771712\n",
		"io/blkio.throttle.io_service_bytes_recursive:Total 0\n", "io/blkio.throttle.io_service_bytes:Total 0\n", "pids/pids.max:max\n"} {
		path, content, _ := strings.Cut(path, ":")
		tree, file, _ := strings.Cut(path, "/")
		files["groups/"+tree+"/docker/"+containerID+"/"+file] = content
	}
	delete(files, "groups/mem ory/docker/"+containerID+"/memory.oom_control")
	c := readFiles(t, files, Options{}, containerSources)
	got := c.of(platform.Container)[0].fields
	for _, f := range []platform.Field{platform.ContainerCPULimit, platform.ContainerMemoryLimit, platform.ContainerMemoryAvailable,
		platform.ContainerDiskReadBytes, platform.ContainerThreadLimit, platform.ContainerOOMKills} {
		if v, ok := got[f]; ok {
			t.Errorf("%v is %d", f, v)
		}
	}
	if !slices.Equal(c.misses[fromContainerIO], []platform.Reason{platform.Unsupported}) || len(c.misses) != 1 {
		t.Errorf("misses %v", c.misses)
	}
	files["sys/dev/block/8:16/device"] = "/"
	files["groups/io/docker/"+containerID+"/blkio.bfq.io_service_bytes_recursive"] = oldIOText
	got = readFiles(t, files, Options{}, containerSources).of(platform.Container)[0].fields
	if got[platform.ContainerDiskReadBytes] != 1459200 {
		t.Errorf("bfq counts: %v", got)
	}
}

// Version 2 tells of no line of a group without I/O that it did none.
func TestContainerWithoutIO(t *testing.T) {
	files := hostFiles()
	files["sys/fs/cgroup"+containerGroup+"/io.stat"] = ""
	got := readFiles(t, files, Options{}, sourcesOf(fromContainerIO)).of(platform.Container)[0].fields
	if v, ok := got[platform.ContainerDiskReadBytes]; !ok || v != 0 {
		t.Errorf("%v", got)
	}
}

// One file that fails costs what it tells; a group that is gone costs the sample.
func TestContainerFails(t *testing.T) {
	k := newTreeKernel(writeTree(t, hostFiles()))
	b := treeBackend(k, Options{})
	k.fail["sys/fs/cgroup"+containerGroup+"/cpu.stat"] = fs.ErrPermission
	k.fail["sys/fs/cgroup"+containerGroup+"/cpu.max"] = fs.ErrPermission
	c := readTree(t, b, containerSources)
	if got := c.of(platform.Container); len(got) != 1 || !slices.Equal(c.misses[fromContainerCPU], []platform.Reason{platform.Denied}) || len(c.misses) != 1 {
		t.Errorf("%v, misses %v", got, c.misses)
	}
	k.fail["stat sys/fs/cgroup"+containerGroup] = fs.ErrNotExist
	if c = readTree(t, b, containerSources); len(c.given) != 0 || len(c.misses) != 0 {
		t.Errorf("%v, misses %v", c.given, c.misses)
	}
	if k.open() != 0 {
		t.Errorf("%d files were left open", k.open())
	}
}

func TestNoGroups(t *testing.T) {
	c := readFiles(t, map[string]string{"proc/uptime": "1.00 1.00\n"}, Options{}, containerSources)
	if len(c.given) != 0 || len(c.misses) != 6 || !slices.Equal(c.misses[fromContainerTasks], []platform.Reason{platform.Unsupported}) {
		t.Errorf("%v, misses %v", c.given, c.misses)
	}
}

// Each container is told once, whatever is in it and beside it.
func TestWhichContainers(t *testing.T) {
	files := map[string]string{"sys/fs/cgroup/cgroup.controllers": "cpu\n"}
	for _, path := range []string{
		"/init.scope", unitTail, "/docker/" + containerID + "/init.scope", "/docker/" + containerID + unitTail,
		"/docker/" + containerID + "/docker/" + otherID, "/system.slice/docker-" + containerID + ".scope",
		"/lxc/web/ns", "/machine.slice/machine-debian.scope/payload", "/vm/" + otherID,
	} {
		files["sys/fs/cgroup"+path+"/cpu.stat"] = cpuStatText
	}
	names := readFiles(t, files, Options{}, sourcesOf(fromContainerCPU)).names(platform.Container)
	slices.Sort(names)
	if want := []string{containerID, "debian", otherID, "web"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// The reader's own container, of which it sees the group as the root of the tree.
func TestOwnContainer(t *testing.T) {
	files := map[string]string{
		"proc/self/mountinfo":    "41 31 0:38 /docker/" + containerID + " /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/cpu.stat": cpuStatText,
	}
	if got := readFiles(t, files, Options{}, sourcesOf(fromContainerCPU)).names(platform.Container); !slices.Equal(got, []string{containerID}) {
		t.Errorf("%q", got)
	}
}

// A walk sees every group once, and stops at its bounds, which it counts.
func TestGroupWalk(t *testing.T) {
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("g/a%d/b/c", i)] = "/"
	}
	files["g/"+strings.Repeat("d/", mostDepth+2)] = "/"
	b := treeBackend(newTreeKernel(writeTree(t, files)), Options{})
	for _, x := range []struct{ most, seen, left int }{{1000, 1 + 90 + mostDepth, 1}, {20, 20, 0}} {
		var w groupWalk
		w.begin(nil, x.most)
		paths := map[string]bool{}
		for w.next() {
			if err := b.descend(&hierarchy{point: "g"}, &w); err != nil {
				t.Fatal(err)
			}
			paths[string(w.path)] = true
		}
		if len(paths) != x.seen || w.seen != x.seen || x.left != 0 && w.left != x.left || w.left == 0 {
			t.Errorf("at most %d: saw %d, %d of them different, left %d", x.most, w.seen, len(paths), w.left)
		}
	}
}

// A pass that leaves groups out says so, and tells of the rest.
func TestTooDeep(t *testing.T) {
	files := hostFiles()
	files["sys/fs/cgroup/"+strings.Repeat("d/", mostDepth+1)] = "/"
	c := readFiles(t, files, Options{}, containerSources)
	if len(c.of(platform.Container)) != 1 || !slices.Equal(c.misses[fromContainerIO], []platform.Reason{platform.Skipped}) {
		t.Errorf("misses %v", c.misses)
	}
}

func FuzzDecodeFolders(f *testing.F) {
	folder := dirents("system.slice")
	folder[direntType] = typeFolder
	f.Add(folder)
	f.Add(dirents(".", "..", "a", ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		decodeFolders(b, func(name []byte) {
			if len(name) == 0 || strings.ContainsRune(string(name), 0) || string(name) == "." || string(name) == ".." {
				t.Fatalf("%q", name)
			}
		})
	})
}

// starts returns the key's start of the container in one more pass.
func starts(t *testing.T, b *backend) uint64 {
	t.Helper()
	b.passes++
	return readTree(t, b, sourcesOf(fromContainerStart)).of(platform.Container)[0].key.Start
}

func TestContainerStart(t *testing.T) {
	files := hostFiles()
	group := "sys/fs/cgroup" + containerGroup
	at := func(start string) string {
		return strings.Replace(files["proc/4711/stat"], " 100000 8192000 ", " "+start+" 8192000 ", 1)
	}
	files[group+"/cgroup.procs"] = "0\n4712\n4711\n" // one of them in a PID namespace outside of ours
	files["proc/4712/stat"], files["proc/4712/cgroup"] = at("100007"), files["proc/4711/cgroup"]
	files[group+"/inner/cgroup.procs"] = "4713\n"
	files["proc/4713/stat"], files["proc/4713/cgroup"] = at("99999"), files["proc/4711/cgroup"]
	root := writeTree(t, files)
	put := func(path, content string) {
		t.Helper()
		if err := writeEntry(root+"/"+path, content); err != nil {
			t.Fatal(err)
		}
	}
	b := treeBackend(newTreeKernel(root), Options{})
	if got := starts(t, b); got != 99999 {
		t.Errorf("the oldest, in a group within: %d", got)
	}
	put("proc/4713/stat", at("200000")) // it ended, and another has its PID
	if got := starts(t, b); got != 100000 {
		t.Errorf("the oldest of the rest: %d", got)
	}
	for _, pid := range []string{"4711", "4712", "4713"} { // the container started again
		put("proc/"+pid+"/stat", at("30000"+pid))
	}
	if got := starts(t, b); got != 300004711 {
		t.Errorf("again: %d", got)
	}
	put(group+"/cgroup.procs", "")
	put(group+"/inner/cgroup.procs", "")
	put("proc/4711/stat", "")
	if got := starts(t, b); got != 300004711 {
		t.Errorf("nobody is seen any more: %d", got)
	}
}

// In another PID namespace the numbers are those of other processes.
func TestContainerStartElsewhere(t *testing.T) {
	files := hostFiles()
	files["proc/4711/cgroup"] = "0::" + unitTail + "\n"
	k := newTreeKernel(writeTree(t, files))
	b := treeBackend(k, Options{})
	c := readTree(t, b, sourcesOf(fromContainerStart))
	if got := c.of(platform.Container)[0]; got.key.Start != 0 || len(got.fields) != 0 || len(c.misses[fromContainerStart]) != 1 {
		t.Errorf("%v, misses %v", got, c.misses)
	}
	const procs = "sys/fs/cgroup" + containerGroup + "/cgroup.procs"
	before := k.times(procs)
	for range patience {
		starts(t, b)
	}
	if again := k.times(procs) - before; again != 1 {
		t.Errorf("looked %d times in %d passes", again, patience)
	}
}

// A view under another root has its own trees, found by its own table of mounts or,
// without one, in the usual place.
func TestContainersUnderRoot(t *testing.T) {
	for _, table := range []string{"proc/1/mountinfo", ""} {
		files := hostFiles()
		delete(files, "proc/self/mountinfo")
		for path, content := range files {
			if rest, ok := strings.CutPrefix(path, "sys/fs/cgroup/"); ok && table != "" {
				delete(files, path)
				files["groups/"+rest] = content
			}
		}
		if table != "" {
			files[table] = "41 31 0:38 / /groups rw - cgroup2 cgroup2 rw\n"
		}
		got := readFiles(t, files, Options{Root: "/host"}, containerSources).of(platform.Container)
		if len(got) != 1 || !maps.Equal(got[0].fields, told()) {
			t.Errorf("%q: %v", table, got)
		}
	}
}
