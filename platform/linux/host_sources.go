package linux

import "github.com/pidometer/pidometer/platform"

// The sources of the host half, by their place in hostSources. Those that tell of
// the host itself come first.
const (
	fromStat = iota
	fromMeminfo
	fromVmstat
	fromUptime
	fromLoadavg
	fromLimit
	fromTopology
	fromTCP
	fromUDP
	fromMachineID
	fromHostname
	fromUname
	fromOSRelease
	fromKernelRelease
	fromFileHandles
	fromConntrack
	fromSockstat
	fromSNMP
	fromNetstat
	fromSessions
	fromCPUFreq
	fromDiskstats
	fromDiskSize
	fromMounts
	fromInterfaces
	fromSwaps
	fromLocks
	fromMTU
	fromPressure
	fromNodes
	fromContainerCPU
	fromContainerMemory
	fromContainerIO
	fromContainerPressure
	fromContainerTasks
	fromContainerStart
	fromCPULimits
	fromCPUInfo
	fromDiskIdentity
	fromLink
	fromHwmon
	fromPowerSupply
	fromPowercap
	fromEDAC
	numHostSources
)

// hostOnly are the sources that tell of the host itself.
const hostOnly platform.SourceSet = 1<<fromCPUFreq - 1

// hostSources is the table of what this half reads. word is the size of the
// kernel's unsigned long in bits.
func hostSources(word uint8) []platform.Source {
	s := make([]platform.Source, numHostSources)
	s[fromStat] = statSource(word)
	s[fromMeminfo] = meminfoSource()
	s[fromVmstat] = vmstatSource(word)
	s[fromUptime] = level("/proc/uptime", platform.Host, 5, 1, platform.HostUptime)
	s[fromLoadavg] = level("/proc/loadavg", platform.Host, 5, 1,
		platform.HostLoad1, platform.HostLoad5, platform.HostLoad15)
	s[fromLimit] = level("/proc/sys/kernel/threads-max", platform.Host, 10, 2, platform.HostProcessLimit)
	s[fromTopology] = level("/sys/devices/system/cpu/cpu[N]/topology", platform.Host, 10, 1,
		platform.HostCPUPhysical)
	s[fromTCP] = tcpSource()
	s[fromUDP] = level("/proc/net/udp", platform.Host, 30, 2, platform.HostUDP)
	s[fromMachineID] = words("/etc/machine-id", 10, platform.HostID)
	s[fromHostname] = words("/proc/sys/kernel/hostname", 5, platform.HostName)
	s[fromUname] = words("uname", 1, platform.HostArch, platform.OSType)
	s[fromOSRelease] = words("/etc/os-release", 10,
		platform.OSName, platform.OSVersion, platform.OSDescription)
	s[fromKernelRelease] = words("/proc/sys/kernel/osrelease", 5, platform.OSBuild)
	s[fromCPUFreq] = level("/sys/devices/system/cpu/cpu[N]/cpufreq/scaling_cur_freq", platform.CPU, 50, 1,
		platform.CPUFrequency, platform.CPUFrequencyLive)
	s[fromDiskstats] = diskstatsSource(word)
	s[fromDiskSize] = level("/sys/block/[disk]/size", platform.Disk, 10, 2, platform.DiskSize)
	s[fromMounts] = mountsSource()
	s[fromInterfaces] = interfacesSource()
	s[fromSwaps] = level("/proc/swaps", platform.Swap, 5, 1,
		platform.SwapTotal, platform.SwapUsed, platform.SwapFree)
	s[fromLocks] = locksSource()
	addExtensions(s, word)
	addContainers(s, word)
	addHardware(s)
	return s
}

// level is a source of fields of which no width matters.
func level(name string, e platform.Entity, cost, files int, fields ...platform.Field) platform.Source {
	s := platform.Source{Name: name, Entity: e, Cost: cost, Files: files}
	for _, f := range fields {
		s.Gives = append(s.Gives, platform.Given{Field: f})
	}
	return s
}

// words is a source of texts of the host.
func words(name string, cost int, texts ...platform.Text) platform.Source {
	return platform.Source{Name: name, Entity: platform.Host, Texts: texts, Cost: cost, Files: 1}
}

// statSource: times are kept in 64 bits everywhere (struct kernel_cpustat in
// include/linux/kernel_stat.h), the forks in an unsigned long (kernel/fork.c). Of
// interrupts each CPU has an unsigned long, of soft ones an unsigned int.
func statSource(word uint8) platform.Source {
	s := level("/proc/stat", platform.Host, 30, 1,
		platform.HostCPUUser, platform.HostCPUNice, platform.HostCPUSystem, platform.HostCPUIdle,
		platform.HostCPUIowait, platform.HostCPUInterrupt, platform.HostCPUSteal,
		platform.CPUUser, platform.CPUNice, platform.CPUSystem, platform.CPUIdle,
		platform.CPUIowait, platform.CPUInterrupt, platform.CPUSteal)
	for i := range s.Gives {
		s.Gives[i].Step = tickNanos
	}
	s.Gives = append(s.Gives,
		platform.Given{Field: platform.HostCPULogical},
		platform.Given{Field: platform.HostProcessesCreated, Bits: word},
		platform.Given{Field: platform.HostContextSwitches},
		platform.Given{Field: platform.HostInterrupts, Bits: word},
		platform.Given{Field: platform.HostSoftInterrupts, Bits: softBits},
		platform.Given{Field: platform.HostTasksRunnable},
		platform.Given{Field: platform.HostTasksBlocked})
	return s
}

func meminfoSource() platform.Source {
	return level("/proc/meminfo", platform.Host, 15, 1,
		platform.HostMemoryTotal, platform.HostMemoryUsed, platform.HostMemoryFree,
		platform.HostMemoryBuffers, platform.HostMemoryCached, platform.HostMemoryAvailable,
		platform.HostMemoryShared, platform.HostSlabReclaimable, platform.HostSlabUnreclaimable,
		platform.HostHugePagesTotal, platform.HostHugePagesUsed, platform.HostHugePagesFree,
		platform.HostHugePagesReserved, platform.HostHugePagesSurplus, platform.HostHugePageSize,
		platform.HostMemoryActive, platform.HostMemoryInactive, platform.HostMemoryDirty,
		platform.HostMemoryWriteback, platform.HostMemoryCommitted, platform.HostMemoryCommitLimit)
}

// vmstatSource: events are unsigned longs (struct vm_event_state in
// include/linux/vmstat.h).
func vmstatSource(word uint8) platform.Source {
	s := level("/proc/vmstat", platform.Host, 20, 1,
		platform.HostFaultsMajor, platform.HostFaultsMinor, platform.HostSwapIn, platform.HostSwapOut,
		platform.HostOOMKills, platform.HostSwapInBytes, platform.HostSwapOutBytes)
	for i := range s.Gives {
		s.Gives[i].Bits = word
		if s.Gives[i].Field.Info().Unit == "By" {
			s.Gives[i].Step = smallPage
		}
	}
	return s
}

// sockDiag is the source of TCP sockets, with /proc/net/tcp in its place where it is not
// to be had, or tells of another network namespace than the view's.
const sockDiag = "sock_diag"

// tcpSource: however few sockets there are, the kernel walks its whole hash table
// for them (established_get_first in net/ipv4/tcp_ipv4.c and inet_diag_dump_icsk in
// net/ipv4/inet_diag.c), which has a place for each 128 KiB of memory (tcp_init in
// net/ipv4/tcp.c). The figures are those of diagnoseTCP.
func tcpSource() platform.Source {
	return level(sockDiag, platform.Host, 400, 1,
		platform.HostTCPEstablished, platform.HostTCPSynSent, platform.HostTCPSynReceived,
		platform.HostTCPFinWait1, platform.HostTCPFinWait2, platform.HostTCPTimeWait,
		platform.HostTCPClosed, platform.HostTCPCloseWait, platform.HostTCPLastAck,
		platform.HostTCPListen, platform.HostTCPClosing)
}

// diskstatsSource: counts and sectors are unsigned longs (struct disk_stats in
// include/linux/part_stat.h). Milliseconds are printed as unsigned int by kernels
// of any size (diskstats_show in block/genhd.c), so they wrap after 49.7 days of
// being busy. A disk is busy a second in a second at most; the times of its
// requests add up, and no disk has more than a few thousand under way.
func diskstatsSource(word uint8) platform.Source {
	const second, requests = 1_000_000_000, 4096
	time := func(f platform.Field, most uint64) platform.Given {
		return platform.Given{Field: f, Bits: 32, Step: milli, PerSecond: most}
	}
	return platform.Source{Name: "/proc/diskstats", Entity: platform.Disk, Cost: 20, Files: 1,
		Gives: []platform.Given{
			{Field: platform.DiskReads, Bits: word},
			{Field: platform.DiskWrites, Bits: word},
			{Field: platform.DiskReadsMerged, Bits: word},
			{Field: platform.DiskWritesMerged, Bits: word},
			{Field: platform.DiskReadBytes, Bits: word, Step: sectorBytes},
			{Field: platform.DiskWriteBytes, Bits: word, Step: sectorBytes},
			time(platform.DiskReadTime, requests*second),
			time(platform.DiskWriteTime, requests*second),
			time(platform.DiskIOTime, second),
			{Field: platform.DiskPending},
			time(platform.DiskWeightedTime, requests*second),
			{Field: platform.DiskDiscards, Bits: word},
			{Field: platform.DiskDiscardsMerged, Bits: word},
			{Field: platform.DiskDiscardBytes, Bits: word, Step: sectorBytes},
			time(platform.DiskDiscardTime, requests*second),
			{Field: platform.DiskFlushes, Bits: word},
			time(platform.DiskFlushTime, requests*second),
		}}
}

func mountsSource() platform.Source {
	s := level("/proc/self/mountinfo", platform.Filesystem, 60, 1,
		platform.FilesystemTotal, platform.FilesystemUsed,
		platform.FilesystemFree, platform.FilesystemReserved,
		platform.FilesystemInodes, platform.FilesystemInodesUsed, platform.FilesystemInodesFree)
	s.Texts = []platform.Text{platform.FilesystemDevice, platform.FilesystemType, platform.FilesystemMode}
	return s
}

// interfacesSource: the counters are 64 bits wide everywhere since Linux 2.6.36
// (struct rtnl_link_stats64 in include/uapi/linux/if_link.h).
func interfacesSource() platform.Source {
	return level("/proc/net/dev", platform.Network, 15, 1,
		platform.NetworkReceiveBytes, platform.NetworkTransmitBytes,
		platform.NetworkReceivePackets, platform.NetworkTransmitPackets,
		platform.NetworkReceiveErrors, platform.NetworkTransmitErrors,
		platform.NetworkReceiveDropped, platform.NetworkTransmitDropped)
}

func locksSource() platform.Source {
	return level("/proc/locks", platform.Lock, 10, 1,
		platform.LockPosixRead, platform.LockPosixWrite, platform.LockFlockRead, platform.LockFlockWrite,
		platform.LockOFDRead, platform.LockOFDWrite, platform.LockLeaseRead, platform.LockLeaseWrite)
}
