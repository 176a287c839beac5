package platform

// Field is one integer quantity of one entity, in its base unit: nanoseconds,
// bytes, hertz, hundredths or a count.
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

	CPUUser
	CPUNice
	CPUSystem
	CPUIdle
	CPUIowait
	CPUInterrupt
	CPUSteal
	CPUFrequency

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

	FilesystemTotal
	FilesystemUsed
	FilesystemFree     // to everybody
	FilesystemReserved // free to the superuser alone

	NetworkReceiveBytes
	NetworkTransmitBytes
	NetworkReceivePackets
	NetworkTransmitPackets
	NetworkReceiveErrors
	NetworkTransmitErrors
	NetworkReceiveDropped
	NetworkTransmitDropped

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
	ProcessUser       // effective user ID
	ProcessCPUAllowed // CPUs that the affinity mask lets it run on
	numFields
)

// FieldCount is how many fields there are.
const FieldCount = int(numFields)

// FieldInfo describes a field.
type FieldInfo struct {
	Name       string // entity.quantity, as documentation and tests spell it
	Unit       string // base unit: ns, By, Hz, or "" for a count
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

const cumulative, level = true, false

var fieldTable = [numFields]FieldInfo{
	HostUptime:            {"host.uptime", "ns", Host, level, false},
	HostCPUUser:           {"host.cpu.user", "ns", Host, cumulative, false},
	HostCPUNice:           {"host.cpu.nice", "ns", Host, cumulative, false},
	HostCPUSystem:         {"host.cpu.system", "ns", Host, cumulative, false},
	HostCPUIdle:           {"host.cpu.idle", "ns", Host, cumulative, false},
	HostCPUIowait:         {"host.cpu.iowait", "ns", Host, cumulative, false},
	HostCPUInterrupt:      {"host.cpu.interrupt", "ns", Host, cumulative, false},
	HostCPUSteal:          {"host.cpu.steal", "ns", Host, cumulative, false},
	HostCPULogical:        {"host.cpu.logical", "", Host, level, false},
	HostCPUPhysical:       {"host.cpu.physical", "", Host, level, false},
	HostMemoryTotal:       {"host.memory.total", "By", Host, level, false},
	HostMemoryUsed:        {"host.memory.used", "By", Host, level, false},
	HostMemoryFree:        {"host.memory.free", "By", Host, level, false},
	HostMemoryBuffers:     {"host.memory.buffers", "By", Host, level, false},
	HostMemoryCached:      {"host.memory.cached", "By", Host, level, false},
	HostMemoryAvailable:   {"host.memory.available", "By", Host, level, false},
	HostMemoryShared:      {"host.memory.shared", "By", Host, level, false},
	HostSlabReclaimable:   {"host.slab.reclaimable", "By", Host, level, false},
	HostSlabUnreclaimable: {"host.slab.unreclaimable", "By", Host, level, false},
	HostHugePagesTotal:    {"host.hugepages.total", "", Host, level, false},
	HostHugePagesUsed:     {"host.hugepages.used", "", Host, level, false},
	HostHugePagesFree:     {"host.hugepages.free", "", Host, level, false},
	HostHugePagesReserved: {"host.hugepages.reserved", "", Host, level, false},
	HostHugePagesSurplus:  {"host.hugepages.surplus", "", Host, level, false},
	HostHugePageSize:      {"host.hugepages.size", "By", Host, level, false},
	HostFaultsMajor:       {"host.faults.major", "", Host, cumulative, false},
	HostFaultsMinor:       {"host.faults.minor", "", Host, cumulative, false},
	HostSwapIn:            {"host.swap.in", "", Host, cumulative, false},
	HostSwapOut:           {"host.swap.out", "", Host, cumulative, false},
	HostProcessesCreated:  {"host.processes.created", "", Host, cumulative, false},
	HostProcessLimit:      {"host.processes.limit", "", Host, level, false},
	HostProcessesRunning:  {"host.processes.running", "", Host, level, false},
	HostProcessesSleeping: {"host.processes.sleeping", "", Host, level, false},
	HostProcessesStopped:  {"host.processes.stopped", "", Host, level, false},
	HostProcessesDefunct:  {"host.processes.defunct", "", Host, level, false},
	HostTCPEstablished:    {"host.tcp.established", "", Host, level, false},
	HostTCPSynSent:        {"host.tcp.syn_sent", "", Host, level, false},
	HostTCPSynReceived:    {"host.tcp.syn_received", "", Host, level, false},
	HostTCPFinWait1:       {"host.tcp.fin_wait_1", "", Host, level, false},
	HostTCPFinWait2:       {"host.tcp.fin_wait_2", "", Host, level, false},
	HostTCPTimeWait:       {"host.tcp.time_wait", "", Host, level, false},
	HostTCPClosed:         {"host.tcp.closed", "", Host, level, false},
	HostTCPCloseWait:      {"host.tcp.close_wait", "", Host, level, false},
	HostTCPLastAck:        {"host.tcp.last_ack", "", Host, level, false},
	HostTCPListen:         {"host.tcp.listen", "", Host, level, false},
	HostTCPClosing:        {"host.tcp.closing", "", Host, level, false},
	HostUDP:               {"host.udp", "", Host, level, false},
	HostLoad1:             {"host.load.1m", "0.01", Host, level, false},
	HostLoad5:             {"host.load.5m", "0.01", Host, level, false},
	HostLoad15:            {"host.load.15m", "0.01", Host, level, false},

	CPUUser:      {"cpu.user", "ns", CPU, cumulative, false},
	CPUNice:      {"cpu.nice", "ns", CPU, cumulative, false},
	CPUSystem:    {"cpu.system", "ns", CPU, cumulative, false},
	CPUIdle:      {"cpu.idle", "ns", CPU, cumulative, false},
	CPUIowait:    {"cpu.iowait", "ns", CPU, cumulative, false},
	CPUInterrupt: {"cpu.interrupt", "ns", CPU, cumulative, false},
	CPUSteal:     {"cpu.steal", "ns", CPU, cumulative, false},
	CPUFrequency: {"cpu.frequency", "Hz", CPU, level, false},

	DiskReadBytes:    {"disk.read.bytes", "By", Disk, cumulative, false},
	DiskWriteBytes:   {"disk.write.bytes", "By", Disk, cumulative, false},
	DiskReads:        {"disk.reads", "", Disk, cumulative, false},
	DiskWrites:       {"disk.writes", "", Disk, cumulative, false},
	DiskReadsMerged:  {"disk.reads.merged", "", Disk, cumulative, false},
	DiskWritesMerged: {"disk.writes.merged", "", Disk, cumulative, false},
	DiskReadTime:     {"disk.read.time", "ns", Disk, cumulative, false},
	DiskWriteTime:    {"disk.write.time", "ns", Disk, cumulative, false},
	DiskIOTime:       {"disk.io.time", "ns", Disk, cumulative, false},
	DiskSize:         {"disk.size", "By", Disk, level, false},

	FilesystemTotal:    {"filesystem.total", "By", Filesystem, level, false},
	FilesystemUsed:     {"filesystem.used", "By", Filesystem, level, false},
	FilesystemFree:     {"filesystem.free", "By", Filesystem, level, false},
	FilesystemReserved: {"filesystem.reserved", "By", Filesystem, level, false},

	NetworkReceiveBytes:    {"network.receive.bytes", "By", Network, cumulative, false},
	NetworkTransmitBytes:   {"network.transmit.bytes", "By", Network, cumulative, false},
	NetworkReceivePackets:  {"network.receive.packets", "", Network, cumulative, false},
	NetworkTransmitPackets: {"network.transmit.packets", "", Network, cumulative, false},
	NetworkReceiveErrors:   {"network.receive.errors", "", Network, cumulative, false},
	NetworkTransmitErrors:  {"network.transmit.errors", "", Network, cumulative, false},
	NetworkReceiveDropped:  {"network.receive.dropped", "", Network, cumulative, false},
	NetworkTransmitDropped: {"network.transmit.dropped", "", Network, cumulative, false},

	SwapTotal: {"swap.total", "By", Swap, level, false},
	SwapUsed:  {"swap.used", "By", Swap, level, false},
	SwapFree:  {"swap.free", "By", Swap, level, false},

	LockPosixRead:  {"lock.posix.read", "", Lock, level, false},
	LockPosixWrite: {"lock.posix.write", "", Lock, level, false},
	LockFlockRead:  {"lock.flock.read", "", Lock, level, false},
	LockFlockWrite: {"lock.flock.write", "", Lock, level, false},
	LockOFDRead:    {"lock.ofd.read", "", Lock, level, false},
	LockOFDWrite:   {"lock.ofd.write", "", Lock, level, false},
	LockLeaseRead:  {"lock.lease.read", "", Lock, level, false},
	LockLeaseWrite: {"lock.lease.write", "", Lock, level, false},

	ProcessCPUUser:             {"process.cpu.user", "ns", Process, cumulative, false},
	ProcessCPUSystem:           {"process.cpu.system", "ns", Process, cumulative, false},
	ProcessCPUIowait:           {"process.cpu.iowait", "ns", Process, cumulative, false},
	ProcessMemoryRSS:           {"process.memory.rss", "By", Process, level, false},
	ProcessMemoryVirtual:       {"process.memory.virtual", "By", Process, level, false},
	ProcessFaultsMinor:         {"process.faults.minor", "", Process, cumulative, false},
	ProcessFaultsMajor:         {"process.faults.major", "", Process, cumulative, false},
	ProcessThreads:             {"process.threads", "", Process, level, false},
	ProcessOpenFiles:           {"process.open_files", "", Process, level, false},
	ProcessDiskReadBytes:       {"process.disk.read.bytes", "By", Process, cumulative, false},
	ProcessDiskWriteBytes:      {"process.disk.write.bytes", "By", Process, cumulative, false},
	ProcessDiskReads:           {"process.disk.reads", "", Process, cumulative, false},
	ProcessDiskWrites:          {"process.disk.writes", "", Process, cumulative, false},
	ProcessSwitchesVoluntary:   {"process.switches.voluntary", "", Process, cumulative, false},
	ProcessSwitchesInvoluntary: {"process.switches.involuntary", "", Process, cumulative, false},
	ProcessSignalsPending:      {"process.signals.pending", "", Process, level, false},
	ProcessUptime:              {"process.uptime", "ns", Process, level, false},
	ProcessState:               {"process.state", "", Process, level, false},
	ProcessParent:              {"process.parent", "", Process, level, false},
	ProcessUser:                {"process.user", "", Process, level, false},
	ProcessCPUAllowed:          {"process.cpu.allowed", "", Process, level, false},
}

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
