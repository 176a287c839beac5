package linux

import "github.com/pidometer/pidometer/platform"

// The sources of a process, in the order in which they are listed and read: what
// comes later is truer and replaces the same field of what came before.
const (
	pidStat = iota
	pidStatm
	pidStatus
	pidIO
	pidFD
	pidTask
	pidMaps
	pidLimits
	pidIOPriority
	pidExe
	pidCmdline
	pidEnviron
	pidCgroup
	pidGroupLimits
	pidChildren
	pidSockets
	etcPasswd
	numPidSources
)

// processSources is the set of all of them, and stages those read after stat.
const (
	processSources = platform.SourceSet(1<<numPidSources - 1)
	statAlone      = platform.SourceSet(1 << pidStat)
)

// pidReads reads each source but stat into the sample.
var pidReads = [numPidSources]func(*reader, *visit) error{
	pidStatm:       (*reader).readStatm,
	pidStatus:      (*reader).readStatus,
	pidIO:          (*reader).readIO,
	pidFD:          (*reader).readFD,
	pidTask:        (*reader).readTask,
	pidMaps:        (*reader).readMaps,
	pidLimits:      (*reader).readLimits,
	pidIOPriority:  (*reader).readIOPriority,
	pidExe:         (*reader).readExe,
	pidCmdline:     (*reader).readCmdline,
	pidEnviron:     (*reader).readEnviron,
	pidCgroup:      (*reader).readCgroup,
	pidGroupLimits: (*reader).readGroupLimits,
	pidChildren:    (*reader).readChildren,
	pidSockets:     (*reader).readConnections,
	etcPasswd:      (*reader).readPasswd,
}

const samePrivilege = "same user or CAP_SYS_PTRACE"

// pidSources describes them for a kernel whose unsigned long has word bits. The
// costs were measured on Linux 6.18, x86-64.
func pidSources(word uint8) []platform.Source {
	sources := []platform.Source{
		pidStat: {Name: "/proc/[pid]/stat", Cost: 9, Files: 1, Clock: true, Gives: givenByStat(word)},
		pidStatm: {Name: "/proc/[pid]/statm", Cost: 6, Files: 1, Gives: exactly(platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual,
			platform.ProcessMemoryShared, platform.ProcessMemoryText, platform.ProcessMemoryData)},
		pidStatus: {Name: "/proc/[pid]/status", Cost: 13, Files: 1, Gives: givenByStatus(word)},
		pidIO: {
			Name: "/proc/[pid]/io", Needs: samePrivilege, Cost: 7, Files: 1,
			Gives: exactly(platform.ProcessDiskReadBytes, platform.ProcessDiskWriteBytes, platform.ProcessDiskReads, platform.ProcessDiskWrites,
				platform.ProcessRequestedRead, platform.ProcessRequestedWrite),
		},
		pidFD: {Name: "/proc/[pid]/fd", Cost: 2, Gives: exactly(platform.ProcessOpenFiles)},
		pidTask: {
			Name: "/proc/[pid]/task/[tid]/status", Cost: 40, Files: 3, Dear: true,
			Gives: exactly(platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary),
		},
		pidMaps: {
			// 15 us for each MB in memory.
			Name: "/proc/[pid]/smaps_rollup", Needs: samePrivilege, Cost: 1000, Files: 1, Dear: true,
			Gives: exactly(platform.ProcessMemoryUSS, platform.ProcessMemoryPSS, platform.ProcessMemorySwap),
		},
		pidLimits: {
			Name: "/proc/[pid]/limits", Cost: 10, Files: 1, Dear: true,
			Gives: exactly(platform.ProcessFileLimitSoft, platform.ProcessFileLimitHard),
		},
		pidIOPriority: {
			Name: "ioprio_get", Cost: 2, Dear: true,
			Gives: exactly(platform.ProcessIOPriorityNone, platform.ProcessIOPriorityRealtime,
				platform.ProcessIOPriorityBestEffort, platform.ProcessIOPriorityIdle),
		},
		pidExe:     {Name: "/proc/[pid]/exe", Needs: samePrivilege, Cost: 3, Dear: true},
		pidCmdline: {Name: "/proc/[pid]/cmdline", Cost: 7, Files: 1, Dear: true},
		pidEnviron: {Name: "/proc/[pid]/environ", Needs: samePrivilege, Cost: 7, Files: 1, Dear: true},
		pidCgroup:  {Name: "/proc/[pid]/cgroup", Cost: 7, Files: 1, Dear: true},
		pidGroupLimits: {
			// Of each of some four groups, from its own up.
			Name: "/sys/fs/cgroup/[group]/cpu.max", Cost: 40, Files: 8, Dear: true,
			Gives: exactly(platform.ProcessCPULimit, platform.ProcessMemoryLimit),
		},
		pidChildren: {
			// The stat of every process, once in a pass.
			Name: "/proc/[pid]/stat of all", Cost: 9000, Files: 1, Dear: true,
			Gives: exactly(platform.ProcessChildren),
		},
		pidSockets: {
			// The tables of each network namespace once in a pass, see tcpSource, and the
			// name of each descriptor.
			Name: "/proc/[pid]/net", Needs: samePrivilege, Cost: 20_000, Files: 5, Dear: true,
			Gives: exactly(platform.ProcessTCPEstablished, platform.ProcessTCPSynSent, platform.ProcessTCPSynReceived,
				platform.ProcessTCPFinWait1, platform.ProcessTCPFinWait2, platform.ProcessTCPTimeWait, platform.ProcessTCPClosed,
				platform.ProcessTCPCloseWait, platform.ProcessTCPLastAck, platform.ProcessTCPListen, platform.ProcessTCPClosing,
				platform.ProcessUDP),
		},
		etcPasswd: {Name: "/etc/passwd", Cost: 2, Dear: true, Gives: exactly(platform.ProcessUser)},
	}
	for i := range sources {
		sources[i].Entity = platform.Process
	}
	sources[pidStat].Texts = []platform.Text{platform.ProcessCommand}
	sources[pidExe].Texts = []platform.Text{platform.ProcessExecutable}
	sources[pidCmdline].Texts = []platform.Text{platform.ProcessArguments}
	sources[pidEnviron].Texts = []platform.Text{platform.ProcessEnvironment}
	sources[pidCgroup].Texts = []platform.Text{
		platform.ProcessCgroup, platform.ProcessContainer, platform.ProcessPod, platform.ProcessUnit}
	sources[etcPasswd].Texts = []platform.Text{platform.ProcessOwner}
	return sources
}

// exactly declares fields of 64 bits that are exact.
func exactly(fields ...platform.Field) (gives []platform.Given) {
	for _, f := range fields {
		gives = append(gives, platform.Given{Field: f})
	}
	return gives
}

// givenByStat: times are printed from 64 bits of nanoseconds on every
// architecture, faults from an unsigned long (do_task_stat in fs/proc/array.c).
func givenByStat(word uint8) []platform.Given {
	return append([]platform.Given{
		{Field: platform.ProcessCPUUser, Step: tickNanos},
		{Field: platform.ProcessCPUSystem, Step: tickNanos},
		// Of the first thread only.
		{Field: platform.ProcessCPUIowait, Step: tickNanos, Approximate: true},
		{Field: platform.ProcessChildCPUUser, Step: tickNanos},
		{Field: platform.ProcessChildCPUSystem, Step: tickNanos},
		{Field: platform.ProcessFaultsMinor, Bits: word},
		{Field: platform.ProcessFaultsMajor, Bits: word},
		{Field: platform.ProcessChildFaultsMinor, Bits: word},
		{Field: platform.ProcessChildFaultsMajor, Bits: word},
		// Without what each CPU has counted and not yet handed in: 84 to 324 kB too
		// low for processes of 13 to 218 MB on two CPUs of Linux 6.18.
		{Field: platform.ProcessMemoryRSS, Approximate: true},
	}, exactly(platform.ProcessMemoryVirtual, platform.ProcessThreads, platform.ProcessUptime,
		platform.ProcessState, platform.ProcessRunning, platform.ProcessSleeping, platform.ProcessStopped,
		platform.ProcessDefunct, platform.ProcessParent, platform.ProcessCPUNumber, platform.ProcessNice)...)
}

// givenByStatus: the switches are those of the first thread only, and an unsigned
// long (struct task_struct).
func givenByStatus(word uint8) []platform.Given {
	return append([]platform.Given{
		{Field: platform.ProcessSwitchesVoluntary, Bits: word, Approximate: true},
		{Field: platform.ProcessSwitchesInvoluntary, Bits: word, Approximate: true},
	}, exactly(platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual, platform.ProcessThreads,
		platform.ProcessSignalsPending, platform.ProcessUser, platform.ProcessCPUAllowed, platform.ProcessParent, platform.ProcessVPID,
		platform.ProcessMemoryAnonymous, platform.ProcessMemoryFile, platform.ProcessMemoryShmem,
		platform.ProcessMemoryHugetlb, platform.ProcessMemoryPeak, platform.ProcessVirtualPeak)...)
}
