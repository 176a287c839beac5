package darwin

import (
	"errors"
	"io/fs"
	"os/user"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"github.com/pidometer/pidometer/internal/kqueue"
	"github.com/pidometer/pidometer/internal/sysctl"
)

// gates are the ways into the system: by the number of a call, and into its libraries.
type gates interface {
	System(number uintptr, a [6]uintptr) (r uintptr, failed bool, errno int)
	Function(f function, a [6]uintptr) uintptr
	Uptime() (seconds, nanoseconds int64, err error)
	Device(path string) (uint64, error)
}

// Numbers of bsd/kern/syscalls.master (sys/syscall.h). Apple makes no promise about them,
// and has kept them since they were new; golang.org/x/sys/unix names them too.
const (
	sysSysctl     = 202
	sysSysctlName = 274
	sysProcInfo   = 336
	sysGetfsstat  = 347 // getfsstat64
	sysKqueue     = 362
	sysKevent     = 363
	sysClose      = 6
	mountNoWait   = 2 // MNT_NOWAIT
)

// calls is a [Kernel] over the gates.
type calls struct {
	gates
	sysctl.Folders
	host uintptr // the port of this host, a right that lasts
}

func newCalls(g gates) *calls {
	return &calls{gates: g, host: g.Function(machHostSelf, [6]uintptr{})}
}

// Sysctl is sysctl(3).
func (k *calls) Sysctl(mib []int32, buf []byte) (int, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	if len(mib) == 0 {
		return 0, fs.ErrInvalid
	}
	pins.Pin(&mib[0])
	return k.sized(sysSysctl, uintptr(unsafe.Pointer(&mib[0])), uintptr(len(mib)), buf)
}

// Named is sysctlbyname(3). Here no name has numbers behind it.
func (k *calls) Named(name string, _ []int32, buf []byte) (int, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	return k.sized(sysSysctlName, pinned(&pins, name), uintptr(len(name)), buf)
}

// sized makes a call that takes a name, a buffer, and where its size is.
func (k *calls) sized(number, name, length uintptr, buf []byte) (int, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	size := new(uintptr)
	pins.Pin(size)
	return sysctl.BSD.Call(buf, func(buf []byte) (int, bool, int) {
		*size = uintptr(len(buf))
		_, failed, errno := k.System(number, [6]uintptr{name, length, pinnedBytes(&pins, buf), uintptr(unsafe.Pointer(size))})
		return int(*size), failed, errno
	})
}

// ProcInfo is proc_info(2).
func (k *calls) ProcInfo(call, pid, flavor int32, arg uint64, buf []byte) (int, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	return sysctl.BSD.Call(buf, func(buf []byte) (int, bool, int) {
		n, failed, errno := k.System(sysProcInfo, [6]uintptr{uintptr(call), uintptr(pid), uintptr(flavor), uintptr(arg), pinnedBytes(&pins, buf), uintptr(len(buf))})
		return int(n), failed, errno
	})
}

// Mounts is getfsstat(2), which tells how many there are, and fills in as many as fit.
func (k *calls) Mounts(buf []byte) (int, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	size := mountTable().Size
	list := func(buf []byte) (int, error) {
		return sysctl.BSD.Call(buf, func(buf []byte) (int, bool, int) {
			count, failed, errno := k.System(sysGetfsstat, [6]uintptr{pinnedBytes(&pins, buf), uintptr(len(buf)), mountNoWait})
			return int(count) * size, failed, errno
		})
	}
	n, err := list(nil)
	if err != nil || n > len(buf) {
		return n, err
	}
	return list(buf)
}

// Statistics is host_statistics64().
func (k *calls) Statistics(flavor int32, buf []byte) (int, error) { return k.statistics(flavor, buf) }

// Processors is host_processor_info().
func (k *calls) Processors(flavor int32, buf []byte) (int, error) { return k.processors(flavor, buf) }

// Registry looks properties up in the registry of IOKit.
func (k *calls) Registry(class string, keys []string) ([][][]byte, error) {
	return k.registry(serviceMatching, class, keys)
}

// Devices looks them up in nodes of the device tree. A name matches what a node is called,
// what it is compatible with, and its device_type and model (IODTCompareNubName in
// iokit/Kernel/IODeviceTreeSupport.cpp of XNU).
func (k *calls) Devices(name string, keys []string) ([][][]byte, error) {
	return k.registry(serviceNameMatching, name, keys)
}

// User is getpwuid(3), which the standard library calls without cgo on macOS.
func (*calls) User(id uint64) (string, error) {
	u, err := user.LookupId(strconv.FormatUint(id, 10))
	if unknown := user.UnknownUserIdError(0); errors.As(err, &unknown) {
		return "", fs.ErrNotExist
	}
	if err != nil {
		return "", err
	}
	return u.Username, nil
}

// Clocks are the time, and the time since the start.
func (k *calls) Clocks() (now, uptime uint64) {
	seconds, nanoseconds, err := k.Uptime()
	if err != nil {
		return uint64(time.Now().UnixNano()), 0
	}
	return uint64(time.Now().UnixNano()), uint64(seconds)*1e9 + uint64(nanoseconds)
}

// Kqueue is kqueue(2). No child inherits a queue (kqueue(2), fork).
func (k *calls) Kqueue() (int, bool, int) {
	queue, failed, errno := k.System(sysKqueue, [6]uintptr{})
	return int(queue), failed, errno
}

// Kevent is kevent(2).
func (k *calls) Kevent(queue int, changes, events []byte, wait bool) (int, bool, int) {
	var pins runtime.Pinner
	defer pins.Unpin()
	var timeout uintptr // NULL waits for ever
	if !wait {
		timeout = pinnedBytes(&pins, make([]byte, 16)) // struct timespec of 0
	}
	size := uintptr(kqueue.Darwin.Size)
	n, failed, errno := k.System(sysKevent, [6]uintptr{uintptr(queue), pinnedBytes(&pins, changes), uintptr(len(changes)) / size,
		pinnedBytes(&pins, events), uintptr(len(events)) / size, timeout})
	return int(n), failed, errno
}

// CloseQueue is close(2).
func (k *calls) CloseQueue(queue int) { k.System(sysClose, [6]uintptr{uintptr(queue)}) }
