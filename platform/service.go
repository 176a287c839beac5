package platform

import "context"

// ServiceInspector is a [Backend] of a system with a service manager that lays its
// services open. Its calls take memory of their own, and may be made at the same time
// as each other and as a pass. Strings are the service manager's own, as those of
// [Inspector] are.
type ServiceInspector interface {
	Backend
	// Services returns all services but drivers, by name. A service that goes away
	// while it is asked costs its own fields only, and so does a refusal: see
	// [ServiceInfo.Err].
	Services(context.Context) ([]ServiceInfo, error)
	// Service returns the service of a name. On Windows upper and lower case are the
	// same. A name that no service has is an error that matches [io/fs.ErrNotExist].
	Service(ctx context.Context, name string) (ServiceInfo, error)
}

// ServiceInfo is a service as its manager knows it. A pointer that is nil is unknown.
type ServiceInfo struct {
	Name        string       // the unique one, as it was registered
	DisplayName string       // for people
	State       ServiceState // 0 is unknown
	// Process is the process that the service runs in, with the start that proves
	// which one it is. An ID of 0 is none. A Start of 0 is unknown: the process ended
	// after the manager had told its PID.
	Process Key
	// BinaryPath is the command line that starts it, quotes included.
	BinaryPath *string
	// Owner is the account that it runs as: LocalSystem, NT AUTHORITY\LocalService.
	// Empty is none of its own.
	Owner *string
	// Start is what starts it.
	Start *ServiceStart
	// Description is what it is for; empty if nobody has said.
	Description *string
	// Err is why something above is nil: the first reason. It matches
	// [io/fs.ErrNotExist] for a service that went away, and [io/fs.ErrPermission]
	// for a refusal. nil if nothing is unknown.
	Err error
}

// ServiceState is what a service does. The zero value is unknown.
type ServiceState uint8

// The states of a service, by their numbers in SERVICE_STATUS (winsvc.h).
const (
	ServiceIsUnknown ServiceState = iota
	ServiceIsStopped
	ServiceIsStartPending
	ServiceIsStopPending
	ServiceIsRunning
	ServiceIsContinuePending
	ServiceIsPausePending
	ServiceIsPaused
)

var serviceStates = [...]string{"unknown", "stopped", "start_pending", "stop_pending", "running",
	"continue_pending", "pause_pending", "paused"}

// String returns the state in the words of Windows, in lower case.
func (s ServiceState) String() string {
	if int(s) >= len(serviceStates) {
		return serviceStates[0]
	}
	return serviceStates[s]
}

// ServiceStart is what starts a service.
type ServiceStart uint8

// The ways in which a service is started: the numbers of Windows (winsvc.h), and
// behind them the automatic start that waits until the machine has rested.
const (
	StartBoot             ServiceStart = iota // by the boot loader: drivers only
	StartSystem                               // by the kernel: drivers only
	StartAutomatic                            // with the machine
	StartManual                               // by whoever asks
	StartDisabled                             // by nobody
	StartDelayedAutomatic                     // with the machine, after the other automatic ones
	serviceStarts
)

var serviceStartNames = [serviceStarts]string{"boot", "system", "automatic", "manual", "disabled", "delayed_automatic"}

// String returns the way in a word.
func (s ServiceStart) String() string {
	if s >= serviceStarts {
		return "unknown"
	}
	return serviceStartNames[s]
}
