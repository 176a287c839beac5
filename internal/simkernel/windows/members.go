package windows

import (
	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/windows/headers"
	"github.com/pidometer/pidometer/platform/windows"
)

// members are those that a pass writes again and again, found once for each size of a pointer.
// What is written into them is in the order of their names.
type members struct {
	process, threads, name, next, thread, extension simkernel.Fields
	processor, link, disk, times, region, page      simkernel.Fields
	alias                                           int          // where the name of an interface begins
	sockets                                         [4]socketRow // by table
}

func membersOf(h *headers.Of) members {
	return members{
		sockets: [...]socketRow{
			windows.TCP4: socketRowOf(h.TCP4, "dw", "Local", "Remote"), windows.TCP6: socketRowOf(h.TCP6, "uc", "Local", "Remote"),
			windows.UDP4: socketRowOf(h.UDP4, "dw", "Local"), windows.UDP6: socketRowOf(h.UDP6, "uc", "Local"),
		},
		process: h.Process.Fields("UniqueProcessId", "InheritedFromUniqueProcessId", "CreateTime", "UserTime", "KernelTime",
			"HardFaultCount", "PageFaultCount", "VirtualSize", "PagefileUsage", "PeakWorkingSetSize", "WorkingSetSize"),
		threads:   h.Process.Fields("NumberOfThreads"),
		name:      h.Process.Fields("ImageName"),
		next:      h.Process.Fields("NextEntryOffset"),
		thread:    h.Thread.Fields("UniqueProcess", "UniqueThread", "CreateTime", "ContextSwitches", "ThreadState", "WaitReason"),
		extension: h.Extension.Fields("BytesRead", "BytesWritten", "ReadOperationCount", "WriteOperationCount", "ContextSwitches"),
		processor: h.Processor.Fields("IdleTime", "KernelTime", "UserTime", "InterruptTime", "InterruptCount"),
		link: h.Interface.Fields("InterfaceIndex", "Mtu", "Type", "InterfaceAndOperStatusFlags", "OperStatus", "AdminStatus",
			"InOctets", "InUcastPkts", "InDiscards", "InErrors", "OutOctets", "OutUcastPkts", "OutErrors"),
		alias:  h.Interface.Offset("Alias"),
		disk:   h.Disk.Fields("BytesRead", "BytesWritten", "ReadTime", "WriteTime", "IdleTime", "ReadCount", "WriteCount"),
		region: h.Region.Fields("BaseAddress", "AllocationBase", "RegionSize", "State", "Protect", "Type"),
		page:   h.Page.Fields("VirtualAttributes"),
		times:  h.Times.Fields("CreateTime", "UserTime", "KernelTime"),
	}
}
