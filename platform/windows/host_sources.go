package windows

import "github.com/pidometer/pidometer/platform"

// The sources of the host, in the order in which they are listed and read. Those that
// tell of the host itself come first.
const (
	fromProcessors = iota + numProcessSources
	fromInterrupts
	fromPerformance
	fromMemory
	fromUptime
	fromQueue
	fromTopology
	fromTCP
	fromUDP
	fromTCPStatistics
	fromUDPStatistics
	fromIPStatistics
	fromSessions
	fromMachineGUID
	fromHostName
	fromSystem
	fromVersion
	fromPower
	fromDisks
	fromDiskSize
	fromVolumes
	fromInterfaces
	fromPageFiles
	fromServices
	fromBattery
	numSources
)

// hostOnly are the sources that tell of the host itself.
const hostOnly = platform.SourceSet(1<<fromPower-1) &^ allProcessSources

// hostSources describes them.
func hostSources() []platform.Source {
	s := make([]platform.Source, numSources)
	s[fromProcessors] = processorsSource()
	s[fromInterrupts] = platform.Source{Name: "SystemInterruptInformation", Entity: platform.Host, Cost: 10,
		Gives: []platform.Given{{Field: platform.HostSoftInterrupts, Bits: 32}}}
	s[fromPerformance] = performanceSource()
	s[fromMemory] = level("GetPerformanceInfo", platform.Host, 5, platform.HostMemoryTotal, platform.HostMemoryUsed,
		platform.HostMemoryFree, platform.HostWindowsCommitted, platform.HostWindowsCommitLimit)
	s[fromUptime] = level("GetTickCount64", platform.Host, 1, platform.HostUptime)
	s[fromQueue] = level("SystemProcessInformation, thread states", platform.Host, 500, platform.HostTasksRunnable,
		platform.HostWindowsLoad1, platform.HostWindowsLoad5, platform.HostWindowsLoad15)
	s[fromTopology] = level("SystemLogicalProcessorInformationEx", platform.Host, 20, platform.HostCPUPhysical)
	s[fromTCP] = level("GetExtendedTcpTable", platform.Host, 100, platform.HostTCPFields()...)
	s[fromUDP] = level("GetExtendedUdpTable", platform.Host, 50, platform.HostUDP)
	s[fromTCPStatistics] = narrow("GetTcpStatisticsEx", tcpStatistics[:])
	s[fromUDPStatistics] = narrow("GetUdpStatisticsEx", append(udp4Statistics[:], udp6Statistics[:]...))
	s[fromIPStatistics] = narrow("GetIpStatisticsEx", append(ip4Statistics[:], ip6Statistics[:]...))
	s[fromSessions] = level("WTSEnumerateSessions", platform.Host, 200, platform.HostSessions)
	s[fromMachineGUID] = words(`HKLM\SOFTWARE\Microsoft\Cryptography`, 20, platform.HostID)
	s[fromHostName] = words("GetComputerNameEx", 5, platform.HostName)
	s[fromSystem] = words("GetNativeSystemInfo", 1, platform.HostArch, platform.OSType)
	s[fromVersion] = words("RtlGetVersion", 20, platform.OSName, platform.OSVersion, platform.OSDescription, platform.OSBuild)
	s[fromPower] = level("CallNtPowerInformation", platform.CPU, 10, platform.CPUFrequency, platform.CPUFrequencyNominal)
	s[fromBattery] = batterySource()
	s[fromDisks] = disksSource()
	s[fromDiskSize] = level("IOCTL_DISK_GET_DRIVE_GEOMETRY_EX", platform.Disk, 30, platform.DiskSize)
	s[fromVolumes] = level("GetDiskFreeSpaceEx", platform.Filesystem, 100, platform.FilesystemTotal,
		platform.FilesystemUsed, platform.FilesystemFree, platform.FilesystemReserved)
	s[fromVolumes].Texts = []platform.Text{platform.FilesystemDevice, platform.FilesystemType, platform.FilesystemMode}
	s[fromInterfaces] = level("GetIfTable2", platform.Network, 100, interfaceFields()...)
	s[fromPageFiles] = level("SystemPageFileInformation", platform.Swap, 10, platform.SwapTotal, platform.SwapUsed, platform.SwapFree)
	s[fromServices] = level("EnumServicesStatusEx", platform.Service, 500, append(serviceStates[1:], platform.ServiceProcess)...)
	s[fromServices].Texts = []platform.Text{platform.ServiceDisplayName}
	return s[numProcessSources:]
}

// level is a source of fields of which no width matters.
func level(name string, e platform.Entity, cost int, fields ...platform.Field) platform.Source {
	return platform.Source{Name: name, Entity: e, Cost: cost, Gives: exactly(fields...)}
}

// words is a source of texts of the host.
func words(name string, cost int, texts ...platform.Text) platform.Source {
	return platform.Source{Name: name, Entity: platform.Host, Texts: texts, Cost: cost}
}

// narrow is a source of counters of 32 bits.
func narrow(name string, members []member) platform.Source {
	s := platform.Source{Name: name, Entity: platform.Host, Cost: 10}
	for _, m := range members {
		s.Gives = append(s.Gives, platform.Given{Field: m.field, Bits: 32})
	}
	return s
}
