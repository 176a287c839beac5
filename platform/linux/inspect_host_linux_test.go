package linux

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// ipLink is what `ip -json -details address` says of an interface.
type ipLink struct {
	Index     int      `json:"ifindex"`
	Name      string   `json:"ifname"`
	Flags     []string `json:"flags"`
	MTU       uint64   `json:"mtu"`
	State     string   `json:"operstate"`
	Address   string   `json:"address"`
	Addresses []struct {
		Local     string `json:"local"`
		Peer      string `json:"address"`
		Bits      int    `json:"prefixlen"`
		Broadcast string `json:"broadcast"`
	} `json:"addr_info"`
}

func TestInspectInterfacesAgainstIP(t *testing.T) {
	var want []ipLink
	if err := json.Unmarshal([]byte(tool(t, "ip", "-json", "address")), &want); err != nil {
		t.Fatal(err)
	}
	list := got[[]platform.Interface](t)(machine(t).Interfaces(t.Context()))
	if len(list) != len(want) {
		t.Fatalf("%d interfaces, want %d", len(list), len(want))
	}
	for i, w := range want {
		l := list[i]
		state := strings.TrimSuffix(strings.ToLower(w.State), "unknown")
		if l.Index != w.Index || l.Name != w.Name || *l.MTU != w.MTU || l.State != state || spellHardware(l.Hardware) != w.Address {
			t.Errorf("%+v, want %+v", l, w)
		}
		for _, flag := range l.Flags {
			if flag != "running" && !slices.Contains(w.Flags, strings.ToUpper(flag)) {
				t.Errorf("%s: %v, want %v", l.Name, l.Flags, w.Flags)
			}
		}
		if l.Up != slices.Contains(w.Flags, "UP") || l.Addresses == nil || len(l.Addresses) != len(w.Addresses) {
			t.Fatalf("%+v, want %+v", l, w)
		}
		for j, a := range w.Addresses {
			have := l.Addresses[j]
			if have.IP.WithZone("").String() != a.Local || have.Bits != a.Bits || spellAddr(have.Broadcast) != a.Broadcast || spellAddr(have.Peer) != a.Peer {
				t.Errorf("%+v, want %+v", have, a)
			}
			if linkLocal := strings.HasPrefix(a.Local, "fe80"); linkLocal != (have.IP.Zone() == l.Name) {
				t.Errorf("%v of %s", have.IP, l.Name)
			}
		}
	}
}

func spellHardware(b []byte) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprintf("% x", b), "[]"), " ", ":")
}

func spellAddr(a interface {
	IsValid() bool
	String() string
}) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func TestInspectMountsAgainstFindmnt(t *testing.T) {
	var want struct {
		Filesystems []struct {
			ID, Parent     uint64
			Target, Fstype string
			VFS            string `json:"vfs-options"`
			Super          string `json:"fs-options"`
		}
	}
	out := tool(t, "findmnt", "--list", "--json", "--output", "ID,PARENT,TARGET,FSTYPE,VFS-OPTIONS,FS-OPTIONS,FSROOT")
	if err := json.Unmarshal([]byte(out), &want); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	mounts := got[[]platform.Mount](t)(machine(t).Mounts(t.Context()))
	if len(mounts) != len(want.Filesystems) {
		t.Errorf("%d mounts, want %d", len(mounts), len(want.Filesystems))
	}
	for _, w := range want.Filesystems {
		i := slices.IndexFunc(mounts, func(m platform.Mount) bool { return m.ID == w.ID })
		if i < 0 {
			t.Errorf("%+v is not there", w)
			continue
		}
		m := mounts[i]
		if m.Parent != w.Parent || m.Point != w.Target || m.Type != w.Fstype || m.Options != w.VFS || m.SuperOptions != w.Super {
			t.Errorf("%+v, want %+v", m, w)
		}
	}
}

// In a moved view everything is read below the root, and what only this machine's own
// kernel could tell is unknown.
func TestInspectMovedHost(t *testing.T) {
	root := writeTree(t, map[string]string{
		"proc/stat":                    "btime 1700000000\n",
		"proc/1/mountinfo":             "36 35 98:0 / / rw - ext4 /dev/vda rw\n",
		"proc/1/net/dev":               "Inter-| Receive\n face |bytes\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
		"sys/class/net/eth0/mtu":       "1400\n",
		"sys/class/net/eth0/ifindex":   "7\n",
		"sys/class/net/eth0/flags":     "0x1003\n",
		"sys/class/net/eth0/operstate": "up\n",
		"sys/class/net/eth0/address":   "02:fc:00:00:00:01\n",
		"sys/class/net/eth0/speed":     "1000\n",
		"sys/class/net/eth0/duplex":    "full\n",
		"run/utmp":                     string(utmpFile[uint32](0)),
		"proc/42/stat":                 "42 (a) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n",
		"proc/42/status":               "Name:\ta\nTgid:\t42\nNSpid:\t42\nCpus_allowed_list:\t0-3\n",
	})
	opened, err := New(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	b := opened.(*backend)
	mounts := got[[]platform.Mount](t)(b.Mounts(t.Context()))
	if len(mounts) != 1 || mounts[0].Point != "/" || mounts[0].Source != "/dev/vda" {
		t.Errorf("%+v", mounts)
	}
	list := got[[]platform.Interface](t)(b.Interfaces(t.Context()))
	if len(list) != 1 || list[0].Name != "eth0" || *list[0].MTU != 1400 || list[0].Index != 7 || !list[0].Up || list[0].State != "up" ||
		list[0].Addresses != nil || *list[0].Speed != 1e9 || list[0].Duplex != "full" || !slices.Equal(list[0].Flags, []string{"up", "broadcast", "multicast"}) {
		t.Errorf("%+v", list)
	}
	if sessions := got[[]platform.Session](t)(b.Sessions(t.Context())); len(sessions) != 1 || sessions[0].User != "user" {
		t.Errorf("%+v", sessions)
	}
	p := inspect(t, b, 42)
	if _, err := p.Affinity(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("another machine's process has an affinity here: %v", err)
	}
	if _, err := p.IOPriority(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	if _, err := p.Environment(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	if self, err := b.Inspect(t.Context(), platform.Self); err != nil || self.Key().ID != uint64(os.Getpid()) {
		t.Errorf("%v", err)
	} else {
		got[[]platform.Relative](t)(self.Parents())
		got[platform.Affinity](t)(self.Affinity())
		self.Close()
	}
}

// The same machine under another path is no other machine.
func TestInspectMovedToTheSame(t *testing.T) {
	opened, err := New(Options{Root: "/proc/self/root"})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	p := inspect(t, opened.(*backend), os.Getpid())
	if a := got[platform.Affinity](t)(p.Affinity()); len(a.CPUs) == 0 {
		t.Error("no CPU")
	}
	list, err := opened.(*backend).Interfaces(t.Context())
	if err != nil || len(list) == 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestInspectNoSessions(t *testing.T) {
	root := writeTree(t, map[string]string{"proc/stat": "btime 1700000000\n"})
	opened, err := New(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	b := opened.(*backend)
	if _, err := b.Sessions(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	b.Close()
	if _, err := b.Mounts(t.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%v", err)
	}
}

// stuckKernel is the real one, but for files that do not answer.
type stuckKernel struct {
	Kernel
	path  string
	stuck chan struct{}
}

func (k stuckKernel) Stat(dir int, path []byte) (Stat, error) {
	if string(path) == k.path+"\x00" {
		<-k.stuck
	}
	return k.Kernel.Stat(dir, path)
}

// A file system that does not answer costs the budget, and the mark is believed.
func TestInspectStuckFile(t *testing.T) {
	root := writeTree(t, map[string]string{
		"proc/stat":      "btime 1700000000\n",
		"proc/42/stat":   "42 (a) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n",
		"proc/42/status": "Name:\ta\nTgid:\t42\n",
		"proc/42/exe":    "-> /mnt/program (deleted)",
		"proc/42/fd/0":   "-> /mnt/file",
	})
	real, err := newKernel()
	if err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{})
	opened, err := New(Options{Root: root, Kernel: stuckKernel{real, "root/mnt/program (deleted)", stuck}, Budget: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	before := handles(t)
	p := inspect(t, opened.(*backend), 42)
	for range mostParked + 2 {
		link := got[platform.Link](t)(p.Executable())
		if link != (platform.Link{Path: "/mnt/program", Deleted: true}) {
			t.Errorf("%+v", link)
		}
	}
	if parked := len(p.shared.parked); parked != mostParked {
		t.Errorf("%d questions wait, want %d", parked, mostParked)
	}
	if _, err := p.OpenFiles(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	close(stuck)
	waitFor(t, func() bool { return len(p.shared.parked) == 0 })
	p.Close()
	waitFor(t, func() bool { return handles(t) == before })
}
