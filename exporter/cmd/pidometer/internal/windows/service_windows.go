package windows

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Serve answers the service control manager, and works until it is told to stop or the
// machine shuts down: the context of work ends then, and the manager waits for work to
// return. A program that the manager did not start gets an error that says so.
func Serve(work Work) error {
	h := &handler{work: work}
	if err := svc.Run(Name, h); err != nil {
		return fmt.Errorf("--service: the service control manager did not start this: %w", err)
	}
	return h.err
}

// handler is the service.
type handler struct {
	work Work
	err  error
}

// accepted are the controls that end it.
const accepted = svc.AcceptStop | svc.AcceptShutdown

// Execute works in a goroutine of its own, and tells the manager how things stand.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.StartPending}
	log, closeLog := openLog()
	defer closeLog()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- h.work(ctx, log) }()
	status <- svc.Status{State: svc.Running, Accepts: accepted}
	for {
		select {
		case h.err = <-done:
			status <- svc.Status{State: svc.StopPending}
			if h.err != nil {
				fmt.Fprintf(log, "level=ERROR %v", h.err)
				return true, 1
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending, WaitHint: waitHint}
				stop()
			}
		}
	}
}

// waitHint is how many milliseconds the manager waits for the flush, somewhat more
// than the flush may take.
const waitHint = 15_000

// openLog opens the event log. Without it, as where its service does not run, what is
// logged goes nowhere: a service has no other place.
func openLog() (log io.Writer, closeLog func()) {
	l, err := eventlog.Open(Name)
	if err != nil {
		return io.Discard, func() {}
	}
	return events{l}, func() { l.Close() }
}

// events writes each line as an entry.
type events struct{ log *eventlog.Log }

// eventID is that of all entries: the text tells them apart.
const eventID = 1

func (e events) Write(line []byte) (int, error) {
	write := e.log.Info
	switch severityOf(line) {
	case warning:
		write = e.log.Warning
	case failure:
		write = e.log.Error
	}
	return len(line), write(eventID, string(line))
}
