package dragonfly

import (
	"cmp"
	"slices"
	"time"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct kinfo_proc (sys/kinfo.h; the same in the Rust crate libc), and of its
// struct kinfo_lwp.
const (
	rowSize    = 992
	flagsAt    = 8
	statAt     = 12
	pidAt      = 220
	usage      = 368 // struct rusage of threads that have ended: two struct timeval, then longs
	ended      = 512 // that of children that were waited for
	lwp        = 664
	threadID   = lwp + 4
	threadStat = lwp + 12
	threadUser = lwp + 40 // microseconds
	threadSys  = lwp + 48
	threadRu   = lwp + 96
	threadName = lwp + 289
	nameLength = 17

	flagSystem = 0x200 // P_SYSTEM (sys/proc.h)
)

// table is struct kinfo_proc, with the first thread of the process in it.
func table() sysctl.Table {
	return sysctl.Table{
		Name: "kern.proc", MIB: kernProc, All: procAll, Size: rowSize, Fixed: true, Bare: true,
		PID: pidAt, Parent: 224, User: 132, Nice: 300, NiceSigned: true, Command: 112, CPU: lwp + 88, CPUNarrow: true,
		Start: 96, StartWide: true, StartMicros: 104,
		Members: []sysctl.Member{
			{Field: platform.ProcessMemoryVirtual, At: 312},
			{Field: platform.ProcessMemoryRSS, At: 320, Kind: sysctl.Pages64},
			{Field: platform.ProcessMemoryText, At: 336, Kind: sysctl.Pages64},
			{Field: platform.ProcessMemoryData, At: 344, Kind: sysctl.PagesPair},
			{Field: platform.ProcessThreads, At: 296, Kind: sysctl.Count32},
			{Field: platform.ProcessChildCPUUser, At: ended, Kind: sysctl.Timeval},
			{Field: platform.ProcessChildCPUSystem, At: ended + 16, Kind: sysctl.Timeval},
		},
	}
}

// stateOf returns the state of a process (enum procstat): of an active one its first thread
// tells (enum lwpstat).
func stateOf(r sysctl.Row) (platform.State, bool) {
	switch r.U32(statAt) {
	case 1: // SIDL
		return platform.StateSleeping, true
	case 2: // SACTIVE
		return threadState(r)
	case 3: // SSTOP
		return platform.StateStopped, true
	case 4: // SZOMB
		return platform.StateDefunct, true
	}
	return 0, false
}

func threadState(r sysctl.Row) (platform.State, bool) {
	switch r.U32(threadStat) {
	case 1: // LSRUN
		return platform.StateRunning, true
	case 2: // LSSTOP
		return platform.StateStopped, true
	case 3: // LSSLEEP
		return platform.StateSleeping, true
	}
	return 0, false
}

// total is what all threads of a process used.
type total struct{ user, system, minor, major, voluntary, involuntary, reads, writes uint64 }

// ofThreads are the members of struct rusage behind its times, and where they are.
var ofThreads = [...]struct {
	at int
	of func(*total) *uint64
}{
	{64, func(t *total) *uint64 { return &t.minor }}, {72, func(t *total) *uint64 { return &t.major }},
	{88, func(t *total) *uint64 { return &t.reads }}, {96, func(t *total) *uint64 { return &t.writes }},
	{128, func(t *total) *uint64 { return &t.voluntary }}, {136, func(t *total) *uint64 { return &t.involuntary }},
}

// decodeTotals adds up rows of threads by their processes. What threads that have ended used
// is in each row of the process (lwp_exit in sys/kern/kern_exit.c).
func decodeTotals(b []byte) (totals map[uint64]*total, whole bool) {
	totals = map[uint64]*total{}
	whole = sysctl.Each(b, rowSize, func(r sysctl.Row) {
		t := totals[r.U32(pidAt)]
		if t == nil {
			t = &total{user: sysctl.Member{At: usage, Kind: sysctl.Timeval}.Value(r, 0), system: sysctl.Member{At: usage + 16, Kind: sysctl.Timeval}.Value(r, 0)}
			for _, m := range ofThreads {
				*m.of(t) = r.U64(usage + m.at)
			}
			totals[r.U32(pidAt)] = t
		}
		t.user += r.U64(threadUser) * 1e3
		t.system += r.U64(threadSys) * 1e3
		for _, m := range ofThreads {
			*m.of(t) += r.U64(threadRu + m.at)
		}
	})
	return totals, whole
}

// threadTimes is what the threads of each process used, from one call for all.
func threadTimes() sysctl.ProcessSource {
	s := sysctl.Level("kern.proc, threads", platform.Process, 2, platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessFaultsMinor,
		platform.ProcessFaultsMajor, platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary, platform.ProcessDiskReads, platform.ProcessDiskWrites)
	var pass uint64
	var totals map[uint64]*total
	var failed error
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if p.Number() != pass {
			pass = p.Number()
			totals, failed = readTotals(p)
		}
		if t := totals[v.Key.ID]; failed == nil && t != nil {
			t.set(p.Sample())
		}
		return failed
	}}
}

func readTotals(p *sysctl.Pass) (map[uint64]*total, error) {
	b, err := p.Ask(ctlKern, kernProc, procAll|procThreads)
	if err != nil {
		return nil, err
	}
	totals, whole := decodeTotals(b)
	if !whole {
		return nil, sysctl.ErrContent
	}
	return totals, nil
}

func (t *total) set(s *platform.Sample) {
	s.Set(platform.ProcessCPUUser, t.user)
	s.Set(platform.ProcessCPUSystem, t.system)
	s.Set(platform.ProcessFaultsMinor, t.minor)
	s.Set(platform.ProcessFaultsMajor, t.major)
	s.Set(platform.ProcessSwitchesVoluntary, t.voluntary)
	s.Set(platform.ProcessSwitchesInvoluntary, t.involuntary)
	s.Set(platform.ProcessDiskReads, t.reads)
	s.Set(platform.ProcessDiskWrites, t.writes)
}

// text is a source of a text of kern.proc.
func text(name string, t platform.Text, op int32) sysctl.ProcessSource {
	s := platform.Source{Name: name, Entity: platform.Process, Cost: 10, Dear: true, Texts: []platform.Text{t}}
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		return p.Lend(t, ctlKern, kernProc, op, int32(v.Key.ID))
	}}
}

func arguments() sysctl.ProcessSource {
	return text("kern.proc.args", platform.ProcessArguments, procArgs)
}

// executable is the path of the program, without the NUL behind it.
func executable() sysctl.ProcessSource {
	s := text("kern.proc.pathname", platform.ProcessExecutable, procPathname)
	s.Read = func(p *sysctl.Pass, v *sysctl.Visit) error {
		path, err := p.String(ctlKern, kernProc, procPathname, int32(v.Key.ID))
		p.SetText(platform.ProcessExecutable, path)
		return err
	}
	return s
}

// details is what DragonFly tells of one process. kern.proc does not tell of a zombie that is
// asked for by its PID.
func details() sysctl.Details {
	const unread = "this version does not read it on DragonFly"
	return sysctl.Details{
		Identity: sysctl.IdentityTable{
			Group: 228, Session: 236, Terminal: 280, RealUser: 204, SavedUser: 208, RealGroup: 212, SavedGroup: 216,
			Groups: 140, GroupCount: 136, EffectiveFirst: true, Reads: []string{"/etc/passwd", "/dev"},
			More: func(p *sysctl.Inspection, v *sysctl.Visit, id *platform.Identity) {
				if b, err := p.Ask(ctlKern, kernProc, procPid|procThreads, int32(v.Key.ID)); err == nil {
					if totals, _ := decodeTotals(b); totals[v.Key.ID] != nil {
						id.CPU = platform.CPUTimes{User: time.Duration(totals[v.Key.ID].user), System: time.Duration(totals[v.Key.ID].system)}
					}
				}
			},
		},
		Kernel: func(r sysctl.Row) bool { return r.U32(flagsAt)&flagSystem != 0 },
		Arguments: sysctl.Detail[[]string]{Reads: []string{"kern.proc.args"}, Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]string, error) {
			b, err := p.Ask(ctlKern, kernProc, procArgs, int32(v.Key.ID))
			return sysctl.Strings(b), err
		}},
		Executable: path("kern.proc.pathname", procPathname), WorkingDirectory: path("kern.proc.cwd", procCwd), Threads: threads(),
		Environment: sysctl.Detail[[]string]{Lacks: "kern.proc has no operation for it"},
		Root:        sysctl.Detail[platform.Link]{Lacks: "kern.proc has no operation for it"},
		Affinity:    sysctl.Detail[platform.Affinity]{Lacks: unread}, OpenFiles: sysctl.Detail[[]platform.OpenFile]{Lacks: unread},
		Connections: sysctl.Detail[[]platform.Connection]{Lacks: unread}, MemoryMaps: sysctl.Detail[[]platform.MemoryMap]{Lacks: unread},
		Limits:   sysctl.Detail[[]platform.Limit]{Lacks: "the kernel tells limits to the process itself alone"},
		Sessions: sysctl.Detail[[]platform.Session]{Lacks: unread},
	}
}

// path is a detail of one path.
func path(name string, op int32) sysctl.Detail[platform.Link] {
	return sysctl.Detail[platform.Link]{Reads: []string{name}, Of: func(p *sysctl.Inspection, v *sysctl.Visit) (platform.Link, error) {
		path, err := p.String(ctlKern, kernProc, op, int32(v.Key.ID))
		return platform.Link{Path: path}, err
	}}
}

// threads are rows like that of the process, one for each.
func threads() sysctl.Detail[[]platform.Thread] {
	return sysctl.Detail[[]platform.Thread]{Reads: []string{"kern.proc.pid, threads"}, Kernel: true,
		Of: func(p *sysctl.Inspection, v *sysctl.Visit) ([]platform.Thread, error) {
			b, err := p.Ask(ctlKern, kernProc, procPid|procThreads, int32(v.Key.ID))
			if err != nil {
				return nil, err
			}
			all, whole := decodeThreads(b)
			if !whole {
				return nil, sysctl.ErrContent
			}
			return all, nil
		}}
}

// decodeThreads reads rows of threads, whose numbers are those within the process.
func decodeThreads(b []byte) (all []platform.Thread, whole bool) {
	all = []platform.Thread{}
	whole = sysctl.Each(b, rowSize, func(r sysctl.Row) {
		t := platform.Thread{Key: platform.Key{ID: uint64(layout.U32(r, threadID))}, Name: sysctl.CString(r[threadName : threadName+nameLength]),
			CPU: platform.CPUTimes{User: time.Duration(r.U64(threadUser) * 1e3), System: time.Duration(r.U64(threadSys) * 1e3)}}
		if state, ok := threadState(r); ok {
			t.State = &state
		}
		all = append(all, t)
	})
	slices.SortFunc(all, func(a, b platform.Thread) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
	return all, whole
}
