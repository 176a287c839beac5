package windows

import (
	"errors"
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

func (realKernel) Version() (major, minor, build uint32) {
	v := windows.RtlGetVersion()
	return v.MajorVersion, v.MinorVersion, v.BuildNumber
}

func (realKernel) HostName() (string, error) {
	n := uint32(256)
	name := make([]uint16, n)
	if err := windows.GetComputerNameEx(windows.ComputerNamePhysicalDnsHostname, &name[0], &n); err != nil {
		return "", standard(err)
	}
	return windows.UTF16ToString(name), nil
}

func (realKernel) Registry(key, value string) (string, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return "", standard(err)
	}
	defer k.Close()
	s, _, err := k.GetStringValue(value)
	return s, standard(err)
}

// OpenDisk asks for no right, which is enough for questions and takes no privilege.
func (realKernel) OpenDisk(number int) (Handle, error) {
	name, err := windows.UTF16PtrFromString(`\\.\PhysicalDrive` + strconv.Itoa(number))
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateFile(name, 0, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, nil, windows.OPEN_EXISTING, 0, 0)
	return Handle(h), standard(err)
}

func (realKernel) Control(h Handle, code uint32, buf []byte) (int, error) {
	var n uint32
	err := windows.DeviceIoControl(windows.Handle(h), code, nil, 0, unsafe.SliceData(buf), uint32(len(buf)), &n, nil)
	return filled(n, len(buf), err)
}

func (realKernel) Drives() (drives []Drive, err error) {
	mask, err := windows.GetLogicalDrives()
	if err != nil {
		return nil, standard(err)
	}
	for letter := byte('A'); letter <= 'Z'; letter++ {
		if mask>>(letter-'A')&1 == 0 {
			continue
		}
		root := string(letter) + `:\`
		name, err := windows.UTF16PtrFromString(root)
		if err != nil {
			return nil, err
		}
		drives = append(drives, Drive{root, windows.GetDriveType(name)})
	}
	return drives, nil
}

func (k realKernel) Volume(root string) (v Volume, err error) {
	name, err := windows.UTF16PtrFromString(root)
	if err != nil {
		return v, err
	}
	if err := windows.GetDiskFreeSpaceEx(name, &v.Usable, &v.Total, &v.Free); err != nil {
		return v, standard(err)
	}
	var flags uint32
	var kind [windows.MAX_PATH + 1]uint16
	if windows.GetVolumeInformation(name, nil, 0, &v.Serial, nil, &flags, &kind[0], uint32(len(kind))) == nil {
		v.Type = windows.UTF16ToString(kind[:])
		v.ReadOnly = flags&windows.FILE_READ_ONLY_VOLUME != 0
	}
	drive := root[:len(root)-1]
	if v.Device, err = k.DosDevice(drive); err != nil {
		v.Device = drive
	}
	return v, nil
}

// Sessions asks for each session who has logged in to it.
func (realKernel) Sessions() (sessions []Session, err error) {
	var list *windows.WTS_SESSION_INFO
	var count uint32
	if err := windows.WTSEnumerateSessions(0, 0, 1, &list, &count); err != nil {
		return nil, standard(err)
	}
	defer windows.WTSFreeMemory(uintptr(unsafe.Pointer(list)))
	if count == 0 {
		return []Session{}, nil
	}
	for _, s := range unsafe.Slice(list, count) {
		sessions = append(sessions, sessionOf(s))
	}
	return sessions, nil
}

// wtsInfo is WTSINFOW (wtsapi32.h), as far as it is read.
type wtsInfo struct {
	state, id   uint32
	counts      [6]uint32
	station     [32]uint16
	domain      [17]uint16
	user        [21]uint16
	_           [4]byte // times are aligned to 8 bytes, which Go does not do for 32 bits
	connected   int64
	left, input int64
	logon, now  int64
}

// Classes of WTSQuerySessionInformation.
const (
	wtsClientName  = 10
	wtsSessionInfo = 24
)

var querySession = windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSQuerySessionInformationW")

func sessionOf(s windows.WTS_SESSION_INFO) Session {
	session := Session{ID: s.SessionID, State: s.State, Station: windows.UTF16PtrToString(s.WindowStationName)}
	askSession(s.SessionID, wtsSessionInfo, func(p unsafe.Pointer, n uint32) {
		if info := (*wtsInfo)(p); uintptr(n) >= unsafe.Sizeof(*info) {
			session.User, session.Logon = windows.UTF16ToString(info.user[:]), uint64(info.logon)
		}
	})
	askSession(s.SessionID, wtsClientName, func(p unsafe.Pointer, n uint32) {
		session.Client = windows.UTF16PtrToString((*uint16)(p))
	})
	return session
}

// askSession asks for one thing about a session, and lends the answer.
func askSession(id uint32, class uintptr, take func(p unsafe.Pointer, n uint32)) {
	if errors.Is(querySession.Find(), windows.ERROR_PROC_NOT_FOUND) {
		return
	}
	var p unsafe.Pointer
	var n uint32
	ok, _, _ := querySession.Call(0, uintptr(id), class, uintptr(unsafe.Pointer(&p)), uintptr(unsafe.Pointer(&n)))
	if ok == 0 || p == nil {
		return
	}
	take(p, n)
	windows.WTSFreeMemory(uintptr(p))
}
