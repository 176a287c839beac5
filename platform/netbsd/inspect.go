package netbsd

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Details returns where this backend reads each detail.
func Details() []platform.DetailSource { return dialect().DetailSources() }

// Numbers of sys/sysctl.h, uvm/uvm_param.h and sys/proc.h.
const (
	ctlProc  = 10
	argsCwd  = 6 // KERN_PROC_CWD, since NetBSD 9
	kernLWP  = 64
	vmProc   = 16
	vmMap    = 1 // VM_PROC_MAP
	limitOf  = 2 // PROC_PID_LIMIT
	softType = 1 // PROC_PID_LIMIT_TYPE_SOFT
	hardType = 2
)

// details is what NetBSD tells of one process. ps(1) shows the letters.
func details() sysctl.Details {
	return sysctl.Details{
		Identity: sysctl.IdentityTable{
			Group: 128, Session: 124, Terminal: 220, RealUser: 140, SavedUser: 640, EffectiveGroup: 144, RealGroup: 148, SavedGroup: 644,
			Groups: 152, GroupCount: 216, Priority: 361, Stat: statAt, Letters: "\x00RRSTZZOU", Reads: []string{"/etc/passwd", "/dev"},
		},
		Kernel:    func(r sysctl.Row) bool { return r.U32(flagsAt)&flagSystem != 0 },
		Arguments: words("kern.proc_args argv", "", argsVector), Environment: words("kern.proc_args env", needsSameUser, argsEnviron),
		Executable: path("kern.proc_args pathname", "", argsPath), WorkingDirectory: path("kern.proc_args cwd", needsSameUser, argsCwd),
		Root:      sysctl.Detail[platform.Link]{Lacks: "the kernel tells no path of it"},
		Affinity:  affinity(),
		OpenFiles: openFiles(), Connections: connections(), Threads: threads(), MemoryMaps: memoryMaps(), Limits: limits(),
	}
}

// words is a detail of strings that end in NUL bytes.
func words(name, needs string, op int32) sysctl.Detail[[]string] {
	return sysctl.Detail[[]string]{Reads: []string{name}, Needs: needs, Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]string, error) {
		b, err := p.Ask(ctlKern, kernProcArgs, int32(v.Key.ID), op)
		return sysctl.Strings(b), err
	}}
}

// path is a detail of one path.
func path(name, needs string, op int32) sysctl.Detail[platform.Link] {
	return sysctl.Detail[platform.Link]{Reads: []string{name}, Needs: needs, Of: func(p *sysctl.Inspection, v *sysctl.Visit) (platform.Link, error) {
		path, err := p.String(ctlKern, kernProcArgs, int32(v.Key.ID), op)
		return platform.Link{Path: path}, err
	}}
}

// Offsets in struct kinfo_lwp (sys/sysctl.h; the same in the Rust crate libc).
const (
	threadSize    = 128
	threadID      = 32
	threadStat    = 58
	threadTime    = 88
	threadName    = 108
	threadNameEnd = 128
)

// threads are those of a process.
func threads() sysctl.Detail[[]platform.Thread] {
	return sysctl.Detail[[]platform.Thread]{Reads: []string{"kern.lwp"}, Kernel: true,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Thread, error) {
			return readThreads(p, v.Key.ID)
		}}
}

func readThreads(p *sysctl.Inspection, pid uint64) ([]platform.Thread, error) {
	b, err := p.AskRecords(threadSize, ctlKern, kernLWP, int32(pid))
	if err != nil {
		return nil, err
	}
	all, ok := decodeThreads(b)
	if !ok {
		return nil, sysctl.ErrContent
	}
	return all, nil
}

// decodeThreads reads threads. The kernel keeps one time of each, which is put down as user
// time, and does not tell when one was made.
func decodeThreads(b []byte) (all []platform.Thread, whole bool) {
	all = []platform.Thread{}
	whole = sysctl.Each(b, threadSize, func(r sysctl.Row) {
		t := platform.Thread{Key: platform.Key{ID: r.U32(threadID)}, Name: sysctl.CString(r[threadName:threadNameEnd])}
		t.CPU.User = time.Duration(sysctl.Member{At: threadTime, Kind: sysctl.Micros}.Value(r, 0))
		if state, ok := threadStates[r[threadStat]]; ok {
			t.State = &state
		}
		all = append(all, t)
	})
	slices.SortFunc(all, func(a, b platform.Thread) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
	return all, whole
}

// Offsets in struct kinfo_vmentry (sys/sysctl.h since NetBSD 8; the same in the Rust crate
// libc).
const (
	mapSize    = 1128
	mapStart   = 0
	mapEnd     = 8
	mapOffset  = 16
	mapKind    = 24
	mapFlags   = 28
	mapProtect = 48
	mapInode   = 64
	mapDevice  = 80
	mapPath    = 104

	mapVnode  = 2   // KVME_TYPE_VNODE
	mapCopies = 0x1 // KVME_FLAG_COW
)

// memoryMaps are the mappings. How much of each is in memory is not told.
func memoryMaps() sysctl.Detail[[]platform.MemoryMap] {
	return sysctl.Detail[[]platform.MemoryMap]{Reads: []string{"vm.proc.map"}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.MemoryMap, error) {
			b, err := p.Ask(ctlVM, vmProc, vmMap, int32(v.Key.ID), mapSize)
			if err != nil {
				return nil, err
			}
			all, ok := decodeMaps(b)
			if !ok {
				return nil, sysctl.ErrContent
			}
			return all, nil
		}}
}

func decodeMaps(b []byte) (all []platform.MemoryMap, whole bool) {
	all = []platform.MemoryMap{}
	whole = sysctl.Each(b, mapSize, func(r sysctl.Row) {
		shared := r.U32(mapKind) == mapVnode && r.U32(mapFlags)&mapCopies == 0
		all = append(all, platform.MemoryMap{Start: r.U64(mapStart), End: r.U64(mapEnd), Offset: r.U64(mapOffset), Inode: r.U64(mapInode),
			Device: r.U64(mapDevice), Path: sysctl.CString(r[mapPath:]), Permissions: sysctl.Permissions(r.U32(mapProtect), shared)})
	})
	return all, whole
}

// limitNames are the limits by their numbers (sys/resource.h), and their units.
var limitNames = [...]sysctl.LimitName{
	{Name: "RLIMIT_CPU", Unit: "seconds"}, {Name: "RLIMIT_FSIZE", Unit: "bytes"}, {Name: "RLIMIT_DATA", Unit: "bytes"},
	{Name: "RLIMIT_STACK", Unit: "bytes"}, {Name: "RLIMIT_CORE", Unit: "bytes"}, {Name: "RLIMIT_RSS", Unit: "bytes"},
	{Name: "RLIMIT_MEMLOCK", Unit: "bytes"}, {Name: "RLIMIT_NPROC", Unit: "processes"}, {Name: "RLIMIT_NOFILE", Unit: "files"},
	{Name: "RLIMIT_SBSIZE", Unit: "bytes"}, {Name: "RLIMIT_AS", Unit: "bytes"}, {Name: "RLIMIT_NTHR", Unit: "threads"},
}

// limits asks for both bounds of each limit. Numbers of limits begin at 1 there.
func limits() sysctl.Detail[[]platform.Limit] {
	return sysctl.Detail[[]platform.Limit]{Reads: []string{"proc.[pid].rlimit"}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Limit, error) {
			all := []platform.Limit{}
			for number, l := range limitNames {
				var bounds [2]uint64
				for i, which := range [...]int32{softType, hardType} {
					bound, err := p.AskNumber(ctlProc, int32(v.Key.ID), limitOf, int32(number)+1, which)
					if err != nil {
						return nil, err
					}
					bounds[i] = bound
				}
				all = append(all, l.Limit(bounds[0], bounds[1]))
			}
			sysctl.SortLimits(all)
			return all, nil
		}}
}

// More offsets in struct kinfo_file, and numbers of sys/file.h, sys/vnode.h and sys/fcntl.h.
const (
	fileFlags    = 8
	filePlace    = 56
	fileVnode    = 88
	fileFD       = 108
	typeVnode    = 1 // DTYPE_VNODE
	regularVnode = 1 // VREG
	flagReads    = 1 // FREAD
	flagWrites   = 2 // FWRITE
)

// eachFile calls each with everything that a process has open.
func eachFile(p *sysctl.Inspection, pid uint64, each func(sysctl.Row)) error {
	b, err := p.AskFiles(fileSize, ctlKern, kernFile2, fileByPid, int32(pid))
	if err == nil && !sysctl.Each(b, fileSize, each) {
		err = sysctl.ErrContent
	}
	return err
}

// openFiles are the regular files. The kernel tells no paths of them.
func openFiles() sysctl.Detail[[]platform.OpenFile] {
	return sysctl.Detail[[]platform.OpenFile]{Reads: []string{"kern.file2"},
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.OpenFile, error) {
			files := []platform.OpenFile{}
			err := eachFile(p, v.Key.ID, func(r sysctl.Row) {
				if r.U32(fileType) == typeVnode && r.U32(fileVnode) == regularVnode {
					files = append(files, fileOf(r))
				}
			})
			slices.SortFunc(files, func(a, b platform.OpenFile) int { return cmp.Compare(a.FD, b.FD) })
			return files, err
		}}
}

// fileOf describes a regular file.
func fileOf(r sysctl.Row) platform.OpenFile {
	told, position := r.U32(fileFlags), r.U64(filePlace)
	reads, writes, appends := told&flagReads != 0, told&flagWrites != 0, told&sysctl.Append != 0
	flags := uint32(told)&^(flagReads|flagWrites) | sysctl.AccessFlags(reads, writes)
	return platform.OpenFile{FD: int(int32(r.U32(fileFD))), Position: &position, Mode: sysctl.Mode(reads, writes, appends), Flags: &flags}
}

// More offsets in struct kinfo_pcb, and numbers of sys/socket.h.
const (
	pcbFamily   = 24
	pcbType     = 28
	pcbLocal    = 72  // struct sockaddr of any kind, in 264 bytes
	pcbPeer     = 336 // likewise
	pcbEnd      = 600
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 24
)

// localLists are the lists of local sockets.
var localLists = [...]string{"net.local.stream.pcblist", "net.local.dgram.pcblist", "net.local.seqpacket.pcblist"}

// connections are the sockets: what is open tells the address of each in the kernel, and
// the lists of all what is there.
func connections() sysctl.Detail[[]platform.Connection] {
	return sysctl.Detail[[]platform.Connection]{Reads: []string{"kern.file2", "net.*.pcblist"},
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Connection, error) {
			known, err := everySocket(p.Pass)
			if err != nil {
				return nil, err
			}
			all := []platform.Connection{}
			err = eachFile(p, v.Key.ID, func(r sysctl.Row) {
				if c, ok := known[r.U64(fileData)]; ok && r.U32(fileType) == typeSocket {
					c.FD = int(int32(r.U32(fileFD)))
					all = append(all, c)
				}
			})
			slices.SortFunc(all, func(a, b platform.Connection) int { return cmp.Compare(a.FD, b.FD) })
			return all, err
		}}
}

// everySocket describes all sockets of TCP, UDP and the local kind by their addresses.
func everySocket(p *sysctl.Pass) (map[uint64]platform.Connection, error) {
	known := map[uint64]platform.Connection{}
	add := func(r sysctl.Row, tcp bool) {
		if c, ok := connectionOf(r, tcp); ok {
			known[c.Inode] = c
		}
	}
	if err := eachSocket(p, add); err != nil {
		return nil, err
	}
	for _, list := range localLists {
		if err := eachOf(p, list, func(r sysctl.Row) { add(r, false) }); err != nil {
			return nil, err
		}
	}
	return known, nil
}

var families = map[uint64]platform.Family{familyUnix: platform.FamilyUnix, familyInet: platform.FamilyInet, familyInet6: platform.FamilyInet6}

// connectionOf describes a socket.
func connectionOf(r sysctl.Row, tcp bool) (c platform.Connection, ok bool) {
	c = platform.Connection{Inode: r.U64(pcbSocket), Family: families[r.U32(pcbFamily)], Type: sysctl.SocketType(r.U32(pcbType))}
	local, peer := r[pcbLocal:pcbPeer], r[pcbPeer:pcbEnd]
	switch {
	case c.Family == platform.FamilyUnknown:
		return c, false
	case c.Family == platform.FamilyUnix:
		c.Path = sysctl.CString(local[2:min(max(int(local[0]), 2), len(local))])
		return c, true
	case tcp:
		c.State = sysctl.TCPState(r.U32(pcbState))
	}
	c.Local, c.Peer = endOf(local), endOf(peer)
	return c, true
}

// endOf reads a struct sockaddr_in or sockaddr_in6. Port 0 without an address is none.
func endOf(b []byte) netip.AddrPort {
	var ip netip.Addr
	switch b[1] {
	case familyInet:
		ip = netip.AddrFrom4([4]byte(b[4:]))
	case familyInet6:
		ip = netip.AddrFrom16([16]byte(b[8:]))
	}
	port := binary.BigEndian.Uint16(b[2:])
	if port == 0 && (ip.IsUnspecified() || !ip.IsValid()) {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, port)
}
