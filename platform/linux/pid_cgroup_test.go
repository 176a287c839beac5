package linux

import (
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const (
	oldCgroupText = "12:pids:/docker/" + containerID + "\n6:cpu,cpuacct:/docker/" + containerID + "\n5:blkio:/\n4:memory:/docker/" + containerID +
		"\n3:cpuset:/x\n2:perf_event:/y\n1:name=systemd:/docker/" + containerID + "\n"
	hybridText = "9:name=systemd:/user.slice\n4:memory:/process_api/d2aef258f586215872ef7911fde65397\n2:cpuacct:/\n1:cpu:/\n0::/\n"
)

func TestDecodePidCgroup(t *testing.T) {
	for _, x := range []struct {
		content string
		best    string
		unit    string
		in      string // container
		v2      string
	}{
		{"0::" + unitTail + "\n", unitTail, "nginx.service", "", unitTail},
		{"0::/\n", "/", "", "", "/"},
		{"0::/system.slice/gone.service (deleted)\n", "/system.slice/gone.service", "gone.service", "", "/system.slice/gone.service"},
		{"0::/a:b:c\n", "/a:b:c", "", "", "/a:b:c"},
		{"0::/\xff\\040\n", "/\xff\\040", "", "", "/\xff\\040"},
		{oldCgroupText, "/docker/" + containerID, "", containerID, ""},
		{hybridText, "/process_api/d2aef258f586215872ef7911fde65397", "", "", "/"},
		{"1:name=systemd:/system.slice/cron.service\n", "/system.slice/cron.service", "cron.service", "", ""},
		{"4:memory:/\n1:name=systemd:/system.slice/cron.service\n", "/system.slice/cron.service", "cron.service", "", ""},
		// Hybrid, and a runtime that makes groups of version 1 alone.
		{"4:memory:/docker/" + containerID + "\n0::/system.slice/docker.service\n", "/system.slice/docker.service", "", containerID, "/system.slice/docker.service"},
		{"0::" + unitTail + "\n0::/cut", unitTail, "nginx.service", "", unitTail},
	} {
		var paths cgroupPaths
		var m membership
		if !decodePidCgroup([]byte(x.content), &paths) {
			t.Errorf("%q was not taken", x.content)
			continue
		}
		paths.decode(&m)
		if got := string(paths.best()); got != x.best || string(m.unit) != x.unit || string(m.container) != x.in || string(paths[unified]) != x.v2 {
			t.Errorf("%q: %q, unit %q, container %q, version 2 %q", x.content, got, m.unit, m.container, paths[unified])
		}
	}
	for _, content := range []string{"", "\n", "0::\n", "0:/x\n", "0:/", "3:cpuset:/x\n", "0::/x"} {
		var paths cgroupPaths
		if decodePidCgroup([]byte(content), &paths) {
			t.Errorf("%q was taken: %q", content, paths)
		}
	}
}

func slowPidCgroup(s string) (paths [numHierarchies]string) {
	for _, line := range slowLines(s) {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) < 3 || parts[2] == "" {
			continue
		}
		if parts[0] == "0" && parts[1] == "" {
			paths[unified] = strings.TrimSuffix(parts[2], " (deleted)")
		}
		for i, name := range controllers {
			if i != unified && slices.Contains(strings.Split(parts[1], ","), name) {
				paths[i] = parts[2]
			}
		}
	}
	return paths
}

func FuzzDecodePidCgroup(f *testing.F) {
	f.Add([]byte(oldCgroupText))
	f.Add([]byte(hybridText))
	f.Add([]byte("0::/a (deleted)\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var paths cgroupPaths
		ok := decodePidCgroup(b, &paths)
		want := slowPidCgroup(string(b))
		any := false
		for i := range paths {
			if string(paths[i]) != want[i] {
				t.Fatalf("%d: %q, want %q", i, paths[i], want[i])
			}
			any = any || paths[i] != nil
		}
		if ok != any {
			t.Fatalf("%v, want %v", ok, any)
		}
		var m membership
		paths.decode(&m)
	})
}

// A process that is moved is told where it is, not where it was.
func TestCgroupMoves(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	for _, path := range []string{unitTail, "/docker/" + containerID, "/"} {
		w.write("proc/42/cgroup", "0::"+path+"\n")
		s := read(t, b, 1<<pidCgroup)
		var m membership
		decodeCgroupPath([]byte(path), &m)
		got := s.texts[42]
		if got[platform.ProcessCgroup] != path || got[platform.ProcessContainer] != string(m.container) || got[platform.ProcessUnit] != string(m.unit) {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// The texts outlive what is read after them.
func TestCgroupTextsLast(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	s := read(t, b, processSources)
	if got := s.texts[43][platform.ProcessContainer]; got != strings.Repeat("0", 63)+"3" {
		t.Errorf("%q", got)
	}
}
