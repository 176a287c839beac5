package headers

// devices: ntdddisk.h, winbase.h and winsvc.h.
func (h *Of) devices() {
	h.Disk = h.Word.C("DISK_PERFORMANCE", `
		int64 BytesRead, BytesWritten, ReadTime, WriteTime, IdleTime
		uint32 ReadCount, WriteCount, QueueDepth, SplitCount
		int64 QueryTime
		uint32 StorageDeviceNumber
		uint16 StorageManagerName[8]`)
	h.Geometry = h.Word.C("DISK_GEOMETRY_EX", `
		int64 Cylinders // of DISK_GEOMETRY
		uint32 MediaType, TracksPerCylinder, SectorsPerTrack, BytesPerSector
		int64 DiskSize
		uint8 Data[1]`)

	h.PowerStatus = h.Word.C("SYSTEM_POWER_STATUS", `
		uint8 ACLineStatus, BatteryFlag, BatteryLifePercent, SystemStatusFlag
		uint32 BatteryLifeTime, BatteryFullLifeTime`)

	h.ServiceStatus = h.Word.C("SERVICE_STATUS_PROCESS", `
		uint32 dwServiceType, dwCurrentState, dwControlsAccepted, dwWin32ExitCode, dwServiceSpecificExitCode
		uint32 dwCheckPoint, dwWaitHint, dwProcessId, dwServiceFlags`)
	h.Service = h.Word.C("ENUM_SERVICE_STATUS_PROCESS", `
		pointer lpServiceName, lpDisplayName
		SERVICE_STATUS_PROCESS ServiceStatusProcess`, h.ServiceStatus)
}
