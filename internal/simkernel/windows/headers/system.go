// Package headers declares the structures that Windows answers with, in the order and of
// the types of Microsoft's headers and of those of the System Informer project (phnt) for what
// Microsoft does not document. No offset stands here: [simkernel.C] lays them out.
package headers

import "github.com/pidometer/pidometer/internal/simkernel"

// Of are the structures as a program with pointers of one size is told them. ULONG, DWORD
// and LONG are 32 bits wide on every Windows, WCHAR is 16, HANDLE is a pointer, SIZE_T,
// ULONG_PTR and KAFFINITY are as wide as one.
type Of struct {
	Word simkernel.Word

	// winternl.h, and ntexapi.h of phnt.
	UnicodeString, Process, Thread, Extension *simkernel.Struct
	Performance, TimeOfDay, Processor         *simkernel.Struct
	Interrupts, PageFile, Devices             *simkernel.Struct
	Handle, Handles                           *simkernel.Struct
	// winnt.h.
	Core, Groups, Group, Region *simkernel.Struct
	// psapi.h.
	Memory, Page *simkernel.Struct
	// ntpsapi.h, ntpebteb.h and ntrtl.h of phnt, the fronts of which are in winternl.h.
	Times, Basic, Environment, Parameters *simkernel.Struct
	// ntpoapi.h of phnt and winbase.h.
	ProcessorPower, PowerStatus *simkernel.Struct
	// netioapi.h, tcpmib.h, udpmib.h and ipmib.h.
	Interface, Interfaces                      *simkernel.Struct
	TCP4, TCP6, UDP4, UDP6                     *simkernel.Struct
	TCPStatistics, UDPStatistics, IPStatistics *simkernel.Struct
	// ntdddisk.h and winsvc.h.
	Disk, Geometry, ServiceStatus, Service *simkernel.Struct
}

// Wide and Narrow are those of 64 and of 32 bits.
var (
	Wide   = of(8)
	Narrow = of(4)
)

func of(w simkernel.Word) *Of {
	h := &Of{Word: w, UnicodeString: w.C("UNICODE_STRING", "uint16 Length, MaximumLength\npointer Buffer")}
	h.processes()
	h.system()
	h.processors()
	h.program()
	h.pages()
	h.network()
	h.sockets()
	h.statistics()
	h.devices()
	return h
}

// processes: ntexapi.h; the front of SYSTEM_PROCESS_INFORMATION is in winternl.h too.
func (h *Of) processes() {
	h.Process = h.Word.C("SYSTEM_PROCESS_INFORMATION", `
		uint32 NextEntryOffset, NumberOfThreads
		int64 WorkingSetPrivateSize
		uint32 HardFaultCount, NumberOfThreadsHighWatermark
		uint64 CycleTime
		int64 CreateTime, UserTime, KernelTime
		UNICODE_STRING ImageName
		int32 BasePriority // KPRIORITY
		pointer UniqueProcessId, InheritedFromUniqueProcessId
		uint32 HandleCount, SessionId
		size UniqueProcessKey, PeakVirtualSize, VirtualSize
		uint32 PageFaultCount
		size PeakWorkingSetSize, WorkingSetSize
		size QuotaPeakPagedPoolUsage, QuotaPagedPoolUsage, QuotaPeakNonPagedPoolUsage, QuotaNonPagedPoolUsage
		size PagefileUsage, PeakPagefileUsage, PrivatePageCount
		int64 ReadOperationCount, WriteOperationCount, OtherOperationCount
		int64 ReadTransferCount, WriteTransferCount, OtherTransferCount`, h.UnicodeString)

	h.Thread = h.Word.C("SYSTEM_THREAD_INFORMATION", `
		int64 KernelTime, UserTime, CreateTime
		uint32 WaitTime
		pointer StartAddress, UniqueProcess, UniqueThread // the last two are CLIENT_ID
		int32 Priority, BasePriority
		uint32 ContextSwitches, ThreadState, WaitReason`)

	energy := h.Word.C("PROCESS_ENERGY_VALUES", `
		uint64 Cycles[8], DiskEnergy, NetworkTailEnergy, MBBTailEnergy, NetworkTxRxBytes, MBBTxRxBytes, Durations[3]
		uint32 CompositionRendered, CompositionDirtyGenerated, CompositionDirtyPropagated, Reserved1
		uint64 AttributedCycles[8], WorkOnBehalfCycles[8]`)
	h.Extension = h.Word.C("SYSTEM_PROCESS_INFORMATION_EXTENSION", `
		uint64 BytesRead, BytesWritten, ReadOperationCount, WriteOperationCount, FlushOperationCount // PROCESS_DISK_COUNTERS
		uint64 ContextSwitches
		uint32 Flags, UserSidOffset, PackageFullNameOffset
		PROCESS_ENERGY_VALUES EnergyValues
		uint32 AppIdOffset
		size SharedCommitCharge
		uint32 JobObjectId, SpareUlong
		uint64 ProcessSequenceNumber`, energy)
}

// system: ntexapi.h.
func (h *Of) system() {
	// Four times, then 70 counts. More follows since Windows 7.
	h.Performance = h.Word.C("SYSTEM_PERFORMANCE_INFORMATION", `
		int64 IdleProcessTime, IoReadTransferCount, IoWriteTransferCount, IoOtherTransferCount
		uint32 IoReadOperationCount, IoWriteOperationCount, IoOtherOperationCount
		uint32 AvailablePages, CommittedPages, CommitLimit, PeakCommitment
		uint32 PageFaultCount, CopyOnWriteCount, TransitionCount, CacheTransitionCount, DemandZeroCount
		uint32 PageReadCount, PageReadIoCount, CacheReadCount, CacheIoCount
		uint32 DirtyPagesWriteCount, DirtyWriteIoCount, MappedPagesWriteCount, MappedWriteIoCount
		uint32 PagedPoolPages, NonPagedPoolPages, PagedPoolAllocs, PagedPoolFrees, NonPagedPoolAllocs, NonPagedPoolFrees
		uint32 FreeSystemPtes, ResidentSystemCodePage, TotalSystemDriverPages, TotalSystemCodePages
		uint32 NonPagedPoolLookasideHits, PagedPoolLookasideHits, AvailablePagedPoolPages
		uint32 ResidentSystemCachePage, ResidentPagedPoolPage, ResidentSystemDriverPage
		uint32 CcFastReadNoWait, CcFastReadWait, CcFastReadResourceMiss, CcFastReadNotPossible
		uint32 CcFastMdlReadNoWait, CcFastMdlReadWait, CcFastMdlReadResourceMiss, CcFastMdlReadNotPossible
		uint32 CcMapDataNoWait, CcMapDataWait, CcMapDataNoWaitMiss, CcMapDataWaitMiss
		uint32 CcPinMappedDataCount, CcPinReadNoWait, CcPinReadWait, CcPinReadNoWaitMiss, CcPinReadWaitMiss
		uint32 CcCopyReadNoWait, CcCopyReadWait, CcCopyReadNoWaitMiss, CcCopyReadWaitMiss
		uint32 CcMdlReadNoWait, CcMdlReadWait, CcMdlReadNoWaitMiss, CcMdlReadWaitMiss
		uint32 CcReadAheadIos, CcLazyWriteIos, CcLazyWritePages, CcDataFlushes, CcDataPages
		uint32 ContextSwitches, FirstLevelTbFills, SecondLevelTbFills, SystemCalls
		uint64 CcTotalDirtyPages, CcDirtyPageThreshold
		int64 ResidentAvailablePages
		uint64 SharedCommittedPages`)

	h.TimeOfDay = h.Word.C("SYSTEM_TIMEOFDAY_INFORMATION", `
		int64 BootTime, CurrentTime, TimeZoneBias
		uint32 TimeZoneId, Reserved
		uint64 BootTimeBias, SleepTimeBias`)

	h.PageFile = h.Word.C("SYSTEM_PAGEFILE_INFORMATION", `
		uint32 NextEntryOffset, TotalSize, TotalInUse, PeakUsage
		UNICODE_STRING PageFileName`, h.UnicodeString)

	h.Devices = h.Word.C("SYSTEM_DEVICE_INFORMATION", "uint32 NumberOfDisks, NumberOfFloppies, NumberOfCdRoms, NumberOfTapes, NumberOfSerialPorts, NumberOfParallelPorts")

	h.Handle = h.Word.C("SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX", `
		pointer Object
		size UniqueProcessId, HandleValue
		uint32 GrantedAccess
		uint16 CreatorBackTraceIndex, ObjectTypeIndex
		uint32 HandleAttributes, Reserved`)
	h.Handles = h.Word.C("SYSTEM_HANDLE_INFORMATION_EX", `
		size NumberOfHandles, Reserved
		SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX Handles[1]`, h.Handle)
}

// processors: ntexapi.h, winnt.h and ntpoapi.h.
func (h *Of) processors() {
	h.Processor = h.Word.C("SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION", `
		int64 IdleTime, KernelTime, UserTime, DpcTime, InterruptTime
		uint32 InterruptCount`)

	h.Interrupts = h.Word.C("SYSTEM_INTERRUPT_INFORMATION", "uint32 ContextSwitches, DpcCount, DpcRate, TimeIncrement, DpcBypassCount, ApcBypassCount")

	affinity := h.Word.C("GROUP_AFFINITY", "size Mask\nuint16 Group, Reserved[3]")
	// SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX of PROCESSOR_RELATIONSHIP, and of
	// GROUP_RELATIONSHIP, behind which the groups are.
	h.Core = h.Word.C("PROCESSOR_RELATIONSHIP", `
		uint32 Relationship, Size
		uint8 Flags, EfficiencyClass, Reserved[20]
		uint16 GroupCount
		GROUP_AFFINITY GroupMask`, affinity)
	h.Group = h.Word.C("PROCESSOR_GROUP_INFO", "uint8 MaximumProcessorCount, ActiveProcessorCount, Reserved[38]\nsize ActiveProcessorMask")
	h.Groups = h.Word.C("GROUP_RELATIONSHIP", `
		uint32 Relationship, Size
		uint16 MaximumGroupCount, ActiveGroupCount
		uint8 Reserved[20]
		PROCESSOR_GROUP_INFO GroupInfo[1]`, h.Group)

	h.ProcessorPower = h.Word.C("PROCESSOR_POWER_INFORMATION", "uint32 Number, MaxMhz, CurrentMhz, MhzLimit, MaxIdleState, CurrentIdleState")
}
