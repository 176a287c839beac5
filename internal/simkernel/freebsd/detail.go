package freebsd

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// threads answers a row for each thread, the last one first. The first has the times of the
// process.
func (k *Kernel) threads(p *simkernel.Process) (all []byte) {
	for n := range p.Threads {
		b := k.row(p)
		kinfoProc.Put(b, "tid", p.Thread(n))
		name := simkernel.ThreadName(n)
		kinfoProc.PutText(b, "tdname", name)
		if n > 0 {
			clear(b[kinfoProc.Offset("rusage"):kinfoProc.Offset("rusage_ch")])
		}
		all = append(b, all...)
	}
	return all
}

// record cuts a record off behind its path, at a multiple of 8, and writes its size.
func record(s *simkernel.Struct, b []byte, path string) []byte {
	copy(b[s.Offset("path"):], path)
	b = b[:(s.Offset("path")+len(path)+1+7)/8*8]
	s.Put(b, "structsize", uint64(len(b)))
	return b
}

// descriptors answers the folders of a process, its file, its sockets, a folder that is open
// and a pipe.
func (k *Kernel) descriptors(p *simkernel.Process) (all []byte) {
	file := func(fd int, kind, vnode, flags, offset uint64, path string) {
		b := make([]byte, kinfoFile.Size)
		for member, v := range map[string]uint64{"type": kind, "fd": uint64(fd), "file_type": vnode, "flags": flags, "offset": offset} {
			kinfoFile.Put(b, member, v)
		}
		all = append(all, record(kinfoFile, b, path)...)
	}
	flags := uint64(1) // KF_FLAG_READ
	if p.Appends() {
		flags = 2 | 4 // KF_FLAG_WRITE, KF_FLAG_APPEND
	}
	file(-1, 1, 2, 1, 0, p.Folder())
	file(-2, 1, 2, 1, 0, "/")
	file(-5, 1, 1, 1, 0, p.Executable())
	file(0, 1, 4, 3, 0, "/dev/null")
	if !p.Closed {
		file(simkernel.FileFD, 1, 1, flags, p.Position(), p.Path())
	}
	file(7, 3, 0, 3, 0, "")
	all = append(all, socket(simkernel.UnixFD, 1, 1, 0, unixAddress(p.UnixPath()), nil, 0)...)
	protocol, kind, family := uint64(17), uint64(2), uint64(2)
	if p.IsTCP() {
		protocol, kind = 6, 1
	}
	if p.Wide() {
		family = 28
	}
	return append(all, socket(simkernel.SocketFD, family, kind, protocol, inetAddress(p.Local()), inetAddress(p.Peer()), pcb(p))...)
}

// pcb is the address of the protocol of a process's socket.
func pcb(p *simkernel.Process) uint64 { return address(p) + 0x80 }

func socket(fd int, family, kind, protocol uint64, local, peer []byte, pcb uint64) []byte {
	s := kinfoSocket
	b := make([]byte, s.Size)
	for member, v := range map[string]uint64{"type": 2, "fd": uint64(fd), "domain": family, "sock_type": kind, "protocol": protocol, "pcb": pcb, "flags": 3} {
		s.Put(b, member, v)
	}
	copy(b[s.Offset("local"):], local)
	copy(b[s.Offset("peer"):], peer)
	return record(s, b, "")
}

func unixAddress(path string) []byte { return append([]byte{byte(len(path) + 2), 1}, path...) }

// inetAddress is a struct sockaddr_in or sockaddr_in6, one without an address for none.
func inetAddress(a netip.AddrPort) []byte {
	port := binary.BigEndian.AppendUint16(nil, a.Port())
	if !a.IsValid() {
		return append([]byte{16, 2}, make([]byte, 14)...)
	}
	if a.Addr().Is4() {
		return append(append(append([]byte{16, 2}, port...), a.Addr().AsSlice()...), make([]byte, 8)...)
	}
	return append(append(append(append([]byte{28, 28}, port...), 0, 0, 0, 0), a.Addr().AsSlice()...), 0, 0, 0, 0)
}

// maps answers the program's code and memory without a file.
func (k *Kernel) maps(p *simkernel.Process) []byte {
	entry := func(kind, start, offset, protection, flags, inode uint64, path string) []byte {
		b := make([]byte, kinfoVmentry.Size)
		for member, v := range map[string]uint64{"type": kind, "start": start, "end": start + simkernel.MapLength, "offset": offset, "protection": protection,
			"flags": flags, "vn_fileid": inode, "resident": 3, "private_resident": 1} {
			kinfoVmentry.Put(b, member, v)
		}
		return record(kinfoVmentry, b, path)
	}
	return append(entry(2, simkernel.MapStart, simkernel.Page, 5, 1, 1000+p.PID, p.Executable()),
		entry(1, simkernel.MapStart+2*simkernel.MapLength, 0, 3, 0, 0, "")...)
}

// Affinity answers all CPUs.
func (k *Kernel) Affinity(pid uint64, buf []byte) (int, error) {
	if err := k.Call("cpuset_getaffinity"); err != nil {
		return 0, err
	}
	for i := range k.CPUs {
		buf[i/8] |= 1 << (i % 8)
	}
	return len(buf), nil
}

// Since is when the one who is logged in did so.
var Since = time.Unix(1_790_000_100, 250_000_000)

// logins answers one who is logged in, among other records of struct futx: packed, and
// big-endian (lib/libc/gen/utxdb.h).
func (k *Kernel) logins() (all []byte) {
	for _, kind := range []byte{1, 4, 7} { // BOOT_TIME, USER_PROCESS, DEAD_PROCESS
		b := binary.BigEndian.AppendUint64([]byte{kind}, uint64(Since.UnixMicro()))
		b = append(b, "id000000"...)
		b = binary.BigEndian.AppendUint32(b, 77)
		for _, text := range []struct {
			room int
			text string
		}{{32, "root"}, {16, "pts/1"}, {128, "there.example"}} {
			b = append(b, text.text...)
			b = append(b, make([]byte, text.room-len(text.text))...)
		}
		all = append(all, b...)
	}
	return all
}
