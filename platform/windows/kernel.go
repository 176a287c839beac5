package windows

import "errors"

// Kernel is the handful of calls that this backend makes. [Options.Kernel]
// replaces the real one with a recorded or a failing one.
//
// A call that fills a buffer returns how many bytes its answer has. If that is more
// than the buffer holds, nothing of use was written, and the call is made again with
// more room. Errors are those of the standard library where it has one:
// [io/fs.ErrPermission], [os.ErrProcessDone], [io/fs.ErrNotExist],
// [errors.ErrUnsupported], and [ErrPartial].
type Kernel interface {
	// Word is the size of a pointer in bytes: 8, or 4 for a 32-bit program, which
	// is told 32-bit structures by any Windows.
	Word() int
	// Machine is the processor's architecture, by the numbers of SYSTEM_INFO.
	Machine() uint16
	// Pid is the calling process.
	Pid() uint64
	// Clocks returns the system time in units of 100 ns since 1601 (FILETIME), and
	// the nanoseconds since the start, sleep included (GetTickCount64).
	Clocks() (now, uptime uint64)
	// Address is where a buffer lies. Pointers in an answer that lead into the
	// answer itself are relative to it.
	Address(buf []byte) uint64

	// System is NtQuerySystemInformation.
	System(class int32, buf []byte) (n int, err error)
	// SystemEx is NtQuerySystemInformationEx.
	SystemEx(class int32, input, buf []byte) (n int, err error)
	// Performance is K32GetPerformanceInfo.
	Performance(buf []byte) error
	// Power is CallNtPowerInformation without input.
	Power(level int32, buf []byte) error
	// PowerStatus is GetSystemPowerStatus: SYSTEM_POWER_STATUS.
	PowerStatus(buf []byte) error
	// Version is RtlGetVersion.
	Version() (major, minor, build uint32)
	// HostName is GetComputerNameEx(ComputerNamePhysicalDnsHostname).
	HostName() (string, error)
	// Registry reads a string under HKEY_LOCAL_MACHINE, in the 64-bit view.
	Registry(key, value string) (string, error)

	// Interfaces is GetIfTable2: MIB_IF_TABLE2.
	Interfaces(buf []byte) (n int, err error)
	// Addresses is GetUnicastIpAddressTable: MIB_UNICASTIPADDRESS_TABLE.
	Addresses(buf []byte) (n int, err error)
	// Sockets is GetExtendedTcpTable or GetExtendedUdpTable with owners.
	Sockets(table SocketTable, buf []byte) (n int, err error)
	// Statistics is GetTcpStatisticsEx, GetUdpStatisticsEx or GetIpStatisticsEx.
	Statistics(table StatisticsTable, buf []byte) error
	// Sessions returns the sessions of the host, WTSEnumerateSessions.
	Sessions() ([]Session, error)

	ServiceManager

	// OpenDisk opens a whole disk, \\.\PhysicalDrive[number], for questions only.
	OpenDisk(number int) (Handle, error)
	// Control is DeviceIoControl without input.
	Control(h Handle, code uint32, buf []byte) (n int, err error)
	// Drives returns the roots of the drives that have a letter: C:\.
	Drives() ([]Drive, error)
	// Volume tells the volume that is mounted on a root. It may take long.
	Volume(root string) (Volume, error)

	// Open opens a process. One that nobody is, is [os.ErrProcessDone].
	Open(pid uint64, access uint32) (Handle, error)
	// Close closes a handle.
	Close(h Handle) error
	// Process is NtQueryInformationProcess.
	Process(h Handle, class int32, buf []byte) (n int, err error)
	// Memory reads the memory of a process, all of buf or nothing.
	Memory(h Handle, address uint64, buf []byte) error
	// File is the path of the regular file that a handle of a process leads to
	// (DuplicateHandle, GetFileType and GetFinalPathNameByHandle). It may take long.
	File(process Handle, handle uint64) (string, error)
	// Image is SystemProcessIdInformation: the kernel's path of a process's program in
	// UTF-16, without opening it.
	Image(pid uint64, buf []byte) (n int, err error)
	// DosDevice is QueryDosDevice: the kernel's name of a drive, \Device\HarddiskVolume3
	// for C:.
	DosDevice(drive string) (string, error)
	// Region is VirtualQueryEx: MEMORY_BASIC_INFORMATION of the pages from an address on.
	// Behind the last it is [io.EOF].
	Region(h Handle, address uint64, buf []byte) (n int, err error)
	// MappedFile is GetMappedFileName: the kernel's path of the file that is mapped at an
	// address, in UTF-16.
	MappedFile(h Handle, address uint64, buf []byte) (n int, err error)
	// WorkingSet is QueryWorkingSetEx, which fills in what buf asks for.
	WorkingSet(h Handle, buf []byte) error
	// Event makes an event that did not happen yet, and Signal lets it happen.
	Event() (Handle, error)
	Signal(event Handle) error
	// Wait waits until a process has ended, or an event happens.
	Wait(process, event Handle) (ended bool, err error)
	// Owner is the account that a process runs as: DOMAIN\name.
	Owner(h Handle) (string, error)
}

// Calls returns the calls of this machine, for those who want to see what passes by. On
// other systems it is an error that matches [errors.ErrUnsupported].
func Calls() (Kernel, error) { return newKernel() }

// Handle is an open process, device or event.
type Handle uintptr

// SocketTable is a table of [Kernel.Sockets].
type SocketTable uint8

// The tables of sockets.
const (
	TCP4 SocketTable = iota
	TCP6
	UDP4
	UDP6
	socketTables
)

// StatisticsTable is a table of [Kernel.Statistics].
type StatisticsTable uint8

// The tables of counters of protocols.
const (
	StatisticsTCP4 StatisticsTable = iota
	StatisticsTCP6
	StatisticsUDP4
	StatisticsUDP6
	StatisticsIP4
	StatisticsIP6
)

// Session is what [Kernel.Sessions] tells of one.
type Session struct {
	ID      uint32
	State   uint32 // WTS_CONNECTSTATE_CLASS
	User    string // "" where nobody has logged in
	Station string // Console, RDP-Tcp#0
	Client  string // name of the machine that it is seen from, "" for this one
	Logon   uint64 // FILETIME
}

// Drive is a root and what kind of drive it is.
type Drive struct {
	Root string // C:\
	Kind uint32 // as GetDriveType tells
}

// Volume is what [Kernel.Volume] tells, space in bytes.
type Volume struct {
	Device   string // \Device\HarddiskVolume3
	Type     string // NTFS
	Serial   uint32
	ReadOnly bool
	Total    uint64
	Free     uint64 // to anybody
	Usable   uint64 // to the caller, whose quota may be less
}

// ErrPartial says that only a part of a process's memory could be read, mostly
// because it changed in between (ERROR_PARTIAL_COPY).
var ErrPartial = errors.New("only part of the memory could be read")
