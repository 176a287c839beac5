package windows

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

// Supported returns nil: this is Windows.
func Supported() error { return nil }

const (
	displayName = "pidometer"
	description = "Measures this host and its processes, and exports OpenTelemetry metrics and events."
)

// recovery is what the service manager does when the service ends by itself: it starts
// it again, at once and then less and less eagerly. The last action stands for all
// later ones too, until a day has gone by without a failure.
var recovery = []mgr.RecoveryAction{
	{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
	{Type: mgr.ServiceRestart, Delay: time.Minute},
	{Type: mgr.ServiceRestart, Delay: 5 * time.Minute},
}

const recoveryReset = 24 * 60 * 60 // seconds

// patience is how long a state is waited for: more than a flush may take.
const patience = 30 * time.Second

// Install registers this program as a service that runs as LocalSystem, and the source
// of its entries in the event log. What fails takes all of it back. A note tells what
// this system does not have.
func Install(s Setup) (note string, err error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	m, err := connect()
	if err != nil {
		return "", err
	}
	defer m.Disconnect()
	c := mgr.Config{DisplayName: display(s.Name), Description: description, StartType: mgr.StartAutomatic}
	if s.Start == Manual {
		c.StartType = mgr.StartManual
	}
	service, err := m.CreateService(s.Name, program, c, s.Arguments...)
	if err != nil {
		return "", explain(s.Name, err)
	}
	defer service.Close()
	if note, err = furnish(service, s.Start); err != nil {
		return "", errors.Join(explain(s.Name, err), service.Delete())
	}
	return note, nil
}

// display is what people see in the list of services.
func display(name string) string {
	if name == Name {
		return displayName
	}
	return displayName + " (" + name + ")"
}

// furnish sets what a service cannot be created with.
func furnish(service *mgr.Service, start Start) (note string, err error) {
	if start == Delayed {
		info := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
		err := windows.ChangeServiceConfig2(service.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&info)))
		switch {
		case err == windows.ERROR_INVALID_LEVEL: // Wine before version 9
			note = "this system knows no delayed start: the service starts with the machine"
		case err != nil:
			return "", fmt.Errorf("delayed start: %w", err)
		}
	}
	if err := service.SetRecoveryActions(recovery, recoveryReset); err != nil {
		return "", fmt.Errorf("recovery actions: %w", err)
	}
	if err := service.SetRecoveryActionsOnNonCrashFailures(true); err != nil && !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return "", fmt.Errorf("recovery actions: %w", err)
	}
	return note, register()
}

// register makes the event log show the texts of our entries as they are. A source that
// is registered already stays as it is.
func register() error {
	err := eventlog.InstallAsEventCreate(Name, eventlog.Error|eventlog.Warning|eventlog.Info)
	if err != nil && errors.As(err, new(syscall.Errno)) { // else it is there
		return fmt.Errorf("source of the event log: %w", err)
	}
	return nil
}

// Uninstall stops a service and takes it and its source in the event log away.
func Uninstall(name string) error {
	return with(name, windows.DELETE|windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		if err := stop(s); err != nil {
			return err
		}
		if err := s.Delete(); err != nil {
			return err
		}
		if err := eventlog.Remove(Name); err != nil && !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
			return fmt.Errorf("the service is gone, the source of the event log is not: %w", err)
		}
		return nil
	})
}

// StartService starts a service and waits until it runs.
func StartService(name string) error {
	return with(name, windows.SERVICE_START|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		if err := s.Start(); err != nil {
			return err
		}
		return await(s, svc.Running)
	})
}

// Stop stops a service and waits until it has: its last data is delivered then.
func Stop(name string) error {
	return with(name, windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		status, err := s.Query()
		if err == nil && status.State == svc.Stopped {
			return errors.New("it does not run")
		}
		return stop(s)
	})
}

// stop stops a service that may not run.
func stop(s *mgr.Service) error {
	status, err := s.Query()
	if err != nil || status.State == svc.Stopped {
		return err
	}
	if _, err := s.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
		return err
	}
	return await(s, svc.Stopped)
}

// await waits for a state, or for the other end.
func await(s *mgr.Service, state svc.State) error {
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		status, err := s.Query()
		switch {
		case err != nil:
			return err
		case status.State == state:
			return nil
		case status.State == svc.Stopped:
			return fmt.Errorf("it ended at once: the event log says why, under the source %s", Name)
		case time.Since(begun) > patience:
			return fmt.Errorf("it is not there after %v", patience)
		}
	}
}

// connect asks for all that the service manager does.
func connect() (*mgr.Mgr, error) {
	m, err := mgr.Connect()
	return m, explain("", err)
}

// with opens a service for so much.
func with(name string, access uint32, do func(*mgr.Service) error) error {
	h, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return explain(name, err)
	}
	defer windows.CloseServiceHandle(h)
	wide, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	s, err := windows.OpenService(h, wide, access)
	if err != nil {
		return explain(name, err)
	}
	service := &mgr.Service{Name: name, Handle: s}
	defer service.Close()
	return explain(name, do(service))
}

// explain says in one line what to do about an error.
func explain(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("this takes the rights of an administrator: open the prompt as one: %w", err)
	case errors.Is(err, windows.ERROR_SERVICE_EXISTS), errors.Is(err, windows.ERROR_DUPLICATE_SERVICE_NAME):
		return fmt.Errorf("there is a service %s already: uninstall it first, or give another --name", name)
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		return fmt.Errorf("there is no service %s: service install makes one", name)
	case errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
		return fmt.Errorf("service %s is being deleted: close the list of services, or whatever else has it open: %w", name, err)
	case errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING):
		return fmt.Errorf("service %s runs already", name)
	case errors.Is(err, windows.ERROR_SERVICE_DISABLED):
		return fmt.Errorf("service %s is disabled: give it another start type first: %w", name, err)
	case name == "":
		return fmt.Errorf("service manager: %w", err)
	}
	return fmt.Errorf("service %s: %w", name, err)
}
