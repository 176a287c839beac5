package windows

import (
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/platform/windows"
)

// The questions that a disk is asked (CTL_CODE of winioctl.h and ntdddisk.h).
const (
	diskPerformance = 7<<16 | 0x8<<2
	diskGeometryEx  = 7<<16 | 0x28<<2
)

// Control answers for a disk. It was idle when it was not busy, since the start: the worlds
// let a disk that was plugged in be as old.
func (k *Kernel) Control(h windows.Handle, code uint32, buf []byte) (int, error) {
	if err := k.call("Control"); err != nil {
		return 0, err
	}
	d := k.of(h).disk
	switch code {
	case diskPerformance:
		b, row := zeros(into(buf), k.headers.Disk.Size)
		k.disk.Put(row, d.ReadBytes, d.WriteBytes, units(d.ReadTime), units(d.WriteTime), units(k.Now-d.Busy), d.Reads, d.Writes)
		return answer(b)
	case diskGeometryEx:
		b, row := zeros(into(buf), k.headers.Geometry.Size)
		k.headers.Geometry.Put(row, "DiskSize", 512<<30)
		return answer(b)
	}
	return 0, errors.ErrUnsupported
}

// Services is one that runs.
func (k *Kernel) Services(_ uint32, buf []byte) (n, count int, next uint32, err error) {
	s := k.headers.Service
	b, _ := zeros(into(buf), s.Size)
	for _, member := range [...]string{"lpServiceName", "lpDisplayName"} {
		s.Put(b, member, base+uint64(len(b)))
		b = wide(b, "EventLog")
	}
	s.PutIn(b, "ServiceStatusProcess", k.headers.ServiceStatus, "dwCurrentState", 4) // SERVICE_RUNNING
	s.PutIn(b, "ServiceStatusProcess", k.headers.ServiceStatus, "dwProcessId", k.Self)
	return len(b), 1, 0, k.call("Services")
}

// OpenService knows none: a world has none.
func (k *Kernel) OpenService([]uint16) (windows.Handle, error) { return 0, fs.ErrNotExist }

// CloseService has none to close.
func (k *Kernel) CloseService(windows.Handle) error { return errors.ErrUnsupported }

// ServiceConfig has none to tell of.
func (k *Kernel) ServiceConfig(windows.Handle, []byte) (int, error) {
	return 0, errors.ErrUnsupported
}

// ServiceConfig2 likewise.
func (k *Kernel) ServiceConfig2(windows.Handle, uint32, []byte) (int, error) {
	return 0, errors.ErrUnsupported
}

// Notify likewise.
func (k *Kernel) Notify(func(windows.ServiceNotice)) (windows.ServiceNotices, error) {
	return nil, errors.ErrUnsupported
}
