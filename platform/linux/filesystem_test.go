package linux

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const onMounts platform.SourceSet = 1 << fromMounts

// mountTree is a backend over one mount table, in which every mount has space.
func mountTree(t *testing.T, table string, o Options) (*backend, *treeKernel) {
	k := newTreeKernel(writeTree(t, map[string]string{"proc/self/mountinfo": table}))
	giveSpace(k, table, o)
	return treeBackend(k, o), k
}

func giveSpace(k *treeKernel, table string, o Options) {
	for line := range strings.Lines(table) {
		if m, ok := slowMountinfo(strings.TrimSuffix(line, "\n")); ok {
			k.space[strings.TrimRight(o.Root, "/")+slowUnoctal(m.point)] = Statfs{Unit: 1, Blocks: 10, Free: 5, Avail: 4}
		}
	}
}

func mountPoints(t *testing.T, table string, o Options) []string {
	t.Helper()
	b, _ := mountTree(t, table, o)
	return readTree(t, b, onMounts).names(platform.Filesystem)
}

func TestFilesystemSpace(t *testing.T) {
	b, _ := hostTree(t, Options{})
	got := readTree(t, b, onMounts).of(platform.Filesystem)
	want := map[platform.Field]uint64{
		platform.FilesystemTotal: 4096000, platform.FilesystemUsed: 600 * 4096,
		platform.FilesystemFree: 300 * 4096, platform.FilesystemReserved: 100 * 4096,
		platform.FilesystemInodes: 50, platform.FilesystemInodesUsed: 30, platform.FilesystemInodesFree: 20,
	}
	if !maps.Equal(got[0].fields, want) || got[0].key.ID != 254<<20 {
		t.Errorf("%v", got[0])
	}
	texts := map[platform.Text]string{
		platform.FilesystemDevice: "/dev/root\tx", platform.FilesystemType: "ext3", platform.FilesystemMode: "ro",
	}
	if !maps.Equal(got[1].texts, texts) {
		t.Errorf("%q", got[1].texts)
	}
}

func TestStatfs(t *testing.T) {
	for name, c := range map[string]struct {
		space                      Statfs
		total, used, free, reserve uint64
		fields                     int
	}{
		"plain":              {Statfs{512, 100, 40, 30, 9, 2}, 51200, 30720, 15360, 5120, 7},
		"more available":     {Statfs{1, 100, 40, 60, 0, 0}, 100, 60, 40, 0, 4},
		"more free than all": {Statfs{1, 100, 140, 30, 1, 1}, 0, 0, 0, 0, 0},
		"absurd":             {Statfs{4096, math.MaxUint64, 1, 1, 0, 0}, 0, 0, 0, 0, 0},
	} {
		s := sample(platform.Filesystem)
		c.space.set(s)
		total, _ := s.Get(platform.FilesystemTotal)
		used, _ := s.Get(platform.FilesystemUsed)
		free, _ := s.Get(platform.FilesystemFree)
		reserved, _ := s.Get(platform.FilesystemReserved)
		if total != c.total || used != c.used || free != c.free || reserved != c.reserve || s.Len() != c.fields {
			t.Errorf("%s: %d = %d + %d + %d, %d fields", name, total, used, free, reserved, s.Len())
		}
	}
}

func TestFilesystemsAreFolded(t *testing.T) {
	var binds strings.Builder
	binds.WriteString("1 0 8:1 /data /b rw - ext4 /dev/sda1 rw\n2 0 8:1 / /mnt/whole rw - ext4 /dev/sda1 rw\n")
	for i := range 30 {
		fmt.Fprintf(&binds, "%d 0 8:1 /data/%d /bind/%d rw - ext4 /dev/sda1 rw\n", i+3, i, i)
	}
	for _, c := range []struct {
		name, table string
		want        []string
	}{
		{"the whole one stands for its binds", binds.String(), []string{"/mnt/whole"}},
		{
			"the shortest where none is whole",
			"1 0 0:40 /@home /home rw - btrfs /dev/sda rw\n2 0 0:40 /@ / rw - btrfs /dev/sda rw\n",
			[]string{"/"},
		},
		{
			"the same whole one twice",
			"1 0 8:1 / /b/b rw - ext4 /dev/sda1 rw\n2 0 8:1 / /b/a rw - ext4 /dev/sda1 rw\n",
			[]string{"/b/a"},
		},
		{
			"mounted over",
			"1 0 8:1 / /mnt rw - ext4 /dev/sda1 rw\n2 0 8:2 / /mnt rw - xfs /dev/sda2 rw\n",
			[]string{"/mnt"},
		},
		{"mounted over by memory", "1 0 8:1 / /mnt rw - ext4 /dev/sda1 rw\n2 0 0:9 / /mnt rw - tmpfs tmpfs rw\n", nil},
		{"automounted", "1 0 0:8 / /net rw - autofs systemd-1 rw\n2 0 0:9 / /net rw - nfs4 s:/x rw\n", []string{"/net"}},
	} {
		if got := mountPoints(t, c.table, Options{}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFilesystemTypes(t *testing.T) {
	table := ""
	for i, kind := range []string{
		"proc", "sysfs", "cgroup", "cgroup2", "devtmpfs", "devpts", "securityfs", "debugfs", "tracefs", "bpf",
		"pstore", "mqueue", "hugetlbfs", "fusectl", "configfs", "autofs", "binfmt_misc", "rpc_pipefs", "nsfs",
		"efivarfs", "ramfs", "overlay", "squashfs", "tmpfs",
		"ext4", "xfs", "btrfs", "zfs", "vfat", "nfs", "nfs4", "cifs", "9p", "virtiofs", "fuse.sshfs", "ceph",
	} {
		table += fmt.Sprintf("%d 0 0:%d / /%s rw - %s none rw\n", i+1, i+1, kind, kind)
	}
	want := []string{"/ext4", "/xfs", "/btrfs", "/zfs", "/vfat", "/nfs", "/nfs4", "/cifs", "/9p", "/virtiofs", "/fuse.sshfs", "/ceph"}
	if got := mountPoints(t, table, Options{}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := mountPoints(t, table, Options{AllDevices: true}); len(got) != 35 || slices.Contains(got, "/autofs") {
		t.Errorf("all devices: %q", got)
	}
	if got := mountPoints(t, "1 0 0:50 / / rw - overlay overlay rw\n", Options{}); !slices.Equal(got, []string{"/"}) {
		t.Errorf("a root that is an overlay: %q", got)
	}
}

func TestFilesystemWithoutSpace(t *testing.T) {
	b, k := mountTree(t, "1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n2 0 0:9 / /b rw - fuse.portal portal rw\n", Options{})
	k.space["/b"] = Statfs{Unit: 4096}
	c := readTree(t, b, onMounts)
	if got := c.names(platform.Filesystem); !slices.Equal(got, []string{"/a"}) || len(c.misses) > 0 {
		t.Errorf("%q, misses %v", got, c.misses)
	}
}

func TestFilesystemFails(t *testing.T) {
	b, k := mountTree(t, "1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n2 0 8:2 / /b rw - ext4 /dev/sda2 rw\n3 0 8:3 / /c rw - xfs d rw\n", Options{})
	k.fail["/b"], k.fail["/c"] = fs.ErrPermission, fs.ErrNotExist
	c := readTree(t, b, onMounts)
	got := c.of(platform.Filesystem)
	if len(got) != 2 || len(got[0].fields) != 4 || len(got[1].fields) != 0 || len(got[1].texts) != 3 {
		t.Errorf("%v", got)
	}
	if !slices.Equal(c.misses[fromMounts], []platform.Reason{platform.Denied, platform.Gone}) {
		t.Errorf("%v", c.misses)
	}
}

func TestFilesystemsOfMovedView(t *testing.T) {
	const one = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 0 8:2 / /data rw - xfs /dev/sda2 rw\n"
	const own = "1 0 0:50 / / rw - overlay overlay rw\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"first process", map[string]string{"proc/1/mountinfo": one, "proc/self/mountinfo": own}, []string{"/", "/data"}},
		{"own process", map[string]string{"proc/self/mountinfo": one}, []string{"/", "/data"}},
		{"Linux before 2.6.26", map[string]string{"proc/mounts": "/dev/hda1 / ext2 rw 0 0\n/dev/hda1 /bind ext2 rw 0 0\nnone /proc proc rw 0 0\n"}, []string{"/"}},
	} {
		o := Options{Root: "/host/"}
		k := newTreeKernel(writeTree(t, c.files))
		giveSpace(k, one+"3 0 8:3 / /bind rw - x y rw\n", o)
		got := readTree(t, treeBackend(k, o), onMounts)
		if names := got.names(platform.Filesystem); !slices.Equal(names, c.want) || len(got.misses) > 0 {
			t.Errorf("%s: %q, misses %v", c.name, names, got.misses)
		}
	}
	c := readFiles(t, map[string]string{"etc": "/"}, Options{}, onMounts)
	if !slices.Equal(c.misses[fromMounts], []platform.Reason{platform.Unsupported}) {
		t.Errorf("no table: %v", c.misses)
	}
}

func TestRootDevice(t *testing.T) {
	const table = "1 0 259:2 / / rw - ext4 /dev/root rw\n"
	for link, want := range map[string]string{
		"":                                       "/dev/root",
		"-> ../../devices/pci/nvme0n1/nvme0n1p2": "/dev/nvme0n1p2",
		"-> ../../devices/pci/cciss!c0d0":        "/dev/cciss/c0d0",
	} {
		files := map[string]string{"proc/self/mountinfo": table}
		if link != "" {
			files["sys/dev/block/259:2"] = link
		}
		k := newTreeKernel(writeTree(t, files))
		giveSpace(k, table, Options{})
		c := readTree(t, treeBackend(k, Options{}), onMounts)
		if got := c.of(platform.Filesystem)[0].texts[platform.FilesystemDevice]; got != want {
			t.Errorf("%q: %s, want %s", link, got, want)
		}
	}
}

// A mount point that changes what is on it is another file system.
func TestRemount(t *testing.T) {
	b, k := mountTree(t, "1 0 8:1 / /mnt rw - ext4 /dev/sda1 rw\n", Options{})
	readTree(t, b, onMounts)
	replace(t, k, "proc/self/mountinfo", "2 0 8:2 / /mnt ro - xfs /dev/sda2 ro\n")
	got := readTree(t, b, onMounts).of(platform.Filesystem)
	if len(got) != 1 || got[0].key.ID != 8<<20|2 || got[0].texts[platform.FilesystemMode] != "ro" {
		t.Errorf("%v", got)
	}
	replace(t, k, "proc/self/mountinfo", "")
	if got := readTree(t, b, onMounts).given; len(got) != 0 {
		t.Errorf("after it was unmounted: %v", got)
	}
	if n := len(b.hostState().mounts.points); n != 0 {
		t.Errorf("%d mount points are remembered", n)
	}
}
