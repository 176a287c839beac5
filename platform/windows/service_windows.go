package windows

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// mostServices is the largest buffer that EnumServicesStatusEx takes, which has room
// for more than a thousand services.
const mostServices = 256 << 10

// Services asks the service control manager, which any user may.
func (realKernel) Services(buf []byte) (n, count int, err error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return 0, 0, standard(err)
	}
	defer windows.CloseServiceHandle(manager)
	var needed, returned, resume uint32
	err = windows.EnumServicesStatusEx(manager, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_STATE_ALL,
		unsafe.SliceData(buf), uint32(min(len(buf), mostServices)), &needed, &returned, &resume, nil)
	if err == windows.ERROR_MORE_DATA || err == windows.ERROR_INSUFFICIENT_BUFFER {
		return len(buf) + int(needed), 0, nil
	}
	return len(buf), int(returned), standard(err)
}
