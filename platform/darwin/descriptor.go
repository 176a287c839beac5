package darwin

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// struct proc_fileinfo is how a descriptor is open, with the kernel's own FREAD and FWRITE
// for O_RDONLY to O_RDWR (sys/fcntl.h); behind it is what it leads to.
const (
	fileFlags  = 0
	filePlace  = 8
	fileVnode  = 24
	fileSize   = fileVnode + vnodeSize
	fileReads  = 0x1 // FREAD
	fileWrites = 0x2 // FWRITE

	typeVnode  = 1 // PROX_FDTYPE_VNODE
	typeSocket = 2 // PROX_FDTYPE_SOCKET
)

// eachOpen calls each with everything of a kind that a process has open, one call for each.
// What is closed meanwhile is left out.
func (m *machine) eachOpen(pid uint64, kind uint32, flavor int32, size int, each func(fd int, r sysctl.Row)) error {
	list, err := m.files(pid)
	if err != nil {
		return err
	}
	var fds []int
	for ; len(list) >= fdSize; list = list[fdSize:] {
		if layout.U32(list, 4) == kind {
			fds = append(fds, int(int32(layout.U32(list, 0))))
		}
	}
	slices.Sort(fds)
	for _, fd := range fds {
		r, err := m.info(pid, callFileInfo, flavor, uint64(fd), size)
		if errors.Is(err, fs.ErrClosed) || errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return err
		}
		each(fd, r)
	}
	return nil
}

// regularFiles are those of a process.
func (m *machine) regularFiles() sysctl.Detail[[]platform.OpenFile] {
	return sysctl.Detail[[]platform.OpenFile]{Reads: []string{"proc_info PROC_PIDLISTFDS", "proc_info PROC_PIDFDVNODEPATHINFO"}, Needs: needsSameUser,
		Of: func(_ *sysctl.Inspection, v *sysctl.Visit) ([]platform.OpenFile, error) {
			files := []platform.OpenFile{}
			err := m.eachOpen(v.Key.ID, typeVnode, flavorFile, fileSize, func(fd int, r sysctl.Row) {
				if r.U32(fileVnode+vnodeKind) == regularVnode {
					files = append(files, fileOf(fd, r))
				}
			})
			return files, err
		}}
}

// fileOf describes a regular file.
func fileOf(fd int, r sysctl.Row) platform.OpenFile {
	told, position := r.U32(fileFlags), r.U64(filePlace)
	reads, writes, appends := told&fileReads != 0, told&fileWrites != 0, told&sysctl.Append != 0
	flags := uint32(told)&^(fileReads|fileWrites) | sysctl.AccessFlags(reads, writes)
	return platform.OpenFile{FD: fd, Path: sysctl.CString(r[fileVnode+vnodePath : fileSize]), Position: &position,
		Mode: sysctl.Mode(reads, writes, appends), Flags: &flags}
}

// struct socket_fdinfo: struct proc_fileinfo, and behind it struct socket_info with what its
// kind has, struct in_sockinfo, tcp_sockinfo or un_sockinfo.
const (
	socketInfoSize   = 792
	socketHandle     = 160
	socketType       = 176
	socketProtocol   = 180
	socketFamily     = 184
	socketInfoKind   = 256
	socketOwn        = 264
	socketPeerPort   = socketOwn
	socketLocalPort  = socketOwn + 4
	socketVersion    = socketOwn + 24
	socketPeer       = socketOwn + 32
	socketLocal      = socketOwn + 48
	socketState      = socketOwn + 80
	socketUnixPath   = socketOwn + 16
	socketUnixLength = 255 // SOCK_MAXADDRLEN

	infoIP, infoTCP, infoUnix = 1, 2, 3 // SOCKINFO_*
	version6                  = 0x2     // INI_IPV6

	protocolTCP = 6
	protocolUDP = 17
)

// connections are the sockets of a process.
func (m *machine) connections() sysctl.Detail[[]platform.Connection] {
	return sysctl.Detail[[]platform.Connection]{Reads: []string{"proc_info PROC_PIDLISTFDS", "proc_info PROC_PIDFDSOCKETINFO"}, Needs: needsSameUser,
		Of: func(_ *sysctl.Inspection, v *sysctl.Visit) ([]platform.Connection, error) {
			all := []platform.Connection{}
			err := m.eachOpen(v.Key.ID, typeSocket, flavorSocket, socketInfoSize, func(fd int, r sysctl.Row) {
				if c, ok := connectionOf(fd, r); ok {
					all = append(all, c)
				}
			})
			slices.SortFunc(all, func(a, b platform.Connection) int { return cmp.Compare(a.FD, b.FD) })
			return all, err
		}}
}

// connectionOf describes a socket of TCP, UDP or the local kind.
func connectionOf(fd int, r sysctl.Row) (c platform.Connection, ok bool) {
	kind, protocol := r.U32(socketInfoKind), r.U32(socketProtocol)
	c = platform.Connection{FD: fd, Inode: r.U64(socketHandle), Type: sysctl.SocketType(r.U32(socketType))}
	switch {
	case kind == infoUnix:
		c.Family, c.Path = platform.FamilyUnix, unixPath(r[socketUnixPath:socketUnixPath+socketUnixLength])
		return c, true
	case kind == infoTCP && protocol == protocolTCP:
		c.State = sysctl.TCPState(r.U32(socketState))
	case kind == infoIP && (protocol == protocolUDP || protocol == protocolTCP): // of TCP without a state: it is closed
	default:
		return c, false
	}
	c.Family = platform.FamilyInet
	if r.U32(socketFamily) != familyInet {
		c.Family = platform.FamilyInet6
	}
	wide := r[socketVersion]&version6 != 0
	c.Local, c.Peer = endOf(r, socketLocal, socketLocalPort, wide), endOf(r, socketPeer, socketPeerPort, wide)
	return c, true
}

const (
	familyInet  = 2
	familyInet6 = 30
)

// endOf returns one end of a socket. Ports are in network order in the lower half of an int,
// and addresses of version 4 at the end of the room for one of version 6. Port 0 without an
// address is none.
func endOf(r sysctl.Row, address, port int, wide bool) netip.AddrPort {
	ip := netip.AddrFrom4([4]byte(r[address+12:]))
	if wide {
		ip = netip.AddrFrom16([16]byte(r[address:]))
	}
	number := binary.BigEndian.Uint16(r[port:])
	if number == 0 && ip.IsUnspecified() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, number)
}

// unixPath returns the path in a struct sockaddr_un.
func unixPath(b []byte) string { return sysctl.CString(b[2:min(max(int(b[0]), 2), len(b))]) }
