package windows

import (
	"errors"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mostServices is the largest buffer that EnumServicesStatusEx takes.
const mostServices = 256 << 10

// manager opens the service control manager, which any user may.
func manager() (windows.Handle, error) {
	h, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	return h, serviceError(err)
}

func (realKernel) Services(from uint32, buf []byte) (n, count int, next uint32, err error) {
	m, err := manager()
	if err != nil {
		return 0, 0, 0, err
	}
	defer windows.CloseServiceHandle(m)
	var needed, returned uint32
	next = from
	err = windows.EnumServicesStatusEx(m, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_STATE_ALL,
		unsafe.SliceData(buf), uint32(min(len(buf), mostServices)), &needed, &returned, &next, nil)
	switch more := err == windows.ERROR_MORE_DATA || err == windows.ERROR_INSUFFICIENT_BUFFER; {
	case more && len(buf) < mostServices:
		return len(buf) + int(needed), 0, 0, nil
	case more:
		return len(buf), int(returned), next, nil
	}
	return len(buf), int(returned), 0, serviceError(err)
}

// OpenService asks for as little as lets it be asked: what it does and how it is set up.
func (realKernel) OpenService(name []uint16) (Handle, error) {
	m, err := manager()
	if err != nil {
		return 0, err
	}
	defer windows.CloseServiceHandle(m)
	h, err := windows.OpenService(m, unsafe.SliceData(append(name[:len(name):len(name)], 0)), windows.SERVICE_QUERY_CONFIG)
	return Handle(h), serviceError(err)
}

func (realKernel) CloseService(h Handle) error {
	return serviceError(windows.CloseServiceHandle(windows.Handle(h)))
}

func (realKernel) ServiceConfig(h Handle, buf []byte) (int, error) {
	var needed uint32
	err := windows.QueryServiceConfig(windows.Handle(h), (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(unsafe.SliceData(buf))),
		uint32(min(len(buf), mostConfig)), &needed)
	return fits(len(buf), needed, err)
}

func (realKernel) ServiceConfig2(h Handle, level uint32, buf []byte) (int, error) {
	var needed uint32
	err := windows.QueryServiceConfig2(windows.Handle(h), level, unsafe.SliceData(buf), uint32(min(len(buf), mostConfig)), &needed)
	switch err {
	case windows.ERROR_NOT_FOUND, windows.ERROR_MUI_FILE_NOT_FOUND, windows.ERROR_MUI_FILE_NOT_LOADED,
		windows.ERROR_RESOURCE_NAME_NOT_FOUND, windows.ERROR_RESOURCE_TYPE_NOT_FOUND:
		return 0, nil // the description is of a library that does not have it
	}
	return fits(len(buf), needed, err)
}

// mostConfig is the largest buffer that these two calls take.
const mostConfig = 8 << 10

// fits turns an answer that does not fit into the room that it takes. The strings lie
// at either end of what was offered, so that all of it is the answer.
func fits(had int, needed uint32, err error) (int, error) {
	if err == windows.ERROR_INSUFFICIENT_BUFFER || err == windows.ERROR_MORE_DATA {
		return max(int(needed), had+64), nil
	}
	return min(had, mostConfig), serviceError(err)
}

// serviceError is [standard] for what the service control manager has words of its own.
func serviceError(err error) error {
	switch err {
	case windows.ERROR_SERVICE_DOES_NOT_EXIST, windows.ERROR_SERVICE_MARKED_FOR_DELETE:
		return fs.ErrNotExist
	case windows.ERROR_INVALID_LEVEL:
		return errors.ErrUnsupported
	case windows.ERROR_DATABASE_DOES_NOT_EXIST, windows.RPC_S_SERVER_UNAVAILABLE:
		return errors.ErrUnsupported // no service control manager: safe mode, containers
	}
	return standard(err)
}
