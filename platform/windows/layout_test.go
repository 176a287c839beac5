//go:build !windows

// The layouts are the same wherever they are compared, and Wine has no go command.

package windows

import (
	"go/constant"
	"go/types"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

var wordBytes = map[string]int{"amd64": 8, "arm64": 8, "386": 4}

// The offsets are those of golang.org/x/sys/windows, where it has the structure.
func TestLayouts(t *testing.T) {
	for goarch, word := range wordBytes {
		p := simkernel.XSysWindows(t, goarch)
		process := simkernel.OffsetsIn(t, p, "SYSTEM_PROCESS_INFORMATION", goarch)
		name := simkernel.OffsetsIn(t, p, "NTUnicodeString", goarch)
		l := processLayouts[word]
		for member, have := range map[string]int{
			"": l.size, "NextEntryOffset": l.next, "NumberOfThreads": l.threads, "WorkingSetPrivateSize": l.privateWorkingSet,
			"HardFaultCount": l.hardFaults, "CreateTime": l.create, "UserTime": l.user, "KernelTime": l.kernel,
			"ImageName": l.nameLength, "BasePriority": l.basePriority, "UniqueProcessID": l.pid,
			"InheritedFromUniqueProcessID": l.parent, "HandleCount": l.handles, "SessionID": l.sess,
			"PeakVirtualSize": l.virtualPeak, "VirtualSize": l.virtual, "PageFaultCount": l.faults,
			"PeakWorkingSetSize": l.workingSetPeak, "WorkingSetSize": l.workingSet, "QuotaPagedPoolUsage": l.pagedPool,
			"QuotaNonPagedPoolUsage": l.nonPagedPool, "PagefileUsage": l.commit, "PeakPagefileUsage": l.commitPeak,
			"ReadOperationCount": l.readOps, "WriteOperationCount": l.writeOps, "OtherOperationCount": l.otherOps,
			"ReadTransferCount": l.readSize, "WriteTransferCount": l.writeSize, "OtherTransferCount": l.othSize,
		} {
			if want := process[member]; have != want {
				t.Errorf("%s: %q is at %#x, x/sys has it at %#x", goarch, member, have, want)
			}
		}
		if have := l.nameBuffer - l.nameLength; have != name["Buffer"] {
			t.Errorf("%s: the name's characters are at %d, x/sys has them at %d", goarch, have, name["Buffer"])
		}
		checkInterfaceLayout(t, simkernel.OffsetsIn(t, p, "MibIfRow2", goarch), simkernel.OffsetsIn(t, p, "MibIfTable2", goarch), goarch)
		checkParametersLayout(t, p, goarch)
		checkMemoryLayout(t, p, goarch)
		checkAddressLayout(t, simkernel.OffsetsIn(t, p, "MibUnicastIpAddressRow", goarch), goarch)
		checkServiceLayout(t, p, goarch)
	}
}

func checkInterfaceLayout(t *testing.T, row, table map[string]int, goarch string) {
	for member, have := range map[string]int{
		"": ifRowSize, "InterfaceIndex": ifRowIndex, "Alias": ifRowAlias, "Description": ifRowAliasEnd, "PhysicalAddress": ifRowMAC,
		"Mtu": ifRowMTU, "Type": ifRowType, "InterfaceAndOperStatusFlags": ifRowFlags, "OperStatus": ifRowOper,
		"AdminStatus": ifRowAdmin, "TransmitLinkSpeed": ifRowSpeed,
		"InOctets": ifCounters[0].at[0], "InUcastPkts": ifCounters[1].at[0], "InNUcastPkts": ifCounters[1].at[1],
		"InDiscards": ifCounters[2].at[0], "InErrors": ifCounters[3].at[0], "OutOctets": ifCounters[4].at[0],
		"OutUcastPkts": ifCounters[5].at[0], "OutNUcastPkts": ifCounters[5].at[1], "OutDiscards": ifCounters[6].at[0],
		"OutErrors": ifCounters[7].at[0],
	} {
		if want := row[member]; have != want && goarch != "386" { // where Go aligns 64 bits to 4 bytes and C to 8
			t.Errorf("%s: %q of an interface is at %d, x/sys has it at %d", goarch, member, have, want)
		}
	}
	if goarch != "386" && ifTableRows != table["Table"] {
		t.Errorf("rows begin at %d, in x/sys at %d", ifTableRows, table["Table"])
	}
}

func checkAddressLayout(t *testing.T, row map[string]int, goarch string) {
	for member, have := range map[string]int{"": addressSize, "InterfaceIndex": addressIndex, "OnLinkPrefixLength": addressPrefix} {
		if want := row[member]; have != want && goarch != "386" {
			t.Errorf("%s: %q of an address is at %d, x/sys has it at %d", goarch, member, have, want)
		}
	}
}

func checkMemoryLayout(t *testing.T, p *types.Package, goarch string) {
	word := wordBytes[goarch]
	if goarch == "386" {
		return // winnt.h has PartitionId for 64 bits only, and psapi.h attributes as wide as a pointer; x/sys has both as they are there
	}
	l, have := regionLayouts[word], simkernel.OffsetsIn(t, p, "MemoryBasicInformation", goarch)
	for member, at := range map[string]int{"": l.size, "BaseAddress": l.base, "AllocationBase": l.allocation, "RegionSize": l.length,
		"State": l.state, "Protect": l.protection, "Type": l.kind} {
		if want := have[member]; at != want {
			t.Errorf("%s: %q of a region is at %d, x/sys has it at %d", goarch, member, at, want)
		}
	}
	page := simkernel.OffsetsIn(t, p, "PSAPI_WORKING_SET_EX_INFORMATION", goarch)
	if page[""] != 2*word || page["VirtualAttributes"] != word {
		t.Errorf("%s: a page has %d bytes, its attributes are at %d", goarch, page[""], page["VirtualAttributes"])
	}
	for name, want := range map[string]uint64{"MEM_COMMIT": memoryCommitted, "PAGE_READWRITE": pageReadWrite, "PAGE_EXECUTE_WRITECOPY": pageExecuteWriteCopy} {
		c, ok := p.Scope().Lookup(name).(*types.Const)
		if !ok {
			t.Fatalf("x/sys has no %s", name)
		}
		if v, _ := constant.Uint64Val(c.Val()); v != want {
			t.Errorf("%s is %#x, in x/sys %#x", name, want, v)
		}
	}
}

func checkServiceLayout(t *testing.T, p *types.Package, goarch string) {
	word := wordBytes[goarch]
	first := configNumbers + -configNumbers&(word-1)
	row := simkernel.OffsetsIn(t, p, "ENUM_SERVICE_STATUS_PROCESS", goarch)
	state := simkernel.OffsetsIn(t, p, "SERVICE_STATUS_PROCESS", goarch)
	config := simkernel.OffsetsIn(t, p, "QUERY_SERVICE_CONFIG", goarch)
	for what, x := range map[string][2]int{
		"state": {serviceState, state["CurrentState"]}, "exit": {serviceExit, state["Win32ExitCode"]},
		"specific": {serviceSpecific, state["ServiceSpecificExitCode"]}, "process": {serviceProcess, state["ProcessId"]},
		"status": {serviceStatus, state[""]}, "status of a row": {2 * word, row["ServiceStatusProcess"]},
		"row":   {2*word + serviceStatus + -(2*word+serviceStatus)&(word-1), row[""]},
		"start": {configStart, config["StartType"]}, "path": {first + configPath*word, config["BinaryPathName"]},
		"account": {first + configOwner*word, config["ServiceStartName"]}, "config": {first + configWords*word, config[""]},
		"description": {word, simkernel.OffsetsIn(t, p, "SERVICE_DESCRIPTION", goarch)[""]},
		"delayed":     {4, simkernel.OffsetsIn(t, p, "SERVICE_DELAYED_AUTO_START_INFO", goarch)[""]},
	} {
		if x[0] != x[1] {
			t.Errorf("%s: %s of a service is at %d, in x/sys at %d", goarch, what, x[0], x[1])
		}
	}
}

func checkParametersLayout(t *testing.T, p *types.Package, goarch string) {
	l := parametersLayouts[wordBytes[goarch]]
	peb := simkernel.OffsetsIn(t, p, "PEB", goarch)
	parameters := simkernel.OffsetsIn(t, p, "RTL_USER_PROCESS_PARAMETERS", goarch)
	for what, x := range map[string][2]int{
		"ProcessParameters": {l.parameters, peb["ProcessParameters"]},
		"CommandLine":       {l.commandLine, parameters["CommandLine"]},
		"CurrentDirectory":  {l.directory, parameters["CurrentDirectory"]},
		"Environment":       {l.environment, parameters["Environment"]},
	} {
		if x[0] != x[1] {
			t.Errorf("%s: %s is at %#x, in x/sys at %#x", goarch, what, x[0], x[1])
		}
	}
}

// What x/sys lacks is held to the sums of its members, in the order of ntexapi.h of
// the System Informer project: four times, and 70 counts up to SystemCalls.
func TestPerformanceLayout(t *testing.T) {
	const times, counts = 4, 70 // of SYSTEM_PERFORMANCE_INFORMATION up to SystemCalls
	if performanceSize != times*8+counts*4 || performanceSwitches != performanceSize-4*4 {
		t.Errorf("%d bytes, the switches at %d", performanceSize, performanceSwitches)
	}
	order := strings.Fields(`IoReadOperationCount IoWriteOperationCount IoOtherOperationCount AvailablePages CommittedPages
		CommitLimit PeakCommitment PageFaultCount CopyOnWriteCount TransitionCount CacheTransitionCount DemandZeroCount
		PageReadCount PageReadIoCount CacheReadCount CacheIoCount DirtyPagesWriteCount`)
	at := map[string]int{}
	for i, name := range order {
		at[name] = times*8 + i*4
	}
	for name, have := range map[string]int{"PageFaultCount": performanceFaults, "PageReadCount": performanceReads,
		"PageReadIoCount": performanceReadCalls, "DirtyPagesWriteCount": performanceWrites} {
		if have != at[name] {
			t.Errorf("%s is at %d, want %d", name, have, at[name])
		}
	}
}
