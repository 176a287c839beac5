package openbsd

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct kinfo_proc that more than one table takes.
const (
	rowSize = 616
	pidAt   = 108
	flagsAt = 104
	statAt  = 304
	tidAt   = 608
)

// textAt is where the sizes of code, data and stack are, in pages: their sum is what
// ps(1) calls VSZ.
const textAt = 388

// table is struct kinfo_proc (sys/sysctl.h of OpenBSD 7; the same in the Rust crate
// libc). Its first 616 bytes are the same since OpenBSD 5.4. The kernel refuses to be
// asked for more than it has, so that no later member is asked for.
func table() sysctl.Table {
	return sysctl.Table{
		Name: "kern.proc", MIB: kernProc, All: allAndKernel, Size: rowSize,
		PID: pidAt, Parent: 112, User: 128, Nice: 307, Command: 312, Valid: 400, Start: 408, StartWide: true, StartMicros: 416, CPU: 592,
		Members: []sysctl.Member{
			{Field: platform.ProcessMemoryRSS, At: 384, Kind: sysctl.Pages32},
			{Field: platform.ProcessMemoryText, At: textAt, Kind: sysctl.Pages32},
			{Field: platform.ProcessCPUUser, At: 420, Kind: sysctl.Micros},
			{Field: platform.ProcessCPUSystem, At: 428, Kind: sysctl.Micros},
			{Field: platform.ProcessMemoryPeak, At: 440, Kind: sysctl.Kilobytes},
			{Field: platform.ProcessFaultsMinor, At: 472},
			{Field: platform.ProcessFaultsMajor, At: 480},
			{Field: platform.ProcessDiskReads, At: 496},
			{Field: platform.ProcessDiskWrites, At: 504},
			{Field: platform.ProcessSwitchesVoluntary, At: 536},
			{Field: platform.ProcessSwitchesInvoluntary, At: 544},
			{Field: platform.ProcessMemoryVirtual, At: textAt, Kind: sysctl.Segments},
			{Field: platform.ProcessAddressSpace, At: 600},
		},
	}
}

// Operations of kern.proc: everybody, the kernel's own processes among them, and each
// thread in a row behind that of its process.
const (
	allAndKernel = 7 // KERN_PROC_KTHREAD
	showThreads  = 0x40000000
	noThread     = 0xffffffff // p_tid of the row of a process
)

// stateOf returns the state of a process: that of the thread that is closest to
// running (sys/proc.h). One that is being made sleeps still.
func stateOf(r sysctl.Row) (platform.State, bool) {
	switch r[statAt] {
	case 2, 7: // SRUN, SONPROC
		return platform.StateRunning, true
	case 1, 3: // SIDL, SSLEEP
		return platform.StateSleeping, true
	case 4: // SSTOP
		return platform.StateStopped, true
	case 5, 6: // SZOMB, SDEAD
		return platform.StateDefunct, true
	}
	return 0, false
}

// countThreads counts the threads of all processes.
func countThreads(p *sysctl.Pass, threads map[uint64]uint64) error {
	b, err := p.AskRecords(rowSize, ctlKern, kernProc, allAndKernel|showThreads, 0)
	if err != nil {
		return err
	}
	whole := sysctl.Each(b, rowSize, func(r sysctl.Row) {
		if r.U32(tidAt) != noThread {
			threads[r.U32(pidAt)]++
		}
	})
	if !whole {
		return sysctl.ErrContent
	}
	return nil
}

// Operations of kern.procargs, and the flag of the kernel's own processes.
const (
	kernProcArgs  = 55
	argsVector    = 1
	argsEnviron   = 3
	flagSystem    = 0x200 // P_SYSTEM
	needsSameUser = "same user or root"
)

// text is a source of a text of kern.procargs. The kernel's own processes have none.
func text(name, needs string, t platform.Text, op int32) sysctl.ProcessSource {
	s := platform.Source{Name: name, Entity: platform.Process, Needs: needs, Cost: 10, Dear: true, Texts: []platform.Text{t}}
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if v.Row.U32(flagsAt)&flagSystem != 0 {
			return nil
		}
		b, err := p.Ask(ctlKern, kernProcArgs, int32(v.Key.ID), op)
		if err != nil {
			return err
		}
		strings, ok := decodeVector(b)
		if !ok {
			return sysctl.ErrContent
		}
		p.Sample().SetText(t, bytes.Clone(strings))
		return nil
	}}
}

// decodeVector reads the strings of kern.procargs: pointers into the reader's memory,
// the last of which is NULL, and behind them the strings that they lead to, one after
// another up to the end (sysctl_proc_args, kern_sysctl.c). A process that has fewer
// than it said leaves a gap between.
func decodeVector(b []byte) (strings []byte, ok bool) {
	count := 0
	for ; ; count++ {
		if len(b) < 8*(count+1) {
			return nil, false
		}
		if layout.U64(b, 8*count) == 0 {
			break
		}
	}
	if count == 0 {
		return []byte{}, true
	}
	if b[len(b)-1] != 0 {
		return nil, false
	}
	// The last string lies as far behind the first one as its pointer says.
	length := layout.U64(b, 8*(count-1)) - layout.U64(b, 0)
	last := bytes.LastIndexByte(b[:len(b)-1], 0) + 1
	start := uint64(last) - length
	if length > uint64(last) || start < uint64(8*(count+1)) {
		return nil, false
	}
	return b[start:], true
}

func arguments() sysctl.ProcessSource {
	return text("kern.procargs argv", "", platform.ProcessArguments, argsVector)
}

func environment() sysctl.ProcessSource {
	return text("kern.procargs env", needsSameUser, platform.ProcessEnvironment, argsEnviron)
}
