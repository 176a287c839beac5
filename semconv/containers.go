package semconv

import "github.com/pidometer/pidometer/platform"

// containers are the metrics of containers that the conventions have. All of them
// are off by default: they take a walk over every control group of the host.
var containers = [...]Metric{
	{
		Name: "container.cpu.time", Unit: "s", Kind: Counter, Div: seconds, OptIn: true,
		Brief:  "Total CPU time consumed.",
		Entity: platform.Container, Points: containerModes,
		Note: "This and all container metrics are off by default, since every control group is looked at for them. A container is a control group that a runtime made for one: docker, containerd, CRI-O, podman, ECS, LXC, systemd-nspawn. The groups within it count in it.",
	},
	{
		Name: "container.cpu.usage", Unit: "{cpu}", Kind: Gauge, Rate: true, OptIn: true,
		Brief:  "Container's CPU usage, measured in CPUs. Range from 0 to the number of allocatable CPUs.",
		Entity: platform.Container, Points: containerModes,
	},
	{
		Name: "container.disk.io", Unit: "By", Kind: Counter, OptIn: true,
		Brief:  "Disk bytes for the container.",
		Entity: platform.Container,
		Points: []Point{
			{platform.ContainerDiskReadBytes, attrs{DiskDirection.String("read")}},
			{platform.ContainerDiskWriteBytes, attrs{DiskDirection.String("write")}},
		},
		Note: "Of all physical disks. What goes to a device stacked on them is not counted twice.",
	},
	{
		Name: "container.memory.available", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "Container memory available.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerMemoryAvailable}},
		Note: "Limit minus working set; without a limit there is no point.",
	},
	{
		Name: "container.memory.rss", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "Container memory RSS.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerMemoryRSS}},
		Note: "Anonymous memory.",
	},
	{
		Name: "container.memory.usage", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "Memory usage of the container.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerMemoryUsage}},
		Note: "All that is charged to it, page cache included.",
	},
	{
		Name: "container.memory.working_set", Unit: "By", Kind: UpDownCounter, OptIn: true,
		Brief:  "Container memory working set.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerMemoryWorkingSet}},
		Note: "Usage without the pages of files that were not used lately, as the kubelet counts.",
	},
	{
		Name: "container.paging.faults", Unit: "{fault}", Kind: Counter, OptIn: true,
		Brief:  "Container memory paging faults.",
		Entity: platform.Container,
		Points: []Point{
			{platform.ContainerFaultsMajor, attrs{FaultType.String("major")}},
			{platform.ContainerFaultsMinor, attrs{FaultType.String("minor")}},
		},
	},
	{
		Name: "container.uptime", Unit: "s", Kind: Gauge, Div: seconds, OptIn: true,
		Brief:  "The time the container has been running.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerUptime}},
		Note: "Since the start of its first process. There is no point where its processes can't be seen, as from another PID namespace.",
	},
}

// groupExtensions are what the conventions lack of containers, and of the limits
// that control groups set to a process.
var groupExtensions = [...]Metric{
	{
		Name: "container.cpu.limit", Unit: "{cpu}", Kind: UpDownCounter, Div: millionths,
		Brief:  "CPU time that the container may use, in CPUs.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerCPULimit}},
		Note: "The quota over its period, of the container's own group. Without a limit there is no point.",
	},
	{
		Name: "container.cpu.linux.periods", Unit: "{period}", Kind: Counter,
		Brief:  "Periods in which the container ran under a limit of CPU time.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerCPUPeriods}},
	},
	{
		Name: "container.cpu.linux.throttled_periods", Unit: "{period}", Kind: Counter,
		Brief:  "Periods in which the limit stopped the container.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerCPUThrottled}},
		Note: "What share of container.cpu.linux.periods they are tells how tight the limit is.",
	},
	{
		Name: "container.cpu.linux.throttled_time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Time for which the limit stopped the container.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerCPUThrottledTime}},
		Note: "Summed over the CPUs.",
	},
	{
		Name: "container.memory.limit", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that the container may use.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerMemoryLimit}},
		Note: "Of the container's own group. Without a limit there is no point.",
	},
	{
		Name: "container.memory.linux.oom_kills", Unit: "{kill}", Kind: Counter,
		Brief:  "Processes of the container that the kernel killed because memory ran out.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerOOMKills}},
		Note: "With version 1 of control groups since Linux 4.13.",
	},
	{
		Name: "container.pressure.linux.stall.time", Unit: "s", Kind: Counter, Div: seconds,
		Brief:  "Time in which tasks of the container stood still for want of a resource.",
		Entity: platform.Container,
		Points: []Point{
			{platform.ContainerPressureCPUSome, attrs{PressureResource.String("cpu"), PressureType.String("some")}},
			{platform.ContainerPressureCPUFull, attrs{PressureResource.String("cpu"), PressureType.String("full")}},
			{platform.ContainerPressureMemorySome, attrs{PressureResource.String("memory"), PressureType.String("some")}},
			{platform.ContainerPressureMemoryFull, attrs{PressureResource.String("memory"), PressureType.String("full")}},
			{platform.ContainerPressureIOSome, attrs{PressureResource.String("io"), PressureType.String("some")}},
			{platform.ContainerPressureIOFull, attrs{PressureResource.String("io"), PressureType.String("full")}},
		},
		Note: "some and full are as in system.pressure.linux.stall.time. Version 2 of control groups alone tells it.",
	},
	{
		Name: "container.thread.count", Unit: "{thread}", Kind: UpDownCounter,
		Brief:  "Container threads count.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerThreads}},
	},
	{
		Name: "container.thread.limit", Unit: "{thread}", Kind: UpDownCounter,
		Brief:  "Threads that the container may have.",
		Entity: platform.Container, Points: []Point{{Field: platform.ContainerThreadLimit}},
		Note: "Without a limit there is no point.",
	},
	{
		Name: "process.cpu.limit", Unit: "{cpu}", Kind: UpDownCounter, Div: millionths,
		Brief:  "CPU time that control groups let the process use, in CPUs.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessCPULimit}},
		Note: "The quota over its period, the strictest of the group that the process is in and of all above it that can be seen. It is the group's as a whole. Without a limit there is no point. What system.* tells of the machine is not changed by it.",
	},
	{
		Name: "process.memory.limit", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that control groups let the process use.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessMemoryLimit}},
		Note: "The strictest, as with process.cpu.limit.",
	},
}

var containerModes = []Point{
	{platform.ContainerCPUUser, attrs{CPUMode.String("user")}},
	{platform.ContainerCPUSystem, attrs{CPUMode.String("system")}},
}
