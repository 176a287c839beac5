package windows

import (
	"io"
	"unsafe"

	"golang.org/x/sys/windows"
)

var getMappedFileName = kernel32.NewProc("K32GetMappedFileNameW")

// processImage is SYSTEM_PROCESS_ID_INFORMATION (ntexapi.h of the System Informer
// project).
type processImage struct {
	pid  uintptr
	name windows.NTUnicodeString
}

// classProcessImage is SystemProcessIdInformation, since Windows Vista.
const classProcessImage = 88

// longestString is what a UNICODE_STRING can hold, in bytes.
const longestString = 1<<16 - 2

func (realKernel) Image(pid uint64, buf []byte) (int, error) {
	if len(buf) < 2 {
		return 512, nil
	}
	image := processImage{pid: uintptr(pid), name: windows.NTUnicodeString{
		MaximumLength: uint16(min(len(buf), longestString)), Buffer: (*uint16)(unsafe.Pointer(unsafe.SliceData(buf)))}}
	var n uint32
	err := windows.NtQuerySystemInformation(classProcessImage, unsafe.Pointer(&image), uint32(unsafe.Sizeof(image)), &n)
	if err == windows.STATUS_INFO_LENGTH_MISMATCH && len(buf) < longestString {
		return max(int(image.name.MaximumLength), min(2*len(buf), longestString)), nil
	}
	return int(image.name.Length), standard(err)
}

func (realKernel) DosDevice(drive string) (string, error) {
	name, err := windows.UTF16PtrFromString(drive)
	if err != nil {
		return "", err
	}
	var target [1024]uint16
	if _, err := windows.QueryDosDevice(name, &target[0], uint32(len(target))); err != nil {
		return "", standard(err)
	}
	return windows.UTF16ToString(target[:]), nil
}

// Region takes an invalid parameter for an address behind the last.
func (realKernel) Region(h Handle, address uint64, buf []byte) (int, error) {
	if uint64(uintptr(address)) != address {
		return 0, io.EOF
	}
	var info windows.MemoryBasicInformation
	err := windows.VirtualQueryEx(windows.Handle(h), uintptr(address), &info, unsafe.Sizeof(info))
	if err == windows.ERROR_INVALID_PARAMETER {
		return 0, io.EOF
	}
	copy(buf, unsafe.Slice((*byte)(unsafe.Pointer(&info)), unsafe.Sizeof(info)))
	return int(unsafe.Sizeof(info)), standard(err)
}

func (realKernel) MappedFile(h Handle, address uint64, buf []byte) (int, error) {
	n, _, err := getMappedFileName.Call(uintptr(h), uintptr(address), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)/2))
	if n == 0 {
		return 0, standard(err)
	}
	if 2*int(n)+2 >= len(buf) && len(buf) < 2*longPath { // what does not fit is cut off
		return 2 * len(buf), nil
	}
	return 2 * int(n), nil
}

func (realKernel) WorkingSet(h Handle, buf []byte) error {
	return standard(windows.QueryWorkingSetEx(windows.Handle(h), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uint32(len(buf))))
}

func (realKernel) Event() (Handle, error) {
	h, err := windows.CreateEvent(nil, 1, 0, nil)
	return Handle(h), standard(err)
}

func (realKernel) Signal(event Handle) error {
	return standard(windows.SetEvent(windows.Handle(event)))
}

func (realKernel) Wait(process, event Handle) (ended bool, err error) {
	which, err := windows.WaitForMultipleObjects([]windows.Handle{windows.Handle(process), windows.Handle(event)}, false, windows.INFINITE)
	return which == windows.WAIT_OBJECT_0, standard(err)
}
