package openbsd

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

const (
	kernProcCwd = 78 // KERN_PROC_CWD
	onePid      = 1  // KERN_PROC_PID
)

// details is what OpenBSD tells of one process. ps(1) shows the letters.
func details() sysctl.Details {
	return sysctl.Details{
		Identity: sysctl.IdentityTable{
			Group: 120, Session: 116, Terminal: 212, RealUser: 132, SavedUser: 568, EffectiveGroup: 136, RealGroup: 140, SavedGroup: 572,
			Groups: 144, GroupCount: 208, Priority: 305, Stat: statAt, Letters: "\x00RRSTZZR", Reads: []string{"/etc/passwd", "/dev"},
		},
		Kernel:    func(r sysctl.Row) bool { return r.U32(flagsAt)&flagSystem != 0 },
		Arguments: words("kern.procargs argv", "", argsVector), Environment: words("kern.procargs env", needsSameUser, argsEnviron),
		Executable: sysctl.Detail[platform.Link]{Lacks: "the kernel keeps no path of the program"},
		WorkingDirectory: sysctl.Detail[platform.Link]{Reads: []string{"kern.proc_cwd"}, Needs: needsSameUser,
			Of: func(p *sysctl.Inspection, v *sysctl.Visit) (platform.Link, error) {
				path, err := p.String(ctlKern, kernProcCwd, int32(v.Key.ID))
				return platform.Link{Path: path}, err
			}},
		Root:       sysctl.Detail[platform.Link]{Lacks: "the kernel keeps no path of it"},
		Affinity:   sysctl.Detail[platform.Affinity]{Lacks: "the kernel lets nobody choose CPUs for a process"},
		MemoryMaps: memoryMaps(),
		Limits:     sysctl.Detail[[]platform.Limit]{Lacks: "the kernel tells limits to the process itself alone"},
		OpenFiles:  openFiles(), Connections: connections(), Threads: threads(),
	}
}

// words is a detail of a vector of strings.
func words(name, needs string, op int32) sysctl.Detail[[]string] {
	return sysctl.Detail[[]string]{Reads: []string{name}, Needs: needs, Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]string, error) {
		b, err := p.Ask(ctlKern, kernProcArgs, int32(v.Key.ID), op)
		if err != nil {
			return nil, err
		}
		strings, ok := decodeVector(b)
		if !ok {
			return nil, sysctl.ErrContent
		}
		return sysctl.Strings(strings), nil
	}}
}

// threads are rows like that of the process, behind it.
func threads() sysctl.Detail[[]platform.Thread] {
	return sysctl.Detail[[]platform.Thread]{Reads: []string{"kern.proc, threads"}, Kernel: true,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Thread, error) {
			b, err := p.AskRecords(rowSize, ctlKern, kernProc, onePid|showThreads, int32(v.Key.ID))
			if err != nil {
				return nil, err
			}
			all, ok := decodeThreads(b)
			if !ok {
				return nil, sysctl.ErrContent
			}
			return all, nil
		}}
}

// Where the CPU times of a row are.
const (
	userAt   = 420
	systemAt = 428
)

// decodeThreads reads rows of threads. They have no names of their own, and when one was
// made is not told.
func decodeThreads(b []byte) (all []platform.Thread, whole bool) {
	all = []platform.Thread{}
	whole = sysctl.Each(b, rowSize, func(r sysctl.Row) {
		if r.U32(tidAt) == noThread {
			return
		}
		t := platform.Thread{Key: platform.Key{ID: r.U32(tidAt)}}
		t.CPU.User = time.Duration(sysctl.Member{At: userAt, Kind: sysctl.Micros}.Value(r, 0))
		t.CPU.System = time.Duration(sysctl.Member{At: systemAt, Kind: sysctl.Micros}.Value(r, 0))
		if state, ok := stateOf(r); ok {
			t.State = &state
		}
		all = append(all, t)
	})
	slices.SortFunc(all, func(a, b platform.Thread) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
	return all, whole
}

// More offsets in struct kinfo_file, and numbers of sys/file.h, sys/vnode.h and sys/fcntl.h.
const (
	fileFlags     = 8
	fileKind      = 16
	filePlace     = 56
	fileSocket    = 64
	fileVnode     = 120
	fileType      = 272 // of a socket
	fileLocalPort = 304
	fileLocal     = 308
	filePeerPort  = 324
	filePeer      = 328
	fileUnixPath  = 488
	fileUnixEnd   = 592

	typeVnode    = 1 // DTYPE_VNODE
	regularVnode = 1 // VREG
	flagReads    = 1 // FREAD
	flagWrites   = 2 // FWRITE
	familyUnix   = 1
)

// eachFile calls each with everything that a process has open, by descriptor.
func eachFile(p *sysctl.Inspection, pid uint64, each func(sysctl.Row)) error {
	b, err := p.AskFiles(fileSize, ctlKern, kernFile, fileByPid, int32(pid))
	if err != nil {
		return err
	}
	if !sysctl.Each(b, fileSize, func(r sysctl.Row) {
		if int32(r.U32(fileFD)) >= 0 {
			each(r)
		}
	}) {
		return sysctl.ErrContent
	}
	return nil
}

// openFiles are the regular files. The kernel keeps no paths of them.
func openFiles() sysctl.Detail[[]platform.OpenFile] {
	return sysctl.Detail[[]platform.OpenFile]{Reads: []string{"kern.file"},
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.OpenFile, error) {
			files := []platform.OpenFile{}
			err := eachFile(p, v.Key.ID, func(r sysctl.Row) {
				if r.U32(fileKind) == typeVnode && r.U32(fileVnode) == regularVnode {
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

// connections are the sockets.
func connections() sysctl.Detail[[]platform.Connection] {
	return sysctl.Detail[[]platform.Connection]{Reads: []string{"kern.file"},
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Connection, error) {
			all := []platform.Connection{}
			err := eachFile(p, v.Key.ID, func(r sysctl.Row) {
				if c, ok := connectionOf(r); ok && r.U32(fileKind) == typeSocket {
					all = append(all, c)
				}
			})
			slices.SortFunc(all, func(a, b platform.Connection) int { return cmp.Compare(a.FD, b.FD) })
			return all, err
		}}
}

var families = map[uint64]platform.Family{familyUnix: platform.FamilyUnix, familyInet: platform.FamilyInet, familyInet6: platform.FamilyInet6}

// connectionOf describes a socket of TCP, UDP or the local kind. Its address in the kernel
// is told to root alone.
func connectionOf(r sysctl.Row) (c platform.Connection, ok bool) {
	family, protocol := families[r.U32(fileFamily)], r.U32(fileProtocol)
	c = platform.Connection{FD: int(int32(r.U32(fileFD))), Inode: r.U64(fileSocket), Family: family, Type: sysctl.SocketType(r.U32(fileType))}
	switch {
	case family == platform.FamilyUnknown:
		return c, false
	case family == platform.FamilyUnix:
		c.Path = sysctl.CString(r[fileUnixPath:fileUnixEnd])
		return c, true
	case protocol == protocolTCP:
		c.State = sysctl.TCPState(r.U32(fileState))
	case protocol != protocolUDP:
		return c, false
	}
	c.Local, c.Peer = endOf(r, fileLocal, fileLocalPort, family), endOf(r, filePeer, filePeerPort, family)
	return c, true
}

// endOf returns one end of a socket. Ports are 16 bits in network order. Port 0 without an
// address is none.
func endOf(r sysctl.Row, address, port int, family platform.Family) netip.AddrPort {
	ip := netip.AddrFrom4([4]byte(r[address:]))
	if family == platform.FamilyInet6 {
		ip = netip.AddrFrom16([16]byte(r[address:]))
	}
	number := binary.BigEndian.Uint16(r[port:])
	if number == 0 && ip.IsUnspecified() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, number)
}
