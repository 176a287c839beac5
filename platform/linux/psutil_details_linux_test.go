package linux

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pidometer/pidometer/platform"
)

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

// spellDetails spells what an inspection tells in the way of the script.
func spellDetails(p platform.Inspection) map[string]string {
	d := map[string]string{}
	put := func(name, v string, err error) { d[name] = orReason(v, err) }
	files, err := p.OpenFiles()
	put("open files", sorted(files, spellFile), err)
	connections, err := p.Connections()
	put("connections", spellConnections(connections), err)
	threads, err := p.Threads()
	put("threads", sorted(threads, func(t platform.Thread) string {
		return fmt.Sprintf("%d %d %d", t.Key.ID, t.CPU.User/tick, t.CPU.System/tick)
	}), err)
	if space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p.Key().ID)); err == nil && space != try(os.Readlink("/proc/self/ns/net")) {
		d[otherNetwork] = space
	}
	for _, t := range threads {
		d[threadNames] += t.Name + "\n"
	}
	maps, err := p.MemoryMaps()
	put("memory maps", sorted(maps, spellMap), err)
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
	put("ionice", fmt.Sprintf("%d %d", slices.Index(ioprioClasses, priority.Class), priority.Level), err)
	spellKin(p, put)
	id, err := p.Identity()
	spellIdentity(&id, err, put)
	return d
}

// Values that psutil does not tell, by which to know whom it misreads.
const (
	threadNames  = "thread names"
	otherNetwork = "other network" // namespace, "" for that of the dumper
)

// orReason is a value, or why there is none.
func orReason(v string, err error) string {
	if err == nil {
		return v
	}
	return "! " + answer(err)
}

// ioprioClasses are the classes by their number (man 2 ioprio_get).
var ioprioClasses = []string{"none", "realtime", "best_effort", "idle"}

func spellKin(p platform.Inspection, put func(name, v string, err error)) {
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
}

func spellIdentity(id *platform.Identity, err error, put func(name, v string, err error)) {
	if err != nil || id.Users == nil || id.Groups == nil || id.Terminal == nil || id.Nice == nil || id.LastCPU == nil {
		put("uids", "", cmp.Or(err, errContent))
		return
	}
	put("uids", fmt.Sprintf("%d %d %d", id.Users.Real, id.Users.Effective, *id.Users.Saved), nil)
	put("gids", fmt.Sprintf("%d %d %d", id.Groups.Real, id.Groups.Effective, *id.Groups.Saved), nil)
	put("terminal", *id.Terminal, nil)
	put("nice", strconv.Itoa(*id.Nice), nil)
	put("cpu number", strconv.Itoa(*id.LastCPU), nil)
	put("parent", strconv.FormatUint(id.Parent, 10), nil)
	put("command", hexOf(id.Command), nil)
	cpu, children := id.CPU, id.Children
	put("cpu", fmt.Sprintf("%d %d %d %d -", cpu.User/tick, cpu.System/tick, children.User/tick, children.System/tick), nil)
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
