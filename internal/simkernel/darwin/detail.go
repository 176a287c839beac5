package darwin

import (
	"encoding/binary"
	"io/fs"
	"net/netip"
	"os"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// Descriptors of what is neither a regular file nor a socket of the story.
const (
	nullFD = 0
	pipeFD = 10
)

// files lists what a process has open: its file, a device, two sockets, and pipes.
func (k *Kernel) files(p *simkernel.Process, _ uint64) (all []byte, _ error) {
	for i := range k.Files + 1 {
		if i == 1 && p.Closed {
			continue
		}
		fd, kind := pipeFD+i, 6 // PROX_FDTYPE_PIPE
		switch i {
		case 0:
			fd, kind = simkernel.SocketFD, 2
		case 1:
			fd, kind = simkernel.FileFD, 1
		case 2:
			fd, kind = simkernel.UnixFD, 2
		case 3:
			fd, kind = nullFD, 1
		}
		b := make([]byte, fdInfo.Size)
		fdInfo.Put(b, "fd", uint64(fd))
		fdInfo.Put(b, "fdtype", uint64(kind))
		all = append(all, b...)
	}
	return all, nil
}

// vnode writes what is known of a file.
func vnode(b []byte, kind, inode uint64, path string) {
	vnodeInfoPath.PutIn(b, "stat", vinfoStat, "ino", inode)
	vnodeInfoPath.Put(b, "type", kind)
	vnodeInfoPath.PutText(b, "path", path)
}

func (k *Kernel) folders(p *simkernel.Process, _ uint64) ([]byte, error) {
	b := make([]byte, vnodePaths.Size)
	vnode(b[vnodePaths.Offset("cdir"):], 2, 9, p.Folder())
	return b, nil // the root is nobody's own
}

func (k *Kernel) file(p *simkernel.Process, fd uint64) ([]byte, error) {
	b := make([]byte, vnodeFile.Size)
	switch fd {
	case simkernel.FileFD:
		flags := uint64(1) // FREAD
		if p.Appends() {
			flags = 2 | 8 // FWRITE, O_APPEND
		}
		vnodeFile.PutIn(b, "file", fileInfo, "openflags", flags)
		vnodeFile.PutIn(b, "file", fileInfo, "offset", p.Position())
		vnode(b[vnodeFile.Offset("vnode"):], 1, 10, p.Path())
	case nullFD:
		vnode(b[vnodeFile.Offset("vnode"):], 4, 11, "/dev/null")
	default:
		return nil, fs.ErrClosed
	}
	return b, nil
}

func (k *Kernel) socket(p *simkernel.Process, fd uint64) ([]byte, error) {
	b := make([]byte, socketFile.Size)
	s := b[socketFile.Offset("socket"):]
	own := s[socketInfo.Offset("proto"):]
	switch fd {
	case simkernel.UnixFD:
		put(s, map[string]uint64{"so": Handle(p) + 1, "type": 1, "family": 1, "kind": 3})
		copy(own[unSockinfo.Offset("addr"):], append([]byte{byte(len(p.UnixPath()) + 2), 1}, p.UnixPath()...))
	case simkernel.SocketFD:
		put(s, map[string]uint64{"so": Handle(p), "type": 2, "protocol": 17, "family": 2, "kind": 1})
		if p.IsTCP() {
			put(s, map[string]uint64{"type": 1, "protocol": 6, "kind": 2})
			tcpSockinfo.Put(own, "state", p.SocketState())
		}
		inSockinfo.Put(own, "vflag", 1)
		if p.Wide() {
			socketInfo.Put(s, "family", 30)
			inSockinfo.Put(own, "vflag", 2)
		}
		end(own, "lport", "laddr", p.Local())
		end(own, "fport", "faddr", p.Peer())
	default:
		return nil, fs.ErrClosed
	}
	return b, nil
}

// Handle is what the kernel names the socket of a process.
func Handle(p *simkernel.Process) uint64 { return 0xabc0_0000_0000_0000 + p.PID<<4 }

func put(b []byte, members map[string]uint64) {
	for member, v := range members {
		socketInfo.Put(b, member, v)
	}
}

// end writes one end of a socket: the port in network order, and an address of version 4
// behind three words.
func end(b []byte, port, address string, a netip.AddrPort) {
	if !a.IsValid() {
		return
	}
	binary.BigEndian.PutUint16(b[inSockinfo.Offset(port):], a.Port())
	to := b[inSockinfo.Offset(address):]
	if a.Addr().Is4() {
		to = to[12:]
	}
	copy(to, a.Addr().AsSlice())
}

func (k *Kernel) threads(p *simkernel.Process, _ uint64) (all []byte, _ error) {
	for n := range p.Threads {
		all = append(simkernel.Words64(p.Thread(n)), all...)
	}
	return all, nil
}

func (k *Kernel) thread(p *simkernel.Process, id uint64) ([]byte, error) {
	n := id - p.Thread(0)
	if n >= p.Threads {
		return nil, os.ErrProcessDone
	}
	b := make([]byte, threadInfo.Size)
	if n == 0 {
		threadInfo.Put(b, "user_time", uint64(p.User))
		threadInfo.Put(b, "system_time", uint64(p.System))
	}
	threadInfo.Put(b, "run_state", [...]uint64{1, 3, 2}[p.State])
	threadInfo.PutText(b, "name", simkernel.ThreadName(n))
	return b, nil
}

// regionPath answers the program's code and memory without a file.
func (k *Kernel) regionPath(p *simkernel.Process, address uint64) ([]byte, error) {
	b := make([]byte, regionPath.Size)
	members := map[string]uint64{"size": simkernel.MapLength, "pages_resident": 3, "private_pages_resident": 1, "ref_count": 2}
	switch {
	case address < simkernel.MapStart+simkernel.MapLength:
		members["address"], members["protection"], members["offset"], members["share_mode"] = simkernel.MapStart, 5, simkernel.Page, 1
		vnode(b[regionPath.Offset("vnode"):], 1, 1000+p.PID, p.Executable())
	case address < simkernel.MapStart+3*simkernel.MapLength:
		members["address"], members["protection"], members["share_mode"] = simkernel.MapStart+2*simkernel.MapLength, 3, 2
	default:
		return nil, fs.ErrInvalid
	}
	for member, v := range members {
		regionPath.PutIn(b, "region", regionInfo, member, v)
	}
	return b, nil
}
