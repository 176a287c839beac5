package bsd

import (
	"encoding/binary"
	"io/fs"
	"net/netip"
	"os"
	"slices"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// threadRows are those of OpenBSD, the last thread first. The first one has the times of the
// process.
func (k *Kernel) threadRows(p *simkernel.Process, row []byte) (rows [][]byte) {
	for n := range p.Threads {
		b := slices.Clone(row)
		k.process.Put(b, "tid", p.Thread(n))
		if n > 0 {
			for _, member := range []string{"uutime_sec", "uutime_usec", "ustime_sec", "ustime_usec"} {
				k.process.Put(b, member, 0)
			}
		}
		rows = append(rows, b)
	}
	slices.Reverse(rows)
	return rows
}

// lwps are the threads on NetBSD. The first one has run as long as the process.
func (k *Kernel) lwps(args []int32) ([]byte, error) {
	p, err := k.owner(args[0], false)
	if err != nil {
		return nil, err
	}
	var rows [][]byte
	for n := range p.Threads {
		b := make([]byte, k.thread.Size)
		members := map[string]uint64{"lid": p.Thread(n), "stat": [...]uint64{7, 3, 4}[p.State], "pid": p.PID}
		if n == 0 {
			members["rtime_sec"], members["rtime_usec"] = seconds(p.User+p.System), micros(p.User+p.System)
		}
		for member, v := range members {
			k.thread.Put(b, member, v)
		}
		k.thread.PutText(b, "name", simkernel.ThreadName(n))
		rows = append(rows, b)
	}
	slices.Reverse(rows)
	return records(rows, args[1]), nil
}

// owner is who has a PID and lives, unless it is to be asked for a right and denies it.
func (k *Kernel) owner(pid int32, right bool) (*simkernel.Process, error) {
	p := k.World.Find(uint64(pid))
	switch {
	case p == nil || p.State == simkernel.Zombie:
		return nil, os.ErrProcessDone
	case right && p.Denied:
		return nil, fs.ErrPermission
	}
	return p, nil
}

// Chosen are the CPUs that somebody chose for a process on NetBSD, nil for nobody.
func Chosen(p *simkernel.Process) []int {
	if p.PID%3 == 0 {
		return []int{0}
	}
	return nil
}

// maxCPUs is MAXCPUS of amd64.
const maxCPUs = 256

// Affinity tells what was chosen for the first thread of a process, and for each other one the
// opposite.
func (k *Kernel) Affinity(pid, thread uint64, buf []byte) (int, error) {
	if err := k.Call("_sched_getaffinity"); err != nil {
		return 0, err
	}
	p, err := k.owner(int32(pid), false)
	switch {
	case err != nil:
		return 0, err
	case 8*len(buf) > maxCPUs:
		return 0, fs.ErrInvalid
	case thread != 0 && (thread < p.Thread(0) || thread >= p.Thread(p.Threads)):
		return 0, os.ErrProcessDone
	}
	set := make([]byte, len(buf))
	if (len(Chosen(p)) > 0) == (thread == p.Thread(0) || p.Threads == 1) {
		set[0] = 1
	}
	return k.Write(set, buf, nil)
}

func (k *Kernel) folder(args []int32) ([]byte, error) {
	p, err := k.owner(args[0], true)
	if err != nil {
		return nil, err
	}
	return append([]byte(p.Folder()), 0), nil
}

// arguments answers argv, the environment, and on NetBSD the path and the folder.
func (k *Kernel) arguments(args []int32) ([]byte, error) {
	p, err := k.owner(args[0], args[1] != 1 && args[1] != 5)
	if err != nil {
		return nil, err
	}
	if k.System {
		return nil, os.ErrInvalid
	}
	list := map[int32][]string{1: p.Arguments(), 3: p.Environment(), 5: {p.Executable()}, 6: {p.Folder()}}[args[1]]
	var text []byte
	const base = 0x7f00_0000_1000
	pointers := []uint64{}
	for _, s := range list {
		pointers = append(pointers, base+8*uint64(len(list)+1)+uint64(len(text)))
		text = append(append(text, s...), 0)
	}
	if !k.open {
		return text, nil
	}
	return append(simkernel.Words64(append(pointers, 0)...), text...), nil
}

// limit answers half of the limits on NetBSD: that which holds now, or that up to which it
// may be raised.
func (k *Kernel) limit(args []int32) ([]byte, error) {
	return simkernel.Words64(map[int32]uint64{1: 1024, 2: 1<<63 - 1}[args[2]]), nil
}

// regions are the program's code and memory without a file, on NetBSD.
func (k *Kernel) regions(args []int32) ([]byte, error) {
	p, err := k.owner(args[1], true)
	if err != nil {
		return nil, err
	}
	code, data := make([]byte, k.region.Size), make([]byte, k.region.Size)
	for member, v := range map[string]uint64{"start": simkernel.MapStart, "end": simkernel.MapStart + simkernel.MapLength, "offset": simkernel.Page, "type": 2,
		"flags": 1, "protection": 5, "vn_fileid": 1000 + p.PID} {
		k.region.Put(code, member, v)
	}
	k.region.PutText(code, "path", p.Executable())
	for member, v := range map[string]uint64{"start": simkernel.MapStart + 2*simkernel.MapLength, "end": simkernel.MapStart + 3*simkernel.MapLength, "type": 1,
		"flags": 1, "protection": 3} {
		k.region.Put(data, member, v)
	}
	return records([][]byte{code, data}, args[2]), nil
}

// files answers kern.file2 and kern.file: what one process or all have open, or all sockets
// on OpenBSD, with folders among them there.
func (k *Kernel) files(args []int32) ([]byte, error) {
	var rows [][]byte
	for _, p := range k.Processes {
		if p.State == simkernel.Zombie || args[0] == 2 && args[1] != -1 && uint64(args[1]) != p.PID {
			continue
		}
		if args[0] == 1 { // KERN_FILE_BYFILE, of sockets
			rows = append(rows, k.socketFile(p), k.unixFile(p))
			continue
		}
		if k.open {
			rows = append(rows, k.vnode(p, -2, 1, 2))
		}
		rows = append(rows, k.vnode(p, 0, 1, 4), k.unixFile(p), k.socketFile(p))
		if !p.Closed {
			rows = append(rows, k.vnode(p, simkernel.FileFD, 1, 1))
		}
	}
	return records(rows, args[2]), nil
}

// Names of members that differ.
func (k *Kernel) name(ours, theirs string) string {
	if k.open {
		return theirs
	}
	return ours
}

// vnode is a file of the file system, a device or a folder by its kind.
func (k *Kernel) vnode(p *simkernel.Process, fd int, kind, vnode uint64) []byte {
	b := make([]byte, k.file.Size)
	flags := uint64(1) // FREAD
	if p.Appends() {
		flags = 2 | 8 // FWRITE, O_APPEND
	}
	for member, v := range map[string]uint64{"pid": p.PID, "fd": uint64(fd), "ftype": kind, "flag": flags, k.name("vtype", "v_type"): vnode,
		k.name("foffset", "offset"): p.Position()} {
		k.file.Put(b, member, v)
	}
	return b
}

// Address is that of the socket of a process in the kernel; that of its local one is behind.
func Address(p *simkernel.Process) uint64 { return 0xffff_8000_0000_0000 + p.PID<<8 }

func (k *Kernel) socketFile(p *simkernel.Process) []byte {
	b := make([]byte, k.file.Size)
	for member, v := range map[string]uint64{"pid": p.PID, "fd": simkernel.SocketFD, "ftype": 2, "flag": 3, k.name("fdata", "data"): Address(p)} {
		k.file.Put(b, member, v)
	}
	if !k.open {
		return b
	}
	protocol, kind := protocolOf(p)
	for member, v := range map[string]uint64{"type": kind, "protocol": protocol, "family": family(p), "tstate": p.SocketState()} {
		k.file.Put(b, member, v)
	}
	if !p.IsTCP() {
		k.file.Put(b, "tstate", 0)
	}
	k.end(b, "lport", "laddru", p.Local())
	k.end(b, "fport", "faddru", p.Peer())
	return b
}

// end writes one end of a socket: the port in network order.
func (k *Kernel) end(b []byte, port, address string, a netip.AddrPort) {
	if a.IsValid() {
		binary.BigEndian.PutUint16(b[k.file.Offset(port):], a.Port())
		copy(b[k.file.Offset(address):], a.Addr().AsSlice())
	}
}

func (k *Kernel) unixFile(p *simkernel.Process) []byte {
	b := make([]byte, k.file.Size)
	for member, v := range map[string]uint64{"pid": p.PID, "fd": simkernel.UnixFD, "ftype": 2, "flag": 3, k.name("fdata", "data"): Address(p) + 0x40} {
		k.file.Put(b, member, v)
	}
	if k.open {
		k.file.Put(b, "type", 1)
		k.file.Put(b, "family", 1)
		k.file.PutText(b, "unp_path", p.UnixPath())
	}
	return b
}

func protocolOf(p *simkernel.Process) (protocol, kind uint64) {
	if p.IsTCP() {
		return 6, 1
	}
	return 17, 2
}

func family(p *simkernel.Process) uint64 {
	if p.Wide() {
		return 24
	}
	return 2
}

// lists are the lists of sockets on NetBSD, and whose are in them.
var lists = map[string]func(*simkernel.Process) bool{
	"net.inet.tcp.pcblist":        func(p *simkernel.Process) bool { return p.IsTCP() && !p.Wide() },
	"net.inet6.tcp6.pcblist":      func(p *simkernel.Process) bool { return p.IsTCP() && p.Wide() },
	"net.inet.udp.pcblist":        func(p *simkernel.Process) bool { return !p.IsTCP() && !p.Wide() },
	"net.inet6.udp6.pcblist":      func(p *simkernel.Process) bool { return !p.IsTCP() && p.Wide() },
	localList:                     func(*simkernel.Process) bool { return true },
	"net.local.dgram.pcblist":     func(*simkernel.Process) bool { return false },
	"net.local.seqpacket.pcblist": func(*simkernel.Process) bool { return false },
}

const localList = "net.local.stream.pcblist"

// pcb is a struct kinfo_pcb.
func (k *Kernel) pcb(p *simkernel.Process, list string) []byte {
	s := k.socket
	b := make([]byte, s.Size)
	protocol, kind := protocolOf(p)
	members := map[string]uint64{"sockaddr": Address(p), "family": family(p), "type": kind, "protocol": protocol}
	if list == localList {
		members = map[string]uint64{"sockaddr": Address(p) + 0x40, "family": 1, "type": 1}
		copy(b[s.Offset("src"):], append([]byte{byte(len(p.UnixPath()) + 2), 1}, p.UnixPath()...))
	} else {
		copy(b[s.Offset("src"):], sockaddr(p.Local()))
		copy(b[s.Offset("dst"):], sockaddr(p.Peer()))
	}
	if p.IsTCP() {
		members["tstate"] = p.SocketState()
	}
	for member, v := range members {
		s.Put(b, member, v)
	}
	return b
}

// sockaddr is a struct sockaddr_in or sockaddr_in6.
func sockaddr(a netip.AddrPort) []byte {
	if !a.IsValid() {
		return []byte{16, 2}
	}
	port := binary.BigEndian.AppendUint16(nil, a.Port())
	if a.Addr().Is4() {
		return append(append([]byte{16, 2}, port...), a.Addr().AsSlice()...)
	}
	return append(append(append([]byte{28, 24}, port...), 0, 0, 0, 0), a.Addr().AsSlice()...)
}
