package semconv

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// The attributes of extensions that the conventions do not have either.
const (
	ConnectionOpen   attribute.Key = "system.network.tcp.open_type"
	IOPriorityClass  attribute.Key = "process.io_priority.linux.class"
	LimitType        attribute.Key = "process.unix.limit_type"
	NUMANode         attribute.Key = "system.memory.linux.numa.node"
	NUMAPlacement    attribute.Key = "system.memory.linux.numa.placement"
	PressureResource attribute.Key = "system.pressure.linux.resource"
	PressureType     attribute.Key = "system.pressure.linux.type"
	ResidentType     attribute.Key = "process.memory.linux.type"
)

// extensions are the metrics of the host that the conventions lack, by name. All of
// them are off by default.
var extensions = [...]Metric{
	{
		Name: "system.context_switches", Unit: "{context_switch}", Kind: Counter,
		Brief:  "Number of context switches.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostContextSwitches}},
	},
	{
		Name: "system.cpu.interrupts", Unit: "{interrupt}", Kind: Counter,
		Brief:  "Number of interrupts served.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostInterrupts}},
	},
	{
		Name: "system.cpu.linux.load_15m", Unit: "{thread}", Kind: Gauge, Div: hundredths,
		Brief:  "Threads that are runnable or wait uninterruptibly, averaged over fifteen minutes.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostLoad15}},
	},
	{
		Name: "system.cpu.linux.load_1m", Unit: "{thread}", Kind: Gauge, Div: hundredths,
		Brief:  "Threads that are runnable or wait uninterruptibly, averaged over one minute.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostLoad1}},
	},
	{
		Name: "system.cpu.linux.load_5m", Unit: "{thread}", Kind: Gauge, Div: hundredths,
		Brief:  "Threads that are runnable or wait uninterruptibly, averaged over five minutes.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostLoad5}},
	},
	{
		Name: "system.cpu.soft_interrupts", Unit: "{interrupt}", Kind: Counter,
		Brief:  "Number of soft interrupts served.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostSoftInterrupts}},
		Note: "Linux counts them in 32 bits, so the series begins with the first look.",
	},
	{
		Name: "system.disk.discard.io", Unit: "By", Kind: Counter,
		Brief:  "Disk bytes discarded.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskDiscardBytes}},
		Note: discards,
	},
	{
		Name: "system.disk.discard.merged", Unit: "{operation}", Kind: Counter,
		Brief:  "The number of disk discards merged into single physical disk access operations.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskDiscardsMerged}},
		Note: discards,
	},
	{
		Name: "system.disk.discard.operation_time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Sum of the time each discard took to complete.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskDiscardTime}},
		Note: discards,
	},
	{
		Name: "system.disk.discard.operations", Unit: "{operation}", Kind: Counter,
		Brief:  "Number of discards.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskDiscards}},
		Note: discards,
	},
	{
		Name: "system.disk.flush.operation_time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Sum of the time each flush took to complete.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskFlushTime}},
		Note: "Since Linux 5.5.",
	},
	{
		Name: "system.disk.flush.operations", Unit: "{operation}", Kind: Counter,
		Brief:  "Number of flushes of the disk's own cache.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskFlushes}},
		Note: "Since Linux 5.5. Not counted for partitions.",
	},
	{
		Name: "system.disk.operation.pending", Unit: "{operation}", Kind: UpDownCounter,
		Brief:  "Number of disk operations under way.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskPending}},
	},
	{
		Name: "system.disk.weighted_io_time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Time disk spent activated, each moment multiplied by the number of operations under way.",
		Entity: platform.Disk, Device: Device, Points: []Point{{Field: platform.DiskWeightedTime}},
		Note: "Its growth over the elapsed time is the average length of the queue.",
	},
	{
		Name: "system.filesystem.inode.limit", Unit: "{inode}", Kind: UpDownCounter,
		Brief:  "The total number of inodes of the filesystem.",
		Entity: platform.Filesystem, Device: Device, Points: []Point{{Field: platform.FilesystemInodes}},
		Note: "File systems that make inodes as they need them, such as btrfs, have none.",
	},
	{
		Name: "system.filesystem.inode.usage", Unit: "{inode}", Kind: UpDownCounter,
		Brief:  "Reports a filesystem's inodes across different states.",
		Entity: platform.Filesystem, Device: Device,
		Points: []Point{
			{platform.FilesystemInodesFree, attrs{FilesystemState.String("free")}},
			{platform.FilesystemInodesUsed, attrs{FilesystemState.String("used")}},
		},
		Note: "The two add up to system.filesystem.inode.limit.",
	},
	{
		Name: "system.filesystem.linux.file_handle.count", Unit: "{file_handle}", Kind: UpDownCounter,
		Brief:  "Number of open file handles of the whole system.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostFileHandles}},
		Note: "File descriptors that were duplicated or inherited share one.",
	},
	{
		Name: "system.filesystem.linux.file_handle.limit", Unit: "{file_handle}", Kind: UpDownCounter,
		Brief:  "Number of file handles that the whole system may have open.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostFileHandleLimit}},
		Note: "Absent where there is no limit, as systemd sets it up.",
	},
	{
		Name: "system.memory.linux.active", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory used lately, and taken back last.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryActive}},
		Note: "No state of system.memory.usage: it overlaps used and cached.",
	},
	{
		Name: "system.memory.linux.commit.limit", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that the kernel may promise to programs.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryCommitLimit}},
		Note: "It holds only where vm.overcommit_memory is 2.",
	},
	{
		Name: "system.memory.linux.commit.usage", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that the kernel has promised to programs.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryCommitted}},
	},
	{
		Name: "system.memory.linux.dirty", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that waits to be written to disk.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryDirty}},
	},
	{
		Name: "system.memory.linux.inactive", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory not used lately, and taken back first.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryInactive}},
		Note: "No state of system.memory.usage: it overlaps used and cached.",
	},
	{
		Name: "system.memory.linux.numa.allocations", Unit: "{page}", Kind: Counter,
		Brief:  "Number of pages allocated on the NUMA node.",
		Entity: platform.Node,
		Points: []Point{
			{platform.NodeHits, attrs{NUMAPlacement.String("hit")}},
			{platform.NodeMisses, attrs{NUMAPlacement.String("miss")}},
		},
		Note: "A hit was wanted there, a miss on another node, which had no room.",
	},
	{
		Name: "system.memory.linux.numa.foreign_allocations", Unit: "{page}", Kind: Counter,
		Brief:  "Number of pages wanted on the NUMA node and allocated on another.",
		Entity: platform.Node, Points: []Point{{Field: platform.NodeForeign}},
		Note: "Each is a miss of that other node.",
	},
	{
		Name: "system.memory.linux.numa.limit", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory of the NUMA node.",
		Entity: platform.Node, Points: []Point{{Field: platform.NodeMemoryTotal}},
	},
	{
		Name: "system.memory.linux.numa.usage", Unit: "By", Kind: UpDownCounter,
		Brief:  "Reports memory of the NUMA node in use by state.",
		Entity: platform.Node,
		Points: []Point{
			{platform.NodeMemoryFree, attrs{MemoryState.String("free")}},
			{platform.NodeMemoryUsed, attrs{MemoryState.String("used")}},
		},
		Note: "used is all that is not free, the page cache included.",
	},
	{
		Name: "system.memory.linux.oom_kills", Unit: "{kill}", Kind: Counter,
		Brief:  "Number of times the kernel killed a process because memory ran out.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostOOMKills}},
		Note: "Those because a control group met its limit too. Since Linux 4.13.",
	},
	{
		Name: "system.memory.linux.writeback", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that is being written to disk.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryWriteback}},
	},
	{
		Name: "system.memory.wired", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that stays where it is: the kernel's own, and what programs asked to be held.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostMemoryWired}},
		Note: "No state of system.memory.usage: it overlaps used. On macOS and the BSDs.",
	},
	{
		Name: "system.network.interface.mtu", Unit: "By", Kind: Gauge,
		Brief:  "The largest packet that the interface takes.",
		Entity: platform.Network, Device: NetworkInterface, Points: []Point{{Field: platform.NetworkMTU}},
	},
	{
		Name: "system.network.ip.datagrams", Unit: "{datagram}", Kind: Counter,
		Brief:  "Number of datagrams that IP received, and was asked to send.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostIPv4Received, attrs{NetworkType.String("ipv4"), NetworkDirection.String("receive")}},
			{platform.HostIPv4Sent, attrs{NetworkType.String("ipv4"), NetworkDirection.String("transmit")}},
			{platform.HostIPv6Received, attrs{NetworkType.String("ipv6"), NetworkDirection.String("receive")}},
			{platform.HostIPv6Sent, attrs{NetworkType.String("ipv6"), NetworkDirection.String("transmit")}},
		},
		Note: "Faulty ones and those for others are among the received; forwarded ones are not among the sent. " + namespace,
	},
	{
		Name: "system.network.linux.conntrack.count", Unit: "{connection}", Kind: UpDownCounter,
		Brief:  "Number of connections that the firewall keeps track of.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostConntrack}},
		Note: "Of the network namespace that we run in, whatever the root.",
	},
	{
		Name: "system.network.linux.conntrack.limit", Unit: "{connection}", Kind: UpDownCounter,
		Brief:  "Number of connections that the firewall can keep track of.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostConntrackLimit}},
		Note: "Beyond it packets of new connections are dropped.",
	},
	{
		Name: "system.network.linux.socket.count", Unit: "{socket}", Kind: UpDownCounter,
		Brief:  "Number of sockets of all kinds.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostSockets}},
		Note: namespace,
	},
	{
		Name: "system.network.linux.tcp.listen_drops", Unit: "{connection}", Kind: Counter,
		Brief:  "Number of connections that listening TCP sockets dropped for any reason.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPListenDrops}},
		Note: "Overflows are among them. " + namespace,
	},
	{
		Name: "system.network.linux.tcp.listen_overflows", Unit: "{connection}", Kind: Counter,
		Brief:  "Number of connections that listening TCP sockets dropped because too many waited to be accepted.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPListenOverflows}},
		Note: namespace,
	},
	{
		Name: "system.network.linux.tcp.socket.allocated", Unit: "{socket}", Kind: UpDownCounter,
		Brief:  "Number of TCP sockets allocated, in any state.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPAllocated}},
		Note: "Of all network namespaces together.",
	},
	{
		Name: "system.network.linux.tcp.socket.in_use", Unit: "{socket}", Kind: UpDownCounter,
		Brief:  "Number of TCP sockets in use.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPInUse}},
		Note: "IPv4 and IPv6 together. " + namespace,
	},
	{
		Name: "system.network.linux.tcp.socket.memory", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory of the buffers of TCP sockets.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPMemory}},
		Note: "Of all network namespaces together, in whole pages.",
	},
	{
		Name: "system.network.linux.tcp.socket.orphaned", Unit: "{socket}", Kind: UpDownCounter,
		Brief:  "Number of TCP sockets that no process has open any more.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPOrphaned}},
		Note: "Of all network namespaces together.",
	},
	{
		Name: "system.network.linux.tcp.socket.time_wait", Unit: "{socket}", Kind: UpDownCounter,
		Brief:  "Number of TCP sockets that wait for stragglers after the connection has ended.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPTimeWaiting}},
		Note: "Far cheaper to read than system.network.connection.count. " + namespace,
	},
	{
		Name: "system.network.linux.udp.socket.in_use", Unit: "{socket}", Kind: UpDownCounter,
		Brief:  "Number of UDP sockets in use.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostUDPInUse}},
		Note: "IPv4 and IPv6 together. " + namespace,
	},
	{
		Name: "system.network.linux.udp.socket.memory", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory of the buffers of UDP sockets.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostUDPMemory}},
		Note: "Of all network namespaces together, in whole pages.",
	},
	{
		Name: "system.network.tcp.errors", Unit: "{segment}", Kind: Counter,
		Brief:  "Number of faulty TCP segments received.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPErrors}},
		Note: namespace,
	},
	{
		Name: "system.network.tcp.failed_attempts", Unit: "{connection}", Kind: Counter,
		Brief:  "Number of TCP connections that failed before they were established.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPAttemptFails}},
		Note: namespace,
	},
	{
		Name: "system.network.tcp.opens", Unit: "{connection}", Kind: Counter,
		Brief:  "Number of TCP connections opened from here (active) and accepted (passive).",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostTCPActiveOpens, attrs{ConnectionOpen.String("active")}},
			{platform.HostTCPPassiveOpens, attrs{ConnectionOpen.String("passive")}},
		},
		Note: namespace,
	},
	{
		Name: "system.network.tcp.resets", Unit: "{connection}", Kind: Counter,
		Brief:  "Number of established TCP connections that were reset.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPResets}},
		Note: namespace,
	},
	{
		Name: "system.network.tcp.retransmits", Unit: "{segment}", Kind: Counter,
		Brief:  "Number of TCP segments sent again.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTCPRetransmits}},
		Note: namespace,
	},
	{
		Name: "system.network.tcp.segments", Unit: "{segment}", Kind: Counter,
		Brief:  "Number of TCP segments.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostTCPSegmentsReceived, attrs{NetworkDirection.String("receive")}},
			{platform.HostTCPSegmentsSent, attrs{NetworkDirection.String("transmit")}},
		},
		Note: "Faulty ones are among the received; those sent again are not among the sent. " + namespace,
	},
	{
		Name: "system.network.udp.buffer_errors", Unit: "{datagram}", Kind: Counter,
		Brief:  "Number of UDP datagrams dropped because a buffer was full.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostUDP4ReceiveBufferErrors, attrs{NetworkType.String("ipv4"), NetworkDirection.String("receive")}},
			{platform.HostUDP4SendBufferErrors, attrs{NetworkType.String("ipv4"), NetworkDirection.String("transmit")}},
			{platform.HostUDP6ReceiveBufferErrors, attrs{NetworkType.String("ipv6"), NetworkDirection.String("receive")}},
			{platform.HostUDP6SendBufferErrors, attrs{NetworkType.String("ipv6"), NetworkDirection.String("transmit")}},
		},
		Note: "Those of receiving are part of system.network.udp.errors. " + namespace,
	},
	{
		Name: "system.network.udp.datagrams", Unit: "{datagram}", Kind: Counter,
		Brief:  "Number of UDP datagrams that programs got, and sent.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostUDP4Received, attrs{NetworkType.String("ipv4"), NetworkDirection.String("receive")}},
			{platform.HostUDP4Sent, attrs{NetworkType.String("ipv4"), NetworkDirection.String("transmit")}},
			{platform.HostUDP6Received, attrs{NetworkType.String("ipv6"), NetworkDirection.String("receive")}},
			{platform.HostUDP6Sent, attrs{NetworkType.String("ipv6"), NetworkDirection.String("transmit")}},
		},
		Note: namespace,
	},
	{
		Name: "system.network.udp.errors", Unit: "{datagram}", Kind: Counter,
		Brief:  "Number of UDP datagrams received that no program could get, for other reasons than that none listened.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostUDP4Errors, attrs{NetworkType.String("ipv4")}},
			{platform.HostUDP6Errors, attrs{NetworkType.String("ipv6")}},
		},
		Note: namespace,
	},
	{
		Name: "system.paging.io", Unit: "By", Kind: Counter,
		Brief:  "Bytes brought in from swap and put out to it.",
		Entity: platform.Host,
		Points: []Point{
			{platform.HostSwapInBytes, attrs{PagingDirection.String("in")}},
			{platform.HostSwapOutBytes, attrs{PagingDirection.String("out")}},
		},
		Note: "psutil's sin and sout: system.paging.operations times the size of a page.",
	},
	{
		Name: "system.pressure.linux.stall.time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Time in which tasks stood still for want of a resource.",
		Entity: platform.Pressure, Device: PressureResource,
		Points: []Point{
			{platform.PressureFull, attrs{PressureType.String("full")}},
			{platform.PressureSome, attrs{PressureType.String("some")}},
		},
		Note: "some: at least one task waited; full: all tasks that were not idle did, so that nothing got on. The CPU knows no full, interrupts (irq, since Linux 6.1) know no some.",
	},
	{
		Name: "system.pressure.linux.stall_10s", Unit: "1", Kind: Gauge, Div: tenThousandths,
		Brief:  "Share of the time in which tasks stood still for want of a resource, averaged over ten seconds.",
		Entity: platform.Pressure, Device: PressureResource,
		Points: []Point{
			{platform.PressureFull10, attrs{PressureType.String("full")}},
			{platform.PressureSome10, attrs{PressureType.String("some")}},
		},
		Note: averaged,
	},
	{
		Name: "system.pressure.linux.stall_300s", Unit: "1", Kind: Gauge, Div: tenThousandths,
		Brief:  "Share of the time in which tasks stood still for want of a resource, averaged over five minutes.",
		Entity: platform.Pressure, Device: PressureResource,
		Points: []Point{
			{platform.PressureFull300, attrs{PressureType.String("full")}},
			{platform.PressureSome300, attrs{PressureType.String("some")}},
		},
		Note: averaged,
	},
	{
		Name: "system.pressure.linux.stall_60s", Unit: "1", Kind: Gauge, Div: tenThousandths,
		Brief:  "Share of the time in which tasks stood still for want of a resource, averaged over a minute.",
		Entity: platform.Pressure, Device: PressureResource,
		Points: []Point{
			{platform.PressureFull60, attrs{PressureType.String("full")}},
			{platform.PressureSome60, attrs{PressureType.String("some")}},
		},
		Note: averaged,
	},
	{
		Name: "system.process.linux.blocked", Unit: "{thread}", Kind: UpDownCounter,
		Brief:  "Number of threads that wait for a disk.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTasksBlocked}},
	},
	{
		Name: "system.process.linux.runnable", Unit: "{thread}", Kind: UpDownCounter,
		Brief:  "Number of threads that run or could run.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostTasksRunnable}},
	},
	{
		Name: "system.user.session.count", Unit: "{session}", Kind: UpDownCounter,
		Brief:  "Number of sessions of users that are logged in.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostSessions}},
		Note: "The records of utmp whose process is alive. A system that keeps no utmp tells none.",
	},
}

// Notes that several rows share.
const (
	dear      = "The kernel walks the page tables for it: processes above a ceiling of resident memory (4 GiB) are skipped, and so are the rest once a pass has spent a second on it."
	discards  = "Discarding tells the disk that blocks are not needed any more. Since Linux 4.18."
	namespace = "Of one network namespace."
	averaged  = "The kernel's own average, of which system.pressure.linux.stall.time is the exact form. some and full are as there."
)
