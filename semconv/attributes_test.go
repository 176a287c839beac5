package semconv_test

import (
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// created has more digits than are shown, in a zone that is not.
var created = time.Date(2026, 11, 23, 1, 50, 37, 129_999_999, time.FixedZone("", 3*60*60))

func row(t testing.TB, name string) *semconv.Metric {
	t.Helper()
	all := semconv.Metrics()
	i := slices.IndexFunc(all, func(m semconv.Metric) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("no metric %s", name)
	}
	return &all[i]
}

func TestIdentity(t *testing.T) {
	process := subjects[platform.Process]
	for _, x := range []struct {
		why, metric string
		subject     semconv.Subject
		want        string
	}{
		{"a host is told by the Resource", "system.uptime", subjects[platform.Host], ""},
		{"a CPU by its number", "system.cpu.frequency", subjects[platform.CPU], "cpu.logical_number=3"},
		{"the first CPU is 0, which is not absent", "system.cpu.frequency",
			semconv.Subject{Entity: platform.CPU}, "cpu.logical_number=0"},
		{"a disk by its device", "system.disk.io_time", subjects[platform.Disk], "system.device=sda"},
		{"an interface by its name", "system.network.io", subjects[platform.Network], "network.interface.name=eth0"},
		{"but not here", "system.network.packet.count", subjects[platform.Network], "system.device=eth0"},
		{"a swap area by its path", "system.paging.usage", subjects[platform.Swap], "system.device=/swapfile"},
		{"locks by their device", "system.filesystem.lock.count", subjects[platform.Lock], "system.device=08:01"},
		{"a file system by all it has", "system.filesystem.limit", subjects[platform.Filesystem],
			"system.device=/dev/sda1,system.filesystem.mode=rw,system.filesystem.mountpoint=/srv,system.filesystem.type=ext4"},
		{"what is not known is left out", "system.filesystem.limit",
			semconv.Subject{Entity: platform.Filesystem, Key: platform.Key{Name: "/"}}, "system.filesystem.mountpoint=/"},
		{"a process by PID and creation, in UTC and whole milliseconds, cut and not rounded", "process.uptime", process,
			"process.creation.time=2026-11-22T22:50:37.129Z,process.executable.name=sshd,process.pid=42"},
		{"zero milliseconds are shown", "process.uptime",
			semconv.Subject{Entity: platform.Process, Key: platform.Key{ID: 1}, Created: time.Unix(0, 0)},
			"process.creation.time=1970-01-01T00:00:00.000Z,process.pid=1"},
		{"an unknown creation is left out", "process.uptime",
			semconv.Subject{Entity: platform.Process, Key: platform.Key{ID: 1}}, "process.pid=1"},
		{"our own process is told by the Resource", "process.uptime",
			semconv.Subject{Entity: platform.Process, Key: process.Key, Created: created, Executable: "sshd", Self: true}, ""},
		{"the remainder by its group alone", "process.memory.usage",
			semconv.Subject{Entity: platform.Process, Key: process.Key, Created: created, Executable: "sshd", Other: true},
			"pidometer.process.group=other"},
	} {
		set := row(t, x.metric).Attributes(x.subject, semconv.Point{})
		if got := set.Encoded(attribute.DefaultEncoder()); got != x.want {
			t.Errorf("%s: %s of %s is\n\t%s, want\n\t%s", x.why, x.metric, x.subject.Entity, got, x.want)
		}
	}
}

func TestAttributesJoinIdentityAndPoint(t *testing.T) {
	m := row(t, "system.disk.io")
	set := m.Attributes(subjects[platform.Disk], m.Points[1])
	if got, want := set.Encoded(attribute.DefaultEncoder()), "disk.io.direction=write,system.device=sda"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The rows are shared by all callers: making a set of them must not write to them.
func TestAttributesLeavePointsAlone(t *testing.T) {
	m := row(t, "system.filesystem.lock.count")
	before := slices.Clone(m.Points[0].Attrs)
	m.Attributes(subjects[platform.Lock], m.Points[0])
	m.Attributes(subjects[platform.Host], m.Points[0])
	if !slices.Equal(before, m.Points[0].Attrs) {
		t.Errorf("attributes of a point were %v, now %v", before, m.Points[0].Attrs)
	}
}

func TestHost(t *testing.T) {
	texts := map[platform.Text]string{
		platform.HostID: "6f9a", platform.HostName: "web-1", platform.HostArch: "amd64",
		platform.OSType: "linux", platform.OSName: "Debian GNU/Linux", platform.OSVersion: "13",
		platform.OSDescription: "Debian GNU/Linux 13 (trixie)", platform.OSBuild: "6.12.1",
	}
	get := func(t platform.Text) (string, bool) { v, ok := texts[t]; return v, ok }
	set := attribute.NewSet(semconv.Host(get)...)
	want := map[attribute.Key]string{
		"host.id": "6f9a", "host.name": "web-1", "host.arch": "amd64",
		"os.type": "linux", "os.name": "Debian GNU/Linux", "os.version": "13",
		"os.description": "Debian GNU/Linux 13 (trixie)", "os.build_id": "6.12.1",
	}
	for k, v := range want {
		if got, _ := set.Value(k); got.AsString() != v {
			t.Errorf("%s is %q, want %q", k, got.AsString(), v)
		}
		if a, ok := load(t).Attributes[string(k)]; !ok || a.Type != "string" {
			t.Errorf("%s: the conventions have no such string", k)
		}
	}
	if set.Len() != len(want) {
		t.Errorf("%d attributes, want %d", set.Len(), len(want))
	}
}

// Every text of the host has a spelling.
func TestHostIsComplete(t *testing.T) {
	asked := map[platform.Text]bool{}
	semconv.Host(func(t platform.Text) (string, bool) { asked[t] = true; return "", true })
	for text := range platform.Text(platform.TextCount) {
		if asked[text] != (text.Entity() == platform.Host) {
			t.Errorf("%s: asked for %v", text, asked[text])
		}
	}
}

func TestHostLeavesOutTheUnknown(t *testing.T) {
	if got := semconv.Host(func(platform.Text) (string, bool) { return "", false }); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if got := semconv.Host(func(platform.Text) (string, bool) { return "", true }); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestSpellIsReversible(t *testing.T) {
	for raw, want := range map[string]string{"plain": "plain", "a\xffb": `a\xffb`, `C:\paths`: `C:\paths`, `\xff`: `\\xff`} {
		if got := semconv.Spell(raw); got != want || semconv.Raw(got) != raw {
			t.Errorf("%q is spelled %q, and that is %q again", raw, got, semconv.Raw(got))
		}
	}
}
