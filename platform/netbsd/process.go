package netbsd

import (
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// table is struct kinfo_proc2 (sys/sysctl.h of NetBSD 9 and 10; the same in the Rust
// crate libc). 680 bytes since p_vm_msize was added.
func table() sysctl.Table {
	return sysctl.Table{
		Name: "kern.proc2", MIB: 47, All: 0, Size: 680,
		PID: 116, Parent: 120, User: 136, Nice: 363, Command: 368, Valid: 448, Start: 456, StartMicros: 460, CPU: 600,
		Members: []sysctl.Member{
			{Field: platform.ProcessMemoryRSS, At: 432, Kind: sysctl.Pages32},
			{Field: platform.ProcessMemoryText, At: 436, Kind: sysctl.Pages32},
			{Field: platform.ProcessCPUUser, At: 464, Kind: sysctl.Micros},
			{Field: platform.ProcessCPUSystem, At: 472, Kind: sysctl.Micros},
			{Field: platform.ProcessMemoryPeak, At: 480, Kind: sysctl.Kilobytes},
			{Field: platform.ProcessFaultsMinor, At: 512},
			{Field: platform.ProcessFaultsMajor, At: 520},
			{Field: platform.ProcessDiskReads, At: 536},
			{Field: platform.ProcessDiskWrites, At: 544},
			{Field: platform.ProcessSwitchesVoluntary, At: 576},
			{Field: platform.ProcessSwitchesInvoluntary, At: 584},
			{Field: platform.ProcessThreads, At: 616},
			{Field: platform.ProcessMemoryVirtual, At: 672, Kind: sysctl.Pages64},
		},
	}
}

// Where the states are, and what they are: p_stat is of the thread that is closest to
// running (LS*), p_realstat of the process (S*, sys/proc.h and sys/lwp.h).
const (
	statAt     = 360
	realStatAt = 632

	realStopped = 4 // SSTOP
	realZombie  = 5 // SZOMB
	realDying   = 3 // SDYING
	realDead    = 6 // SDEAD

	threadIdle      = 1 // LSIDL
	threadRun       = 2
	threadSleep     = 3
	threadStop      = 4
	threadZombie    = 5
	threadOnCPU     = 7
	threadSuspended = 8
)

// stateOf returns the state of a process. One that is being made sleeps still.
func stateOf(r sysctl.Row) (platform.State, bool) {
	switch r.U64(realStatAt) {
	case realZombie, realDying, realDead:
		return platform.StateDefunct, true
	case realStopped:
		return platform.StateStopped, true
	}
	state, ok := threadStates[r[statAt]]
	return state, ok
}

// threadStates are those of threads.
var threadStates = map[byte]platform.State{
	threadRun: platform.StateRunning, threadOnCPU: platform.StateRunning, threadIdle: platform.StateSleeping, threadSleep: platform.StateSleeping,
	threadStop: platform.StateStopped, threadSuspended: platform.StateStopped, threadZombie: platform.StateDefunct,
}

// Operations of kern.proc_args (sys/sysctl.h).
const (
	kernProcArgs  = 48
	argsVector    = 1
	argsEnviron   = 3
	argsPath      = 5 // since NetBSD 8
	flagsAt       = 112
	flagSystem    = 0x200 // P_SYSTEM
	needsSameUser = "same user or root"
)

// text is a source of a text of kern.proc_args, which is strings that end in a NUL. The
// kernel's own process has none.
func text(name, needs string, t platform.Text, op int32) sysctl.ProcessSource {
	s := platform.Source{Name: name, Entity: platform.Process, Needs: needs, Cost: 10, Dear: true, Texts: []platform.Text{t}}
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if v.Row.U32(flagsAt)&flagSystem != 0 {
			return nil
		}
		return p.Lend(t, ctlKern, kernProcArgs, int32(v.Key.ID), op)
	}}
}

func arguments() sysctl.ProcessSource {
	return text("kern.proc_args argv", "", platform.ProcessArguments, argsVector)
}

func environment() sysctl.ProcessSource {
	return text("kern.proc_args env", needsSameUser, platform.ProcessEnvironment, argsEnviron)
}

// executable is the path of the program, without the NUL behind it.
func executable() sysctl.ProcessSource {
	s := text("kern.proc_args pathname", "", platform.ProcessExecutable, argsPath)
	read := s.Read
	s.Read = func(p *sysctl.Pass, v *sysctl.Visit) error {
		err := read(p, v)
		if path, ok := p.Sample().Text(platform.ProcessExecutable); ok {
			if n := len(path); n > 0 && path[n-1] == 0 {
				path = path[:n-1]
			}
			p.Sample().SetText(platform.ProcessExecutable, path)
		}
		return err
	}
	return s
}
