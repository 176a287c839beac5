package linux

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// psutilScript prints every process, each detail as one text. Strings are in
// hexadecimal, since they may hold any bytes.
const psutilScript = `
import json, os, psutil, sys
x = lambda s: os.fsencode(s).hex()
lines = lambda l: "|".join(sorted(l))
addr = lambda a: "%s:%d" % (a[0], a[1]) if a else ""
limits = [n for n in dir(psutil) if n.startswith("RLIMIT_")]
def conn(c):
    if c.family == psutil.AF_UNIX if hasattr(psutil, "AF_UNIX") else c.family == 1:
        return "unix %d %d %s" % (c.fd, c.type, x(c.laddr))
    return "inet %d %d %s %s %s" % (c.family, c.type, addr(c.laddr), addr(c.raddr), c.status)
details = {
    "open_files": lambda p: lines("%d %s %d %s %o" % (f.fd, x(f.path), f.position, f.mode, f.flags) for f in p.open_files()),
    "connections": lambda p: lines(set(map(conn, p.connections("all")))),
    "threads": lambda p: lines("%d %.2f %.2f" % (t.id, t.user_time, t.system_time) for t in p.threads()),
    "memory_maps": lambda p: lines("%s %s %s %d %d %d %d %d %d" % (m.addr, m.perms, x(m.path), m.rss, m.shared_clean + m.private_clean,
        m.shared_dirty + m.private_dirty, m.referenced, m.anonymous, m.swap) for m in p.memory_maps(grouped=False)),
    "limits": lambda p: lines("%s %d %d" % ((n,) + p.rlimit(getattr(psutil, n))) for n in limits),
    "environ": lambda p: lines("%s=%s" % (x(k), x(v)) for k, v in p.environ().items()),
    "cmdline": lambda p: x(" ".join(p.cmdline())),
    "cwd": lambda p: x(p.cwd()),
    "exe": lambda p: x(p.exe()),
    "uids": lambda p: "%d %d %d" % tuple(p.uids()),
    "gids": lambda p: "%d %d %d" % tuple(p.gids()),
    "terminal": lambda p: p.terminal() or "",
    "nice": lambda p: str(p.nice()),
    "ionice": lambda p: "%d %d" % tuple(p.ionice()),
    "affinity": lambda p: " ".join(map(str, p.cpu_affinity())),
    "cpu_num": lambda p: str(p.cpu_num()),
    "parent": lambda p: str(p.ppid()),
    "children": lambda p: lines(str(c.pid) for c in p.children()),
    "descendants": lambda p: lines(str(c.pid) for c in p.children(recursive=True)),
    "parents": lambda p: " ".join(str(c.pid) for c in p.parents()),
    "child_times": lambda p: "%.2f %.2f" % p.cpu_times()[2:4],
    "name": lambda p: x(p.name()),
}
out = {}
for p in psutil.process_iter():
    if p.pid == os.getpid():
        continue
    d = out[p.pid] = {"start": "%.2f" % p.create_time()}
    for name, read in details.items():
        try:
            d[name] = read(p)
        except psutil.ZombieProcess:
            d[name] = "! zombie"
        except psutil.NoSuchProcess:
            d[name] = "! gone"
        except psutil.AccessDenied:
            d[name] = "! denied"
json.dump(out, sys.stdout)
`

type psutilDump map[string]map[string]string

// psutil runs the script.
func psutil(t *testing.T) psutilDump {
	t.Helper()
	var dump psutilDump
	out, err := exec.Command("/usr/bin/python3", "-c", psutilScript).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &dump); err != nil {
		t.Fatal(err)
	}
	return dump
}

// sorted joins what each element is spelled like, in order.
func sorted[T any](list []T, spell func(T) string) string {
	var all []string
	for _, v := range list {
		if s := spell(v); s != "" {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "|")
}

func hexOf(s string) string { return hex.EncodeToString([]byte(s)) }

// ours spells what an inspection tells in the way of the script.
func ours(p platform.Inspection) map[string]string {
	d := map[string]string{}
	put := func(name, v string, err error) {
		for word, is := range map[string]error{"zombie": platform.ErrZombie, "gone": os.ErrProcessDone, "denied": os.ErrPermission, "kernel": platform.ErrKernelThread} {
			if errors.Is(err, is) {
				v, err = "! "+word, nil
			}
		}
		if err != nil {
			v = "! " + err.Error()
		}
		d[name] = v
	}
	files, err := p.OpenFiles()
	put("open_files", sorted(files, spellFile), err)
	connections, err := p.Connections()
	put("connections", spellConnections(connections), err)
	threads, err := p.Threads()
	put("threads", sorted(threads, func(t platform.Thread) string {
		return fmt.Sprintf("%d %.2f %.2f", t.Key.ID, t.CPU.User.Seconds(), t.CPU.System.Seconds())
	}), err)
	maps, err := p.MemoryMaps()
	put("memory_maps", sorted(maps, spellMap), err)
	limits, err := p.Limits()
	put("limits", sorted(limits, spellLimit), err)
	environ, err := p.Environment()
	put("environ", spellEnvironment(environ), err)
	args, err := p.Arguments()
	put("cmdline", hexOf(strings.Join(args, " ")), err)
	cwd, err := p.WorkingDirectory()
	put("cwd", hexOf(cwd.Path), err)
	exe, err := p.Executable()
	put("exe", hexOf(exe.Path), err)
	affinity, err := p.Affinity()
	put("affinity", strings.Trim(fmt.Sprint(affinity.CPUs), "[]"), err)
	priority, err := p.IOPriority()
	put("ionice", fmt.Sprintf("%d %d", slices.Index([]string{"none", "realtime", "best_effort", "idle"}, priority.Class), priority.Level), err)
	pid := func(r platform.Relative) string { return strconv.FormatUint(r.Key.ID, 10) }
	children, err := p.Children()
	put("children", sorted(children, pid), err)
	descendants, err := p.Descendants()
	put("descendants", sorted(descendants, pid), err)
	parents, err := p.Parents()
	var all []string
	for _, r := range parents {
		all = append(all, pid(r))
	}
	put("parents", strings.Join(all, " "), err)
	id, err := p.Identity()
	if err == nil {
		put("uids", fmt.Sprintf("%d %d %d", id.Users.Real, id.Users.Effective, id.Users.Saved), nil)
		put("gids", fmt.Sprintf("%d %d %d", id.Groups.Real, id.Groups.Effective, id.Groups.Saved), nil)
		put("terminal", *id.Terminal, nil)
		put("nice", strconv.Itoa(*id.Nice), nil)
		put("cpu_num", strconv.Itoa(*id.LastCPU), nil)
		put("parent", strconv.FormatUint(id.Parent, 10), nil)
		put("child_times", fmt.Sprintf("%.2f %.2f", id.Children.User.Seconds(), id.Children.System.Seconds()), nil)
	}
	return d
}

// spellFile leaves out what psutil does: it looks for the name, not for the file. A
// handle that cannot read is one for reading to it.
func spellFile(f platform.OpenFile) string {
	if f.Deleted {
		return ""
	}
	return fmt.Sprintf("%d %s %d %s %o", f.FD, hexOf(f.Path), *f.Position, cmp.Or(f.Mode, "r"), *f.Flags)
}

// spellConnections names a socket once, as psutil does for all but local ones. A name
// with a blank is none to it.
func spellConnections(list []platform.Connection) string {
	addr := func(a fmt.Stringer, port uint16) string {
		if port == 0 {
			return ""
		}
		return fmt.Sprintf("%v:%d", a, port)
	}
	types := map[platform.SocketType]int{platform.TypeStream: 1, platform.TypeDatagram: 2, platform.TypeSeqPacket: 5}
	families := map[platform.Family]int{platform.FamilyInet: 2, platform.FamilyInet6: 10}
	states := []string{"NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"}
	all := map[string]bool{}
	for _, c := range list {
		if c.Family == platform.FamilyUnix {
			if strings.Contains(c.Path, " ") {
				c.Path = ""
			}
			all[fmt.Sprintf("unix %d %d %s", c.FD, types[c.Type], hexOf(c.Path))] = true
			continue
		}
		all[fmt.Sprintf("inet %d %d %s %s %s", families[c.Family], types[c.Type],
			addr(c.Local.Addr(), c.Local.Port()), addr(c.Peer.Addr(), c.Peer.Port()), states[c.State])] = true
	}
	var keys []string
	for s := range all {
		keys = append(keys, s)
	}
	return sorted(keys, func(s string) string { return s })
}

// spellMap leaves out what depends on who else maps a page: psutil does while it runs.
func spellMap(m platform.MemoryMap) string {
	path := m.Path
	if path == "" {
		path = platform.AnonymousPath
	}
	u := m.Use
	return fmt.Sprintf("%08x-%08x %s %s %d %d %d %d %d %d", m.Start, m.End, m.Permissions, hexOf(path), u.RSS,
		u.SharedClean+u.PrivateClean, u.SharedDirty+u.PrivateDirty, u.Referenced, u.Anonymous, u.Swap)
}

func spellLimit(l platform.Limit) string {
	bound := func(b platform.Bound) int64 {
		if b.Infinite {
			return -1
		}
		return int64(b.Value)
	}
	return fmt.Sprintf("%s %d %d", l.Name, bound(l.Soft), bound(l.Hard))
}

// spellEnvironment takes psutil's way: up to the first empty entry, the last of equal
// names, nothing without a name.
func spellEnvironment(entries []string) string {
	values := map[string]string{}
	for _, entry := range entries {
		if entry == "" {
			break
		}
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			values[name] = value
		}
	}
	var all []string
	for name, value := range values {
		all = append(all, hexOf(name)+"="+hexOf(value))
	}
	return sorted(all, func(s string) string { return s })
}

// TestInspectAgainstPsutil compares every detail of every process with psutil's, before
// and after: what psutil says both times, and of the same process, we say too. What
// changes there and back, as the last CPU, is another in another round.
func TestInspectAgainstPsutil(t *testing.T) {
	if out, err := exec.Command("/usr/bin/python3", "-c", "import psutil").CombinedOutput(); err != nil {
		t.Skipf("Debian's python3-psutil is not installed: %v %s", err, out)
	}
	b := machine(t)
	hostile := newStage(t) // somebody with a bit of everything
	const rounds = 3
	var wrong []string
	for range rounds {
		before := psutil(t)
		dumps := dumpAll(t, b, before)
		var compared int
		if compared, wrong = compareDumps(before, dumps, psutil(t), strconv.Itoa(hostile.cmd.Process.Pid)); len(wrong) == 0 {
			t.Logf("%d details of %d processes are equal", compared, len(dumps))
			if compared < 10*len(dumps) {
				t.Errorf("only %d details of %d processes were compared", compared, len(dumps))
			}
			return
		}
	}
	for _, s := range wrong {
		t.Error(s)
	}
}

// dumpAll inspects the processes that psutil found.
func dumpAll(t *testing.T, b *backend, found psutilDump) psutilDump {
	t.Helper()
	dumps := psutilDump{}
	for pid := range found {
		id, _ := strconv.ParseUint(pid, 10, 64)
		p, err := b.Inspect(t.Context(), platform.Key{ID: id})
		if err == nil {
			dumps[pid] = ours(p)
			p.Close()
		}
	}
	return dumps
}

// compareDumps returns how many details are equal, and which are wrong.
func compareDumps(before, dumps, after psutilDump, hostile string) (equal int, wrong []string) {
	for pid, d := range dumps {
		if pid == strconv.Itoa(os.Getpid()) || before[pid]["start"] != after[pid]["start"] {
			continue
		}
		for name, want := range before[pid] {
			got, told := d[name]
			switch {
			case !told || excused(got, want) || after[pid][name] != want:
			case pid == hostile && name == "threads": // psutil cuts at the first ')'
			case got != want:
				wrong = append(wrong, fmt.Sprintf("%s of %s: %.3000s\npsutil: %.3000s", name, pid, got, want))
			default:
				equal++
			}
		}
	}
	return equal, wrong
}

// excused are psutil 5.9's own ways: of kernel threads it says that they have nothing,
// that they are gone (environ), or lie in / (cwd), and of zombies whatever it reads.
func excused(got, want string) bool {
	return got == "! kernel" || got == "! zombie" || want == "! zombie"
}
