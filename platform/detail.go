package platform

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Identity is who a process is and how the kernel runs it. What a process has per
// thread (priority, CPU, capabilities) is that of the first one.
type Identity struct {
	Key           Key
	Command       string   // the short name, which the process may change
	State         *State   // nil for a state without a name in [State]
	Letter        byte     // the kernel's own letter of the state, 0 where it has none
	Parent        uint64   // PID, 0 for none or one outside the PID namespace
	Group         *uint64  // process group
	Session       *uint64  // PID of the session's leader
	Terminal      *string  // path of the controlling terminal, "" for none; on Windows the name of its session: Console, RDP-Tcp#0
	Owner         *string  // name of the effective user, nil if it has none
	Users         *IDs     // user IDs
	Groups        *IDs     // group IDs
	Supplementary []uint32 // further groups
	Nice          *int     // -20, the most favoured, to 19
	Priority      *int     // as the kernel counts it
	PriorityClass string   // on Windows: idle, below_normal, normal, above_normal, high, realtime; "" unknown
	Realtime      *int     // priority among real-time threads, 0 for an ordinary one
	Policy        string   // scheduling policy: other, fifo, rr, batch, idle, deadline, ext; "" unknown
	LastCPU       *int     // the CPU it ran on last
	CPU           CPUTimes // of all threads, ended ones included
	Children      CPUTimes // of all children that ended and were waited for
	Namespaces    []uint64 // its PID in each nested PID namespace, from this view's inwards
	Capabilities  *Capabilities
}

// IDs are the user or group IDs of a process.
type IDs struct {
	Real, Effective uint32
	Saved           *uint32 // to switch back to; nil where that is refused
	Filesystem      *uint32 // for access to files, on Linux
}

// CPUTimes is time spent on CPUs.
type CPUTimes struct{ User, System time.Duration }

// Capabilities are the sets of capabilities(7), a bit for each.
type Capabilities struct {
	Inheritable, Permitted, Effective, Bounding uint64
	Ambient                                     *uint64 // since Linux 4.3
}

// Affinity is where a thread may run, in ascending numbers of CPUs.
type Affinity struct {
	// CPUs are those it may run on: allowed and online.
	CPUs []int
	// Eligible are those it is allowed, by itself and by its cpuset, online or not.
	// It is nil where the system does not tell them apart.
	Eligible []int
}

// IOPriority is the priority of disk requests.
type IOPriority struct {
	Class string // none, realtime, best_effort or idle; on Windows very_low, low, normal, high or critical; "" for one without a name
	Level int    // 0, the most favoured, to 7; always 0 on Windows
}

// Link is a file as the kernel names it for a process, in the process's own root.
type Link struct {
	Path    string
	Deleted bool // the name does not lead to the file any more
}

// OpenFile is an open regular file.
type OpenFile struct {
	FD       int // the descriptor, or the handle
	Path     string
	Deleted  bool    // the name does not lead to the file any more
	Position *uint64 // offset in bytes
	Mode     string  // r, w, a, r+ or a+ as of fopen(3); "" for a handle that cannot read or write
	Flags    *uint32 // of open(2), in the system's own values
}

// Family is the address family of a socket.
type Family uint8

// The families.
const (
	FamilyUnknown Family = iota
	FamilyInet           // IPv4
	FamilyInet6          // IPv6
	FamilyUnix           // local
)

// String returns the family in lower case: inet, inet6, unix.
func (f Family) String() string { return name(f, "unknown", "inet", "inet6", "unix") }

// SocketType is the kind of a socket.
type SocketType uint8

// The types.
const (
	TypeUnknown   SocketType = iota
	TypeStream               // TCP among them
	TypeDatagram             // UDP among them
	TypeSeqPacket            // records in order
)

// String returns the type in lower case: stream, dgram, seqpacket.
func (t SocketType) String() string { return name(t, "unknown", "stream", "dgram", "seqpacket") }

// TCPState is the state of a TCP socket.
type TCPState uint8

// The states. The zero value is that of sockets that are not TCP.
const (
	TCPNone TCPState = iota
	TCPEstablished
	TCPSynSent
	TCPSynReceived
	TCPFinWait1
	TCPFinWait2
	TCPTimeWait
	TCPClosed
	TCPCloseWait
	TCPLastAck
	TCPListen
	TCPClosing
)

// String returns the state as OpenTelemetry's network.connection.state spells it,
// "" for none.
func (s TCPState) String() string {
	return name(s, "", "established", "syn_sent", "syn_received", "fin_wait_1", "fin_wait_2",
		"time_wait", "closed", "close_wait", "last_ack", "listen", "closing")
}

// name returns the name with the number n.
func name[N ~uint8](n N, names ...string) string {
	if int(n) >= len(names) {
		return "unknown"
	}
	return names[n]
}

// Connection is a socket of a process.
type Connection struct {
	FD     int    // -1 where the system does not tell
	Inode  uint64 // the socket's number, by which several descriptors of one are told
	Family Family
	Type   SocketType
	Local  netip.AddrPort // invalid for a local socket
	Peer   netip.AddrPort // invalid for none
	Path   string         // of a local socket; abstract names begin with @ on Linux; "" for none
	State  TCPState
}

// SocketStats is what TCP knows of one connection.
type SocketStats struct {
	FD                 int
	Inode              uint64
	Local, Peer        netip.AddrPort
	State              TCPState
	RTT, RTTVariance   time.Duration // smoothed round trip
	MSS                uint32        // largest segment to send, bytes
	Window             uint32        // congestion window, segments
	Unacknowledged     uint32        // segments
	Lost               uint32        // segments taken for lost and not yet sent again
	Retransmitting     uint32        // segments sent again and not yet acknowledged
	Retransmits        uint32        // segments sent again since the connection began
	SendQueue          uint32        // bytes not yet acknowledged
	ReceiveQueue       uint32        // bytes not yet read
	BytesAcknowledged  *uint64       // since Linux 4.1
	BytesReceived      *uint64       // since Linux 4.1
	BytesSent          *uint64       // retransmitted ones included; since Linux 4.19
	BytesRetransmitted *uint64       // since Linux 4.19
}

// Thread is one thread of a process.
type Thread struct {
	Key   Key    // thread ID and start
	Name  string // as the thread named itself
	State *State
	CPU   CPUTimes
}

// MemoryMap is one mapping of a process's address space.
type MemoryMap struct {
	Start, End  uint64 // addresses
	Permissions string // r, w, x, and p for private or s for shared; - for none
	Offset      uint64 // in the file, bytes
	Device      uint64 // the file's device number in the kernel's form, 0 for none
	Inode       uint64 // 0 for no file
	Path        string // file or kernel's name such as [heap]; "" for nameless memory
	Deleted     bool   // the name does not lead to the file any more
	Use         *MemoryUse
}

// MemoryUse is how much memory a mapping takes, in bytes.
type MemoryUse struct {
	RSS, PSS                      uint64 // in memory; with pages shared by n processes counted as 1/n
	SharedClean, SharedDirty      uint64 // pages that others map too
	PrivateClean, PrivateDirty    uint64 // pages that nobody else maps
	SharedHugetlb, PrivateHugetlb uint64 // huge pages, which are in none of the above
	Referenced, Anonymous         uint64 // touched lately; without a file behind
	Swap, SwapPSS                 uint64 // swapped out; with shared ones counted as 1/n
	// Coarse says that this system tells RSS and what of it others map too, and no
	// more: SharedDirty and PrivateDirty are clean pages too, and the rest is unknown.
	// So it is on Windows.
	Coarse bool
}

// USS returns the memory that would be free if the process ended now.
func (u *MemoryUse) USS() uint64 { return u.PrivateClean + u.PrivateDirty + u.PrivateHugetlb }

// add adds what v takes.
func (u *MemoryUse) add(v *MemoryUse) {
	u.RSS += v.RSS
	u.PSS += v.PSS
	u.SharedClean += v.SharedClean
	u.SharedDirty += v.SharedDirty
	u.PrivateClean += v.PrivateClean
	u.PrivateDirty += v.PrivateDirty
	u.SharedHugetlb += v.SharedHugetlb
	u.PrivateHugetlb += v.PrivateHugetlb
	u.Referenced += v.Referenced
	u.Anonymous += v.Anonymous
	u.Swap += v.Swap
	u.SwapPSS += v.SwapPSS
	u.Coarse = u.Coarse || v.Coarse
}

// AnonymousPath is the path of the [MapGroup] of nameless memory.
const AnonymousPath = "[anon]"

// MapGroup is all mappings of one file or name.
type MapGroup struct {
	Path  string
	Count int        // mappings
	Size  uint64     // address space in bytes
	Use   *MemoryUse // nil unless known of all of them
}

// GroupMaps adds up mappings by path, those of most resident memory first.
func GroupMaps(maps []MemoryMap) []MapGroup {
	groups := []MapGroup{}
	at := map[string]int{}
	for i := range maps {
		path := maps[i].Path
		if path == "" {
			path = AnonymousPath
		}
		place, ok := at[path]
		if !ok {
			place = len(groups)
			at[path] = place
			groups = append(groups, MapGroup{Path: path, Use: &MemoryUse{}})
		}
		groups[place].add(&maps[i])
	}
	slices.SortFunc(groups, byResident)
	return groups
}

// add adds one mapping.
func (g *MapGroup) add(m *MemoryMap) {
	g.Count++
	g.Size += m.End - m.Start
	switch {
	case m.Use == nil:
		g.Use = nil
	case g.Use != nil:
		g.Use.add(m.Use)
	}
}

// byResident orders groups by resident memory, then by size and path.
func byResident(a, b MapGroup) int {
	return cmp.Or(cmp.Compare(b.resident(), a.resident()), cmp.Compare(b.Size, a.Size), strings.Compare(a.Path, b.Path))
}

// resident takes what is not known for 0.
func (g *MapGroup) resident() uint64 {
	if g.Use == nil {
		return 0
	}
	return g.Use.RSS
}

// Limit is one resource limit.
type Limit struct {
	Name       string // as getrlimit(2) spells it: RLIMIT_NOFILE
	Unit       string // bytes, seconds, microseconds, or what is counted: files; "" for a plain number
	Soft, Hard Bound  // what holds now; how far the process may raise it
}

// Bound is the value of a limit.
type Bound struct {
	Value    uint64 // in the limit's unit
	Infinite bool   // there is no limit, and Value is 0
}

// Relative is a process that another one descends from, or that descends from it.
type Relative struct {
	Key     Key
	Parent  uint64 // PID
	Command string // the short name
}

// Interface is a network interface.
type Interface struct {
	Index     int // the kernel's number, 0 if unknown
	Name      string
	Up        bool     // set up by the administrator
	Flags     []string // in lower case, as ifconfig(8) spells them: up, broadcast, running ...
	State     string   // operational state by RFC 2863: up, down, dormant ...; "" if unknown
	MTU       *uint64  // bytes
	Speed     *uint64  // bits per second
	Duplex    string   // full or half, "" if unknown
	Hardware  []byte   // hardware address, nil if it has none
	Addresses []Address
}

// Address is an address of a network interface.
type Address struct {
	IP        netip.Addr // with the interface as zone if it is link-local IPv6
	Bits      int        // length of the network's prefix
	Broadcast netip.Addr // invalid for none
	Peer      netip.Addr // other end of a point-to-point link, invalid for none
}

// Netmask returns the prefix as a mask, such as 255.255.255.0.
func (a Address) Netmask() netip.Addr {
	ones := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if !a.IP.Is4() {
		ones = netip.AddrFrom16([16]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	}
	mask, _ := ones.Prefix(a.Bits) // invalid for a prefix longer than the address
	return mask.Addr()
}

// Mount is one mount.
type Mount struct {
	ID, Parent   uint64 // the kernel's numbers of it and of what it is mounted on
	Device       uint64 // device number of the file system in the kernel's form
	Root         string // folder of the file system that is mounted: not / for bind mounts and subvolumes
	Point        string // where
	Type         string // ext4, nfs4 ...
	Source       string // what, as the file system names it
	Options      string // of the mount, separated by commas
	SuperOptions string // of the file system
	ReadOnly     bool   // by either
}

// Session is a user that is logged in.
type Session struct {
	User     string
	Terminal string // without /dev/
	Host     string // where from: a name, an address, an X display; "" if here
	PID      uint64 // of the process that logged in
	Started  time.Time
}
