package windows

import "github.com/pidometer/pidometer/platform"

// The sources of a process, in the order in which they are listed and read.
const (
	fromProcesses = iota
	fromThreads
	fromProcessDisk
	fromImage
	fromOwner
	fromCommandLine
	fromEnvironment
	fromAffinity
	fromUnique
	fromSockets
	numProcessSources
)

// allProcessSources is the set of all of them.
const allProcessSources = platform.SourceSet(1<<numProcessSources - 1)

// processReads reads each source but the table of processes into the sample.
var processReads = [numProcessSources]func(*reader, *visit) error{
	fromThreads:     (*reader).readThreads,
	fromProcessDisk: (*reader).readDisk,
	fromImage:       (*reader).readImage,
	fromOwner:       (*reader).readOwner,
	fromCommandLine: (*reader).readCommandLine,
	fromEnvironment: (*reader).readEnvironment,
	fromAffinity:    (*reader).readAffinity,
	fromUnique:      (*reader).readUnique,
	fromSockets:     (*reader).readSockets,
}

// What opening a process takes. Its own account always may, another one's takes an
// elevated administrator, and processes that are protected let nobody ask for their
// memory, neither what is in it nor how it is laid out.
const (
	limitedRight = "same account or administrator"
	memoryRight  = "same account or administrator; not of protected processes"
)

// processSources describes them.
func processSources() []platform.Source {
	sources := []platform.Source{
		fromProcesses: {Name: "SystemProcessInformation", Cost: 1, Clock: true, Gives: givenByProcesses(),
			Texts: []platform.Text{platform.ProcessCommand}},
		// Of the same call: it costs no other, but memory for each thread.
		fromThreads: {Name: "SystemProcessInformation, threads", Cost: 1, Dear: true,
			Gives: []platform.Given{{Field: platform.ProcessSwitches}}},
		// Likewise, since Windows 10 version 1709, to programs as wide as the kernel.
		fromProcessDisk: {Name: "SystemProcessInformation, extension", Cost: 1,
			Gives: exactly(platform.ProcessDiskReadBytes, platform.ProcessDiskWriteBytes, platform.ProcessDiskReads, platform.ProcessDiskWrites)},
		fromImage: {Name: "ProcessImageFileNameWin32, SystemProcessIdInformation", Cost: 20, Dear: true,
			Texts: []platform.Text{platform.ProcessExecutable}},
		fromOwner: {Name: "TokenUser", Needs: limitedRight, Cost: 50, Dear: true,
			Texts: []platform.Text{platform.ProcessOwner}},
		fromCommandLine: {Name: "ProcessCommandLineInformation", Needs: limitedRight, Cost: 20, Dear: true,
			Texts: []platform.Text{platform.ProcessArguments}},
		fromEnvironment: {Name: "RTL_USER_PROCESS_PARAMETERS", Needs: memoryRight, Cost: 50, Dear: true,
			Texts: []platform.Text{platform.ProcessEnvironment}},
		fromAffinity: {Name: "ProcessBasicInformation", Needs: limitedRight, Cost: 15, Dear: true,
			Gives: exactly(platform.ProcessCPUAllowed)},
		fromUnique: {Name: "QueryWorkingSetEx", Needs: memoryRight, Cost: 5000, Dear: true,
			Gives: exactly(platform.ProcessMemoryUSS)},
		// One call for each table, which tells of all processes.
		fromSockets: {Name: "GetExtendedTcpTable, GetExtendedUdpTable", Cost: 1,
			Gives: exactly(append(platform.ProcessTCPFields(), platform.ProcessUDP)...)},
	}
	for i := range sources {
		sources[i].Entity = platform.Process
	}
	return sources
}

// exactly declares fields of 64 bits that are exact.
func exactly(fields ...platform.Field) (gives []platform.Given) {
	for _, f := range fields {
		gives = append(gives, platform.Given{Field: f})
	}
	return gives
}

// givenByProcesses: times and I/O are LARGE_INTEGER, faults are ULONG.
func givenByProcesses() []platform.Given {
	return append([]platform.Given{
		{Field: platform.ProcessCPUUser, Step: tickNanos},
		{Field: platform.ProcessCPUSystem, Step: tickNanos},
		{Field: platform.ProcessFaultsMinor, Bits: 32},
		{Field: platform.ProcessFaultsMajor, Bits: 32},
	}, exactly(platform.ProcessTransferRead, platform.ProcessTransferWrite, platform.ProcessTransferReads, platform.ProcessTransferWrites,
		platform.ProcessOtherBytes, platform.ProcessOtherOperations,
		platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual, platform.ProcessPrivateSet,
		platform.ProcessAddressSpace, platform.ProcessAddressPeak,
		platform.ProcessWorkingSetPeak, platform.ProcessCommitPeak, platform.ProcessPoolPaged, platform.ProcessPoolNonPaged,
		platform.ProcessThreads, platform.ProcessHandles, platform.ProcessUptime, platform.ProcessParent,
		platform.ProcessState, platform.ProcessRunning, platform.ProcessSleeping, platform.ProcessStopped,
		platform.ProcessDefunct)...)
}
