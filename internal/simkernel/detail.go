package simkernel

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Story is all that may be told of one process in detail, as it is. What of it a kernel
// does not tell its [Dialect] takes out.
type Story struct {
	Identity                           platform.Identity
	Arguments, Environment             []string
	Executable, WorkingDirectory, Root platform.Link
	Affinity                           platform.Affinity
	OpenFiles                          []platform.OpenFile
	Connections                        []platform.Connection
	Threads                            []platform.Thread
	MemoryMaps                         []platform.MemoryMap
	Limits                             []platform.Limit
	Children, Descendants, Parents     []platform.Relative
}

// Details is how a kernel tells of one process.
type Details struct {
	// Adjust makes a story what the kernel tells of it.
	Adjust func(*World, *Process, *Story)
	// Lacks are details that it does not tell, and Refused those that it refuses of a
	// process that denies them.
	Lacks, Refused []string
	// Start is what is told of a process's birth, where that is not [Dialect.Start]: of
	// zombies.
	Start func(*World, *Process) uint64
	// Lost says that a zombie is not found by its PID.
	Lost bool
}

// Names and numbers of what every process has.
const (
	User         = 1000
	ThreadOffset = 100_000 // the n-th thread of a process has the ID 1000*PID+n behind it
	FileFD       = 3
	SocketFD     = 4
	UnixFD       = 5
	MapStart     = 0x40_0000
	MapLength    = 16 * Page
)

// Group is the process group of a process, and Session its session.
func (p *Process) Group() uint64 { return p.PID }

// Session is that of everybody.
func (p *Process) Session() uint64 { return 1 }

// HasTerminal reports whether a process has the [Terminal].
func (p *Process) HasTerminal() bool { return p.PID%2 == 1 }

// Arguments are those of a process: its name, and an empty one among others.
func (p *Process) Arguments() []string { return []string{p.Name, "-x", ""} }

// Environment is that of a process.
func (p *Process) Environment() []string { return []string{"HOME=/", "A="} }

// Executable is the path of the program.
func (p *Process) Executable() string { return "/bin/" + p.Name }

// Folder is where a process is.
func (p *Process) Folder() string { return fmt.Sprintf("/home/%d", p.PID) }

// Path is the file that a process has open, and Position where in it it is.
func (p *Process) Path() string { return "/var/log/" + p.Name }

// Position is where in its file a process is.
func (p *Process) Position() uint64 { return p.PID * 1_000_000_007 }

// Appends reports whether the file is open for appending, and for nothing else; otherwise it
// is for reading.
func (p *Process) Appends() bool { return p.PID%3 == 0 }

// Thread is the ID of the n-th thread.
func (p *Process) Thread(n uint64) uint64 { return ThreadOffset + 1000*p.PID + n }

// IsTCP reports whether the socket of a process is of TCP, and not of UDP.
func (p *Process) IsTCP() bool { return p.PID%2 == 1 }

// Wide reports whether it is of version 6 of IP.
func (p *Process) Wide() bool { return p.PID%4 >= 2 }

// Local and Peer are the ends of the socket.
func (p *Process) Local() netip.AddrPort { return p.end(1) }

// Peer is where the socket leads to. One of UDP leads nowhere.
func (p *Process) Peer() netip.AddrPort {
	if !p.IsTCP() {
		return netip.AddrPort{}
	}
	return p.end(2)
}

func (p *Process) end(n byte) netip.AddrPort {
	port := uint16(1000*uint16(n) + uint16(p.PID))
	if p.Wide() {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: n, 15: byte(p.PID)}), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, n, byte(p.PID)}), port)
}

// UnixPath is that of the local socket of a process.
func (p *Process) UnixPath() string { return fmt.Sprintf("/tmp/%d.sock", p.PID) }

// tcpStates are those of TCP by their numbers on the BSDs.
var tcpStates = [...]platform.TCPState{platform.TCPClosed, platform.TCPListen, platform.TCPSynSent, platform.TCPSynReceived,
	platform.TCPEstablished, platform.TCPCloseWait, platform.TCPFinWait1, platform.TCPClosing, platform.TCPLastAck, platform.TCPFinWait2, platform.TCPTimeWait}

// SocketState is the number of the state of a process's socket on the BSDs.
func (p *Process) SocketState() uint64 { return p.PID % uint64(len(tcpStates)) }

// TCPState is that state.
func (p *Process) TCPState() platform.TCPState { return tcpStates[p.SocketState()] }

// Tell tells the story of a process.
func (w *World) Tell(p *Process, start func(*World, *Process) uint64) *Story {
	terminal, nice, state := "", p.Nice, platform.State(p.State)
	if p.HasTerminal() {
		terminal = Terminal
	}
	group, session, position := p.Group(), p.Session(), p.Position()
	s := &Story{
		Identity: platform.Identity{Key: platform.Key{ID: p.PID, Start: start(w, p)}, Command: p.Name, State: &state, Parent: p.Parent,
			Group: &group, Session: &session, Terminal: &terminal, Owner: ownerOf(p.UID),
			Users:  &platform.IDs{Real: uint32(p.UID + 1), Effective: uint32(p.UID), Saved: new(uint32(p.UID + 2))},
			Groups: &platform.IDs{Real: 20, Effective: 21, Saved: new(uint32(22))}, Supplementary: []uint32{30, 31}, Nice: &nice,
			CPU: platform.CPUTimes{User: p.User, System: p.System}, Children: platform.CPUTimes{User: p.ChildUser, System: p.ChildSystem}},
		Arguments: p.Arguments(), Environment: p.Environment(), Executable: platform.Link{Path: p.Executable()},
		WorkingDirectory: platform.Link{Path: p.Folder()}, Root: platform.Link{Path: "/"},
		OpenFiles:   []platform.OpenFile{{FD: FileFD, Path: p.Path(), Position: &position, Mode: "r"}},
		Connections: []platform.Connection{p.socket(), {FD: UnixFD, Family: platform.FamilyUnix, Type: platform.TypeStream, Path: p.UnixPath()}},
		MemoryMaps: []platform.MemoryMap{
			{Start: MapStart, End: MapStart + MapLength, Permissions: "r-xp", Offset: Page, Inode: 1000 + p.PID, Path: p.Executable()},
			{Start: MapStart + 2*MapLength, End: MapStart + 3*MapLength, Permissions: "rw-p"},
		},
		Children: []platform.Relative{}, Descendants: []platform.Relative{}, Parents: []platform.Relative{},
	}
	flags := uint32(0)
	if p.Appends() {
		s.OpenFiles[0].Mode, flags = "a", 1|8
	}
	s.OpenFiles[0].Flags = &flags
	if p.Closed {
		s.OpenFiles = []platform.OpenFile{}
	}
	if p.State < Zombie {
		cpu := int(p.CPU)
		s.Identity.LastCPU = &cpu
	}
	for i := range w.CPUs {
		s.Affinity.CPUs = append(s.Affinity.CPUs, i)
	}
	for n := range p.Threads {
		s.Threads = append(s.Threads, p.thread(n))
	}
	w.kin(p, s, start)
	return s
}

func ownerOf(uid uint64) *string {
	name := map[uint64]string{0: "root", User: "user"}[uid]
	return &name
}

func (p *Process) socket() platform.Connection {
	c := platform.Connection{FD: SocketFD, Family: platform.FamilyInet, Type: platform.TypeDatagram, Local: p.Local(), Peer: p.Peer()}
	if p.Wide() {
		c.Family = platform.FamilyInet6
	}
	if p.IsTCP() {
		c.Type, c.State = platform.TypeStream, tcpStates[p.SocketState()]
	}
	return c
}

// ThreadName is what the n-th thread calls itself.
func ThreadName(n uint64) string { return fmt.Sprintf("thread-%d", n) }

// thread is the n-th thread: the first one has the times of the process, and all have its
// state.
func (p *Process) thread(n uint64) platform.Thread {
	state := platform.State(p.State)
	t := platform.Thread{Key: platform.Key{ID: p.Thread(n)}, Name: ThreadName(n), State: &state}
	if n == 0 {
		t.CPU = platform.CPUTimes{User: p.User, System: p.System}
	}
	return t
}

// kin tells who descends from whom.
func (w *World) kin(p *Process, s *Story, start func(*World, *Process) uint64) {
	relative := func(q *Process) platform.Relative {
		return platform.Relative{Key: platform.Key{ID: q.PID, Start: start(w, q)}, Parent: q.Parent, Command: q.Name}
	}
	for _, q := range w.Processes {
		for up := w.Find(q.Parent); up != nil; up = w.Find(up.Parent) {
			if up != p {
				continue
			}
			s.Descendants = append(s.Descendants, relative(q))
			if q.Parent == p.PID {
				s.Children = append(s.Children, relative(q))
			}
		}
	}
	for up := w.Find(p.Parent); up != nil; up = w.Find(up.Parent) {
		s.Parents = append(s.Parents, relative(up))
	}
	for _, list := range [][]platform.Relative{s.Children, s.Descendants} {
		slices.SortFunc(list, func(a, b platform.Relative) int {
			return cmp.Or(cmp.Compare(a.Key.Start, b.Key.Start), cmp.Compare(a.Key.ID, b.Key.ID))
		})
	}
}

// CheckDetails lets a world live for so many steps, inspects one process before each, and
// returns the first difference between what is told and what is so.
func CheckDetails(d Dialect, seed uint64, most, steps int) (err error) {
	w := New(seed, most)
	b, err := d.Open(w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for step := range steps {
		p := w.Processes[step%len(w.Processes)]
		if err := inspect(d, w, b.(platform.Inspector), p); err != nil {
			return fmt.Errorf("seed %d, step %d (%s), process %d: %w", seed, step, w.Happens, p.PID, err)
		}
		w.Step()
	}
	return nil
}

// inspect compares what is told of a process with its story.
func inspect(d Dialect, w *World, b platform.Inspector, p *Process) error {
	i, err := b.Inspect(context.Background(), platform.Key{ID: p.PID})
	if d.Details.Lost && p.State == Zombie {
		if !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("a zombie is inspected: %v", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	start := d.Start
	if d.Details.Start != nil {
		start = d.Details.Start
	}
	s := w.Tell(p, start)
	if d.Details.Adjust != nil {
		d.Details.Adjust(w, p, s)
	}
	told := reflect.ValueOf(i)
	want := reflect.ValueOf(s).Elem()
	var faults []error
	for n := range want.NumField() {
		name := want.Type().Field(n).Name
		got := told.MethodByName(name).Call(nil)
		err, _ := got[1].Interface().(error)
		if fault := compareDetail(got[0].Interface(), want.Field(n).Interface(), err, d.Details.expected(name, p)); fault != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, fault))
		}
	}
	return errors.Join(append(faults, i.Close())...)
}

// expected is the error that a detail of a process has to give, nil for none.
func (d *Details) expected(name string, p *Process) error {
	always := name == "Identity" || name == "Children" || name == "Descendants" || name == "Parents"
	switch {
	case p.State == Zombie && !always:
		return platform.ErrZombie
	case slices.Contains(d.Lacks, name):
		return errors.ErrUnsupported
	case p.Denied && slices.Contains(d.Refused, name):
		return fs.ErrPermission
	}
	return nil
}

func compareDetail(got, want any, err, expected error) error {
	switch {
	case !errors.Is(err, expected):
		return fmt.Errorf("the error is %v, want %v", err, expected)
	case expected == nil && !reflect.DeepEqual(got, want):
		return fmt.Errorf("told\n%s, want\n%s", show(got), show(want))
	}
	return nil
}

// show writes out what pointers lead to.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(b)
}

// Since is a time of the world as a duration since 1970.
func (w *World) Since(d time.Duration) time.Duration { return w.Boot.Sub(time.Unix(0, 0)) + d }
