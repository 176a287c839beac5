package semconv

import "github.com/pidometer/pidometer/platform"

// processExtensions are the metrics of processes that the conventions lack, by
// name. All of them are off by default.
var processExtensions = [...]Metric{
	{
		Name: "process.child.count", Unit: "{process}", Kind: UpDownCounter, Adds: true,
		Brief:  "Number of children of the process.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessChildren}},
		Note: "Those that ended and were not waited for yet count too. It takes one more look at every process of the machine, once in a pass.",
	},
	{
		Name: "process.child.cpu.time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "CPU seconds of descendants that have ended and were waited for.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessChildCPUUser, attrs{CPUMode.String("user")}},
			{platform.ProcessChildCPUSystem, attrs{CPUMode.String("system")}},
		},
		Note: "The same time was in process.cpu.time of those descendants, so the two must not be added.",
	},
	{
		Name: "process.child.paging.faults", Unit: "{fault}", Kind: Counter,
		Brief:  "Page faults of descendants that have ended and were waited for.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessChildFaultsMajor, attrs{FaultType.String("major")}},
			{platform.ProcessChildFaultsMinor, attrs{FaultType.String("minor")}},
		},
		Note: "The same faults were in process.paging.faults of those descendants, so the two must not be added.",
	},
	{
		Name: "process.cpu.affinity.count", Unit: "{cpu}", Kind: UpDownCounter,
		Brief:  "Number of CPUs that the process may run on.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessCPUAllowed}},
		Note: "Its affinity within its cpuset, of the first thread.",
	},
	{
		Name: "process.cpu.logical_number", Unit: "1", Kind: Gauge,
		Brief:  "The logical CPU that the process ran on last, counted from 0.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessCPUNumber}},
		Note: "Of the first thread. As an attribute it would begin a new series with each move.",
	},
	{
		Name: "process.io.linux.requested", Unit: "By", Kind: Counter, Adds: true,
		Brief:  "Bytes that the process asked system calls to read and write.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessRequestedRead, attrs{DiskDirection.String("read")}},
			{platform.ProcessRequestedWrite, attrs{DiskDirection.String("write")}},
		},
		Note: "psutil's read_chars and write_chars: pipes, terminals and what the page cache served count too. For what went through the disk see process.disk.io.",
	},
	{
		Name: "process.io_priority.linux.level", Unit: "1", Kind: Gauge,
		Brief:  "Priority of the disk requests of the process within their class, 0 being the most favoured and 7 the least.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessIOPriorityNone, attrs{IOPriorityClass.String("none")}},
			{platform.ProcessIOPriorityRealtime, attrs{IOPriorityClass.String("realtime")}},
			{platform.ProcessIOPriorityBestEffort, attrs{IOPriorityClass.String("best_effort")}},
			{platform.ProcessIOPriorityIdle, attrs{IOPriorityClass.String("idle")}},
		},
		Note: "One point, in the class that the process is in. In the class none, which is that of processes that nobody gave another, the nice value decides. Of the first thread.",
	},
	{
		Name: "process.memory.linux.data", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Address space of the process for data and stacks.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryData}},
		Note: "Private writable mappings, touched or not. psutil's data.",
	},
	{
		Name: "process.memory.linux.hugetlb", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Huge pages of the process.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryHugetlb}},
		Note: "From pools of huge pages, which process.memory.usage leaves out.",
	},
	{
		Name: "process.memory.linux.pss", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Proportional set size: physical memory in use, where a page shared by n processes counts as one nth.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryPSS}},
		Note: dear,
	},
	{
		Name: "process.memory.linux.resident", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "The parts of the physical memory in use by the process.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessMemoryAnonymous, attrs{ResidentType.String("anonymous")}},
			{platform.ProcessMemoryFile, attrs{ResidentType.String("file")}},
			{platform.ProcessMemoryShmem, attrs{ResidentType.String("shmem")}},
		},
		Note: "They add up to process.memory.usage. Since Linux 4.5.",
	},
	{
		Name: "process.memory.linux.shared", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Physical memory in use by the process that other processes could share.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryShared}},
		Note: "Pages of files and of shared memory, whether anybody shares them or not. psutil's shared.",
	},
	{
		Name: "process.memory.linux.swap", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Memory of the process that is swapped out.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemorySwap}},
		Note: "Shared memory among it, which the kernel leaves out of VmSwap. " + dear,
	},
	{
		Name: "process.memory.linux.text", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Address space of the process for the code of its program.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryText}},
		Note: "psutil's text.",
	},
	{
		Name: "process.memory.linux.usage.peak", Unit: "By", Kind: Gauge,
		Brief:  "The most physical memory that the process ever had in use.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryPeak}},
		Note: "Anybody who may write to /proc/[pid]/clear_refs can set it back.",
	},
	{
		Name: "process.memory.linux.virtual.peak", Unit: "By", Kind: Gauge,
		Brief:  "The most virtual memory that the process ever had.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessVirtualPeak}},
	},
	{
		Name: "process.memory.uss", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Unique set size: physical memory that would be free if the process ended now.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryUSS}},
		Note: "On Linux the private pages, huge ones included. " + dear + " On Windows the pages of the working set that no other process maps now.",
	},
	{
		Name: "process.network.connection.count", Unit: "{connection}", Kind: UpDownCounter, Adds: true,
		Brief:  "Number of network connections that the process has open.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessTCPEstablished, attrs{NetworkTransport.String("tcp"), ConnectionState.String("established")}},
			{platform.ProcessTCPSynSent, attrs{NetworkTransport.String("tcp"), ConnectionState.String("syn_sent")}},
			{platform.ProcessTCPSynReceived, attrs{NetworkTransport.String("tcp"), ConnectionState.String("syn_received")}},
			{platform.ProcessTCPFinWait1, attrs{NetworkTransport.String("tcp"), ConnectionState.String("fin_wait_1")}},
			{platform.ProcessTCPFinWait2, attrs{NetworkTransport.String("tcp"), ConnectionState.String("fin_wait_2")}},
			{platform.ProcessTCPTimeWait, attrs{NetworkTransport.String("tcp"), ConnectionState.String("time_wait")}},
			{platform.ProcessTCPClosed, attrs{NetworkTransport.String("tcp"), ConnectionState.String("closed")}},
			{platform.ProcessTCPCloseWait, attrs{NetworkTransport.String("tcp"), ConnectionState.String("close_wait")}},
			{platform.ProcessTCPLastAck, attrs{NetworkTransport.String("tcp"), ConnectionState.String("last_ack")}},
			{platform.ProcessTCPListen, attrs{NetworkTransport.String("tcp"), ConnectionState.String("listen")}},
			{platform.ProcessTCPClosing, attrs{NetworkTransport.String("tcp"), ConnectionState.String("closing")}},
			{platform.ProcessUDP, attrs{NetworkTransport.String("udp")}},
		},
		Note: "Sockets that several processes have open count in each. It takes the name of each descriptor of the process, and the tables of its network namespace.",
	},
	{
		Name: "process.scheduling.nice", Unit: "1", Kind: Gauge,
		Brief:  "The nice value of the process, from -20, the most favoured, to 19.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessNice}},
		Note: "Of the first thread.",
	},
	{
		Name: "process.status", Unit: "1", Kind: UpDownCounter, Adds: true,
		Brief:  "State of the process: `1` (true) or `0` (false) for each of the possible states.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessDefunct, attrs{ProcessState.String("defunct")}},
			{platform.ProcessRunning, attrs{ProcessState.String("running")}},
			{platform.ProcessSleeping, attrs{ProcessState.String("sleeping")}},
			{platform.ProcessStopped, attrs{ProcessState.String("stopped")}},
		},
		Note: "The states are those of system.process.count.",
	},
	{
		Name: "process.unix.file_descriptor.limit", Unit: "{file_descriptor}", Kind: UpDownCounter, Adds: true,
		Brief:  "Number of UNIX file descriptors that the process may have in use.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessFileLimitHard, attrs{LimitType.String("hard")}},
			{platform.ProcessFileLimitSoft, attrs{LimitType.String("soft")}},
		},
		Note: "soft is what holds now, hard is how far the process may raise it. A limit that is infinite has no point.",
	},
	{
		Name: "process.unix.file_descriptor.utilization", Unit: "1", Kind: Gauge,
		Brief:  "Fraction of the file descriptors that the process may have now that are in use.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessOpenFiles}}, Ratio: platform.ProcessFileLimitSoft,
		Note: "process.unix.file_descriptor.count over the soft limit. At 1 the next open fails.",
	},
}
