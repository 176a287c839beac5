package solaris

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
)

func cred(_ *Kernel, p *simkernel.Process) []byte {
	b := make([]byte, prcred.Size+4)
	for member, v := range map[string]uint64{"euid": p.UID, "ruid": p.UID + 1, "suid": p.UID + 2, "egid": 21, "rgid": 20, "sgid": 22, "ngroups": 2, "groups": 30} {
		prcred.Put(b, member, v)
	}
	binary.LittleEndian.PutUint32(b[prcred.Size:], 31)
	return b
}

// list is a head and structures behind it.
func list(size int, all ...[]byte) []byte {
	b := make([]byte, prheader.Size)
	prheader.Put(b, "nent", uint64(len(all)))
	prheader.Put(b, "entsize", uint64(size))
	for _, one := range all {
		b = append(append(b, one...), make([]byte, size-len(one))...)
	}
	return b
}

// lpsinfo lists the threads, the last one first.
func (k *Kernel) lpsinfo(p *simkernel.Process) []byte {
	var all [][]byte
	for n := p.Threads; n > 0; n-- {
		b := make([]byte, lwpsinfo.Size)
		lwpsinfo.Put(b, "lwpid", p.Thread(n-1))
		lwpsinfo.Put(b, "sname", uint64(letters[p.State][0]))
		putTime(b[lwpsinfo.Offset("start"):], p.Clock+time.Duration(n-1))
		all = append(all, b)
	}
	return list(lwpsinfo.Size+k.Long, all...)
}

// lusage has those that ended before the first.
func (k *Kernel) lusage(p *simkernel.Process) []byte {
	all := [][]byte{make([]byte, prusage.Size)}
	for n := range p.Threads {
		b := make([]byte, prusage.Size)
		if n == 0 {
			b = k.usage(p)
		}
		prusage.Put(b, "lwpid", p.Thread(n))
		all = append(all, b)
	}
	return list(prusage.Size, all...)
}

// lwpname is the name of a thread in all the room that there is for it.
func (k *Kernel) lwpname(p *simkernel.Process, file string) []byte {
	number, _, _ := strings.Cut(file, "/")
	id, _ := strconv.ParseUint(number, 10, 64)
	return append([]byte(simkernel.ThreadName(id-p.Thread(0))), make([]byte, 20)...)[:32]
}

// PageSize is that of a mapping: of each three are in memory, and one is of its own.
const PageSize = 4096

// Maps are further mappings of everybody, by what is at the place: heap, stack and memory that
// is shared.
const (
	HeapAt   = 0x10_0000_0000
	StackAt  = 0x20_0000_0000
	SharedAt = 0x30_0000_0000
)

func xmap(_ *Kernel, p *simkernel.Process) (all []byte) {
	for _, m := range []struct {
		at, offset, flags uint64
		name              string
	}{
		{simkernel.MapStart, simkernel.Page, 0x4 | 0x1, "a.out"}, {simkernel.MapStart + 2*simkernel.MapLength, 0, 0x4 | 0x2 | 0x40, ""},
		{HeapAt, 0, 0x4 | 0x2 | 0x40, ""}, {StackAt, 0, 0x4 | 0x2 | 0x40, ""}, {SharedAt, 0, 0x4 | 0x2 | 0x8 | 0x200, ""},
	} {
		b := make([]byte, prxmap.Size)
		for member, v := range map[string]uint64{"vaddr": m.at, "size": simkernel.MapLength, "offset": m.offset, "mflags": m.flags, "pagesize": PageSize,
			"dev": 1<<64 - 1, "shmid": 1<<32 - 1, "rss": 3, "anon": 1, "locked": 9} {
			prxmap.Put(b, member, v)
		}
		if m.name != "" {
			prxmap.Put(b, "ino", 1000+p.PID)
			prxmap.Put(b, "dev", 5)
			prxmap.PutText(b, "mapname", m.name)
		}
		all = append(all, b...)
	}
	return all
}

// item is one behind a prfdinfo_t.
func item(kind uint32, value []byte) []byte {
	for len(value)%4 != 0 {
		value = append(value, 0)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(8+len(value)))
	return append(binary.LittleEndian.AppendUint32(b, kind), value...)
}

// fdinfo is what a process has open: a file, two sockets, and a terminal.
func (k *Kernel) fdinfo(p *simkernel.Process, number string) []byte {
	fd, _ := strconv.ParseUint(number, 10, 31)
	b := make([]byte, prfdinfo.Offset("misc"))
	prfdinfo.Put(b, "fd", fd)
	prfdinfo.Put(b, "mode", mode(fd))
	prfdinfo.Put(b, "fileflags", 2|0x80)
	var items []byte
	switch fd {
	case simkernel.FileFD:
		prfdinfo.Put(b, "offset", p.Position())
		prfdinfo.Put(b, "fileflags", 0)
		if p.Appends() {
			prfdinfo.Put(b, "fileflags", 1|8)
		}
		items = item(0, append([]byte(p.Path()), 0))
	case simkernel.SocketFD:
		kind := uint32(1)
		if p.IsTCP() {
			kind = 2
		}
		prfdinfo.Put(b, "ino", Inode(p))
		items = append(item(9, simkernel.Words32(kind)), item(1, sockaddr(p.Local()))...)
		if p.Peer().IsValid() {
			items = append(items, item(2, sockaddr(p.Peer()))...)
		}
	case simkernel.UnixFD:
		items = append(item(9, simkernel.Words32(2)), item(1, append(append([]byte{1, 0}, p.UnixPath()...), 0))...)
	}
	b = append(b, items...)
	return append(b, 0, 0, 0, 0, 255, 255, 255, 255)
}

// Inode is the number of a process's socket.
func Inode(p *simkernel.Process) uint64 { return 60_000 + p.PID }

func mode(fd uint64) uint64 {
	switch fd {
	case simkernel.FileFD:
		return 0x8000 | 0o644
	case simkernel.SocketFD, simkernel.UnixFD:
		return 0xc000 | 0o666
	}
	return 0x2000 | 0o620
}

func sockaddr(a netip.AddrPort) []byte {
	of := sockaddrIn
	family := uint64(2)
	if a.Addr().Is6() {
		of, family = sockaddrIn6, 26
	}
	b := make([]byte, of.Size)
	of.Put(b, "family", family)
	binary.BigEndian.PutUint16(b[of.Offset("port"):], a.Port())
	copy(b[of.Offset("addr"):], a.Addr().AsSlice())
	return b
}

// Link answers what a process has by name.
func (k *Kernel) Link(path string) (string, error) {
	p, err := k.owned(path)
	if err != nil {
		return "", err
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	to := map[string]string{"a.out": p.Executable(), "cwd": p.Folder(), "root": "/", strconv.Itoa(simkernel.FileFD): p.Path()}[name]
	if to == "" {
		return "", fs.ErrNotExist
	}
	return to, nil
}

// Status answers what a process has open, and devices.
func (k *Kernel) Status(path string) (kind, device uint64, err error) {
	if strings.HasPrefix(path, "/dev/") {
		device, err := k.Device(path)
		return 0x2000, device, err
	}
	if _, err := k.owned(path); err != nil {
		return 0, 0, err
	}
	fd, err := strconv.ParseUint(path[strings.LastIndexByte(path, '/')+1:], 10, 31)
	return mode(fd), 0, err
}

// loopback is the interface of the machine itself.
var loopback = &simkernel.Interface{Name: "lo0", Index: 99, Up: true, MTU: 16384}

// interfaces are all, each with an address of the family. The loopback interface has a second
// name that is not in use.
func (k *Kernel) interfaces() []*simkernel.Interface {
	return append([]*simkernel.Interface{loopback}, k.Interfaces...)
}

// names of calls about interfaces, by the number behind 'i'.
var ioctls = map[uint32]string{130: "SIOCGLIFNUM", 165: "SIOCGLIFCONF", 113: "SIOCGLIFADDR", 115: "SIOCGLIFDSTADDR", 117: "SIOCGLIFFLAGS", 122: "SIOCGLIFMTU",
	123: "SIOCGLIFBRDADDR", 133: "SIOCGLIFINDEX", 192: "SIOCGLIFHWADDR"}

// Ioctl answers about interfaces.
func (k *Kernel) Ioctl(family int, command uint32, request []byte) error {
	name := ioctls[command&0xff]
	if err := k.Call(name); err != nil {
		return err
	}
	switch name {
	case "SIOCGLIFNUM":
		lifnum.Put(request, "count", uint64(len(k.interfaces())+1))
		return nil
	case "SIOCGLIFCONF":
		var all []byte
		for _, i := range append(k.interfaces(), &simkernel.Interface{Name: "lo0:1"}) {
			b := make([]byte, lifreq.Size)
			lifreq.PutText(b, "name", i.Name)
			all = append(all, b...)
		}
		room := pointed(request[lifconf.Offset("buf"):], int(binary.LittleEndian.Uint32(request[lifconf.Offset("len"):])))
		lifconf.Put(request, "len", uint64(k.write(all, room)))
		return nil
	}
	asked := strings.TrimRight(string(request[:32]), "\x00")
	for _, i := range k.interfaces() {
		if i.Name == strings.TrimSuffix(asked, ":1") {
			return k.tell(name, family, i, request, asked != i.Name)
		}
	}
	return fs.ErrNotExist
}

// tell answers about one interface.
func (k *Kernel) tell(call string, family int, i *simkernel.Interface, request []byte, unused bool) error {
	value := request[lifreq.Offset("value"):]
	prefix := i.Addresses()[0]
	if family == 26 {
		prefix = i.Addresses()[1]
	}
	switch call {
	case "SIOCGLIFADDR":
		if unused {
			return errors.ErrUnsupported
		}
		lifreq.Put(request, "addrlen", uint64(prefix.Bits()))
		copy(value, sockaddr(netip.AddrPortFrom(prefix.Addr(), 0)))
	case "SIOCGLIFBRDADDR":
		copy(value, sockaddr(netip.AddrPortFrom(i.Broadcast(), 0)))
	case "SIOCGLIFFLAGS":
		lifreq.Put(request, "value", flags(i))
	case "SIOCGLIFMTU":
		binary.LittleEndian.PutUint32(value, uint32(i.MTU))
	case "SIOCGLIFINDEX":
		binary.LittleEndian.PutUint32(value, uint32(i.Index))
	case "SIOCGLIFHWADDR":
		sockaddrDL.Put(value, "nlen", 3)
		sockaddrDL.Put(value, "alen", 6)
		copy(value[sockaddrDL.Offset("data"):], append([]byte("em0\x00\x06\x01\x00\x00"), byte(i.Index)))
	}
	return nil
}

// flags are up, and running where the link is.
func flags(i *simkernel.Interface) uint64 {
	flags := uint64(1 | 0x800 | 0x1000000)
	if i == loopback {
		flags |= 0x8
	} else {
		flags |= 0x2
	}
	if i.Up {
		flags |= 0x40
	}
	return flags
}
