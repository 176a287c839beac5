package linux

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net/netip"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Connections joins the sockets in fd with the tables of the process's own network
// namespace.
func (p *inspection) Connections() ([]platform.Connection, error) {
	return detail(p, "fd", ofPrograms, p.connections)
}

// socketTables are the tables, below /proc/[pid]/net, and how to read a line.
var socketTables = [...]struct {
	name   string
	decode func(line []byte, c *platform.Connection) bool
	kind   platform.SocketType
	family platform.Family
}{
	{"tcp", decodeTCPSocket, platform.TypeStream, platform.FamilyInet},
	{"tcp6", decodeTCPSocket, platform.TypeStream, platform.FamilyInet6},
	{"udp", decodeInetSocket, platform.TypeDatagram, platform.FamilyInet},
	{"udp6", decodeInetSocket, platform.TypeDatagram, platform.FamilyInet6},
	{"unix", decodeUnixSocket, platform.TypeUnknown, platform.FamilyUnix},
}

// connections reads what is under dir.
func (p *inspection) connections(dir int) ([]platform.Connection, error) {
	sockets, err := p.sockets(dir)
	if err != nil || len(sockets.held) == 0 {
		return []platform.Connection{}, err
	}
	found := map[uint64]*platform.Connection{}
	for i := range socketTables {
		table := &socketTables[i]
		err := p.socketLines(dir, table.name, func(line []byte) {
			c := platform.Connection{Family: table.family, Type: table.kind}
			if !table.decode(line, &c) || !sockets.inodes[c.Inode] {
				return
			}
			found[c.Inode] = unambiguous(found[c.Inode], c)
		})
		if err != nil {
			return nil, err
		}
	}
	return sockets.join(found), nil
}

// unambiguous keeps what a line tells. The name of a local socket may hold a newline
// and what looks like another socket's line: if that one has two lines, nobody can
// tell which is false. Addresses of the others are numbers, and the same twice if the
// table changed while it was read.
func unambiguous(before *platform.Connection, c platform.Connection) *platform.Connection {
	if before != nil && c.Family == platform.FamilyUnix {
		before.Path = ""
		return before
	}
	return &c
}

// held is a descriptor of a socket.
type held struct {
	fd    int
	inode uint64
}

// heldSockets are the sockets of a process by descriptor, and the set of them: tables
// may have a million lines of which nearly none is wanted.
type heldSockets struct {
	held   []held
	inodes map[uint64]bool
}

// sockets lists the descriptors of sockets under dir.
func (p *inspection) sockets(dir int) (sockets heldSockets, err error) {
	sockets.inodes = map[uint64]bool{}
	err = p.descriptors(dir, func(some []descriptor) error {
		for _, d := range some {
			if inode, ok := decodeSocketLink([]byte(d.name)); ok {
				sockets.held = append(sockets.held, held{int(d.fd), inode})
				sockets.inodes[inode] = true
			}
		}
		return nil
	})
	return sockets, err
}

// join makes one connection of each descriptor.
func (s heldSockets) join(found map[uint64]*platform.Connection) []platform.Connection {
	list := make([]platform.Connection, 0, len(found))
	for _, socket := range s.held {
		if c := found[socket.inode]; c != nil {
			list = append(list, *c)
			list[len(list)-1].FD = socket.fd
		}
	}
	return list
}

// decodeSocketLink reads what fd calls a socket: socket:[12345].
func decodeSocketLink(name []byte) (inode uint64, ok bool) {
	digits, isSocket := bytes.CutPrefix(name, []byte("socket:["))
	if !isSocket || len(digits) == 0 || digits[0]-'0' > 9 {
		return 0, false
	}
	inode, rest, ok := text.Uint(digits)
	return inode, ok && string(rest) == "]"
}

// socketLines hands the lines of a table to each. A kernel without IPv6 lacks some.
func (p *inspection) socketLines(dir int, name string, each func(line []byte)) error {
	fd, err := p.backend.open(dir, "net/", name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer p.kernel.Close(fd)
	s := stream{kernel: p.kernel, fd: fd, buf: p.buf}
	for n := 0; ; n++ {
		line, err := s.line()
		if err == io.EOF {
			return nil
		}
		if err == nil && n%4096 == 0 {
			err = p.ctx.Err()
		}
		if err != nil {
			return err
		}
		each(line)
	}
}

// decodeTCPSocket reads one line of tcp or tcp6 below /proc/[pid]/net. The state is
// the fourth field, by the numbers of include/net/tcp_states.h.
func decodeTCPSocket(line []byte, c *platform.Connection) bool {
	if !decodeInetSocket(line, c) {
		return false
	}
	state, _, ok := text.HexField(text.Skip(line, 3))
	c.State = tcpState(state)
	return ok
}

// tcpState names a state of the kernel. A socket that is new in SYN_RECV has a
// number of its own.
func tcpState(n uint64) platform.TCPState {
	const newSynReceived = 12
	switch {
	case n == newSynReceived:
		return platform.TCPSynReceived
	case n > uint64(platform.TCPClosing):
		return platform.TCPNone
	}
	return platform.TCPState(n)
}

// decodeInetSocket reads what all these tables have in common: addresses and inode.
// What no descriptor holds any more has the inode 0.
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	 0: 0100007F:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 452 1 ...
func decodeInetSocket(line []byte, c *platform.Connection) bool {
	if !isSocket(line) {
		return false
	}
	local, rest := text.Field(text.Skip(line, 1))
	peer, rest := text.Field(rest)
	var okLocal, okPeer, okInode bool
	c.Local, okLocal = decodeEndpoint(local)
	c.Peer, okPeer = decodeEndpoint(peer)
	c.Inode, _, okInode = text.UintField(text.Skip(rest, 6))
	if c.Peer.Port() == 0 && c.Peer.Addr().IsUnspecified() {
		c.Peer = netip.AddrPort{}
	}
	return okLocal && okPeer && okInode && c.Inode != 0
}

// decodeEndpoint reads an address and a port in hexadecimal. The address is printed
// as numbers of 32 bits, whose bytes are those of the address in this machine's order
// (get_tcp4_sock in net/ipv4/tcp_ipv4.c), the port as a plain number.
func decodeEndpoint(b []byte) (a netip.AddrPort, ok bool) {
	const portDigits, wordDigits, words4, words6 = 4, 8, 1, 4
	colon := bytes.IndexByte(b, ':')
	if colon != wordDigits*words4 && colon != wordDigits*words6 || len(b) != colon+1+portDigits {
		return a, false
	}
	port, ok := hexDigits(b[colon+1:])
	if !ok {
		return a, false
	}
	var bytes16 [4 * words6]byte
	for i := 0; i < colon; i += wordDigits {
		word, ok := hexDigits(b[i : i+wordDigits])
		if !ok {
			return a, false
		}
		binary.NativeEndian.PutUint32(bytes16[i/2:], uint32(word))
	}
	addr := netip.AddrFrom16(bytes16)
	if colon == wordDigits*words4 {
		addr = netip.AddrFrom4([4]byte(bytes16[:4]))
	}
	return netip.AddrPortFrom(addr, uint16(port)), true
}

// decodeUnixSocket reads one line of unix below /proc/[pid]/net (unix_seq_show in
// net/unix/af_unix.c). The name is all that follows the blank behind the inode. In an
// abstract one the first byte, and every other NUL byte, is printed as @.
//
//	Num       RefCount Protocol Flags    Type St Inode Path
//	ffff8881: 00000002 00000000 00010000 0001 01 12345 /run/dbus/socket
func decodeUnixSocket(line []byte, c *platform.Connection) bool {
	if i := bytes.IndexByte(line, ':'); i < 0 || bytes.IndexByte(line[:i], ' ') >= 0 {
		return false
	}
	kind, rest, ok := text.HexField(text.Skip(line, 4))
	if !ok {
		return false
	}
	c.Type = unixType(kind)
	if c.Inode, rest, ok = text.UintField(text.Skip(rest, 1)); !ok || c.Inode == 0 {
		return false
	}
	if len(rest) > 0 {
		c.Path = string(rest[1:])
	}
	return true
}

// unixType names a type of socket (include/linux/net.h).
func unixType(n uint64) platform.SocketType {
	switch n {
	case 1:
		return platform.TypeStream
	case 2:
		return platform.TypeDatagram
	case 5:
		return platform.TypeSeqPacket
	}
	return platform.TypeUnknown
}
