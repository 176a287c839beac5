package windows

import (
	"context"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Serve answers the service control manager, and works until it is told to stop or the
// machine shuts down: the context of work ends then, and the manager waits for work to
// return. A program that the manager did not start gets an error that says so.
func Serve(work Work) error {
	h := &handler{work: work, open: openLog}
	if err := svc.Run(Name, h); err != nil {
		return fmt.Errorf("--service: the service control manager did not start this: %w", err)
	}
	return h.err
}

// handler is the service.
type handler struct {
	work Work
	open func() (log io.Writer, closeLog func())
	err  error
}

// accepted are the controls that end it.
const accepted = svc.AcceptStop | svc.AcceptShutdown

// Execute works in a goroutine of its own, and tells the manager how things stand. It
// runs for the manager once it really does, so that whoever starts it hears of what
// keeps it from that.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.StartPending, WaitHint: waitHint}
	log, closeLog := h.open()
	defer closeLog()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	begun, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.work(ctx, log, sync.OnceFunc(func() { begun <- struct{}{} })) }()
	for {
		select {
		case <-begun:
			status <- svc.Status{State: svc.Running, Accepts: accepted}
		case h.err = <-done:
			status <- svc.Status{State: svc.StopPending, WaitHint: waitHint}
			return h.end(log)
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

// end logs how the work ended. A service that was told to stop has not failed, even if
// its last data is lost: the manager would start it again.
func (h *handler) end(log io.Writer) (specific bool, code uint32) {
	if h.err != nil {
		fmt.Fprintf(log, "level=ERROR msg=%q", "pidometer cannot run: "+h.err.Error())
		return true, 1
	}
	fmt.Fprint(log, "level=INFO msg=\"pidometer stopped\"")
	return false, 0
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
