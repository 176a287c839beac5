package freebsd

import (
	"errors"
	"io/fs"
	"math"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct kinfo_proc that are read here.
const (
	flagsAt = 368
	statAt  = 388
	rowSize = 1088 // KINFO_PROC_SIZE
	usage   = 608  // struct rusage: two struct timeval, then longs
	ended   = 752  // that of children that were waited for
)

// table is struct kinfo_proc (sys/user.h, whose comment forbids that it ever moves; the
// same in the Rust crate libc). FreeBSD 12 gave it new members, among them the CPU in 32
// bits, out of what was spare. Pages are counted at the machine's size.
func table() sysctl.Table {
	return sysctl.Table{
		Name: "kern.proc", MIB: kernProc, All: procProc, Size: rowSize, Whole: true,
		PID: 72, Parent: 76, User: 168, Nice: 389, NiceSigned: true, Command: 447, CPU: 572, CPUNarrow: true,
		Start: 336, StartWide: true, StartMicros: 344,
		Members: []sysctl.Member{
			{Field: platform.ProcessMemoryVirtual, At: 256},
			{Field: platform.ProcessMemoryRSS, At: 264, Kind: sysctl.Pages64},
			{Field: platform.ProcessMemoryText, At: 280, Kind: sysctl.Pages64},
			{Field: platform.ProcessMemoryData, At: 288, Kind: sysctl.PagesPair},
			{Field: platform.ProcessThreads, At: 596, Kind: sysctl.Count32},
			{Field: platform.ProcessCPUUser, At: usage, Kind: sysctl.Timeval},
			{Field: platform.ProcessCPUSystem, At: usage + 16, Kind: sysctl.Timeval},
			{Field: platform.ProcessMemoryPeak, At: usage + 32, Kind: sysctl.Kilobytes},
			{Field: platform.ProcessFaultsMinor, At: usage + 64},
			{Field: platform.ProcessFaultsMajor, At: usage + 72},
			{Field: platform.ProcessDiskReads, At: usage + 88},
			{Field: platform.ProcessDiskWrites, At: usage + 96},
			{Field: platform.ProcessSwitchesVoluntary, At: usage + 128},
			{Field: platform.ProcessSwitchesInvoluntary, At: usage + 136},
			{Field: platform.ProcessChildCPUUser, At: ended, Kind: sysctl.Timeval},
			{Field: platform.ProcessChildCPUSystem, At: ended + 16, Kind: sysctl.Timeval},
		},
	}
}

// stateOf returns the state of a process (SIDL to SLOCK of sys/proc.h). One that is being
// made sleeps still, and interrupt threads wait.
func stateOf(r sysctl.Row) (platform.State, bool) {
	switch r[statAt] {
	case 2: // SRUN
		return platform.StateRunning, true
	case 1, 3, 6, 7: // SIDL, SSLEEP, SWAIT, SLOCK
		return platform.StateSleeping, true
	case 4: // SSTOP
		return platform.StateStopped, true
	case 5: // SZOMB
		return platform.StateDefunct, true
	}
	return 0, false
}

const (
	flagSystem    = 0x4 // P_SYSTEM: part of the kernel
	needsSameUser = "same user or root"
)

// text is a source of a text of kern.proc. The kernel's own processes have none.
func text(name, needs string, t platform.Text, op int32) sysctl.ProcessSource {
	s := platform.Source{Name: name, Entity: platform.Process, Needs: needs, Cost: 10, Dear: true, Texts: []platform.Text{t}}
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if v.Row.U64(flagsAt)&flagSystem != 0 {
			return nil
		}
		return p.Lend(t, ctlKern, kernProc, op, int32(v.Key.ID))
	}}
}

// arguments are those that the process was given, or has set instead (setproctitle(3)).
func arguments() sysctl.ProcessSource {
	return text("kern.proc.args", "", platform.ProcessArguments, procArgs)
}

func environment() sysctl.ProcessSource {
	return text("kern.proc.env", needsSameUser, platform.ProcessEnvironment, procEnv)
}

// executable is the path of the program, which the kernel finds in its cache of names: one
// that has fallen out of it is absent.
func executable() sysctl.ProcessSource {
	s := platform.Source{Name: "kern.proc.pathname", Entity: platform.Process, Cost: 10, Dear: true, Texts: []platform.Text{platform.ProcessExecutable}}
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if v.Row.U64(flagsAt)&flagSystem != 0 {
			return nil
		}
		path, err := p.String(ctlKern, kernProc, procPathname, int32(v.Key.ID))
		if err == nil {
			p.SetText(platform.ProcessExecutable, path)
		}
		return err
	}}
}

// limitSize is struct rlimit: what holds now and to what it may be raised, 64 bits each.
const limitSize = 16

// limits is how many files a process may open.
func limits() sysctl.ProcessSource {
	s := sysctl.Level("kern.proc.rlimit", platform.Process, 10, platform.ProcessFileLimitSoft, platform.ProcessFileLimitHard)
	s.Dear, s.Needs = true, needsSameUser
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		b, err := p.Ask(ctlKern, kernProc, procRlimit, int32(v.Key.ID), limitFiles)
		if err != nil {
			return err
		}
		soft, hard, ok := decodeLimit(b)
		if !ok {
			return sysctl.ErrContent
		}
		setLimit(p.Sample(), platform.ProcessFileLimitSoft, soft)
		setLimit(p.Sample(), platform.ProcessFileLimitHard, hard)
		return nil
	}}
}

func decodeLimit(b []byte) (soft, hard uint64, ok bool) {
	if len(b) < limitSize {
		return 0, 0, false
	}
	return sysctl.Row(b).U64(0), sysctl.Row(b).U64(8), true
}

// setLimit sets a limit. RLIM_INFINITY, which is the largest number with a sign, is none.
func setLimit(s *platform.Sample, f platform.Field, limit uint64) {
	if limit < math.MaxInt64 {
		s.Set(f, limit)
	}
}

// absent reports whether a machine does not have what was asked for.
func absent(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist)
}
