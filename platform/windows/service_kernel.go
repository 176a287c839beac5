package windows

// ServiceManager is the part of [Kernel] that asks the service control manager, which
// any user may. It follows the same conventions. Names are UTF-16 without a NUL.
type ServiceManager interface {
	// Services is EnumServicesStatusEx of all services that are no drivers: as many
	// rows of ENUM_SERVICE_STATUS_PROCESS, from a place in the list on, as fit. next
	// is the place behind them, 0 at the end. A row that does not fit by itself asks
	// for more room.
	Services(from uint32, buf []byte) (n, count int, next uint32, err error)
	// OpenService opens a service to ask it about itself. One that is not there is
	// [io/fs.ErrNotExist].
	OpenService(name []uint16) (Handle, error)
	// CloseService closes that.
	CloseService(h Handle) error
	// ServiceConfig is QueryServiceConfig: QUERY_SERVICE_CONFIG.
	ServiceConfig(h Handle, buf []byte) (n int, err error)
	// ServiceConfig2 is QueryServiceConfig2. The answer is empty where nothing is set,
	// or where the text that was set can't be found.
	ServiceConfig2(h Handle, level uint32, buf []byte) (n int, err error)
	// Notify begins to take notifications, and hands them over one at a time until
	// the end.
	Notify(tell func(ServiceNotice)) (ServiceNotices, error)
}

// ServiceNotices is NotifyServiceStatusChange for some services.
type ServiceNotices interface {
	// Follow asks for every change of a service from now on. What it does now comes
	// first.
	Follow(name []uint16) error
	// Close ends it. Nothing is handed over afterwards.
	Close() error
}

// ServiceNotice is one notification.
type ServiceNotice struct {
	Name   string // the service, as text of [internal/text.AppendUTF16]
	Status []byte // SERVICE_STATUS_PROCESS; lent
	// Err is why this is the last of this service, without a status:
	// [io/fs.ErrNotExist] where it is being deleted.
	Err error
}

// Levels of QueryServiceConfig2 (winsvc.h).
const (
	serviceDescription = 1
	serviceDelayed     = 3
)
