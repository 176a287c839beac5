package windows

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/windows/svc"
)

// life is a service from its start to its end, as the service manager sees it.
type life struct {
	requests chan svc.ChangeRequest
	status   chan svc.Status
	ended    chan struct{}
	specific bool
	code     uint32
	log      bytes.Buffer
}

func begin(work Work) *life {
	l := &life{requests: make(chan svc.ChangeRequest), status: make(chan svc.Status), ended: make(chan struct{})}
	h := &handler{work: work, open: func() (io.Writer, func()) { return &l.log, func() {} }}
	go func() {
		l.specific, l.code = h.Execute(nil, l.requests, l.status)
		close(l.ended)
	}()
	return l
}

// next is the state that is told next.
func (l *life) next(t *testing.T, want svc.State) {
	t.Helper()
	if s := <-l.status; s.State != want {
		t.Errorf("state %d, want %d", s.State, want)
	}
}

// A service runs once its work does. It answers, and ends when it is told to stop or
// the machine shuts down, which is no failure and is logged.
func TestExecute(t *testing.T) {
	for _, end := range []svc.Cmd{svc.Stop, svc.Shutdown} {
		run := make(chan struct{})
		l := begin(func(ctx context.Context, log io.Writer, runs func()) error {
			<-run
			runs()
			runs()
			<-ctx.Done()
			return nil
		})
		l.next(t, svc.StartPending)
		l.requests <- svc.ChangeRequest{Cmd: svc.Interrogate, CurrentStatus: svc.Status{State: svc.StartPending}}
		l.next(t, svc.StartPending)
		close(run)
		if s := <-l.status; s.State != svc.Running || s.Accepts != svc.AcceptStop|svc.AcceptShutdown {
			t.Errorf("%+v", s)
		}
		l.requests <- svc.ChangeRequest{Cmd: end}
		l.next(t, svc.StopPending)
		l.next(t, svc.StopPending)
		if <-l.ended; l.specific || l.code != 0 || !strings.Contains(l.log.String(), "level=INFO msg=\"pidometer stopped\"") {
			t.Errorf("%v %d, %s", l.specific, l.code, l.log.String())
		}
	}
}

// A service that cannot run says why in the event log, and has a code for the manager.
func TestExecuteFails(t *testing.T) {
	l := begin(func(context.Context, io.Writer, func()) error { return errors.New("no such file\nat all") })
	l.next(t, svc.StartPending)
	l.next(t, svc.StopPending)
	if <-l.ended; !l.specific || l.code != 1 || l.log.String() != `level=ERROR msg="pidometer cannot run: no such file\nat all"` {
		t.Errorf("%v %d, %s", l.specific, l.code, l.log.String())
	}
}

// What is written goes to the event log, where there is one.
func TestOpenLog(t *testing.T) {
	log, closeLog := openLog()
	defer closeLog()
	for _, line := range []string{"level=INFO 日本", "level=WARN x", "level=ERROR x", "NUL \x00 within"} {
		if n, err := io.WriteString(log, line); n != len(line) || err != nil && !strings.Contains(line, "\x00") {
			t.Errorf("%q: %d, %v", line, n, err)
		}
	}
}
