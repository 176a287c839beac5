package windows

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Calls that x/sys does not wrap. All of them take wide characters or none.
var (
	ntdll    = windows.NewLazySystemDLL("ntdll.dll")
	kernel32 = windows.NewLazySystemDLL("kernel32.dll")
	iphlpapi = windows.NewLazySystemDLL("iphlpapi.dll")
	powrprof = windows.NewLazySystemDLL("powrprof.dll")

	querySystemEx        = ntdll.NewProc("NtQuerySystemInformationEx")
	getPerformanceInfo   = kernel32.NewProc("K32GetPerformanceInfo")
	getNativeSystemInfo  = kernel32.NewProc("GetNativeSystemInfo")
	getPowerStatus       = kernel32.NewProc("GetSystemPowerStatus")
	callPowerInformation = powrprof.NewProc("CallNtPowerInformation")
	getExtendedTCPTable  = iphlpapi.NewProc("GetExtendedTcpTable")
	getExtendedUDPTable  = iphlpapi.NewProc("GetExtendedUdpTable")
	getTCPStatisticsEx   = iphlpapi.NewProc("GetTcpStatisticsEx")
	getUDPStatisticsEx   = iphlpapi.NewProc("GetUdpStatisticsEx")
	getIPStatisticsEx    = iphlpapi.NewProc("GetIpStatisticsEx")
	freeMibTable         = iphlpapi.NewProc("FreeMibTable")
	getUnicastTable      = iphlpapi.NewProc("GetUnicastIpAddressTable")
)

// realKernel makes its calls.
type realKernel struct{ machine uint16 }

// systemInfo is SYSTEM_INFO, of which only the processor's architecture is read.
type systemInfo struct {
	architecture uint16
	rest         [62]byte
}

func newKernel() (Kernel, error) {
	var info systemInfo
	getNativeSystemInfo.Call(uintptr(unsafe.Pointer(&info)))
	return realKernel{info.architecture}, nil
}

func (realKernel) Word() int         { return int(unsafe.Sizeof(uintptr(0))) }
func (k realKernel) Machine() uint16 { return k.machine }
func (realKernel) Pid() uint64       { return uint64(os.Getpid()) }

func (realKernel) Clocks() (now, uptime uint64) {
	var ft windows.Filetime
	windows.GetSystemTimeAsFileTime(&ft)
	now = uint64(ft.HighDateTime)<<32 | uint64(ft.LowDateTime)
	return now, uint64(windows.DurationSinceBoot() / time.Nanosecond)
}

func (realKernel) Address(buf []byte) uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(buf))))
}

func (realKernel) System(class int32, buf []byte) (int, error) {
	var n uint32
	err := windows.NtQuerySystemInformation(class, unsafe.Pointer(unsafe.SliceData(buf)), uint32(len(buf)), &n)
	return filled(n, len(buf), err)
}

func (realKernel) SystemEx(class int32, input, buf []byte) (int, error) {
	if err := querySystemEx.Find(); err != nil {
		return 0, errors.ErrUnsupported
	}
	var n uint32
	status, _, _ := querySystemEx.Call(uintptr(class), uintptr(unsafe.Pointer(unsafe.SliceData(input))), uintptr(len(input)),
		uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), uintptr(unsafe.Pointer(&n)))
	return filled(n, len(buf), statusError(status))
}

func statusError(status uintptr) error {
	if status == 0 {
		return nil
	}
	return windows.NTStatus(status)
}

// filled turns the answer of a call into what [Kernel] promises: a buffer that was too
// small is no error, but a size.
func filled(n uint32, had int, err error) (int, error) {
	switch err {
	case nil:
		return min(int(n), had), nil
	case windows.STATUS_INFO_LENGTH_MISMATCH, windows.STATUS_BUFFER_TOO_SMALL, windows.STATUS_BUFFER_OVERFLOW,
		windows.ERROR_INSUFFICIENT_BUFFER, windows.ERROR_MORE_DATA:
		return max(int(n), 2*had+64), nil
	}
	return 0, standard(err)
}

func (realKernel) Performance(buf []byte) error {
	ok, _, err := getPerformanceInfo.Call(uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)))
	return failed(ok, err)
}

// failed returns the error of a call that answers FALSE.
func failed(ok uintptr, err error) error {
	if ok != 0 {
		return nil
	}
	return standard(err)
}

func (realKernel) Power(level int32, buf []byte) error {
	if err := callPowerInformation.Find(); err != nil {
		return errors.ErrUnsupported
	}
	status, _, _ := callPowerInformation.Call(uintptr(level), 0, 0, uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)))
	return standard(statusError(status))
}

func (realKernel) PowerStatus(buf []byte) error {
	ok, _, err := getPowerStatus.Call(uintptr(unsafe.Pointer(unsafe.SliceData(buf))))
	return failed(ok, err)
}

// Open needs no opening of this process itself, which has all rights to itself; Wine
// tells what is in memory by that handle alone.
func (k realKernel) Open(pid uint64, access uint32) (Handle, error) {
	if pid == k.Pid() {
		return Handle(windows.CurrentProcess()), nil
	}
	h, err := windows.OpenProcess(access, false, uint32(pid))
	if err == windows.ERROR_INVALID_PARAMETER { // nobody has the PID
		return 0, os.ErrProcessDone
	}
	return Handle(h), standard(err)
}

func (realKernel) Close(h Handle) error { return standard(windows.CloseHandle(windows.Handle(h))) }

func (realKernel) Process(h Handle, class int32, buf []byte) (int, error) {
	size := len(buf)
	if fixed := processClassSize(class); fixed != 0 {
		size = fixed // these take no other size
	}
	if size > len(buf) {
		return size, nil
	}
	var n uint32
	err := windows.NtQueryInformationProcess(windows.Handle(h), class, unsafe.Pointer(unsafe.SliceData(buf)), uint32(size), &n)
	return filled(n, size, err)
}

// processClassSize is the size of an answer that has only one.
func processClassSize(class int32) int {
	word := int(unsafe.Sizeof(uintptr(0)))
	switch class {
	case classBasic:
		return 6 * word
	case classTimes:
		return timesSize
	case classWow64:
		return word
	case classIOPriority:
		return 4
	case classPriority:
		return 2
	}
	return 0
}

func (realKernel) Memory(h Handle, address uint64, buf []byte) error {
	if len(buf) == 0 {
		return nil
	}
	var n uintptr
	err := windows.ReadProcessMemory(windows.Handle(h), uintptr(address), unsafe.SliceData(buf), uintptr(len(buf)), &n)
	if err == windows.ERROR_PARTIAL_COPY || err == windows.ERROR_NOACCESS || err == nil && n != uintptr(len(buf)) {
		return ErrPartial
	}
	return standard(err)
}

// longPath is what a path may be at most.
const longPath = 32 << 10

func (realKernel) File(process Handle, handle uint64) (string, error) {
	var file windows.Handle
	if err := windows.DuplicateHandle(windows.Handle(process), windows.Handle(handle), windows.CurrentProcess(), &file, 0, false,
		windows.DUPLICATE_SAME_ACCESS); err != nil {
		return "", standard(err)
	}
	defer windows.CloseHandle(file)
	if kind, err := windows.GetFileType(file); err != nil || kind != windows.FILE_TYPE_DISK {
		return "", errors.ErrUnsupported
	}
	var info windows.ByHandleFileInformation
	if windows.GetFileInformationByHandle(file, &info) != nil || info.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY != 0 {
		return "", errors.ErrUnsupported
	}
	path := make([]uint16, longPath)
	n, err := windows.GetFinalPathNameByHandle(file, &path[0], uint32(len(path)), 0)
	if err != nil || int(n) > len(path) {
		return "", standard(err)
	}
	return strings.TrimPrefix(windows.UTF16ToString(path[:n]), `\\?\`), nil
}

func (realKernel) Owner(h Handle) (string, error) {
	var token windows.Token
	if err := windows.OpenProcessToken(windows.Handle(h), windows.TOKEN_QUERY, &token); err != nil {
		return "", standard(err)
	}
	defer token.Close()
	user, err := token.GetTokenUser()
	if err != nil {
		return "", standard(err)
	}
	account, domain, _, err := user.User.Sid.LookupAccount("")
	if err != nil { // an account that was deleted, or of a domain out of reach
		return user.User.Sid.String(), nil
	}
	return domain + `\` + account, nil
}

// standard turns what the standard library has a word for into that word.
func standard(err error) error {
	switch err {
	case nil:
		return nil
	case windows.STATUS_ACCESS_DENIED, windows.STATUS_PRIVILEGE_NOT_HELD, windows.ERROR_ACCESS_DENIED, windows.ERROR_PRIVILEGE_NOT_HELD:
		return fs.ErrPermission
	case windows.STATUS_NOT_IMPLEMENTED, windows.STATUS_INVALID_INFO_CLASS, windows.STATUS_NOT_SUPPORTED, windows.STATUS_INVALID_PARAMETER,
		windows.ERROR_NOT_SUPPORTED, windows.ERROR_CALL_NOT_IMPLEMENTED, windows.ERROR_INVALID_FUNCTION, windows.ERROR_INVALID_PARAMETER:
		return errors.ErrUnsupported
	case windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND, windows.ERROR_NOT_READY, windows.ERROR_BAD_NETPATH,
		windows.ERROR_UNRECOGNIZED_VOLUME:
		return fs.ErrNotExist
	case windows.STATUS_PROCESS_IS_TERMINATING:
		return os.ErrProcessDone
	case windows.STATUS_PARTIAL_COPY:
		return ErrPartial
	case syscall.Errno(0):
		return errors.ErrUnsupported
	}
	return err
}
