package headers

// program: what one process tells of itself, and keeps in its memory.
func (h *Of) program() {
	h.Times = h.Word.C("KERNEL_USER_TIMES", "int64 CreateTime, ExitTime, KernelTime, UserTime")

	h.Basic = h.Word.C("PROCESS_BASIC_INFORMATION", `
		int32 ExitStatus
		pointer PebBaseAddress
		size AffinityMask
		int32 BasePriority
		size UniqueProcessId, InheritedFromUniqueProcessId`)

	// Their fronts: what is behind differs between versions.
	h.Environment = h.Word.C("PEB", `
		uint8 InheritedAddressSpace, ReadImageFileExecOptions, BeingDebugged, BitField
		pointer Mutant, ImageBaseAddress, Ldr, ProcessParameters`)
	h.Parameters = h.Word.C("RTL_USER_PROCESS_PARAMETERS", `
		uint32 MaximumLength, Length, Flags, DebugFlags
		pointer ConsoleHandle
		uint32 ConsoleFlags
		pointer StandardInput, StandardOutput, StandardError
		UNICODE_STRING CurrentDirectory // of CURDIR, and a handle
		pointer CurrentDirectoryHandle
		UNICODE_STRING DllPath, ImagePathName, CommandLine
		pointer Environment`, h.UnicodeString)
}

// pages: winnt.h and psapi.h.
func (h *Of) pages() {
	partition := "uint16 PartitionId"
	if h.Word == 4 {
		partition = "" // #if defined(_WIN64)
	}
	h.Region = h.Word.C("MEMORY_BASIC_INFORMATION", `
		pointer BaseAddress, AllocationBase
		uint32 AllocationProtect
		`+partition+`
		size RegionSize
		uint32 State, Protect, Type`)

	h.Page = h.Word.C("PSAPI_WORKING_SET_EX_INFORMATION", "pointer VirtualAddress\nsize VirtualAttributes")

	h.Memory = h.Word.C("PERFORMANCE_INFORMATION", `
		uint32 cb
		size CommitTotal, CommitLimit, CommitPeak, PhysicalTotal, PhysicalAvailable, SystemCache
		size KernelTotal, KernelPaged, KernelNonpaged, PageSize
		uint32 HandleCount, ProcessCount, ThreadCount`)
}
