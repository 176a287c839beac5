package windows

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/windows/headers"
	"github.com/pidometer/pidometer/platform"
)

// declared are the structures as C lays them out, by the size of a pointer.
var declared = map[int]*headers.Of{8: headers.Wide, 4: headers.Narrow}

// agrees compares offsets of a decoder with a declaration, "" being the size.
func agrees(t *testing.T, s *simkernel.Struct, offsets map[string]int) {
	t.Helper()
	for member, have := range offsets {
		want := s.Size
		if member != "" {
			want = s.Offset(member)
		}
		if have != want {
			t.Errorf("%q of %s is at %#x, declared at %#x", member, s.Name, have, want)
		}
	}
}

// Where decoders look is where the members are that the structures are declared with: what is
// simulated is rendered by the declarations alone.
func TestOffsetsAreDeclared(t *testing.T) {
	for word, h := range declared {
		p, th := processLayouts[word], threadLayouts[word]
		agrees(t, h.Process, map[string]int{
			"": p.size, "NextEntryOffset": p.next, "NumberOfThreads": p.threads, "WorkingSetPrivateSize": p.privateWorkingSet,
			"HardFaultCount": p.hardFaults, "CreateTime": p.create, "UserTime": p.user, "KernelTime": p.kernel, "ImageName": p.nameLength,
			"BasePriority": p.basePriority, "UniqueProcessId": p.pid, "InheritedFromUniqueProcessId": p.parent, "HandleCount": p.handles,
			"SessionId": p.sess, "PeakVirtualSize": p.virtualPeak, "VirtualSize": p.virtual, "PageFaultCount": p.faults,
			"PeakWorkingSetSize": p.workingSetPeak, "WorkingSetSize": p.workingSet, "QuotaPagedPoolUsage": p.pagedPool,
			"QuotaNonPagedPoolUsage": p.nonPagedPool, "PagefileUsage": p.commit, "PeakPagefileUsage": p.commitPeak,
			"ReadOperationCount": p.readOps, "WriteOperationCount": p.writeOps, "OtherOperationCount": p.otherOps,
			"ReadTransferCount": p.readSize, "WriteTransferCount": p.writeSize, "OtherTransferCount": p.othSize,
		})
		agrees(t, h.UnicodeString, map[string]int{"Length": 0, "Buffer": p.nameBuffer - p.nameLength})
		agrees(t, h.Thread, map[string]int{"": th.size, "KernelTime": th.kernel, "UserTime": th.user, "CreateTime": th.create,
			"UniqueThread": th.id, "BasePriority": th.basePriority, "ContextSwitches": th.switches, "ThreadState": th.state, "WaitReason": th.waitReason})
		agrees(t, h.Extension, map[string]int{"BytesRead": extensionReadBytes, "BytesWritten": extensionWriteBytes, "ReadOperationCount": extensionReads,
			"WriteOperationCount": extensionWrites, "ContextSwitches": extensionSwitches, "Flags": extensionSize})
		agrees(t, h.Performance, map[string]int{"PageFaultCount": performanceFaults, "PageReadCount": performanceReads, "PageReadIoCount": performanceReadCalls,
			"DirtyPagesWriteCount": performanceWrites, "ContextSwitches": performanceSwitches, "SystemCalls": performanceCalls, "CcTotalDirtyPages": performanceSize})
		l, r := parametersLayouts[word], regionLayouts[word]
		agrees(t, h.Environment, map[string]int{"ProcessParameters": l.parameters})
		agrees(t, h.Parameters, map[string]int{"": l.size, "CurrentDirectory": l.directory, "CommandLine": l.commandLine, "Environment": l.environment})
		agrees(t, h.Region, map[string]int{"": r.size, "BaseAddress": r.base, "AllocationBase": r.allocation, "RegionSize": r.length,
			"State": r.state, "Protect": r.protection, "Type": r.kind})
		agrees(t, h.Page, map[string]int{"": 2 * word, "VirtualAttributes": word})
		agrees(t, h.Groups, map[string]int{"ActiveGroupCount": groupsActive, "GroupInfo": groupsFirst})
		agrees(t, h.Group, map[string]int{"": groupMask + word, "ActiveProcessorMask": groupMask})
		agrees(t, h.Handle, map[string]int{"": 3*word + handleNumbers, "UniqueProcessId": word, "HandleValue": 2 * word})
		agrees(t, h.Handles, map[string]int{"NumberOfHandles": 0, "Handles": 2 * word})
	}
}

// Likewise what has no pointer in it.
func TestOffsetsAreDeclaredAlike(t *testing.T) {
	for _, h := range declared {
		agrees(t, h.Interfaces, map[string]int{"NumEntries": 0, "Table": ifTableRows})
		agrees(t, h.Interface, map[string]int{
			"": ifRowSize, "InterfaceIndex": ifRowIndex, "Alias": ifRowAlias, "Description": ifRowAliasEnd, "PhysicalAddressLength": ifRowMACLength,
			"PhysicalAddress": ifRowMAC, "PermanentPhysicalAddress": ifRowMAC + ifRowMACMost, "Mtu": ifRowMTU, "Type": ifRowType,
			"InterfaceAndOperStatusFlags": ifRowFlags, "OperStatus": ifRowOper, "AdminStatus": ifRowAdmin, "TransmitLinkSpeed": ifRowSpeed,
		})
		for i, names := range [...][]string{{"InOctets"}, {"InUcastPkts", "InNUcastPkts"}, {"InDiscards"}, {"InErrors"},
			{"OutOctets"}, {"OutUcastPkts", "OutNUcastPkts"}, {"OutDiscards"}, {"OutErrors"}} {
			for n, name := range names {
				agrees(t, h.Interface, map[string]int{name: ifCounters[i].at[n]})
			}
		}
		for table, s := range [socketTables]*simkernel.Struct{TCP4: h.TCP4, TCP6: h.TCP6, UDP4: h.UDP4, UDP6: h.UDP6} {
			socketAgrees(t, s, &socketRows[table])
		}
		for _, c := range []struct {
			s       *simkernel.Struct
			size    int
			names   []string
			members []member
		}{
			{h.TCPStatistics, tcpStatisticsSize, []string{"dwActiveOpens", "dwPassiveOpens", "dwAttemptFails", "dwEstabResets", "dwInSegs",
				"dwOutSegs", "dwRetransSegs", "dwInErrs"}, tcpStatistics[:]},
			{h.UDPStatistics, udpStatisticsSize, []string{"dwInDatagrams", "dwInErrors", "dwOutDatagrams"}, udp4Statistics[:]},
			{h.UDPStatistics, udpStatisticsSize, []string{"dwInDatagrams", "dwInErrors", "dwOutDatagrams"}, udp6Statistics[:]},
			{h.IPStatistics, ipStatisticsSize, []string{"dwInReceives", "dwOutRequests"}, ip4Statistics[:]},
			{h.IPStatistics, ipStatisticsSize, []string{"dwInReceives", "dwOutRequests"}, ip6Statistics[:]},
		} {
			agrees(t, c.s, map[string]int{"": c.size})
			for i, m := range c.members {
				agrees(t, c.s, map[string]int{c.names[i]: m.at})
			}
		}
		agrees(t, h.ServiceStatus, map[string]int{"": serviceStatus, "dwCurrentState": serviceState, "dwWin32ExitCode": serviceExit,
			"dwServiceSpecificExitCode": serviceSpecific, "dwProcessId": serviceProcess})
		agrees(t, h.PowerStatus, map[string]int{"": powerStatusSize, "ACLineStatus": powerLine, "BatteryFlag": powerFlags,
			"BatteryLifePercent": powerPercent, "BatteryLifeTime": powerSeconds})
		agrees(t, h.Disk, map[string]int{"IdleTime": diskIdle, "QueueDepth": diskPending})
		agrees(t, h.Processor, map[string]int{"": processorSize})
		agrees(t, h.Interrupts, map[string]int{"": interruptSize, "DpcCount": interruptDeferred})
		agrees(t, h.ProcessorPower, map[string]int{"": powerSize})
		agrees(t, h.Times, map[string]int{"": timesSize})
	}
}

func socketAgrees(t *testing.T, s *simkernel.Struct, row *socketRow) {
	t.Helper()
	local := "dwLocalAddr"
	if row.address == 16 {
		local = "ucLocalAddr"
	}
	agrees(t, s, map[string]int{"": row.size, local: row.local, "dwLocalPort": row.localPort, "dwOwningPid": row.pid})
	if row.state < 0 {
		return
	}
	agrees(t, s, map[string]int{"dwState": row.state, "dwRemotePort": row.remotePort, map[int]string{4: "dwRemoteAddr", 16: "ucRemoteAddr"}[row.address]: row.remote})
}

// written renders a structure with a number in each of some members, from 1.
func written(s *simkernel.Struct, members ...string) []byte {
	b := make([]byte, s.Size)
	for i, m := range members {
		s.Put(b, m, uint64(i+1))
	}
	return b
}

// Decoders that have no table of offsets read what is written by the declarations.
func TestDeclaredIsDecoded(t *testing.T) {
	for word, h := range declared {
		processors := decodeProcessors(written(h.Processor, "IdleTime", "KernelTime", "UserTime", "DpcTime", "InterruptTime", "InterruptCount"), 7, nil)
		if want := (processor{7, 1, 2, 3, 4, 5, 6}); len(processors) != 1 || processors[0] != want {
			t.Errorf("%v, want %v", processors, want)
		}
		m, ok := decodeMemory(written(h.Memory, "PageSize", "PhysicalAvailable", "PhysicalTotal", "CommitTotal", "CommitLimit"), word)
		if want := (memory{total: 3, available: 2, committed: 4, limit: 5}); !ok || m != want {
			t.Errorf("%v, want %v", m, want)
		}
		p, ok := decodeBasic(written(h.Basic, "ExitStatus", "PebBaseAddress", "AffinityMask"), word)
		if want := (basic{1, 2, 3}); !ok || p != want {
			t.Errorf("%v, want %v", p, want)
		}
		create, exit, ok := decodeTimes(written(h.Times, "CreateTime", "ExitTime"))
		if !ok || create != 1 || exit != 2 {
			t.Errorf("%d, %d", create, exit)
		}
		nominal, mhz, ok := decodePower(append(written(h.ProcessorPower), written(h.ProcessorPower, "Number", "MaxMhz", "CurrentMhz")...), 1)
		if !ok || nominal != 2 || mhz != 3 {
			t.Errorf("%d, %d MHz", nominal, mhz)
		}
		if size, ok := decodeGeometry(written(h.Geometry, "DiskSize")); !ok || size != 1 {
			t.Errorf("%d bytes", size)
		}
		if count, ok := decodeDiskCount(written(h.Devices, "NumberOfDisks")); !ok || count != 1 {
			t.Errorf("%d disks", count)
		}
		var file pageFile
		decodePageFiles(written(h.PageFile, "TotalSize", "TotalInUse"), 0, word, func(f pageFile) bool { file = f; return true })
		if file.total != 1 || file.used != 2 {
			t.Errorf("%v", file)
		}
		bootIsDeclared(t, h)
		diskIsDeclared(t, h)
	}
}

func bootIsDeclared(t *testing.T, h *headers.Of) {
	t.Helper()
	b := make([]byte, h.TimeOfDay.Size)
	h.TimeOfDay.Put(b, "BootTime", noon)
	h.TimeOfDay.Put(b, "CurrentTime", noon+1)
	if started, ok := decodeBootTime(b); !ok || started != noon {
		t.Errorf("started at %d, want %d", started, uint64(noon))
	}
	h.TimeOfDay.Put(b, "CurrentTime", noon-1)
	if _, ok := decodeBootTime(b); ok {
		t.Error("a boot that is to come")
	}
}

func diskIsDeclared(t *testing.T, h *headers.Of) {
	t.Helper()
	var s platform.Sample
	s.Reset(platform.Disk, platform.Key{})
	if !decodeDisk(written(h.Disk, "BytesRead", "BytesWritten", "ReadTime", "WriteTime", "IdleTime", "ReadCount", "WriteCount", "QueueDepth"), 1000, &s) {
		t.Fatal("no disk")
	}
	for f, want := range map[platform.Field]uint64{platform.DiskReadBytes: 1, platform.DiskWriteBytes: 2, platform.DiskReadTime: 300, platform.DiskWriteTime: 400,
		platform.DiskIOTime: 500, platform.DiskReads: 6, platform.DiskWrites: 7, platform.DiskPending: 8} {
		if got, _ := s.Get(f); got != want {
			t.Errorf("%v is %d, want %d", f, got, want)
		}
	}
}
