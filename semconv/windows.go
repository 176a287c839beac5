package semconv

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// The attributes of what only Windows tells. No convention has them.
const (
	PoolType           attribute.Key = "process.memory.windows.pool.type"
	ServiceDisplayName attribute.Key = "windows.service.display_name"
	ServiceName        attribute.Key = "windows.service.name"
	ServiceState       attribute.Key = "windows.service.state"
)

// windowsExtensions are what only Windows tells and the conventions lack.
var windowsExtensions = [...]Metric{
	{
		Name: "process.io.windows.other", Unit: "By", Kind: Counter, Adds: true,
		Brief:  "Bytes moved by requests of the process to devices that neither read nor write.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessOtherBytes}},
		Note: "psutil's other_bytes: control requests, to devices and sockets.",
	},
	{
		Name: "process.io.windows.other_operations", Unit: "{operation}", Kind: Counter, Adds: true,
		Brief:  "Number of requests of the process to devices that neither read nor write.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessOtherOperations}},
		Note: "psutil's other_count.",
	},
	{
		Name: "process.io.windows.requested", Unit: "By", Kind: Counter, Adds: true,
		Brief:  "Bytes that the process read and wrote by requests to files, devices, pipes and sockets.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessTransferRead, attrs{DiskDirection.String("read")}},
			{platform.ProcessTransferWrite, attrs{DiskDirection.String("write")}},
		},
		Note: "psutil's read_bytes and write_bytes: what a cache served counts too. For what went to and from disks see process.disk.io.",
	},
	{
		Name: "process.io.windows.requested_operations", Unit: "{operation}", Kind: Counter, Adds: true,
		Brief:  "Number of requests of the process that read and wrote files, devices, pipes and sockets.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessTransferReads, attrs{DiskDirection.String("read")}},
			{platform.ProcessTransferWrites, attrs{DiskDirection.String("write")}},
		},
		Note: "psutil's read_count and write_count.",
	},
	{
		Name: "process.memory.windows.address_space", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Address space of the process, what is only reserved included.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessAddressSpace}},
		Note: "Of a 64-bit program it may be terabytes that nobody touches. process.memory.virtual is what is committed.",
	},
	{
		Name: "process.memory.windows.address_space_peak", Unit: "By", Kind: Gauge,
		Brief:  "The largest address space that the process ever had.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessAddressPeak}},
	},
	{
		Name: "process.memory.windows.commit.peak", Unit: "By", Kind: Gauge,
		Brief:  "The most memory that the process ever was promised.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessCommitPeak}},
		Note: "The peak of process.memory.virtual. psutil's peak_pagefile.",
	},
	{
		Name: "process.memory.windows.pool", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "Memory of the kernel that is charged to the process.",
		Entity: platform.Process,
		Points: []Point{
			{platform.ProcessPoolNonPaged, attrs{PoolType.String("nonpaged")}},
			{platform.ProcessPoolPaged, attrs{PoolType.String("paged")}},
		},
		Note: "psutil's nonpaged_pool and paged_pool.",
	},
	{
		Name: "process.memory.windows.working_set.peak", Unit: "By", Kind: Gauge,
		Brief:  "The largest working set that the process ever had.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessWorkingSetPeak}},
		Note: "The peak of process.memory.usage. psutil's peak_wset.",
	},
	{
		Name: "process.memory.windows.working_set.private", Unit: "By", Kind: UpDownCounter, Adds: true,
		Brief:  "The part of the working set that no other process can share.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessPrivateSet}},
		Note: "What Task Manager shows as memory. It costs nothing and takes no right, as process.memory.uss does; it leaves out pages that others could share and do not.",
	},
	{
		Name: "process.windows.context_switches", Unit: "{context_switch}", Kind: Counter, Adds: true,
		Brief:  "Number of times the process has been context switched, voluntarily or not.",
		Entity: platform.Process, Points: []Point{{Field: platform.ProcessSwitches}},
		Note: "Windows does not tell the two kinds apart, so that process.context_switches, which has to say which, is absent there. The kernel's own sum since Windows 10 version 1709, else that over the threads, in which one that ended keeps its last seen value.",
	},
	{
		Name: "system.cpu.windows.load_15m", Unit: "{thread}", Kind: Gauge, Div: hundredths,
		Brief:  "Threads that wait for a CPU, averaged over fifteen minutes.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostWindowsLoad15}},
		Note: "As system.cpu.windows.load_1m.",
	},
	{
		Name: "system.cpu.windows.load_1m", Unit: "{thread}", Kind: Gauge, Div: hundredths,
		Brief:  "Threads that wait for a CPU, averaged over a minute.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostWindowsLoad1}},
		Note: "Made of the queue at each pass, weighted as Unix weighs it, which psutil does too; Windows itself has no such average. The threads that run are not in it. Begins with the queue of the first pass.",
	},
	{
		Name: "system.cpu.windows.load_5m", Unit: "{thread}", Kind: Gauge, Div: hundredths,
		Brief:  "Threads that wait for a CPU, averaged over five minutes.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostWindowsLoad5}},
		Note: "As system.cpu.windows.load_1m.",
	},
	{
		Name: "system.memory.windows.commit.limit", Unit: "By", Kind: UpDownCounter,
		Brief:  "The most memory that may be promised to programs.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostWindowsCommitLimit}},
		Note: "Physical memory and page files, as large as they are now.",
	},
	{
		Name: "system.memory.windows.commit.usage", Unit: "By", Kind: UpDownCounter,
		Brief:  "Memory that is promised to programs.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostWindowsCommitted}},
		Note: "At the limit the next request for memory fails.",
	},
	{
		Name: "system.windows.system_calls", Unit: "{call}", Kind: Counter,
		Brief:  "Number of calls that programs made to the kernel.",
		Entity: platform.Host, Points: []Point{{Field: platform.HostSystemCalls}},
		Note: "psutil's syscalls. Windows counts them in 32 bits, so the series begins with the first look.",
	},
	{
		Name: "windows.service.status", Unit: "1", Kind: UpDownCounter,
		Brief:  "State of the service: `1` (true) or `0` (false) for each of the possible states.",
		Entity: platform.Service,
		Points: []Point{
			{platform.ServiceContinuePending, attrs{ServiceState.String("continue_pending")}},
			{platform.ServicePausePending, attrs{ServiceState.String("pause_pending")}},
			{platform.ServicePaused, attrs{ServiceState.String("paused")}},
			{platform.ServiceRunning, attrs{ServiceState.String("running")}},
			{platform.ServiceStartPending, attrs{ServiceState.String("start_pending")}},
			{platform.ServiceStopPending, attrs{ServiceState.String("stop_pending")}},
			{platform.ServiceStopped, attrs{ServiceState.String("stopped")}},
		},
		Note: "Of every service of Windows, running or not; drivers are left out. One call tells of all of them.",
	},
}
