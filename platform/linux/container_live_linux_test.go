package linux

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// contain makes a group as docker does, in every tree that this machine has mounted,
// and starts a shell in it that works until it is killed. It returns the container's
// ID, the shell's PID and the group's folders.
func contain(t *testing.T, b *backend, script string) (id string, pid int, folders map[int]string) {
	t.Helper()
	id, folders = fmt.Sprintf("%064x", time.Now().UnixNano()), map[int]string{}
	h := b.hierarchies(false)
	for i := range h.at {
		if h.at[i].point == "" {
			continue
		}
		folder := "/" + filepath.Join(h.at[i].point, "docker", id)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Skipf("no control groups can be made here: %v", err)
		}
		t.Cleanup(func() {
			os.Remove(folder)
			os.Remove(filepath.Dir(folder)) // unless others are in it
		})
		folders[i] = folder
	}
	cmd := exec.Command("/bin/sh", "-c", "read go; "+script)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for _, folder := range folders {
		put(t, folder+"/cgroup.procs", strconv.Itoa(cmd.Process.Pid))
	}
	fmt.Fprintln(stdin, "go")
	return id, cmd.Process.Pid, folders
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0); err != nil {
		t.Skipf("no control groups can be set up here: %v", err)
	}
}

// containerOf reads all containers of this machine, and returns one.
func containerOf(t *testing.T, b *backend, id string) given {
	t.Helper()
	c := &collector{}
	reader, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Read(containerSources<<numPidSources, c); err != nil {
		t.Fatal(err)
	}
	for _, g := range c.of(platform.Container) {
		if g.key.Name == id {
			return g
		}
	}
	t.Fatalf("%s is not among %q", id, c.names(platform.Container))
	return given{}
}

// A container of this machine: what is told of it lies between what its files say
// before and after, and its processes know that they are in it.
func TestLiveContainer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may make control groups")
	}
	o, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b := o.(*backend)
	id, pid, folders := contain(t, b, "while :; do :; done")
	if len(folders) == 0 {
		t.Skip("no control groups are mounted")
	}
	memory, old := folders[ofMemory]
	if old {
		put(t, memory+"/memory.limit_in_bytes", "67108864")
		// The least there is: of a larger share a busy machine may leave nothing to take away.
		put(t, folders[ofCPU]+"/cpu.cfs_quota_us", "1000")
		waitFor(t, func() bool { return throttled(t, folders[ofCPU]) > 0 })
	}
	before := throttled(t, folders[ofCPU])
	got := containerOf(t, b, id)
	after := throttled(t, folders[ofCPU])
	seen, err := readOne(t, b, platform.Key{ID: uint64(pid)}, 1<<pidCgroup|1<<pidGroupLimits)
	if err != nil {
		t.Fatal(err)
	}
	if !seen.keys[platform.Key{ID: uint64(pid), Start: got.key.Start}] {
		t.Errorf("the container began at %d, its process is %v", got.key.Start, seen.keys)
	}
	if up, is := got.fields[platform.ContainerUptime]; !is || up > uint64(time.Hour) {
		t.Errorf("up for %d ns, %v", up, is)
	}
	if texts := seen.texts[uint64(pid)]; texts[platform.ProcessContainer] != id || texts[platform.ProcessCgroup] != "/docker/"+id {
		t.Errorf("its process says %q", texts)
	}
	if !old {
		return
	}
	for f, want := range map[platform.Field]uint64{platform.ContainerMemoryLimit: 64 << 20, platform.ContainerCPULimit: 10_000, platform.ContainerThreads: 1} {
		if v := got.fields[f]; v != want {
			t.Errorf("%v is %d, want %d", f, v, want)
		}
	}
	limits := seen.fields[uint64(pid)]
	if limits[platform.ProcessMemoryLimit] != 64<<20 || limits[platform.ProcessCPULimit] != 10_000 {
		t.Errorf("its process is told %v", limits)
	}
	between(t, "throttled", before, got.fields[platform.ContainerCPUThrottled], after)
	if used, is := got.fields[platform.ContainerCPUUser]; !is || used > uint64(time.Hour) {
		t.Errorf("used %d ns, %v", used, is)
	}
}

// throttled reads how often the processes of a group were held back, by the plainest
// means.
func throttled(t *testing.T, folder string) (times uint64) {
	t.Helper()
	b, _ := os.ReadFile(folder + "/cpu.stat")
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "nr_throttled "); ok {
			v, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			times = v
		}
	}
	return times
}

// Many groups, of which a few are containers, cost one list each.
func BenchmarkContainers(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("only root may make control groups")
	}
	o, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	tree := o.(*backend).containerTree()
	top := "/" + filepath.Join(tree.point, "pidometer-bench")
	for i := range 1000 {
		folder := filepath.Join(top, strconv.Itoa(i/20), strconv.Itoa(i))
		if i%10 == 0 {
			folder = filepath.Join(top, strconv.Itoa(i/20), "docker", fmt.Sprintf("%064x", i))
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			b.Skipf("no control groups can be made here: %v", err)
		}
	}
	defer func() {
		var all []string
		filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				all = append(all, path)
			}
			return nil
		})
		for i := range all {
			os.Remove(all[len(all)-1-i])
		}
	}()
	for _, x := range []struct {
		name string
		set  platform.SourceSet
	}{{"cpu", sourcesOf(fromContainerCPU)}, {"all", containerSources}} {
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			samples := 0
			for b.Loop() {
				c := &count{}
				reader, err := o.Begin(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				reader.Read(x.set<<numPidSources, c)
				reader.Close()
				samples = c.samples
			}
			b.ReportMetric(float64(samples), "containers")
		})
	}
}
