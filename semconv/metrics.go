package semconv

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// Metrics returns every metric, sorted by name. The slice is the caller's; the
// points that the rows lead to are shared and must not be changed.
func Metrics() []Metric {
	all := slices.Concat(metrics[:], containers[:], hardware[:], hardwareExtensions[:], processExtensions[:], extensions[:], groupExtensions[:], windowsExtensions[:])
	for i := range all[len(metrics) : len(metrics)+len(containers)+len(hardware)] {
		all[len(metrics)+i].OptIn = true
	}
	ours := all[len(metrics)+len(containers)+len(hardware):]
	for i := range ours {
		ours[i].Extension, ours[i].OptIn = true, true
	}
	slices.SortFunc(all, func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// What a Div holds: base units of a field in one unit of the metric.
const (
	seconds        = 1e9    // fields in nanoseconds
	hundredths     = 100    // fields in hundredths
	thousandths    = 1000   // fields in thousandths
	tenThousandths = 10_000 // fields in hundredths of a percent
	millionths     = 1e6    // fields in millionths
)

type attrs = []attribute.KeyValue

var metrics = [...]Metric{
	{
		Name: "process.context_switches", Unit: "{context_switch}", Kind: Counter, Adds: true,
		Brief:  "Number of times the process has been context switched.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessSwitchesVoluntary, attrs{ContextSwitchType.String("voluntary")}},
			{platform.ProcessSwitchesInvoluntary, attrs{ContextSwitchType.String("involuntary")}},
		},
		Note: "The sum over the threads; one that ended keeps its last seen value in it.",
	},
	{
		Name: "process.cpu.time", Unit: "s", Kind: Counter, Div: seconds, Adds: true,
		Brief:  "Total CPU seconds broken down by different CPU modes.",
		Entity: platform.Process, Points: processModes,
		Note: "Modes are user, system and iowait, as the members of cpu.mode spell them (a note of the conventions says wait, which is no member). On Linux iowait is the delay by block devices, told of the first thread alone, and only where the kernel does delay accounting.",
	},
	{
		Name: "process.cpu.utilization", Unit: "1", Kind: Gauge, Rate: true, Adds: true, OptIn: true,
		Brief:  "Difference in process.cpu.time since the last measurement, divided by the elapsed time and number of CPUs available to the process.",
		Entity: platform.Process, Points: processModes, Ratio: platform.ProcessCPUAllowed,
		Note: "1 is all the CPUs on which the affinity of the process lets it run.",
	},
	{
		Name: "process.disk.io", Unit: "By", Kind: Counter, Adds: true,
		Brief:  "Disk bytes transferred.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessDiskReadBytes, attrs{DiskDirection.String("read")}},
			{platform.ProcessDiskWriteBytes, attrs{DiskDirection.String("write")}},
		},
		Note: "What storage had to fetch or was given to store, not what the process asked for. So on Windows since 10 version 1709; what an earlier one or a 32-bit program is told is process.io.windows.requested, which is no figure of disks.",
	},
	{
		Name: "process.disk.operations", Unit: "{operation}", Kind: Counter, Adds: true,
		Brief:  "Number of disk operations performed by the process.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessDiskReads, attrs{DiskDirection.String("read")}},
			{platform.ProcessDiskWrites, attrs{DiskDirection.String("write")}},
		},
		Note: "On Linux the read and write system calls (syscr, syscw), as in psutil: those on pipes and sockets and those served by the page cache count too. On Windows requests to disks alone, as process.disk.io.",
	},
	{
		Name: "process.memory.usage", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "The amount of physical memory in use.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryRSS}},
		Note: "The resident set: a page shared by processes counts in each of them.",
	},
	{
		Name: "process.memory.utilization", Unit: "1", Kind: Gauge, Adds: true, OptIn: true,
		Brief:  "Percentage of total physical memory that is used by the process.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryRSS}}, Ratio: platform.HostMemoryTotal,
		Note: "A fraction between 0 and 1, as the unit says; the brief's percentage is the conventions' wording.",
	},
	{
		Name: "process.memory.virtual", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "The amount of committed virtual memory.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryVirtual}},
		Note: "On Linux the size of the address space, reserved and never touched parts included; on Windows what is committed, as psutil's vms.",
	},
	{
		Name: "process.paging.faults", Unit: "{fault}", Kind: Counter, Adds: true,
		Brief:  "Number of page faults the process has made.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessFaultsMajor, attrs{FaultType.String("major")}},
			{platform.ProcessFaultsMinor, attrs{FaultType.String("minor")}},
		},
	},
	{
		Name: "process.signals_pending", Unit: "{signal}", Kind: UpDownCounter, Adds: true, OptIn: true,
		Brief:  "Number of pending signals for the process.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessSignalsPending}},
		Note: "On Linux those that wait for the process or for its first thread; equal ones count once.",
	},
	{
		Name: "process.thread.count", Unit: "{thread}", Kind: UpDownCounter, Adds: true,
		Brief:  "Process threads count.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessThreads}},
	},
	{
		Name: "process.unix.file_descriptor.count", Unit: "{file_descriptor}", Kind: UpDownCounter, Adds: true,
		Brief:  "Number of UNIX file descriptors in use by the process.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessOpenFiles}},
	},
	{
		Name: "process.uptime", Unit: "s", Kind: Gauge, Div: seconds,
		Brief:  "The time the process has been running.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessUptime}},
	},
	{
		Name: "process.windows.handle.count", Unit: "{handle}", Kind: UpDownCounter, Adds: true,
		Brief:  "Number of handles held by the process.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessHandles}},
		Note: "Of files, events, threads, registry keys and all other objects. Windows only.",
	},
	{
		Name: "system.cpu.frequency", Unit: "Hz", Kind: Gauge,
		Brief:  "Operating frequency of the logical CPU in Hertz.",
		Entity: platform.CPU, Points: []Point{{Field: platform.CPUFrequency}},
		Note: "One point per logical CPU, always. Live where hw.cpu.speed has a point too, else the nominal frequency.",
	},
	{
		Name: "system.cpu.logical.count", Unit: "{cpu}", Kind: UpDownCounter,
		Brief:  "Reports the number of logical (virtual) processor cores created by the operating system to manage multitasking.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostCPULogical}},
		Note: "Those that are online.",
	},
	{
		Name: "system.cpu.physical.count", Unit: "{cpu}", Kind: UpDownCounter,
		Brief:  "Reports the number of actual physical processor cores on the hardware.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostCPUPhysical}},
	},
	{
		Name: "system.cpu.time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Seconds each logical CPU spent on each mode.",
		Entity: platform.Host, Points: hostModes,
		SplitEntity: platform.CPU, Split: cpuModes,
		Note: "The sum over all CPUs, or per CPU where that is asked for, never both. Time of virtual guests is part of user and nice. interrupt is hard and soft interrupts together.",
	},
	{
		Name: "system.cpu.utilization", Unit: "1", Kind: Gauge, Rate: true, OptIn: true,
		Brief:  "For each logical CPU, the utilization is calculated as the change in cumulative CPU time (cpu.time) over a measurement interval, divided by the elapsed time.",
		Entity: platform.Host, Points: hostModes, Ratio: platform.HostCPULogical,
		SplitEntity: platform.CPU, Split: cpuModes,
		Note: "A share of the whole host, whose modes add up to 1; per CPU where that is asked for, a share of that CPU.",
	},
	{
		Name: "system.disk.io", Unit: "By", Kind: Counter,
		Brief:  "Disk bytes transferred.",
		Entity: platform.Disk, Device: Device,
		Points: []Point{
			{platform.DiskReadBytes, attrs{DiskDirection.String("read")}},
			{platform.DiskWriteBytes, attrs{DiskDirection.String("write")}},
		},
	},
	{
		Name: "system.disk.io_time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Time disk spent activated.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskIOTime}},
		Note: "Time during which at least one request was under way.",
	},
	{
		Name: "system.disk.limit", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "The total storage capacity of the disk.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskSize}},
	},
	{
		Name: "system.disk.merged", Unit: "{operation}", Kind: Counter,
		Brief:  "The number of disk reads/writes merged into single physical disk access operations.",
		Entity: platform.Disk, Device: Device,
		Points: []Point{
			{platform.DiskReadsMerged, attrs{DiskDirection.String("read")}},
			{platform.DiskWritesMerged, attrs{DiskDirection.String("write")}},
		},
	},
	{
		Name: "system.disk.operation_time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Sum of the time each operation took to complete.",
		Entity: platform.Disk, Device: Device,
		Points: []Point{
			{platform.DiskReadTime, attrs{DiskDirection.String("read")}},
			{platform.DiskWriteTime, attrs{DiskDirection.String("write")}},
		},
		Note: "Requests under way together each add their time, so it may grow faster than the clock.",
	},
	{
		Name: "system.disk.operations", Unit: "{operation}", Kind: Counter,
		Brief:  "Disk operations count.",
		Entity: platform.Disk, Device: Device,
		Points: []Point{
			{platform.DiskReads, attrs{DiskDirection.String("read")}},
			{platform.DiskWrites, attrs{DiskDirection.String("write")}},
		},
	},
	{
		Name: "system.filesystem.limit", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "The total storage capacity of the filesystem.",
		Entity: platform.Filesystem, Device: Device, Points: []Point{{Field: platform.FilesystemTotal}},
	},
	{
		Name: "system.filesystem.lock.count", Unit: "{lock}", Kind: UpDownCounter,
		Brief:  "Filesystem lock counts.",
		Entity: platform.Lock, Device: Device,
		Points: []Point{
			{platform.LockPosixRead, attrs{LockMechanism.String("posix"), LockType.String("read")}},
			{platform.LockPosixWrite, attrs{LockMechanism.String("posix"), LockType.String("write")}},
			{platform.LockFlockRead, attrs{LockMechanism.String("flock"), LockType.String("read")}},
			{platform.LockFlockWrite, attrs{LockMechanism.String("flock"), LockType.String("write")}},
			{platform.LockOFDRead, attrs{LockMechanism.String("ofd"), LockType.String("read")}},
			{platform.LockOFDWrite, attrs{LockMechanism.String("ofd"), LockType.String("write")}},
			{platform.LockLeaseRead, attrs{LockMechanism.String("lease"), LockType.String("read")}},
			{platform.LockLeaseWrite, attrs{LockMechanism.String("lease"), LockType.String("write")}},
		},
		Note: "Mechanisms are posix (fcntl), flock, ofd (open file description) and lease, delegations among them. There is no file.lock.mode: since Linux 5.15 dropped mandatory locks, all are advisory.",
	},
	{
		Name: "system.filesystem.usage", Unit: "By", Kind: UpDownCounter,
		Brief:  "Reports a filesystem's space usage across different states.",
		Entity: platform.Filesystem, Device: Device, Points: filesystemStates,
		Note: "free is free to everybody, reserved is free to the superuser alone; the three states add up to system.filesystem.limit.",
	},
	{
		Name: "system.filesystem.utilization", Unit: "1", Kind: Gauge,
		Brief:  "Fraction of filesystem bytes used.",
		Entity: platform.Filesystem, Device: Device, Points: filesystemStates, Ratio: platform.FilesystemTotal,
		Note: "Each state over the total, so the three add up to 1. df and psutil leave reserved out and show used / (used + free).",
	},
	{
		Name: "system.memory.limit", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "Total virtual memory available in the system.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryTotal}},
		Note: "Physical memory that the kernel may use, swap not included.",
	},
	{
		Name: "system.memory.linux.available", Unit: "By", Kind: UpDownCounter,
		Brief:  "An estimate of how much memory is available for starting new applications, without causing swapping.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryAvailable}},
	},
	{
		Name: "system.memory.linux.hugepages.limit", Unit: "{page}", Kind: UpDownCounter,
		Brief:  "Total number of hugepages available.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostHugePagesTotal}},
		Note: "The pool of the default page size; pools of other sizes are not counted. This holds for all system.memory.linux.hugepages metrics.",
	},
	{
		Name: "system.memory.linux.hugepages.page_size", Unit: "By", Kind: UpDownCounter,
		Brief:  "System hugepage size in bytes.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostHugePageSize}},
		Note: "The default size.",
	},
	{
		Name: "system.memory.linux.hugepages.reserved", Unit: "{page}", Kind: UpDownCounter,
		Brief:  "Number of reserved hugepages.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostHugePagesReserved}},
		Note: "They are counted in the free ones too. The pool of the default page size.",
	},
	{
		Name: "system.memory.linux.hugepages.surplus", Unit: "{page}", Kind: UpDownCounter,
		Brief:  "Number of surplus hugepages.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostHugePagesSurplus}},
		Note: "The pool of the default page size.",
	},
	{
		Name: "system.memory.linux.hugepages.usage", Unit: "{page}", Kind: UpDownCounter,
		Brief:  "Number of hugepages in use by state.",
		Entity: platform.Host, Points: hugePageStates,
		Note: "The pool of the default page size.",
	},
	{
		Name: "system.memory.linux.hugepages.utilization", Unit: "1", Kind: Gauge,
		Brief:  "Percentage of hugepages in use by state.",
		Entity: platform.Host, Points: hugePageStates, Ratio: platform.HostHugePagesTotal,
		Note: "A fraction between 0 and 1 of the pool of the default page size; absent where the pool is empty.",
	},
	{
		Name: "system.memory.linux.shared", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "Shared memory used (mostly by tmpfs).",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryShared}},
	},
	{
		Name: "system.memory.linux.slab.usage", Unit: "By", Kind: UpDownCounter,
		Brief:  "Reports the memory used by the Linux kernel for managing caches of frequently used objects.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostSlabReclaimable, attrs{SlabState.String("reclaimable")}},
			{platform.HostSlabUnreclaimable, attrs{SlabState.String("unreclaimable")}},
		},
	},
	{
		Name: "system.memory.usage", Unit: "By", Kind: UpDownCounter,
		Brief:  "Reports memory in use by state.",
		Entity: platform.Host, Points: memoryStates,
		Note: "used is total less available, as free(1) of procps 4.0.1 and psutil have it, so the states need not add up to system.memory.limit. cached is the page cache and reclaimable slab.",
	},
	{
		Name: "system.memory.utilization", Unit: "1", Kind: Gauge,
		Brief:  "Percentage of memory bytes in use.",
		Entity: platform.Host, Points: memoryStates, Ratio: platform.HostMemoryTotal,
		Note: "A fraction between 0 and 1: each state of system.memory.usage over system.memory.limit.",
	},
	{
		Name: "system.network.connection.count", Unit: "{connection}", Kind: UpDownCounter,
		Brief:  "The number of connections.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostTCPClosed, attrs{NetworkTransport.String("tcp"), ConnectionState.String("closed")}},
			{platform.HostTCPCloseWait, attrs{NetworkTransport.String("tcp"), ConnectionState.String("close_wait")}},
			{platform.HostTCPClosing, attrs{NetworkTransport.String("tcp"), ConnectionState.String("closing")}},
			{platform.HostTCPEstablished, attrs{NetworkTransport.String("tcp"), ConnectionState.String("established")}},
			{platform.HostTCPFinWait1, attrs{NetworkTransport.String("tcp"), ConnectionState.String("fin_wait_1")}},
			{platform.HostTCPFinWait2, attrs{NetworkTransport.String("tcp"), ConnectionState.String("fin_wait_2")}},
			{platform.HostTCPLastAck, attrs{NetworkTransport.String("tcp"), ConnectionState.String("last_ack")}},
			{platform.HostTCPListen, attrs{NetworkTransport.String("tcp"), ConnectionState.String("listen")}},
			{platform.HostTCPSynReceived, attrs{NetworkTransport.String("tcp"), ConnectionState.String("syn_received")}},
			{platform.HostTCPSynSent, attrs{NetworkTransport.String("tcp"), ConnectionState.String("syn_sent")}},
			{platform.HostTCPTimeWait, attrs{NetworkTransport.String("tcp"), ConnectionState.String("time_wait")}},
			{platform.HostUDP, attrs{NetworkTransport.String("udp")}},
		},
		Note: "Of one network namespace, IPv4 and IPv6 together. UDP has no states. A connection belongs to no interface, so there is no network.interface.name.",
	},
	{
		Name: "system.network.errors", Unit: "{error}", Kind: Counter,
		Brief:  "Count of network errors detected.",
		Entity: platform.Network, Device: NetworkInterface,
		Points: []Point{
			{platform.NetworkReceiveErrors, attrs{NetworkDirection.String("receive")}},
			{platform.NetworkTransmitErrors, attrs{NetworkDirection.String("transmit")}},
		},
	},
	{
		Name: "system.network.io", Unit: "By", Kind: Counter,
		Brief:  "The number of bytes transmitted and received.",
		Entity: platform.Network, Device: NetworkInterface,
		Points: []Point{
			{platform.NetworkReceiveBytes, attrs{NetworkDirection.String("receive")}},
			{platform.NetworkTransmitBytes, attrs{NetworkDirection.String("transmit")}},
		},
	},
	{
		Name: "system.network.packet.count", Unit: "{packet}", Kind: Counter,
		Brief:  "The number of packets transferred.",
		Entity: platform.Network, Device: Device,
		Points: []Point{
			{platform.NetworkReceivePackets, attrs{NetworkDirection.String("receive")}},
			{platform.NetworkTransmitPackets, attrs{NetworkDirection.String("transmit")}},
		},
		Note: "The conventions name the interface by system.device here and by network.interface.name in its siblings.",
	},
	{
		Name: "system.network.packet.dropped", Unit: "{packet}", Kind: Counter,
		Brief:  "Count of packets that are dropped or discarded even though there was no error.",
		Entity: platform.Network, Device: NetworkInterface,
		Points: []Point{
			{platform.NetworkReceiveDropped, attrs{NetworkDirection.String("receive")}},
			{platform.NetworkTransmitDropped, attrs{NetworkDirection.String("transmit")}},
		},
	},
	{
		Name: "system.paging.faults", Unit: "{fault}", Kind: Counter,
		Brief:  "The number of page faults.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostFaultsMajor, attrs{FaultType.String("major")}},
			{platform.HostFaultsMinor, attrs{FaultType.String("minor")}},
		},
	},
	{
		Name: "system.paging.operations", Unit: "{operation}", Kind: Counter,
		Brief:  "The number of paging operations.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostSwapIn, attrs{FaultType.String("major"), PagingDirection.String("in")}},
			{platform.HostSwapOut, attrs{FaultType.String("major"), PagingDirection.String("out")}},
		},
		Note: "Pages brought in from swap and put out to it. The fault type is major, since each took a device.",
	},
	{
		Name: "system.paging.usage", Unit: "By", Kind: UpDownCounter,
		Brief:  "UNIX swap or windows pagefile usage.",
		Entity: platform.Swap, Device: Device, Points: swapStates,
	},
	{
		Name: "system.paging.utilization", Unit: "1", Kind: Gauge,
		Brief:  "Swap (UNIX) or pagefile (windows) utilization.",
		Entity: platform.Swap, Device: Device, Points: swapStates, Ratio: platform.SwapTotal,
		Note: "Each state over the size of the swap area.",
	},
	{
		Name: "system.process.count", Unit: "{process}", Kind: UpDownCounter,
		Brief:  "Total number of processes in each state.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostProcessesRunning, attrs{ProcessState.String("running")}},
			{platform.HostProcessesSleeping, attrs{ProcessState.String("sleeping")}},
			{platform.HostProcessesStopped, attrs{ProcessState.String("stopped")}},
			{platform.HostProcessesDefunct, attrs{ProcessState.String("defunct")}},
		},
		Note: "Counted by a walk over all processes. sleeping is every kind of waiting, idle kernel threads too; stopped is by a signal or a tracer.",
	},
	{
		Name: "system.process.created", Unit: "{process}", Kind: Counter,
		Brief:  "Total number of processes created over uptime of the host.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostProcessesCreated}},
		Note: "Linux counts the threads too.",
	},
	{
		Name: "system.process.limit", Unit: "{thread}", Kind: UpDownCounter,
		Brief:  "The maximum number of concurrent processes/tasks allowed by the operating system.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostProcessLimit}},
		Note: "On Linux the smaller of threads-max and pid_max, whichever is met first.",
	},
	{
		Name: "system.uptime", Unit: "s", Kind: Gauge, Div: seconds,
		Brief:  "The time the system has been running.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostUptime}},
		Note: "Time since boot, suspended time included.",
	},
}

// The points that several metrics show, each in its own unit.
var (
	processModes = []Point{
		{platform.ProcessCPUUser, attrs{CPUMode.String("user")}},
		{platform.ProcessCPUSystem, attrs{CPUMode.String("system")}},
		{platform.ProcessCPUIowait, attrs{CPUMode.String("iowait")}},
	}
	hostModes = []Point{
		{platform.HostCPUUser, attrs{CPUMode.String("user")}},
		{platform.HostCPUNice, attrs{CPUMode.String("nice")}},
		{platform.HostCPUSystem, attrs{CPUMode.String("system")}},
		{platform.HostCPUIdle, attrs{CPUMode.String("idle")}},
		{platform.HostCPUIowait, attrs{CPUMode.String("iowait")}},
		{platform.HostCPUInterrupt, attrs{CPUMode.String("interrupt")}},
		{platform.HostCPUSteal, attrs{CPUMode.String("steal")}},
	}
	cpuModes = []Point{
		{platform.CPUUser, attrs{CPUMode.String("user")}},
		{platform.CPUNice, attrs{CPUMode.String("nice")}},
		{platform.CPUSystem, attrs{CPUMode.String("system")}},
		{platform.CPUIdle, attrs{CPUMode.String("idle")}},
		{platform.CPUIowait, attrs{CPUMode.String("iowait")}},
		{platform.CPUInterrupt, attrs{CPUMode.String("interrupt")}},
		{platform.CPUSteal, attrs{CPUMode.String("steal")}},
	}
	filesystemStates = []Point{
		{platform.FilesystemUsed, attrs{FilesystemState.String("used")}},
		{platform.FilesystemFree, attrs{FilesystemState.String("free")}},
		{platform.FilesystemReserved, attrs{FilesystemState.String("reserved")}},
	}
	memoryStates = []Point{
		{platform.HostMemoryUsed, attrs{MemoryState.String("used")}},
		{platform.HostMemoryFree, attrs{MemoryState.String("free")}},
		{platform.HostMemoryBuffers, attrs{MemoryState.String("buffers")}},
		{platform.HostMemoryCached, attrs{MemoryState.String("cached")}},
	}
	hugePageStates = []Point{
		{platform.HostHugePagesUsed, attrs{HugePageState.String("used")}},
		{platform.HostHugePagesFree, attrs{HugePageState.String("free")}},
	}
	swapStates = []Point{
		{platform.SwapUsed, attrs{PagingState.String("used")}},
		{platform.SwapFree, attrs{PagingState.String("free")}},
	}
)
