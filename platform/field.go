package platform

// Field is one integer quantity of one entity, in its base unit: nanoseconds,
// bytes, hertz, thousandths of a degree, hundredths, millionths or a count.
type Field uint16

// The fields, one contiguous block per [Entity]. The table in this file gives
// each one's name, unit and nature; where a kernel reads it from is told by the
// [Source] that gives it.
const (
	HostUptime Field = iota // since boot, suspended time included
	HostCPUUser
	HostCPUNice
	HostCPUSystem
	HostCPUIdle
	HostCPUIowait
	HostCPUInterrupt // hard and soft
	HostCPUSteal
	HostCPULogical  // online logical CPUs
	HostCPUPhysical // cores
	HostMemoryTotal
	HostMemoryUsed // total minus available
	HostMemoryFree
	HostMemoryBuffers
	HostMemoryCached // page cache and reclaimable slab
	HostMemoryAvailable
	HostMemoryShared
	HostSlabReclaimable
	HostSlabUnreclaimable
	HostHugePagesTotal
	HostHugePagesUsed
	HostHugePagesFree
	HostHugePagesReserved
	HostHugePagesSurplus
	HostHugePageSize
	HostFaultsMajor
	HostFaultsMinor
	HostSwapIn  // pages
	HostSwapOut // pages
	HostProcessesCreated
	HostProcessLimit
	HostProcessesRunning // counted by the pass over all processes
	HostProcessesSleeping
	HostProcessesStopped
	HostProcessesDefunct
	HostTCPEstablished
	HostTCPSynSent
	HostTCPSynReceived
	HostTCPFinWait1
	HostTCPFinWait2
	HostTCPTimeWait
	HostTCPClosed
	HostTCPCloseWait
	HostTCPLastAck
	HostTCPListen
	HostTCPClosing
	HostUDP
	HostLoad1  // runnable and uninterruptible tasks, averaged over a minute
	HostLoad5  // over five
	HostLoad15 // over fifteen
	HostContextSwitches
	HostInterrupts     // hard
	HostSoftInterrupts // work that hard interrupts leave for later
	HostTasksRunnable
	HostTasksBlocked // by a disk
	HostMemoryActive
	HostMemoryInactive
	HostMemoryWired     // held in memory by the kernel, or for programs that asked for it
	HostMemoryDirty     // to be written to disk
	HostMemoryWriteback // being written
	HostMemoryCommitted // promised to programs
	HostMemoryCommitLimit
	HostOOMKills
	HostSwapInBytes
	HostSwapOutBytes
	HostFileHandles
	HostFileHandleLimit
	HostSessions // users logged in
	HostConntrack
	HostConntrackLimit
	HostSockets
	HostTCPInUse
	HostTCPOrphaned // no process has them open
	HostTCPTimeWaiting
	HostTCPAllocated
	HostTCPMemory
	HostUDPInUse
	HostUDPMemory
	HostIPv4Received
	HostIPv4Sent
	HostIPv6Received
	HostIPv6Sent
	HostTCPSegmentsReceived
	HostTCPSegmentsSent
	HostTCPRetransmits
	HostTCPErrors
	HostTCPActiveOpens
	HostTCPPassiveOpens
	HostTCPAttemptFails
	HostTCPResets
	HostTCPListenOverflows
	HostTCPListenDrops
	HostUDP4Received
	HostUDP4Sent
	HostUDP4Errors
	HostUDP4ReceiveBufferErrors
	HostUDP4SendBufferErrors
	HostUDP6Received
	HostUDP6Sent
	HostUDP6Errors
	HostUDP6ReceiveBufferErrors
	HostUDP6SendBufferErrors
	HostWindowsCommitted   // promised to programs
	HostWindowsCommitLimit // the most that may be promised
	HostWindowsLoad1       // threads that wait for a CPU, averaged over a minute
	HostWindowsLoad5       // over five
	HostWindowsLoad15      // over fifteen
	HostSystemCalls

	CPUUser
	CPUNice
	CPUSystem
	CPUIdle
	CPUIowait
	CPUInterrupt
	CPUSteal
	CPUFrequency          // as far as is known: live where CPUFrequencyLive is there too, else nominal
	CPUFrequencyLive      // as measured or set just now
	CPUFrequencyNominal   // what the maker promises at any load
	CPUFrequencyMin       // the least that the hardware can
	CPUFrequencyMax       // the most that it can
	CPUFrequencyPolicyMin // the least that the system allows now
	CPUFrequencyPolicyMax // the most

	DiskReadBytes
	DiskWriteBytes
	DiskReads
	DiskWrites
	DiskReadsMerged
	DiskWritesMerged
	DiskReadTime  // sum over requests
	DiskWriteTime // sum over requests
	DiskIOTime    // wall time with a request in flight
	DiskSize
	DiskPending      // requests under way
	DiskWeightedTime // wall time, each moment as often as requests are under way
	DiskDiscards
	DiskDiscardsMerged
	DiskDiscardBytes
	DiskDiscardTime // sum over requests
	DiskFlushes
	DiskFlushTime // sum over requests

	FilesystemTotal
	FilesystemUsed
	FilesystemFree     // to everybody
	FilesystemReserved // free to the superuser alone
	FilesystemInodes
	FilesystemInodesUsed
	FilesystemInodesFree

	NetworkReceiveBytes
	NetworkTransmitBytes
	NetworkReceivePackets
	NetworkTransmitPackets
	NetworkReceiveErrors
	NetworkTransmitErrors
	NetworkReceiveDropped
	NetworkTransmitDropped
	NetworkMTU
	NetworkUp    // 1 if the link is up, 0 if it is down
	NetworkSpeed // of the link, in one direction

	SwapTotal
	SwapUsed
	SwapFree

	LockPosixRead
	LockPosixWrite
	LockFlockRead
	LockFlockWrite
	LockOFDRead
	LockOFDWrite
	LockLeaseRead
	LockLeaseWrite

	PressureSome    // time in which at least one task waited for the resource
	PressureFull    // time in which all tasks that were not idle did
	PressureSome10  // share of the last ten seconds, averaged
	PressureSome60  // of the last minute
	PressureSome300 // of the last five
	PressureFull10
	PressureFull60
	PressureFull300

	NodeMemoryTotal
	NodeMemoryUsed
	NodeMemoryFree
	NodeHits    // allocations made here as intended
	NodeMisses  // made here since the node intended had no room
	NodeForeign // intended for here and made elsewhere

	ContainerUptime
	ContainerCPUUser
	ContainerCPUSystem
	ContainerCPULimit   // quota over period, in millionths of a CPU
	ContainerCPUPeriods // in which it ran under that limit
	ContainerCPUThrottled
	ContainerCPUThrottledTime
	ContainerMemoryUsage
	ContainerMemoryLimit
	ContainerMemoryAvailable  // limit minus working set
	ContainerMemoryRSS        // anonymous
	ContainerMemoryWorkingSet // without file pages not used lately
	ContainerFaultsMajor
	ContainerFaultsMinor
	ContainerOOMKills
	ContainerDiskReadBytes
	ContainerDiskWriteBytes
	ContainerThreads
	ContainerThreadLimit
	ContainerPressureCPUSome // time in which some tasks waited for a CPU
	ContainerPressureCPUFull // in which all did
	ContainerPressureMemorySome
	ContainerPressureMemoryFull
	ContainerPressureIOSome
	ContainerPressureIOFull

	HardwareTemperature // in thousandths of a degree Celsius, as its limits are
	HardwareTemperatureLowCritical
	HardwareTemperatureLowDegraded
	HardwareTemperatureHighDegraded
	HardwareTemperatureHighCritical
	HardwareFanSpeed
	HardwareFanSpeedLowDegraded
	HardwareFanSpeedMax
	HardwareVoltage
	HardwareVoltageLowCritical
	HardwareVoltageLowDegraded
	HardwareVoltageHighDegraded
	HardwareVoltageHighCritical
	HardwarePower             // that a component takes
	HardwareHostPower         // that the machine as a whole takes
	HardwareEnergy            // that a component took
	HardwareHostEnergy        // that the machine as a whole took
	HardwareErrorsCorrected   // of memory
	HardwareErrorsUncorrected // likewise
	HardwareCharge            // of a battery, in millionths of what it holds when full
	HardwareChargeLowDegraded // at which it warns
	HardwareTimeDischarging   // until it is empty, while it is discharged
	HardwareTimeCharging      // until it is full, while it is charged
	HardwareCharging          // one of these four is 1, the others 0
	HardwareDischarging
	HardwareNotCharging // connected to a supply, and neither charged nor full
	HardwareFull
	HardwareOnline // 1 if a supply gives power, 0 if not
	HardwareOK     // one of these three is 1, the others 0
	HardwareDegraded
	HardwareFailed

	ServiceStopped // one of these seven is 1, the others 0
	ServiceStartPending
	ServiceStopPending
	ServiceRunning
	ServiceContinuePending
	ServicePausePending
	ServicePaused
	ServiceProcess // PID of the process that it runs in

	ProcessCPUUser
	ProcessCPUSystem
	ProcessCPUIowait
	ProcessMemoryRSS
	ProcessMemoryVirtual
	ProcessFaultsMinor
	ProcessFaultsMajor
	ProcessThreads
	ProcessOpenFiles
	ProcessDiskReadBytes
	ProcessDiskWriteBytes
	ProcessDiskReads
	ProcessDiskWrites
	ProcessSwitchesVoluntary
	ProcessSwitchesInvoluntary
	ProcessSignalsPending
	ProcessUptime
	ProcessState // a [State]
	ProcessParent
	ProcessUser        // effective user ID
	ProcessCPUAllowed  // CPUs that the affinity mask lets it run on
	ProcessVPID        // its PID in the innermost PID namespace that it is in
	ProcessCPULimit    // the strictest of its control groups', in millionths of a CPU
	ProcessMemoryLimit // likewise
	ProcessRunning     // one of these four is 1, the others 0
	ProcessSleeping
	ProcessStopped
	ProcessDefunct
	ProcessCPUNumber            // the CPU that it ran on last
	ProcessNice                 // from -20, the most favoured, to 19
	ProcessChildCPUUser         // of descendants that ended and were waited for
	ProcessChildCPUSystem       // likewise
	ProcessChildFaultsMinor     // likewise
	ProcessChildFaultsMajor     // likewise
	ProcessMemoryShared         // resident pages of files and of shared memory
	ProcessMemoryText           // address space of code
	ProcessMemoryData           // address space of data and stacks
	ProcessMemoryAnonymous      // part of the resident set without a file behind
	ProcessMemoryFile           // part of the resident set that is in files
	ProcessMemoryShmem          // part of the resident set that is shared memory
	ProcessMemoryHugetlb        // huge pages, which the resident set leaves out
	ProcessMemoryPeak           // the largest resident set that it ever had
	ProcessVirtualPeak          // the largest address space that it ever had
	ProcessMemoryUSS            // what would be free if it ended now
	ProcessMemoryPSS            // resident set, with a page that n processes share counted as 1/n
	ProcessMemorySwap           // swapped out
	ProcessRequestedRead        // by any system call that reads
	ProcessRequestedWrite       // by any that writes
	ProcessFileLimitSoft        // open files that it may have now
	ProcessFileLimitHard        // to which it may raise that
	ProcessIOPriorityNone       // level in the class of I/O priority that it is in: of these four
	ProcessIOPriorityRealtime   // there is one
	ProcessIOPriorityBestEffort // likewise
	ProcessIOPriorityIdle       // likewise
	ProcessChildren             // processes whose parent it is
	ProcessTCPEstablished       // sockets that it has open, by state
	ProcessTCPSynSent
	ProcessTCPSynReceived
	ProcessTCPFinWait1
	ProcessTCPFinWait2
	ProcessTCPTimeWait
	ProcessTCPClosed
	ProcessTCPCloseWait
	ProcessTCPLastAck
	ProcessTCPListen
	ProcessTCPClosing
	ProcessUDP             // sockets that it has open
	ProcessHandles         // of Windows: files, events, threads, registry keys and more
	ProcessSwitches        // voluntary and involuntary, where the kernel counts them as one
	ProcessOtherBytes      // moved by requests to devices that neither read nor write
	ProcessOtherOperations // such requests
	ProcessAddressSpace    // what is only reserved included
	ProcessAddressPeak     // the largest that it ever had
	ProcessTransferRead    // read from files, devices, pipes and sockets alike
	ProcessTransferWrite   // written to them
	ProcessTransferReads   // requests that read
	ProcessTransferWrites  // that write
	ProcessWorkingSetPeak  // the largest working set that it ever had
	ProcessPrivateSet      // the part of the working set that no other process can share
	ProcessCommitPeak      // the most memory that it ever was promised
	ProcessPoolPaged       // kernel memory charged to it that can be paged out
	ProcessPoolNonPaged    // that can not
	numFields
)

// FieldCount is how many fields there are.
const FieldCount = int(numFields)

// FieldInfo describes a field.
type FieldInfo struct {
	Name       string // entity.quantity, as documentation and tests spell it
	Unit       string // base unit: ns, By, Hz, rpm, mCel, mV, uW, uJ, "0/1" for a truth, "1" for a plain number, or "" for a count
	Entity     Entity
	Cumulative bool // counts since the entity began
	Signed     bool // the value is an int64
}

// State is the value of [ProcessState].
type State uint64

// The states, the four that OpenTelemetry's process.state knows.
const (
	StateRunning  State = iota // running or runnable
	StateSleeping              // waiting, idle kernel threads included
	StateStopped               // by a signal or a tracer
	StateDefunct               // ended, not yet waited for
)

// Info returns the description of f.
func (f Field) Info() FieldInfo { return fieldTable[f] }

// String returns the field's name.
func (f Field) String() string {
	if f >= numFields {
		return "unknown"
	}
	return fieldTable[f].Name
}

// blocks holds the first field of each entity, and one past the last of all.
var blocks = func() (first [numEntities + 1]Field) {
	for e := range numEntities {
		for f := range numFields {
			if fieldTable[f].Entity == e {
				first[e] = f
				break
			}
		}
	}
	first[numEntities] = numFields
	return first
}()

// Block returns the first field of e and how many fields e has.
func (e Entity) Block() (first Field, count int) {
	return blocks[e], int(blocks[e+1] - blocks[e])
}
