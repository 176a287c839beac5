package linux

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pidometer/pidometer/platform"
)

// inspect opens a process.
func inspect(t testing.TB, b *backend, pid int) *inspection {
	t.Helper()
	p, err := b.Inspect(t.Context(), platform.Key{ID: uint64(pid)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p.(*inspection)
}

// stage is a subject and what it said.
type stage struct {
	subject
	*inspection
	cmd *exec.Cmd
	dir string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{dir: t.TempDir()}
	var line string
	s.cmd, line = play(t, "subject", func(cmd *exec.Cmd) {
		cmd.Args = append(cmd.Args, "an argument", "", "\xff", "")
		cmd.Env = append(cmd.Env, "SUBJECT_DIR="+s.dir, "EMPTY=", "no equals sign", "", "BYTES=\xff\n")
	})
	if err := json.Unmarshal([]byte(line), &s.subject); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	s.inspection = inspect(t, machine(t), s.cmd.Process.Pid)
	return s
}

func TestInspectOpenFiles(t *testing.T) {
	s := newStage(t)
	files := map[int]platform.OpenFile{}
	for _, f := range got[[]platform.OpenFile](t)(s.OpenFiles()) {
		if f.Position == nil || f.Flags == nil {
			t.Fatalf("%+v", f)
		}
		files[f.FD] = f
	}
	for what, want := range map[string]struct {
		name, mode string
		position   uint64
		deleted    bool
	}{
		"read":        {"read", "r", 0, false},
		"write":       {"write", "w", 0, false},
		"append":      {"append", "a", 0, false},
		"both":        {"both", "r+", 4321, false},
		"both append": {"both append", "a+", 0, false},
		"newline":     {"new\nline\xff", "r+", 0, false},
		"marked":      {"marked (deleted)", "r", 0, false},
		"gone":        {"gone", "r+", 0, true},
		"linked":      {"linked", "r+", 0, true},
		"path":        {"read", "", 0, false},
		"memory":      {"/memfd:scratch", "r+", 0, true},
	} {
		path := want.name
		if path[0] != '/' {
			path = filepath.Join(s.dir, path)
		}
		f, ok := files[s.Files[what]]
		if !ok || f.Path != path || f.Mode != want.mode || *f.Position != want.position || f.Deleted != want.deleted {
			t.Errorf("%s: %v %+v, want %+v", what, ok, f, want)
		}
	}
	for _, what := range []string{"dir", "null", "event", "netlink", "unix", "tcp4 listen"} {
		if f, ok := files[s.Files[what]]; ok {
			t.Errorf("%s is no regular file: %+v", what, f)
		}
	}
}

func TestInspectConnections(t *testing.T) {
	s := newStage(t)
	list := map[int]platform.Connection{}
	for _, c := range got[[]platform.Connection](t)(s.Connections()) {
		list[c.FD] = c
	}
	of := func(what string) platform.Connection {
		c, ok := list[s.Files[what]]
		if !ok || c.Inode == 0 {
			t.Errorf("%s: %v, %+v", what, ok, c)
		}
		return c
	}
	families := map[string]platform.Family{"tcp4": platform.FamilyInet, "tcp6": platform.FamilyInet6}
	for network := range loopbacks() {
		family := families[network]
		listener, client, server := of(network+" listen"), of(network+" client"), of(network+" server")
		if listener.Peer.IsValid() || listener.State != platform.TCPListen || client.State != platform.TCPEstablished ||
			client.Peer != listener.Local || server.Local != listener.Local || client.Local != server.Peer ||
			!client.Local.Addr().IsLoopback() || client.Family != family || server.Type != platform.TypeStream {
			t.Errorf("%s: %+v, %+v, %+v", network, listener, client, server)
		}
	}
	if hasIPv6() {
		if c := of("mapped"); !c.Peer.Addr().Is4In6() || c.Family != platform.FamilyInet6 {
			t.Errorf("mapped address: %+v", c)
		}
		if c := of("udp6"); c.Peer != netip.MustParseAddrPort("[::1]:9") || c.Local.Addr() != netip.IPv6Loopback() {
			t.Errorf("%+v", c)
		}
	}
	if c := of("udp4"); c.Type != platform.TypeDatagram || c.State != platform.TCPNone || c.Peer.IsValid() || c.Local.Port() == 0 {
		t.Errorf("%+v", c)
	}
	for what, path := range map[string]string{
		"unix": "socket (deleted)", "dgram": "dgram", "pair": "", "abstract": fmt.Sprintf("@pidometer %d", s.cmd.Process.Pid),
	} {
		if c := of(what); c.Path != path || c.Family != platform.FamilyUnix || c.Local.IsValid() {
			t.Errorf("%s: %+v, want %q", what, c, path)
		}
	}
	if one, two := of("pair"), of("pair dup"); one.Type != platform.TypeSeqPacket || one.Inode != two.Inode || one.Inode == of("pair 2").Inode {
		t.Errorf("%+v, %+v", one, two)
	}
	if of("dgram").Type != platform.TypeDatagram || of("unix").Type != platform.TypeStream {
		t.Errorf("types of local sockets: %+v", list)
	}
	if c, ok := list[s.Files["netlink"]]; ok {
		t.Errorf("%+v", c)
	}
}

func TestInspectSocketStats(t *testing.T) {
	s := newStage(t)
	list := map[int]platform.SocketStats{}
	for _, c := range got[[]platform.SocketStats](t)(s.SocketStats()) {
		list[c.FD] = c
	}
	for network := range loopbacks() {
		client, server := list[s.Files[network+" client"]], list[s.Files[network+" server"]]
		if client.RTT <= 0 || client.RTT > time.Second || client.MSS == 0 || client.Window == 0 || client.State != platform.TCPEstablished {
			t.Errorf("%s: %+v", network, client)
		}
		if server.ReceiveQueue != 8 || *server.BytesReceived != 8 || *client.BytesAcknowledged != 8+1 || *client.BytesSent != 8 {
			t.Errorf("%s: 8 bytes are under way: %+v, %+v", network, client, server)
		}
		if client.Local != server.Peer || !client.Local.IsValid() {
			t.Errorf("%s: %v, %v", network, client.Local, server.Peer)
		}
		if _, ok := list[s.Files[network+" listen"]]; ok {
			t.Error("a listening socket has a connection")
		}
	}
}

func TestInspectThreads(t *testing.T) {
	s := newStage(t)
	tasks := func() int {
		list, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", s.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	// The runtime of the process makes a thread when it likes.
	before := tasks()
	list := got[[]platform.Thread](t)(s.Threads())
	for after := tasks(); after != before; after = tasks() {
		before = after
		list = got[[]platform.Thread](t)(s.Threads())
	}
	if len(list) != before {
		t.Errorf("%d threads, want %d", len(list), before)
	}
	named := 0
	for i, thread := range list {
		if i > 0 && list[i-1].Key.ID >= thread.Key.ID {
			t.Error("threads are not in order")
		}
		if slices.Contains(s.Tasks, int(thread.Key.ID)) {
			named++
			if thread.Name != hostileThread || thread.CPU.User+thread.CPU.System > time.Second || thread.State == nil || thread.Key.Start < s.key.Start {
				t.Errorf("%+v", thread)
			}
		}
	}
	if named != 3 {
		t.Errorf("%d of 3 threads", named)
	}
}

func TestInspectTexts(t *testing.T) {
	s := newStage(t)
	if args := got[[]string](t)(s.Arguments()); !slices.Equal(args, s.cmd.Args) {
		t.Errorf("arguments %q, want %q", args, s.cmd.Args)
	}
	environment := got[[]string](t)(s.Environment())
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", s.cmd.Process.Pid))
	if err != nil || strings.Join(environment, "\x00")+"\x00" != string(content) {
		t.Errorf("environment %q, want %q, %v", environment, content, err)
	}
	for _, entry := range []string{"EMPTY=", "BYTES=\xff\n", "no equals sign", "SUBJECT_DIR=" + s.dir} {
		if !slices.Contains(environment, entry) {
			t.Errorf("%q is not in %q", entry, environment)
		}
	}
	exe, _ := os.Executable()
	for want, read := range map[string]func() (platform.Link, error){exe: s.Executable, s.dir: s.WorkingDirectory, "/": s.Root} {
		if link := got[platform.Link](t)(read()); link.Path != want || link.Deleted {
			t.Errorf("%+v, want %s", link, want)
		}
	}
	os.RemoveAll(s.dir)
	if link := got[platform.Link](t)(s.WorkingDirectory()); link.Path != s.dir || !link.Deleted {
		t.Errorf("%+v, want %s deleted", link, s.dir)
	}
}

func TestInspectLimits(t *testing.T) {
	s := newStage(t)
	limits := got[[]platform.Limit](t)(s.Limits())
	byName := map[string]platform.Limit{}
	for _, l := range limits {
		byName[l.Name] = l
	}
	if len(limits) != 16 || len(byName) != 16 {
		t.Errorf("%d limits, %d names, want 16", len(limits), len(byName))
	}
	for _, want := range []platform.Limit{
		{Name: "RLIMIT_NOFILE", Unit: "files", Soft: platform.Bound{Value: 123}, Hard: platform.Bound{Value: 456}},
		{Name: "RLIMIT_CPU", Unit: "seconds", Soft: platform.Bound{Value: 3600}, Hard: platform.Bound{Infinite: true}},
	} {
		if byName[want.Name] != want {
			t.Errorf("%+v, want %+v", byName[want.Name], want)
		}
	}
}

func TestInspectIdentity(t *testing.T) {
	s := newStage(t)
	id := got[platform.Identity](t)(s.Identity())
	if id.Key.ID != uint64(s.cmd.Process.Pid) || id.Key.Start == 0 || id.Parent != uint64(os.Getpid()) || id.Letter != 'S' && id.Letter != 'R' {
		t.Errorf("%+v", id)
	}
	if *id.Nice != 7 || *id.Priority != 27 || *id.Realtime != 0 || id.Policy != "other" || *id.LastCPU != 0 || id.State == nil {
		t.Errorf("nice %d, priority %d, policy %s, CPU %d", *id.Nice, *id.Priority, id.Policy, *id.LastCPU)
	}
	want := platform.IDs{Real: uint32(os.Getuid()), Effective: uint32(os.Geteuid()), Saved: new(uint32(os.Geteuid()))}
	want.Filesystem = &want.Effective
	if !reflect.DeepEqual(*id.Users, want) || id.Groups.Real != uint32(os.Getgid()) {
		t.Errorf("%+v, %+v", id.Users, id.Groups)
	}
	groups, _ := os.Getgroups()
	if len(id.Supplementary) != len(groups) || id.Supplementary == nil {
		t.Errorf("groups %v, want %v", id.Supplementary, groups)
	}
	checkNumber(t, "group", id.Group, try(syscall.Getpgid(s.cmd.Process.Pid)))
	checkNumber(t, "session", id.Session, try(unix.Getsid(s.cmd.Process.Pid)))
	if last := len(id.Namespaces) - 1; last < 0 || id.Namespaces[0] != id.Key.ID {
		t.Errorf("PIDs %v", id.Namespaces)
	}
	if id.Capabilities == nil || id.Capabilities.Ambient == nil {
		t.Errorf("capabilities %+v", id.Capabilities)
	}
	if a := got[platform.Affinity](t)(s.Affinity()); !slices.Equal(a.CPUs, []int{0}) || !slices.Equal(a.Eligible, []int{0}) {
		t.Errorf("%+v", a)
	}
	if p := got[platform.IOPriority](t)(s.IOPriority()); p != (platform.IOPriority{Class: "best_effort", Level: 6}) {
		t.Errorf("%+v", p)
	}
}

// checkNumber compares with what a system call says. Where the leader of a group or a
// session lives in an outer PID namespace, the call says 0 and we have nothing to say.
func checkNumber(t *testing.T, what string, ours *uint64, call int) {
	t.Helper()
	switch {
	case ours == nil && call != 0:
		t.Errorf("no %s, want %d", what, call)
	case ours != nil && *ours != uint64(call):
		t.Errorf("%s %d, want %d", what, *ours, call)
	}
}

func TestInspectMemoryMaps(t *testing.T) {
	s := newStage(t)
	freeze(t, s.cmd.Process.Pid)
	maps := got[[]platform.MemoryMap](t)(s.MemoryMaps())
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	if len(lines) != len(maps) {
		t.Errorf("%d mappings, want %d", len(maps), len(lines))
	}
	for i, m := range maps[:min(len(maps), len(lines))] {
		line := fmt.Sprintf("%08x-%08x %s %08x %02x:%02x %d ", m.Start, m.End, m.Permissions, m.Offset, m.Device>>20, m.Device&(1<<20-1), m.Inode)
		if m.Use == nil || !strings.HasPrefix(lines[i]+" ", line) || !strings.HasSuffix(lines[i], m.Path) {
			t.Errorf("%+v, want %s", m, lines[i])
		}
	}
	var sum platform.MemoryUse
	for _, g := range platform.GroupMaps(maps) {
		sum.RSS += g.Use.RSS
		sum.PSS += g.Use.PSS
		sum.PrivateClean += g.Use.USS()
	}
	exe, _ := os.Executable()
	if groups := platform.GroupMaps(maps); !slices.ContainsFunc(groups, func(g platform.MapGroup) bool { return g.Path == exe }) {
		t.Errorf("%s is not mapped", exe)
	}
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", s.cmd.Process.Pid))
	if err != nil {
		t.Skipf("nothing to compare with: %v", err)
	}
	var whole platform.MemoryMap
	for line := range strings.SplitSeq(string(rollup), "\n") {
		decodeMapUse([]byte(line), &whole)
	}
	const slack = 256 << 10 // others come and go who map the same files, and count in PSS
	within := func(what string, got, want uint64) {
		if max(got, want)-min(got, want) > slack {
			t.Errorf("%s %d, want %d", what, got, want)
		}
	}
	within("RSS", sum.RSS, whole.Use.RSS)
	within("PSS", sum.PSS, whole.Use.PSS)
	within("USS", sum.PrivateClean, whole.Use.USS())
}

// freeze stops all threads of a process, whose runtime maps memory as it likes.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, file := range files {
			var thread processStat
			b, _ := os.ReadFile(file)
			if !decodePidStat(b, &thread) || thread.state != 'T' {
				return false
			}
		}
		return err == nil && len(files) > 0
	})
}

func TestInspectKin(t *testing.T) {
	cmd, _ := play(t, "parent", nil)
	b := machine(t)
	p := inspect(t, b, cmd.Process.Pid)
	children := got[[]platform.Relative](t)(p.Children())
	all := got[[]platform.Relative](t)(p.Descendants())
	if len(children) != 1 || len(all) != 2 || all[0] != children[0] || children[0].Parent != uint64(cmd.Process.Pid) || all[1].Parent != all[0].Key.ID {
		t.Fatalf("%+v, %+v", children, all)
	}
	grandchild := inspect(t, b, int(all[1].Key.ID))
	parents := got[[]platform.Relative](t)(grandchild.Parents())
	want := []uint64{all[0].Key.ID, uint64(cmd.Process.Pid), uint64(os.Getpid())}
	for i := range want {
		if len(parents) < 3 || parents[i].Key.ID != want[i] {
			t.Fatalf("%+v, want %d", parents, want)
		}
	}
	if parents[0].Command == "" || parents[0].Key != all[0].Key {
		t.Errorf("%+v", parents[0])
	}
	if none := got[[]platform.Relative](t)(grandchild.Children()); none == nil || len(none) > 0 {
		t.Errorf("%+v", none)
	}
}

func TestInspectTitle(t *testing.T) {
	cmd, _ := play(t, "title", func(cmd *exec.Cmd) { cmd.Args = append(cmd.Args, "one", "two") })
	p := inspect(t, machine(t), cmd.Process.Pid)
	if args := got[[]string](t)(p.Arguments()); !slices.Equal(args, []string{"worker: idle"}) {
		t.Errorf("%q", args)
	}
}

// Of a process whose first thread has ended the others still own everything.
func TestInspectHeadless(t *testing.T) {
	cmd, _ := play(t, "headless", nil)
	p := inspect(t, machine(t), cmd.Process.Pid)
	if id := got[platform.Identity](t)(p.Identity()); id.Letter != 'Z' {
		t.Fatalf("the first thread is %c", id.Letter)
	}
	files := got[[]platform.OpenFile](t)(p.OpenFiles())
	if !slices.ContainsFunc(files, func(f platform.OpenFile) bool { return filepath.Base(f.Path) == "headless" }) {
		t.Errorf("%+v", files)
	}
	if threads := got[[]platform.Thread](t)(p.Threads()); len(threads) < 2 {
		t.Errorf("%+v", threads)
	}
	if maps := got[[]platform.MemoryMap](t)(p.MemoryMaps()); len(maps) == 0 {
		t.Error("no mappings")
	}
	got[[]string](t)(p.Environment())
	got[[]platform.Connection](t)(p.Connections())
	got[platform.Link](t)(p.Executable())
}

func TestInspectRefusals(t *testing.T) {
	s := newStage(t)
	b := machine(t)
	for text, key := range map[string]platform.Key{
		"is a thread of process": {ID: uint64(s.Tasks[0])},
		"above pid_max":          {ID: 1 << 40},
		"another has its PID":    {ID: s.key.ID, Start: s.key.Start + 1},
		"process 0":              {},
	} {
		_, err := b.Inspect(t.Context(), key)
		if !errors.Is(err, os.ErrProcessDone) || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v, want %s", key, err, text)
		}
	}
	p, err := b.Inspect(t.Context(), platform.Self)
	if err != nil || p.Key().ID != uint64(os.Getpid()) {
		t.Errorf("%v, %v", p, err)
	}
	p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Inspect(ctx, platform.Self); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
