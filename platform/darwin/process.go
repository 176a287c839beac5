package darwin

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct kinfo_proc (sys/sysctl.h, sys/proc.h; KinfoProc of
// golang.org/x/sys/unix), and the values of p_stat that are more than "lives".
const (
	rowSize = 648
	statAt  = 36

	statIdle    = 1 // SIDL: being made
	statRun     = 2 // SRUN: all that live
	statSleep   = 3 // SSLEEP: not in use
	statStopped = 4
	statZombie  = 5
)

// table is struct kinfo_proc. Most of its members are always 0 (fill_user64_externproc in
// bsd/kern/kern_sysctl.c of XNU 11417).
func table() sysctl.Table {
	return sysctl.Table{
		Name: "kern.proc", MIB: kernProc, All: 0, Size: rowSize, Fixed: true, Stateless: true,
		PID: 40, Parent: 560, User: 420, Nice: 242, NiceSigned: true, Command: 243,
		Start: 0, StartWide: true, StartMicros: 8,
	}
}

// stateOf returns the state of a process as far as its row tells: of those that live the
// threads tell.
func stateOf(r sysctl.Row) (platform.State, bool) {
	switch r[statAt] {
	case statIdle, statSleep:
		return platform.StateSleeping, true
	case statStopped:
		return platform.StateStopped, true
	case statZombie:
		return platform.StateDefunct, true
	}
	return 0, false
}

// Calls and flavors of proc_info(2) (sys/proc_info.h, sys/proc_info_private.h).
const (
	callPidInfo = 2
	callRusage  = 9

	flavorFiles  = 1 // PROC_PIDLISTFDS
	flavorTask   = 4 // PROC_PIDTASKINFO
	flavorRegion = 7 // PROC_PIDREGIONINFO
	flavorPath   = 11
	flavorUsage  = 2 // RUSAGE_INFO_V2
)

const needsSameUser = "same user or root"

// struct proc_taskinfo (sys/proc_info.h).
const (
	taskSize     = 96
	taskVirtual  = 0
	taskResident = 8
	taskUser     = 16 // Mach's absolute time, of threads that have ended too
	taskSystem   = 24
	taskFaults   = 52
	taskPageIns  = 56
	taskSwitches = 80
	taskThreads  = 84
	taskRunning  = 88
)

// task is what the threads of a process are and do, and with it whether it runs.
func (m *machine) task() sysctl.ProcessSource {
	s := sysctl.Level("proc_info PROC_PIDTASKINFO", platform.Process, 2, platform.ProcessCPUUser, platform.ProcessCPUSystem,
		platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual, platform.ProcessThreads)
	s.Needs = needsSameUser
	for _, f := range [...]platform.Field{platform.ProcessFaultsMinor, platform.ProcessFaultsMajor, platform.ProcessSwitches} {
		s.Gives = append(s.Gives, platform.Given{Field: f, Bits: 32})
	}
	s.Gives = append(s.Gives, sysctl.StateGives...)
	return sysctl.ProcessSource{Source: s, Dead: true, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if v.Known {
			sysctl.SetState(p.Sample(), v.State)
		}
		if v.State == platform.StateDefunct {
			return nil
		}
		b, err := m.info(v.Key.ID, callPidInfo, flavorTask, 0, taskSize)
		if err != nil {
			return err
		}
		if running := m.setTask(p.Sample(), b); !v.Known {
			sysctl.SetState(p.Sample(), running)
		}
		return nil
	}}
}

// info reads a structure of a process, all of it. It is lent until the next one.
func (m *machine) info(pid uint64, call, flavor int32, arg uint64, size int) (sysctl.Row, error) {
	b := m.room[:size]
	clear(b)
	n, err := m.kernel.ProcInfo(call, int32(pid), flavor, arg, b)
	if err == nil && n < size && call != callRusage { // which tells no length: it is that of the flavor
		err = sysctl.ErrContent
	}
	return b, err
}

// setTask sets what a struct proc_taskinfo tells, and returns the state of a process that
// is not stopped.
func (m *machine) setTask(s *platform.Sample, b sysctl.Row) platform.State {
	s.Set(platform.ProcessCPUUser, m.nanoseconds(b.U64(taskUser)))
	s.Set(platform.ProcessCPUSystem, m.nanoseconds(b.U64(taskSystem)))
	s.Set(platform.ProcessMemoryRSS, b.U64(taskResident))
	s.Set(platform.ProcessMemoryVirtual, b.U64(taskVirtual))
	s.Set(platform.ProcessThreads, b.U32(taskThreads))
	s.Set(platform.ProcessFaultsMajor, b.U32(taskPageIns))
	s.Set(platform.ProcessFaultsMinor, uint64(uint32(b.U32(taskFaults)-b.U32(taskPageIns))))
	s.Set(platform.ProcessSwitches, b.U32(taskSwitches))
	if b.U32(taskRunning) > 0 {
		return platform.StateRunning
	}
	return platform.StateSleeping
}

// struct rusage_info_v2 (sys/resource.h), since macOS 10.10.
const (
	usageSize        = 160
	usageChildUser   = 96 // Mach's absolute time
	usageChildSystem = 104
	usageRead        = 144
	usageWritten     = 152
)

// usage is the bytes that a process moved from and to disks, and the CPU time of its
// children that have ended.
func (m *machine) usage() sysctl.ProcessSource {
	s := sysctl.Level("proc_info RUSAGE_INFO_V2", platform.Process, 2, platform.ProcessDiskReadBytes, platform.ProcessDiskWriteBytes,
		platform.ProcessChildCPUUser, platform.ProcessChildCPUSystem)
	s.Needs = needsSameUser
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		b, err := m.info(v.Key.ID, callRusage, flavorUsage, 0, usageSize)
		if err == nil {
			m.setUsage(p.Sample(), b)
		}
		return err
	}}
}

func (m *machine) setUsage(s *platform.Sample, b sysctl.Row) {
	s.Set(platform.ProcessDiskReadBytes, b.U64(usageRead))
	s.Set(platform.ProcessDiskWriteBytes, b.U64(usageWritten))
	s.Set(platform.ProcessChildCPUUser, m.nanoseconds(b.U64(usageChildUser)))
	s.Set(platform.ProcessChildCPUSystem, m.nanoseconds(b.U64(usageChildSystem)))
}

// struct proc_fdinfo: a number and a kind, 32 bits each.
const fdSize = 8

// openFiles counts what a process has open.
func (m *machine) openFiles() sysctl.ProcessSource {
	s := sysctl.Level("proc_info PROC_PIDLISTFDS", platform.Process, 4, platform.ProcessOpenFiles)
	s.Needs = needsSameUser
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		b, err := m.files(v.Key.ID)
		if err == nil {
			p.Sample().Set(platform.ProcessOpenFiles, uint64(len(b)/fdSize))
		}
		return err
	}}
}

// files lists what a process has open.
func (m *machine) files(pid uint64) ([]byte, error) { return m.list(pid, flavorFiles, fdSize) }

// list lists what a process has. The kernel fills the buffer and does not say how much did
// not fit.
func (m *machine) list(pid uint64, flavor int32, size int) (list []byte, err error) {
	if m.fds == nil {
		m.fds = make([]byte, 256*fdSize)
	}
	list, m.fds, err = layout.Grow(m.fds, func(buf []byte) (int, error) {
		n, err := m.kernel.ProcInfo(callPidInfo, int32(pid), flavor, 0, buf)
		if err == nil && n > len(buf)-size {
			n = 4 * len(buf)
		}
		return n, err
	})
	return list, err
}

// owner is the name of a process's effective user. /etc/passwd has none of the people.
func (m *machine) owner() sysctl.ProcessSource {
	return sysctl.ProcessSource{Source: platform.Source{Name: "getpwuid", Entity: platform.Process, Cost: 5,
		Texts: []platform.Text{platform.ProcessOwner}}, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		name, err := m.user(v.Row.U32(table().User))
		p.SetText(platform.ProcessOwner, name)
		return err
	}}
}

// mostUsers bounds the names that are kept.
const mostUsers = 4096

// user returns the name of a user, "" for one without. A directory may be far away: each
// is asked for once.
func (m *machine) user(id uint64) (string, error) {
	if name, known := m.users[id]; known {
		return name, nil
	}
	name, err := m.kernel.User(id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if m.users == nil || len(m.users) >= mostUsers {
		m.users = map[uint64]string{}
	}
	m.users[id] = name
	return name, nil
}

// pathRoom is MAXPATHLEN four times (PROC_PIDPATHINFO_MAXSIZE).
const pathRoom = 4096

// executable is the path of the program, of processes of other users too.
func (m *machine) executable() sysctl.ProcessSource {
	s := platform.Source{Name: "proc_info PROC_PIDPATHINFO", Entity: platform.Process, Cost: 10, Dear: true, Texts: []platform.Text{platform.ProcessExecutable}}
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if v.Key.ID == 0 {
			return nil // the kernel
		}
		b := m.room[:pathRoom]
		clear(b)
		_, err := m.kernel.ProcInfo(callPidInfo, int32(v.Key.ID), flavorPath, 0, b)
		if err == nil {
			p.SetText(platform.ProcessExecutable, sysctl.CString(b))
		}
		return err
	}}
}

// text is a source of a text of kern.procargs2.
func (m *machine) text(name string, t platform.Text, of func(arguments, environment []byte) []byte) sysctl.ProcessSource {
	s := platform.Source{Name: name, Entity: platform.Process, Needs: needsSameUser, Cost: 10, Dear: true, Texts: []platform.Text{t}}
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		if v.Key.ID == 0 {
			return nil
		}
		b, err := m.argumentsOf(p, v.Key.ID)
		if err != nil {
			return err
		}
		arguments, environment, ok := decodeArguments(b)
		if !ok {
			return sysctl.ErrContent
		}
		if text := of(arguments, environment); len(text) > 0 {
			p.Sample().SetText(t, append([]byte{}, text...))
		}
		return nil
	}}
}

// arguments are those that the process was given.
func (m *machine) arguments() sysctl.ProcessSource {
	return m.text("kern.procargs2 arguments", platform.ProcessArguments, func(arguments, _ []byte) []byte { return arguments })
}

// environment is what the process was given. The kernel leaves it out where system
// integrity protection guards the program.
func (m *machine) environment() sysctl.ProcessSource {
	return m.text("kern.procargs2 environment", platform.ProcessEnvironment, func(_, environment []byte) []byte { return environment })
}

// mostArguments bounds what kern.argmax says: it is 1 MiB.
const mostArguments = 64 << 20

// argumentsOf reads kern.procargs2. A buffer that is too small gets the end of it, without
// an error (sysctl_procargsx in bsd/kern/kern_sysctl.c), so that there is room for the most.
// The answer for a process of somebody else is EINVAL, as for one that has ended.
func (m *machine) argumentsOf(p *sysctl.Pass, pid uint64) ([]byte, error) {
	if m.args == nil {
		most, err := p.AskNumber(ctlKern, kernArgMax)
		if err != nil {
			return nil, err
		}
		if most == 0 || most > mostArguments {
			return nil, sysctl.ErrContent
		}
		m.args = make([]byte, most)
	}
	n, err := m.kernel.Sysctl([]int32{ctlKern, kernProcArgs2, int32(pid)}, m.args)
	switch {
	case errors.Is(err, fs.ErrInvalid):
		return nil, fs.ErrPermission
	case err != nil:
		return nil, err
	}
	return m.args[:min(n, len(m.args))], nil
}

// decodeArguments reads kern.procargs2: how many arguments there are, the path of the
// program, NUL bytes up to a word, the arguments, and the environment up to an empty string,
// behind which the kernel tells the dynamic linker more.
func decodeArguments(b []byte) (arguments, environment []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	count := int(int32(layout.U32(b, 0)))
	path := bytes.IndexByte(b[4:], 0)
	if path < 0 || count < 0 {
		return nil, nil, false
	}
	rest := bytes.TrimLeft(b[4+path:], "\x00")
	at := 0
	for range count {
		end := bytes.IndexByte(rest[at:], 0)
		if end < 0 {
			return nil, nil, false
		}
		at += end + 1
	}
	return rest[:at:at], nonempty(rest[at:]), true
}

// nonempty returns the strings before the first empty one, each with its NUL byte.
func nonempty(b []byte) []byte {
	at := 0
	for {
		end := bytes.IndexByte(b[at:], 0)
		if end <= 0 {
			return b[:at:at]
		}
		at += end + 1
	}
}

// struct proc_regioninfo (sys/proc_info.h).
const (
	regionSize    = 96
	regionRefs    = 52
	regionShare   = 60
	regionPrivate = 64 // pages
	regionShared  = 68
	regionAddress = 80
	regionLength  = 88

	shareCow, sharePrivate, shareLarge = 1, 2, 8 // SM_COW, SM_PRIVATE, SM_LARGE_PAGE
)

// mostRegions bounds the regions of a process that are looked at.
const mostRegions = 1 << 20

// unique is the memory that would be free if the process ended now, added up over its
// regions, one call for each: those that nobody shares, and of those that are shared until
// somebody writes to them the pages that somebody has.
func (m *machine) unique() sysctl.ProcessSource {
	s := sysctl.Level("proc_info PROC_PIDREGIONINFO", platform.Process, 500, platform.ProcessMemoryUSS)
	s.Dear, s.Needs = true, needsSameUser
	return sysctl.ProcessSource{Source: s, Read: func(p *sysctl.Pass, v *sysctl.Visit) error {
		pages, err := m.uniquePages(v.Key.ID)
		if err == nil {
			p.Sample().Set(platform.ProcessMemoryUSS, pages*p.Page())
		}
		return err
	}}
}

func (m *machine) uniquePages(pid uint64) (pages uint64, err error) {
	err = m.eachRegion(pid, flavorRegion, regionSize, func(r sysctl.Row) { pages += uniqueOf(r) })
	return pages, err
}

// uniqueOf returns the pages of a region that nobody else has.
func uniqueOf(r sysctl.Row) uint64 {
	switch r.U32(regionShare) {
	case sharePrivate, shareLarge:
		return r.U32(regionPrivate) + r.U32(regionShared)
	case shareCow:
		if r.U32(regionRefs) == 1 {
			return r.U32(regionPrivate) + r.U32(regionShared)
		}
		return r.U32(regionPrivate)
	}
	return 0
}
