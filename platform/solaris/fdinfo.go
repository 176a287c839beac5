package solaris

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in prfdinfo_t (sys/procfs.h of illumos since its issue 12046 of 2020; its design,
// IPD 12, has the bytes of a socket, and takes the layout from Oracle Solaris 11.4's proc(5)).
// Behind it are items, each with its size, which counts this head, and its kind; one of size 0
// is the last.
const (
	openSize     = 196
	openFD       = 0
	openMode     = 4
	openInode    = 8
	openPosition = 24
	openFlags    = 56
	itemHead     = 8

	itemPath = 0 // PR_PATHNAME
	itemName = 1 // PR_SOCKETNAME
	itemPeer = 2 // PR_PEERSOCKNAME
	itemType = 9 // PR_SOCKOPT_TYPE

	modeKind    = 0xf000 // S_IFMT
	modeRegular = 0x8000
	modeSocket  = 0xc000
)

// descriptor is what is told of a descriptor.
type descriptor struct {
	fd         int
	mode       uint32
	inode      uint64
	position   uint64
	flags      uint32
	path       string
	name, peer []byte // struct sockaddr
	kind       uint32 // of a socket
}

func (o *descriptor) is(kind uint32) bool { return o.mode&modeKind == kind }

// decodeOpen reads one descriptor. It is not whole without the item that ends it.
func decodeOpen(b []byte) (o descriptor, whole bool) {
	if len(b) < openSize {
		return o, false
	}
	o = descriptor{fd: int(int32(layout.U32(b, openFD))), mode: layout.U32(b, openMode), inode: layout.U64(b, openInode),
		position: layout.U64(b, openPosition), flags: layout.U32(b, openFlags)}
	for b = b[openSize:]; len(b) >= itemHead; {
		size := layout.U32(b, 0)
		if size == 0 {
			return o, true
		}
		if size < itemHead || uint64(size) > uint64(len(b)) {
			return o, false
		}
		o.add(layout.U32(b, 4), b[itemHead:size])
		b = b[size:]
	}
	return o, false
}

func (o *descriptor) add(kind uint32, value []byte) {
	switch {
	case kind == itemPath:
		o.path = string(cString(value))
	case kind == itemName:
		o.name = value
	case kind == itemPeer:
		o.peer = value
	case kind == itemType && len(value) >= 4:
		o.kind = layout.U32(value, 0)
	}
}

// eachOpen calls each with every descriptor, in their order. What it is called with is lent.
func (p *inspection) eachOpen(each func(*descriptor)) error {
	fds, err := p.descriptors("fdinfo")
	if err != nil {
		return err
	}
	for _, fd := range fds {
		b, err := p.readOpen(fd)
		if err != nil {
			return err
		}
		if b == nil {
			continue
		}
		o, whole := decodeOpen(b)
		if !whole || o.fd != fd {
			return errContent
		}
		each(&o)
	}
	return nil
}

// readOpen reads of one descriptor, nil of one that was closed meanwhile: it is not listed any
// more.
func (p *inspection) readOpen(fd int) (b []byte, err error) {
	for range repeats {
		b, err = p.readGrown("fdinfo/" + strconv.Itoa(fd))
		if !errors.Is(err, os.ErrProcessDone) {
			return b, err
		}
		fds, failed := p.descriptors("fdinfo")
		if failed != nil || !slices.Contains(fds, fd) {
			return nil, failed
		}
	}
	return nil, err
}

// repeats bounds how often a call is made again.
const repeats = 5

// descriptors lists a folder of descriptors.
func (p *inspection) descriptors(folder string) (fds []int, err error) {
	names, err := p.kernel.Names(p.file(folder))
	for _, name := range names {
		if fd, err := strconv.ParseUint(name, 10, 31); err == nil {
			fds = append(fds, int(fd))
		}
	}
	slices.Sort(fds)
	return fds, err
}

// openFiles are the regular files. Older releases have no fdinfo, and tell the kind and the
// name of a file and no more.
func (p *inspection) openFiles() ([]platform.OpenFile, error) {
	files := []platform.OpenFile{}
	err := p.eachOpen(func(o *descriptor) {
		if o.is(modeRegular) {
			position, flags := o.position, o.flags
			files = append(files, platform.OpenFile{FD: o.fd, Path: o.path, Position: &position, Flags: &flags, Mode: modeOf(flags)})
		}
	})
	if errors.Is(err, fs.ErrNotExist) {
		return p.openNames()
	}
	return files, err
}

// openNames are the regular files by their links alone.
func (p *inspection) openNames() ([]platform.OpenFile, error) {
	files := []platform.OpenFile{}
	fds, err := p.descriptors("fd")
	for _, fd := range fds {
		number := strconv.Itoa(fd)
		mode, _, err := p.kernel.Status(p.file("fd/" + number))
		if errors.Is(err, fs.ErrNotExist) || err == nil && mode&modeKind != modeRegular {
			continue // closed meanwhile, or no file
		}
		if err != nil {
			return nil, err
		}
		path, err := p.kernel.Link(p.file("path/" + number))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		files = append(files, platform.OpenFile{FD: fd, Path: path})
	}
	return files, gone(err)
}

// modeOf is how a file is open in the words of fopen(3), by the flags of sys/fcntl.h.
func modeOf(flags uint32) string {
	const append, access = 0x8, 0x3
	appends := flags&append != 0
	switch access := flags & access; {
	case access == 0:
		return "r"
	case access == 1 && appends:
		return "a"
	case access == 1:
		return "w"
	case access == 2 && appends:
		return "a+"
	case access == 2:
		return "r+"
	}
	return ""
}

// Numbers of sys/socket.h, which are not those of the BSDs.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 26

	socketDatagram  = 1
	socketStream    = 2
	socketSeqPacket = 6
)

var (
	families    = map[uint16]platform.Family{familyUnix: platform.FamilyUnix, familyInet: platform.FamilyInet, familyInet6: platform.FamilyInet6}
	socketTypes = map[uint32]platform.SocketType{socketDatagram: platform.TypeDatagram, socketStream: platform.TypeStream, socketSeqPacket: platform.TypeSeqPacket}
)

var errNoInfo = errors.New("this release has no fdinfo, which tells of sockets")

// connections are the sockets.
func (p *inspection) connections() ([]platform.Connection, error) {
	all := []platform.Connection{}
	err := p.eachOpen(func(o *descriptor) {
		if c, ok := o.connection(); ok {
			all = append(all, c)
		}
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.Join(errNoInfo, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b platform.Connection) int { return cmp.Compare(a.FD, b.FD) })
	return all, p.addStates(all)
}

// addStates adds the states of TCP sockets, which are told of all sockets alone, by the ends.
func (p *inspection) addStates(all []platform.Connection) error {
	isTCP := func(c platform.Connection) bool {
		return c.Type == platform.TypeStream && c.Family != platform.FamilyUnix
	}
	if !slices.ContainsFunc(all, isTCP) {
		return nil
	}
	list, err := p.sockets()
	if err != nil {
		return err
	}
	states := map[[2]netip.AddrPort]platform.TCPState{}
	for _, s := range list {
		if s.tcp {
			states[endsOf(s.local, s.peer)] = s.state
		}
	}
	for i := range all {
		if c := &all[i]; isTCP(*c) {
			c.State = states[endsOf(c.Local, c.Peer)]
		}
	}
	return nil
}

// endsOf are both ends of a connection. A socket of version 6 of IP that speaks version 4 is in
// the list as one or the other.
func endsOf(local, peer netip.AddrPort) [2]netip.AddrPort {
	return [2]netip.AddrPort{netip.AddrPortFrom(local.Addr().Unmap(), local.Port()), netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())}
}

// connection describes a socket of TCP, UDP or the local kind. One without a name is none of
// these, or has not been used.
func (o *descriptor) connection() (c platform.Connection, ok bool) {
	if !o.is(modeSocket) || len(o.name) < 2 {
		return c, false
	}
	c = platform.Connection{FD: o.fd, Inode: o.inode, Family: families[layout.U16(o.name, 0)], Type: socketTypes[o.kind]}
	switch {
	case c.Family == platform.FamilyUnknown, c.Type == platform.TypeUnknown:
		return c, false
	case c.Family == platform.FamilyUnix:
		c.Path = string(cString(o.name[2:]))
		return c, true
	}
	c.Local, c.Peer = addressOf(o.name), addressOf(o.peer)
	return c, c.Type != platform.TypeSeqPacket
}

// addressOf reads a struct sockaddr_in or sockaddr_in6. One of port 0 without an address is
// none.
func addressOf(b []byte) (a netip.AddrPort) {
	if len(b) < 8 {
		return a
	}
	var ip netip.Addr
	switch family := layout.U16(b, 0); {
	case family == familyInet:
		ip = netip.AddrFrom4([4]byte(b[4:]))
	case family == familyInet6 && len(b) >= 24:
		ip = netip.AddrFrom16([16]byte(b[8:]))
	default:
		return a
	}
	port := binary.BigEndian.Uint16(b[2:])
	if port == 0 && ip.IsUnspecified() {
		return a
	}
	return netip.AddrPortFrom(ip, port)
}
