package linux

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// psColumns are what ps(1) is asked for. Names, which may hold blanks, stand in no
// column.
var psColumns = []string{
	"pid", "parent", "group", "session", "effective user", "real user", "saved user", "effective group", "real group", "saved group",
	"nice", "priority", "policy", "resident", "virtual", "thread count", "cpu number", "state", "minor", "major", "used", "age", "terminal",
}

const psFormat = "pid=,ppid=,pgid=,sess=,euid=,ruid=,suid=,egid=,rgid=,sgid=," +
	"ni=,rtprio=,cls=,rss=,vsz=,nlwp=,psr=,s=,min_flt=,maj_flt=,cputimes=,etimes=,tty="

// TestLiveProcessesAgainstPs compares every process with ps, before and after.
func TestLiveProcessesAgainstPs(t *testing.T) {
	newThrong(t, len(kinds))
	o, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	c := comparison{lookers: []string{strconv.Itoa(os.Getpid())}}
	agree(t, &c, func() account { return askPs(t) }, func() account { return asPs(t, o.(*backend)) })
	for _, column := range psColumns[1:] {
		if c.equal[column] == 0 {
			t.Errorf("%s was never compared", column)
		}
	}
}

// agree makes rounds until nothing is wrong in all of them.
func agree(t *testing.T, c *comparison, theirs, ours func() account) {
	t.Helper()
	const rounds = 20
	before := theirs()
	for c.rounds == 0 || c.rounds < rounds && len(c.wrong) > 0 {
		got := ours()
		after := theirs()
		c.round(before, got, after)
		before = after
	}
	c.report(t)
}

func askPs(t *testing.T) account {
	told := account{}
	for line := range strings.Lines(tool(t, "ps", "-e", "-o", psFormat)) {
		f := strings.Fields(line)
		if len(f) != len(psColumns) {
			t.Skipf("ps prints another table: %q", line)
		}
		process := map[string]string{"start": ""}
		for i, column := range psColumns {
			process[column] = f[i]
		}
		told[f[0]] = process
	}
	return told
}

// asPs spells what a pass and an inspection tell in the way of ps.
func asPs(t *testing.T, b *backend) account {
	told := account{}
	s := newSeen()
	reader, err := b.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Read(1<<pidStat|1<<pidStatus, s); err != nil {
		t.Fatal(err)
	}
	for pid, fields := range s.fields {
		p, err := b.Inspect(context.Background(), platform.Key{ID: pid})
		if err != nil {
			continue
		}
		if id, err := p.Identity(); err == nil && id.Users != nil && id.Groups != nil {
			process := map[string]string{"start": "", "pid": strconv.FormatUint(pid, 10)}
			maps.Copy(process, psIdentity(&id))
			maps.Copy(process, psFields(fields))
			told[process["pid"]] = process
		}
		p.Close()
	}
	return told
}

// psPolicies are the names that ps has for the policies.
var psPolicies = map[string]string{"other": "TS", "fifo": "FF", "rr": "RR", "batch": "B", "idle": "IDL", "deadline": "DLN"}

func psIdentity(id *platform.Identity) map[string]string {
	priority, nice := "-", strconv.Itoa(*id.Nice)
	if *id.Realtime > 0 {
		priority, nice = strconv.Itoa(*id.Realtime), "-"
	}
	or0 := func(v *uint64) string {
		if v == nil {
			return "0"
		}
		return strconv.FormatUint(*v, 10)
	}
	terminal := strings.TrimPrefix(*id.Terminal, "/dev/")
	if terminal == "" {
		terminal = "?"
	}
	return map[string]string{
		"group": or0(id.Group), "session": or0(id.Session), "nice": nice, "priority": priority, "policy": psPolicies[id.Policy],
		"effective user": fmt.Sprint(id.Users.Effective), "real user": fmt.Sprint(id.Users.Real), "saved user": fmt.Sprint(*id.Users.Saved),
		"effective group": fmt.Sprint(id.Groups.Effective), "real group": fmt.Sprint(id.Groups.Real), "saved group": fmt.Sprint(*id.Groups.Saved),
		"state": string(rune(id.Letter)), "terminal": terminal,
	}
}

func psFields(fields map[platform.Field]uint64) map[string]string {
	told := map[string]string{}
	for column, f := range map[string]struct {
		unit  uint64
		field platform.Field
	}{
		"parent": {1, platform.ProcessParent}, "thread count": {1, platform.ProcessThreads}, "cpu number": {1, platform.ProcessCPUNumber},
		"resident": {1 << 10, platform.ProcessMemoryRSS}, "virtual": {1 << 10, platform.ProcessMemoryVirtual},
		"minor": {1, platform.ProcessFaultsMinor}, "major": {1, platform.ProcessFaultsMajor}, "age": {1e9, platform.ProcessUptime},
	} {
		told[column] = strconv.FormatUint(fields[f.field]/f.unit, 10) // of no memory ps says 0
	}
	const second = 1e9
	told["used"] = strconv.FormatUint((fields[platform.ProcessCPUUser]+fields[platform.ProcessCPUSystem])/second, 10)
	return told
}

// TestLiveConnectionsAgainstSs compares the sockets of every process of this network
// namespace with what ss says of each descriptor, before and after.
func TestLiveConnectionsAgainstSs(t *testing.T) {
	s := newStage(t)
	newThrong(t, len(kinds))
	b := machine(t)
	c := comparison{lookers: []string{strconv.Itoa(os.Getpid())}}
	agree(t, &c, func() account { return askSs(t) }, func() account { return asSs(t, b) })
	for _, kind := range []string{"tcp", "udp", "unix"} {
		if c.equal[kind] == 0 {
			t.Errorf("%s was never compared, not even of %d", kind, s.cmd.Process.Pid)
		}
	}
}

// ssHolder is one descriptor of a socket.
var ssHolder = regexp.MustCompile(`pid=(\d+),fd=(\d+)`)

// askSs asks for the sockets of each kind. A line is spelled as a socket, and stands in
// the account of every process that holds it.
func askSs(t *testing.T) account {
	all := map[string]map[string][]string{} // by PID and kind
	for kind, flag := range map[string]string{"tcp": "-t", "udp": "-u", "unix": "-x"} {
		for line := range strings.Lines(tool(t, "ss", "-H", flag, "-a", "-n", "-p", "-O")) {
			socket, holders, held := strings.Cut(line, "users:((")
			if !held {
				continue
			}
			for _, h := range ssHolder.FindAllStringSubmatch(holders, -1) {
				if all[h[1]] == nil {
					all[h[1]] = map[string][]string{}
				}
				all[h[1]][kind] = append(all[h[1]][kind], h[2]+" "+spellSs(kind, socket))
			}
		}
	}
	told := account{}
	for pid, kinds := range all {
		told[pid] = map[string]string{"start": ""}
		for kind, sockets := range kinds {
			told[pid][kind] = sorted(sockets, func(s string) string { return s })
		}
	}
	return told
}

// spellSs keeps state, local address and peer; of a local socket its number.
func spellSs(kind, socket string) string {
	f := strings.Fields(socket)
	if kind == "unix" {
		return f[len(f)-3] // Netid State Recv-Q Send-Q name number * peer's number
	}
	state := slices.Index(ssStates, f[0])
	if kind == "udp" {
		state = 0
	}
	return fmt.Sprint(state, " ", anyAddress(f[3]), " ", anyAddress(f[4]))
}

// anyAddress spells every address of no host alike, and leaves out the interface: ss
// writes *, 0.0.0.0 or [::] for the one and %lo for the other.
func anyAddress(s string) string {
	host, port := s[:strings.LastIndex(s, ":")], s[strings.LastIndex(s, ":")+1:]
	host, _, _ = strings.Cut(strings.Trim(host, "[]"), "%")
	if host == "0.0.0.0" || host == "::" {
		host = "*"
	}
	if port == "0" {
		port = "*"
	}
	return host + ":" + port
}

// asSs spells the connections of every process.
func asSs(t *testing.T, b *backend) account {
	told := account{}
	for _, pid := range slices.Clone(b.visible()) {
		p, err := b.Inspect(context.Background(), platform.Key{ID: pid})
		if err != nil {
			continue
		}
		list, err := p.Connections()
		p.Close()
		if err != nil {
			continue
		}
		sockets := map[string][]string{}
		for _, c := range list {
			kind := "unix"
			spelled := strconv.FormatUint(c.Inode, 10)
			if c.Family != platform.FamilyUnix {
				kind = map[platform.SocketType]string{platform.TypeStream: "tcp", platform.TypeDatagram: "udp"}[c.Type]
				peer := "*:*"
				if c.Peer.IsValid() {
					peer = anyAddress(c.Peer.String())
				}
				spelled = fmt.Sprint(uint8(c.State), " ", anyAddress(c.Local.String()), " ", peer)
			}
			sockets[kind] = append(sockets[kind], strconv.Itoa(c.FD)+" "+spelled)
		}
		process := map[string]string{"start": ""}
		for kind, list := range sockets {
			process[kind] = sorted(list, func(s string) string { return s })
		}
		told[strconv.FormatUint(pid, 10)] = process
	}
	return told
}
