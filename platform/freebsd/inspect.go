package freebsd

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Details returns where this backend reads each detail.
func Details() []platform.DetailSource { return dialect().DetailSources() }

// Operations of kern.proc (sys/sysctl.h).
const (
	procThreads = 0x10 // KERN_PROC_INC_THREAD, with the operation of one process
	procPid     = 1
	procMaps    = 32 // KERN_PROC_VMMAP
	procFiles   = 33 // KERN_PROC_FILEDESC
)

// Offsets in struct kinfo_proc that details take alone. What ends the name of a thread is
// where FreeBSD 12 found room for it.
const (
	threadAt     = 600
	nameAt       = 394
	nameLength   = 17
	moreNameAt   = 502
	moreNameSize = 4
)

// details is what FreeBSD tells of one process. ps(1) shows the letters.
func details() sysctl.Details {
	return sysctl.Details{
		Identity: sysctl.IdentityTable{
			Group: 80, Session: 88, Terminal: 560, TerminalWide: true, RealUser: 172, SavedUser: 176, RealGroup: 180, SavedGroup: 184,
			Groups: 192, GroupCount: 188, EffectiveFirst: true, Priority: 605, Stat: statAt, Letters: "\x00?RSTZWL",
			Reads: []string{"/etc/passwd", "/dev"},
		},
		Kernel:    func(r sysctl.Row) bool { return r.U64(flagsAt)&flagSystem != 0 },
		Arguments: words("kern.proc.args", "", procArgs), Environment: words("kern.proc.env", needsSameUser, procEnv),
		Executable: sysctl.Detail[platform.Link]{Reads: []string{"kern.proc.pathname"}, Of: func(p *sysctl.Inspection, v *sysctl.Visit) (platform.Link, error) {
			path, err := p.String(ctlKern, kernProc, procPathname, int32(v.Key.ID))
			return platform.Link{Path: path}, err
		}},
		WorkingDirectory: folder(fdWorking), Root: folder(fdRoot), OpenFiles: openFiles(), Connections: connections(),
		Threads: threads(), MemoryMaps: memoryMaps(), Limits: limitsOf(), Affinity: affinity(), Sessions: logins(),
	}
}

// words is a detail of strings that end in NUL bytes.
func words(name, needs string, op int32) sysctl.Detail[[]string] {
	return sysctl.Detail[[]string]{Reads: []string{name}, Needs: needs, Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]string, error) {
		b, err := p.Ask(ctlKern, kernProc, op, int32(v.Key.ID))
		return sysctl.Strings(b), err
	}}
}

// threads are rows like that of the process, one for each (fill_kinfo_thread, kern_proc.c).
func threads() sysctl.Detail[[]platform.Thread] {
	return sysctl.Detail[[]platform.Thread]{Reads: []string{"kern.proc.pid, threads"}, Kernel: true,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Thread, error) {
			b, err := p.Ask(ctlKern, kernProc, procPid|procThreads, int32(v.Key.ID))
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

// decodeThreads reads rows of threads. When a thread was made is not told.
func decodeThreads(b []byte) (all []platform.Thread, whole bool) {
	all = []platform.Thread{}
	times := sysctl.Member{At: usage, Kind: sysctl.Timeval}
	whole = sysctl.EachSized(b, 4, rowSize, func(r sysctl.Row) {
		t := platform.Thread{Key: platform.Key{ID: r.U32(threadAt)},
			Name: sysctl.CString(r[nameAt:nameAt+nameLength]) + sysctl.CString(r[moreNameAt:moreNameAt+moreNameSize])}
		t.CPU.User = time.Duration(times.Value(r, 0))
		t.CPU.System = time.Duration(sysctl.Member{At: usage + 16, Kind: sysctl.Timeval}.Value(r, 0))
		if state, ok := stateOf(r); ok {
			t.State = &state
		}
		all = append(all, t)
	})
	slices.SortFunc(all, func(a, b platform.Thread) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
	return all, whole
}

// Offsets in struct kinfo_vmentry (sys/user.h since FreeBSD 12; the same in the Rust crate
// libc). It begins with its own size, as its path is cut off.
const (
	mapSize     = 136 // without the path
	mapStart    = 8
	mapEnd      = 16
	mapOffset   = 24
	mapFile     = 32
	mapKind     = 4
	mapFlags    = 44
	mapResident = 48 // pages
	mapPrivate  = 52
	mapProtect  = 56
	mapDevice   = 88
	mapPath     = 136

	mapCopies  = 0x1 // KVME_FLAG_COW
	mapVnode   = 2   // KVME_TYPE_VNODE
	mapDevices = 4   // KVME_TYPE_DEVICE
)

// memoryMaps are the mappings, with how much of each is in memory: of all pages of its
// object, and of those that no other object shadows.
func memoryMaps() sysctl.Detail[[]platform.MemoryMap] {
	return sysctl.Detail[[]platform.MemoryMap]{Reads: []string{"kern.proc.vmmap"}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.MemoryMap, error) {
			b, err := p.Ask(ctlKern, kernProc, procMaps, int32(v.Key.ID))
			if err != nil {
				return nil, err
			}
			all, ok := decodeMaps(b, p.Page())
			if !ok {
				return nil, sysctl.ErrContent
			}
			return all, nil
		}}
}

func decodeMaps(b []byte, page uint64) (all []platform.MemoryMap, whole bool) {
	all = []platform.MemoryMap{}
	whole = sysctl.EachSized(b, 4, mapSize, func(r sysctl.Row) {
		resident, private := r.U32(mapResident)*page, r.U32(mapPrivate)*page
		private = min(private, resident)
		m := platform.MemoryMap{Start: r.U64(mapStart), End: r.U64(mapEnd), Offset: r.U64(mapOffset), Inode: r.U64(mapFile),
			Device: r.U64(mapDevice), Path: sysctl.CString(r[mapPath:]),
			Use: &platform.MemoryUse{RSS: resident, PrivateDirty: private, SharedDirty: resident - private, Coarse: true}}
		m.Permissions = sysctl.Permissions(r.U32(mapProtect), sharedMap(r))
		all = append(all, m)
	})
	return all, whole
}

// sharedMap reports whether what is written to a mapping others see: to a file that is not
// copied on write, or to a device. Of memory without a file the kernel does not tell.
func sharedMap(r sysctl.Row) bool {
	kind := r.U32(mapKind)
	return (kind == mapVnode || kind == mapDevices) && r.U32(mapFlags)&mapCopies == 0
}

// limitNames are the limits by their numbers (sys/resource.h), and their units.
var limitNames = [...]sysctl.LimitName{
	{Name: "RLIMIT_CPU", Unit: "seconds"}, {Name: "RLIMIT_FSIZE", Unit: "bytes"}, {Name: "RLIMIT_DATA", Unit: "bytes"},
	{Name: "RLIMIT_STACK", Unit: "bytes"}, {Name: "RLIMIT_CORE", Unit: "bytes"}, {Name: "RLIMIT_RSS", Unit: "bytes"},
	{Name: "RLIMIT_MEMLOCK", Unit: "bytes"}, {Name: "RLIMIT_NPROC", Unit: "processes"}, {Name: "RLIMIT_NOFILE", Unit: "files"},
	{Name: "RLIMIT_SBSIZE", Unit: "bytes"}, {Name: "RLIMIT_AS", Unit: "bytes"}, {Name: "RLIMIT_NPTS", Unit: "terminals"},
	{Name: "RLIMIT_SWAP", Unit: "bytes"}, {Name: "RLIMIT_KQUEUES", Unit: "queues"}, {Name: "RLIMIT_UMTXP", Unit: "locks"},
}

// limitsOf asks for each limit.
func limitsOf() sysctl.Detail[[]platform.Limit] {
	return sysctl.Detail[[]platform.Limit]{Reads: []string{"kern.proc.rlimit"}, Needs: needsSameUser,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Limit, error) {
			all := []platform.Limit{}
			for number, l := range limitNames {
				b, err := p.Ask(ctlKern, kernProc, procRlimit, int32(v.Key.ID), int32(number))
				if err != nil {
					return nil, err
				}
				soft, hard, ok := decodeLimit(b)
				if !ok {
					return nil, sysctl.ErrContent
				}
				all = append(all, l.Limit(soft, hard))
			}
			sysctl.SortLimits(all)
			return all, nil
		}}
}

// affinity is cpuset_getaffinity(2) of the process: bits of CPUs. The kernel refuses room
// that is smaller than its own set with ERANGE, and fills what is larger with zeros.
func affinity() sysctl.Detail[platform.Affinity] {
	return sysctl.Detail[platform.Affinity]{Reads: []string{"cpuset_getaffinity"}, Kernel: true,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) (platform.Affinity, error) {
			var buf [affinityRoom]byte
			n, err := p.Kernel().(sets).Affinity(v.Key.ID, buf[:])
			if err != nil {
				return platform.Affinity{}, err
			}
			return platform.Affinity{CPUs: sysctl.CPUSet(buf[:min(n, len(buf))])}, nil
		}}
}

// affinityRoom is room for 2048 CPUs; CPU_MAXSIZE is 1024 at FreeBSD 14 (sys/_cpuset.h).
const affinityRoom = 256

// sets is what a kernel has beside [sysctl.Kernel].
type sets interface {
	Affinity(pid uint64, buf []byte) (n int, err error)
}

// More offsets in struct futx.
const (
	loginTime = 1 // microseconds since 1970
	loginPid  = 17
	loginLine = 53
	loginHost = 69
)

// logins tells who is logged in.
func logins() sysctl.Detail[[]platform.Session] {
	return sysctl.Detail[[]platform.Session]{Reads: []string{loginPath}, Of: func(p *sysctl.Inspection, _ *sysctl.Visit) ([]platform.Session, error) {
		b, err := p.File(loginPath)
		return decodeSessions(b), err
	}}
}

func decodeSessions(b []byte) []platform.Session {
	sessions := []platform.Session{}
	sysctl.Each(b, loginSize, func(r sysctl.Row) {
		if r[loginType] != userProcess || r[loginUser] == 0 {
			return
		}
		sessions = append(sessions, platform.Session{User: sysctl.CString(r[loginUser:loginLine]), Terminal: sysctl.CString(r[loginLine:loginHost]),
			Host: sysctl.CString(r[loginHost:loginSize]), PID: uint64(binary.BigEndian.Uint32(r[loginPid:])),
			Started: time.UnixMicro(int64(binary.BigEndian.Uint64(r[loginTime:])))})
	})
	return sessions
}
