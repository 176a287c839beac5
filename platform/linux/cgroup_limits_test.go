package linux

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// none is a limit that there is not.
const none = ^uint64(0)

var groupLimits = []struct {
	why         string
	cgroup      string // of process 42
	mounts      string // "" leaves the table out
	files       map[string]string
	cpu, memory uint64
	misses      bool
}{
	{why: "its own", cgroup: "0::/a", mounts: "/ /sys/fs/cgroup - cgroup2 c rw", cpu: 500_000, memory: 1 << 30,
		files: map[string]string{"sys/fs/cgroup/a/cpu.max": "50000 100000\n", "sys/fs/cgroup/a/memory.max": "1073741824\n"}},
	{why: "the strictest of all above", cgroup: "0::/a/b/c", mounts: "/ /sys/fs/cgroup - cgroup2 c rw", cpu: 250_000, memory: 1 << 28,
		files: map[string]string{"sys/fs/cgroup/a/cpu.max": "25000 100000\n", "sys/fs/cgroup/a/memory.max": "max\n",
			"sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "sys/fs/cgroup/a/b/memory.max": "268435456\n",
			"sys/fs/cgroup/a/b/c/cpu.max": "900000 100000\n", "sys/fs/cgroup/a/b/c/memory.max": "1073741824\n"}},
	{why: "none", cgroup: "0::/a", mounts: "/ /sys/fs/cgroup - cgroup2 c rw", cpu: none, memory: none,
		files: map[string]string{"sys/fs/cgroup/a/cpu.max": "max 100000\n", "sys/fs/cgroup/a/memory.max": "max\n"}},
	{why: "the root has no files", cgroup: "0::/", mounts: "/ /sys/fs/cgroup - cgroup2 c rw", cpu: none, memory: none,
		files: map[string]string{"sys/fs/cgroup/cgroup.procs": "42\n"}},
	{why: "a container's own view: the root is its group", cgroup: "0::/", mounts: "/ /sys/fs/cgroup - cgroup2 c rw", cpu: 500_000, memory: 1 << 30,
		files: map[string]string{"sys/fs/cgroup/cpu.max": "50000 100000\n", "sys/fs/cgroup/memory.max": "1073741824\n"}},
	{why: "mounted elsewhere, with a blank", cgroup: "0::/a", mounts: `/ /my\040groups - cgroup2 c rw`, cpu: 500_000, memory: none,
		files: map[string]string{"my groups/a/cpu.max": "50000 100000\n", "sys/fs/cgroup/a/cpu.max": "1 100000\n"}},
	{why: "a part is mounted", cgroup: "4:memory:/docker/x/y\n3:cpu,cpuacct:/docker/x", cpu: 500_000, memory: 1 << 30,
		mounts: "/docker/x /sys/fs/cgroup/cpu - cgroup c rw,cpu,cpuacct\n1 1 0:2 /docker/x /sys/fs/cgroup/memory - cgroup c rw,memory",
		files: map[string]string{"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n", "sys/fs/cgroup/memory/y/memory.limit_in_bytes": "9223372036854771712\n"}},
	{why: "outside of the part that is mounted", cgroup: "0::/docker/xyz", mounts: "/docker/x /sys/fs/cgroup - cgroup2 c rw", cpu: none, memory: none, misses: true,
		files: map[string]string{"sys/fs/cgroup/cpu.max": "50000 100000\n"}},
	{why: "outside of the reader's namespace", cgroup: "0::/../x", mounts: "/ /sys/fs/cgroup - cgroup2 c rw", cpu: none, memory: none, misses: true,
		files: map[string]string{"sys/fs/cgroup/cpu.max": "50000 100000\n"}},
	{why: "a namespace of groups, and the tree from outside", cgroup: "0::/../x", mounts: "/.. /sys/fs/cgroup - cgroup2 c rw", cpu: 500_000, memory: none,
		files: map[string]string{"sys/fs/cgroup/x/cpu.max": "50000 100000\n"}},
	{why: "version 1 without limits", cgroup: "4:memory:/a\n3:cpu:/a", cpu: none, memory: none,
		mounts: "/ /sys/fs/cgroup/cpu - cgroup c rw,cpu\n1 1 0:2 / /sys/fs/cgroup/memory - cgroup c rw,memory",
		files: map[string]string{"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n"}},
	{why: "both versions, each with one of the two", cgroup: "4:memory:/a\n0::/b", cpu: 500_000, memory: 1 << 30,
		mounts: "/ /m - cgroup c rw,memory\n1 1 0:2 / /u - cgroup2 c rw",
		files:  map[string]string{"u/b/cpu.max": "50000 100000\n", "u/b/memory.max": "1\n", "m/a/memory.limit_in_bytes": "1073741824\n"}},
	{why: "no table of mounts: the usual place", cgroup: "4:memory:/a\n3:cpu:/a", cpu: none, memory: 1 << 30,
		files: map[string]string{"sys/fs/cgroup/memory/cgroup.procs": "1\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1073741824\n",
			"sys/fs/cgroup/cpu/cgroup.procs": "1\n"}},
	{why: "no control groups are mounted", cgroup: "0::/a", mounts: "/ / - ext4 /dev/vda rw", cpu: none, memory: none, misses: true},
}

// Where a process's control groups and their mounts are, and which limits hold.
func TestGroupLimits(t *testing.T) {
	for _, x := range groupLimits {
		w := newWorld(t)
		w.remove("sys/fs/cgroup")
		w.remove("proc/1/mountinfo")
		if x.mounts != "" {
			w.write("proc/1/mountinfo", "1 1 0:1 "+strings.ReplaceAll(x.mounts, " - ", " rw - ")+"\n")
		}
		w.write("proc/42/cgroup", x.cgroup+"\n")
		for path, content := range x.files {
			w.write(path, content)
		}
		b := w.backend(Options{})
		s, err := readOne(t, b, platform.Key{ID: 42}, 1<<pidGroupLimits)
		if err != nil {
			t.Fatal(err)
		}
		for f, want := range map[platform.Field]uint64{platform.ProcessCPULimit: x.cpu, platform.ProcessMemoryLimit: x.memory} {
			if got, ok := s.fields[42][f]; ok != (want != none) || ok && got != want {
				t.Errorf("%s: %v is %d, %v, want %d", x.why, f, got, ok, want)
			}
		}
		if missed := s.misses[pidGroupLimits][platform.Unsupported] > 0; missed != x.misses {
			t.Errorf("%s: misses %v", x.why, s.misses)
		}
		b.Close()
		if n := w.leaked(); n != 0 {
			t.Errorf("%s: %d handles are left", x.why, n)
		}
	}
}

// The own limits are those of the true groups, whatever root is looked at.
func TestOwnGroupLimits(t *testing.T) {
	w := newWorld(t)
	w.write("host/proc/stat", "btime 1700000000\n")
	w.write("host/proc/1/mountinfo", "1 1 0:1 / /groups rw - cgroup2 c rw\n")
	w.write("host/groups/docker/cpu.max", "1 100000\n")
	b := w.backend(Options{Root: "/host"})
	defer b.Close()
	s, err := readOne(t, b, platform.Self, 1<<pidGroupLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.fields[1]; got[platform.ProcessCPULimit] != 500_000 || got[platform.ProcessMemoryLimit] != 1<<30 {
		t.Errorf("%v, misses %v", got, s.misses)
	}
}

// A limit that can't be read may be the strictest: then nothing is known.
func TestGroupLimitsDenied(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	w.before = func(_ *world, _ int, _, path string) error {
		if strings.HasSuffix(path, "sys/fs/cgroup/docker/cpu.max") {
			return fs.ErrPermission
		}
		return nil
	}
	s, err := readOne(t, b, platform.Key{ID: 42}, 1<<pidGroupLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.fields[42][platform.ProcessCPULimit]; ok || s.fields[42][platform.ProcessMemoryLimit] != 2<<30 {
		t.Errorf("CPU limit %d, %v", got, s.fields[42])
	}
	if s.misses[pidGroupLimits][platform.Denied] != 1 {
		t.Errorf("misses %v", s.misses)
	}
}
