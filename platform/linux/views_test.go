package linux

import (
	"slices"
	"testing"

	"github.com/pidometer/pidometer/internal/turn"
	"github.com/pidometer/pidometer/platform"
)

// Which view each source has: this machine, a host's tree with and without its first
// process, and what a container has that mounted no more than proc.
func TestViews(t *testing.T) {
	host := func(w *world, prefix string, more ...string) {
		w.write(prefix+"proc/stat", "btime 1700000000\n")
		for _, path := range more {
			w.write(prefix+path, "x\n")
		}
	}
	for _, x := range []struct {
		why, root string
		files     []string
		want      []platform.View
	}{
		{"bare", "", nil, []platform.View{
			{Source: "/proc/[pid]/stat", Path: "/proc/[pid]/stat"}, {Source: "/proc/net/dev", Path: "/proc/net/dev"},
			{Source: "/proc/self/mountinfo", Path: "/proc/self/mountinfo"}, {Source: "/etc/passwd", Path: "/etc/passwd"},
			{Source: "/proc/sys/kernel/hostname", Path: "/proc/sys/kernel/hostname"}, {Source: "uname"},
			{Source: "/sys/fs/cgroup/[container]/cpu.stat", Path: "/sys/fs/cgroup/[container]/cpu.stat"}}},
		{"a host", "/host/", []string{"proc/1/mountinfo", "proc/1/net/dev", "proc/net/dev", "etc/hostname", "usr/lib/os-release", "groups/x"}, []platform.View{
			{Source: "/proc/[pid]/stat", Path: "/host/proc/[pid]/stat"}, {Source: "/proc/net/dev", Path: "/host/proc/1/net/dev"},
			{Source: "sock_diag", Path: "/host/proc/1/net/tcp"}, {Source: "/proc/self/mountinfo", Path: "/host/proc/1/mountinfo"},
			{Source: "/etc/passwd", Path: "/host/etc/passwd"}, {Source: "/proc/sys/kernel/hostname", Path: "/host/etc/hostname"},
			{Source: "/etc/os-release", Path: "/host/usr/lib/os-release"}, {Source: "uname", Own: true},
			{Source: "/sys/devices/system/cpu/cpu[N]/cpufreq/scaling_cur_freq", Path: "/host/sys/devices/system/cpu/cpu[N]/cpufreq/scaling_cur_freq"},
			{Source: "/proc/sys/net/netfilter", Path: "/host/proc/sys/net/netfilter", Own: true},
			{Source: "/proc/self", Path: "/proc/self", Own: true}}},
		{"a host without its first process", "/host", []string{"proc/net/dev", "proc/self/mountinfo", "proc/sys/kernel/hostname"}, []platform.View{
			{Source: "/proc/net/dev", Path: "/host/proc/net/dev", Own: true}, {Source: "/proc/self/mountinfo", Path: "/host/proc/self/mountinfo", Own: true},
			{Source: "/proc/sys/kernel/hostname", Path: "/host/proc/sys/kernel/hostname", Own: true},
			{Source: "/etc/machine-id", Path: "/host/etc/machine-id"}}},
		{"proc alone", "/host", []string{"proc/mounts"}, []platform.View{
			{Source: "/proc/self/mountinfo", Path: "/host/proc/mounts", Own: true}, {Source: "/proc/meminfo", Path: "/host/proc/meminfo"},
			{Source: "/sys/fs/cgroup/[container]/cpu.stat", Path: "/host/sys/fs/cgroup/[container]/cpu.stat"}}},
		{"version 1", "/host", []string{"sys/fs/cgroup/memory/cgroup.procs", "sys/fs/cgroup/cpu/cgroup.procs"}, []platform.View{
			{Source: "/sys/fs/cgroup/[container]/cpu.stat", Path: "/host/sys/fs/cgroup/memory/[container]/cpu.stat"}}},
	} {
		w := newWorld(t)
		if x.root != "" {
			host(w, "host/", x.files...)
		}
		b := w.backend(Options{Root: x.root})
		views := b.Views()
		if len(views) != len(b.Sources())+1 {
			t.Errorf("%s: %d views of %d sources", x.why, len(views), len(b.Sources()))
		}
		for _, want := range x.want {
			i := slices.IndexFunc(views, func(v platform.View) bool { return v.Source == want.Source })
			if i < 0 || views[i] != want {
				t.Errorf("%s: %v, want %v", x.why, views[max(i, 0)], want)
			}
		}
		b.Close()
		if n := w.leaked(); n != 0 {
			t.Errorf("%s: %d handles are left", x.why, n)
		}
	}
}

// What Views tells is what a pass reads.
func TestViewsAreTrue(t *testing.T) {
	files := map[string]string{
		"proc/1/mountinfo": "31 23 254:0 / /host-disk rw - ext4 /dev/vda rw\n", "proc/self/mountinfo": "31 23 254:0 / /own rw - ext4 /dev/vda rw\n",
		"proc/1/net/dev": netDevText, "proc/net/dev": "", "etc/hostname": "box\n", "proc/sys/kernel/hostname": "container\n",
		"proc/stat": statText,
	}
	k := newTreeKernel(writeTree(t, files))
	b := treeBackend(k, Options{Root: "/host"})
	b.turn = turn.New()
	b.sources = Sources(64)
	views := b.Views()
	k.asked = map[string]int{}
	readTree(t, b, everything)
	for _, v := range views {
		read := 0
		for _, path := range []string{"proc/self/mountinfo", "proc/net/dev", "proc/sys/kernel/hostname"} {
			if v.Source == "/"+path {
				read = k.times(v.Path[len("/host/"):])
				if other := v.Path != "/host/"+path && k.times(path) > 0; read == 0 || other {
					t.Errorf("%v: %d times read there, elsewhere %v", v, read, other)
				}
			}
		}
	}
}
