package windows

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/pidometer/pidometer/internal/text"
)

// NotifyServiceStatusChange was chosen over SubscribeServiceChangeNotifications: it is
// older (Windows Vista, not 8), it tells PID and exit code along with the state where
// the other one tells only that something changed, and it is there under Wine, which
// ends a program that calls the other (seen with version 8.0).
//
// What it tells comes as an asynchronous procedure call to the thread that asked, while
// that thread waits alertably. So one goroutine has a thread for itself, asks and waits
// on it, and nothing else ever runs there. The procedure itself only leaves a mark in
// the notification; the goroutine finds it when the wait has returned.

// serviceChanges is what is asked for: the seven states, and that a service is being
// deleted, which it can be only when every handle of it is closed.
const serviceChanges = windows.SERVICE_NOTIFY_STOPPED | windows.SERVICE_NOTIFY_START_PENDING | windows.SERVICE_NOTIFY_STOP_PENDING |
	windows.SERVICE_NOTIFY_RUNNING | windows.SERVICE_NOTIFY_CONTINUE_PENDING | windows.SERVICE_NOTIFY_PAUSE_PENDING |
	windows.SERVICE_NOTIFY_PAUSED | windows.SERVICE_NOTIFY_DELETE_PENDING

var waitForSingleObjectEx = kernel32.NewProc("WaitForSingleObjectEx")

// notification is what the system fills in, and the mark behind it. It lies outside of
// Go's memory, since the system may write to it from a thread of its own, as Wine does.
type notification struct {
	windows.SERVICE_NOTIFY
	told uint32
}

// noted is the procedure. There is one for all watches: the runtime has room for two
// thousand, and never frees one.
var noted = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(n *notification) uintptr {
		n.told = 1
		return 0
	})
})

// followed is one service that is asked about.
type followed struct {
	name   string
	handle windows.Handle
	data   *notification
}

// notices is the goroutine and what it is told to do.
type notices struct {
	tell     func(ServiceNotice)
	wake     windows.Handle // an event: there is a request
	asking   sync.Mutex     // one request at a time
	stuck    bool           // a request was never answered
	deaf     atomic.Bool    // nothing is handed over any more
	requests chan request
	ended    chan struct{}
	all      []*followed
}

// request is a service to follow, or the end if it has no name.
type request struct {
	name   []uint16
	answer chan error
}

func (realKernel) Notify(tell func(ServiceNotice)) (ServiceNotices, error) {
	if err := waitForSingleObjectEx.Find(); err != nil {
		return nil, errors.ErrUnsupported
	}
	wake, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return nil, standard(err)
	}
	n := &notices{wake: wake, requests: make(chan request), ended: make(chan struct{})}
	n.tell = func(s ServiceNotice) {
		if !n.deaf.Load() {
			tell(s)
		}
	}
	go n.run()
	return n, nil
}

func (n *notices) Follow(name []uint16) error { return n.request(request{name, make(chan error, 1)}) }

// Close closes the services first: nothing can arrive for a thread that is gone.
func (n *notices) Close() error {
	n.deaf.Store(true)
	err := n.request(request{nil, make(chan error, 1)})
	if errors.Is(err, fs.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // nobody is there any more, or hears
	}
	if err == nil {
		<-n.ended
		err = standard(windows.CloseHandle(n.wake))
	}
	return err
}

// request wakes the thread and waits for its answer.
func (n *notices) request(r request) error {
	n.asking.Lock()
	defer n.asking.Unlock()
	select {
	case <-n.ended:
		return fs.ErrClosed
	default:
	}
	if n.stuck {
		return os.ErrDeadlineExceeded
	}
	windows.SetEvent(n.wake)
	patience := time.NewTimer(noticePatience)
	defer patience.Stop()
	select {
	case n.requests <- r:
	case <-n.ended:
		return fs.ErrClosed
	case <-patience.C:
		n.stuck = true
		return os.ErrDeadlineExceeded
	}
	select {
	case err := <-r.answer:
		return err
	case <-patience.C:
		n.stuck = true
		return os.ErrDeadlineExceeded
	}
}

// noticePatience is how long the service control manager may take to answer. One that
// does not costs one thread, which waits for it for ever; nothing is asked there again.
const noticePatience = 5 * time.Second

// run never unlocks its thread, which so ends with it.
func (n *notices) run() {
	runtime.LockOSThread()
	defer close(n.ended)
	for {
		switch n.wait() {
		case windows.WAIT_IO_COMPLETION:
			n.collect()
		case windows.WAIT_OBJECT_0:
			r := <-n.requests
			if r.name == nil {
				n.closeAll()
				r.answer <- nil
				return
			}
			r.answer <- n.follow(r.name)
		default:
			n.closeAll()
			return
		}
	}
}

// wait waits for a request or a notification.
func (n *notices) wait() uint32 {
	event, _, _ := waitForSingleObjectEx.Call(uintptr(n.wake), windows.INFINITE, 1)
	return uint32(event)
}

func (n *notices) follow(name []uint16) error {
	m, err := manager()
	if err != nil {
		return err
	}
	defer windows.CloseServiceHandle(m)
	h, err := windows.OpenService(m, unsafe.SliceData(append(name[:len(name):len(name)], 0)), windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return serviceError(err)
	}
	memory, err := windows.LocalAlloc(windows.LPTR, uint32(unsafe.Sizeof(notification{})))
	if err != nil {
		windows.CloseServiceHandle(h)
		return standard(err)
	}
	var wide []byte
	for _, unit := range name {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	f := &followed{name: string(text.AppendUTF16(nil, wide)), handle: h, data: at(memory)}
	if err := f.ask(); err != nil {
		windows.CloseServiceHandle(h)
		windows.LocalFree(windows.Handle(memory))
		return err
	}
	n.all = append(n.all, f)
	return nil
}

// at returns the notification at an address that the garbage collector knows nothing of.
func at(memory uintptr) *notification {
	return *(**notification)(unsafe.Pointer(&memory))
}

// ask asks for the next change.
func (f *followed) ask() error {
	f.data.SERVICE_NOTIFY = windows.SERVICE_NOTIFY{Version: windows.SERVICE_NOTIFY_STATUS_CHANGE, NotifyCallback: noted()}
	f.data.told = 0
	return serviceError(windows.NotifyServiceStatusChange(f.handle, serviceChanges, &f.data.SERVICE_NOTIFY))
}

// collect hands over what was told and asks anew. A service that changes in between is
// told of at once then, in the state that it is in.
func (n *notices) collect() {
	kept := n.all[:0]
	for _, f := range n.all {
		if f.data.told == 0 || n.take(f) {
			kept = append(kept, f)
		}
	}
	clear(n.all[len(kept):])
	n.all = kept
}

// take hands over one notification, and reports whether there will be more.
func (n *notices) take(f *followed) bool {
	var err error
	if code := f.data.NotificationStatus; code != 0 {
		err = serviceError(syscall.Errno(code))
	} else if f.data.NotificationTriggered&windows.SERVICE_NOTIFY_DELETE_PENDING != 0 {
		err = fs.ErrNotExist
	}
	if err == nil {
		status := f.data.ServiceStatus
		n.tell(ServiceNotice{Name: f.name, Status: unsafe.Slice((*byte)(unsafe.Pointer(&status)), unsafe.Sizeof(status))})
		err = f.ask()
	}
	if err != nil {
		f.close()
		n.tell(ServiceNotice{Name: f.name, Err: err})
	}
	return err == nil
}

// close ends the asking for a service of which nothing is under way.
func (f *followed) close() {
	windows.CloseServiceHandle(f.handle)
	windows.LocalFree(windows.Handle(unsafe.Pointer(f.data)))
}

// closeAll leaves the memory of notifications that are under way to the system: nobody
// tells when it writes to them no more.
func (n *notices) closeAll() {
	for _, f := range n.all {
		windows.CloseServiceHandle(f.handle)
	}
	n.all = nil
	windows.SleepEx(0, true)
}
