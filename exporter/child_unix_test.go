//go:build unix

package exporter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/pidometer/pidometer/internal/otlptest"
)

// childMode makes the test binary be a service that uses Run and Exit.
const childMode = "EXPORTER_TEST_CHILD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		child(mode)
	}
	os.Exit(m.Run())
}

// child never returns.
func child(mode string) {
	exp, err := New(context.Background(), WithInterval(50*time.Millisecond), WithLogger(slog.New(slog.DiscardHandler)), quick())
	if err != nil {
		panic(err)
	}
	last, err := exp.MeterProvider().Meter(scopeName).Int64Gauge("last")
	if err != nil {
		panic(err)
	}
	last.Record(context.Background(), 0)
	emit(exp, 0, 1)
	others := make(chan os.Signal, 1)
	switch mode {
	case "others":
		signal.Notify(others, syscall.SIGTERM)
	case "ignore":
		signal.Ignore(syscall.SIGTERM)
	case "os.Exit":
		defer func() { fmt.Println("deferred") }()
		os.Exit(3)
	}
	flush := func(ctx context.Context) error {
		if mode == "others" {
			fmt.Println("others got", <-others)
		}
		last.Record(ctx, 1)
		emit(exp, 1, 2)
		return exp.Shutdown(ctx)
	}
	if mode == "bad" {
		flush = nil
	}
	ctx := &announced{Context: context.Background()}
	if mode == "done" {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		ctx.Context = over
	}
	Exit(Run(ctx, flush, childOptions(mode)...))
}

// childOptions are those of Run.
func childOptions(mode string) []RunOption {
	opts := []RunOption{WithSignals(syscall.SIGTERM, os.Interrupt)}
	say := func(name string, err error) *Step {
		return NewStep(name, func(context.Context) error { fmt.Println("step", name); return err })
	}
	switch mode {
	case "silent":
		return opts
	case "soon":
		opts = append(opts, WithDeadline(2*time.Second))
	case "hurry":
		opts = append(opts, WithDeadline(500*time.Millisecond))
	case "steps":
		first, second := say("first", nil), say("second", nil)
		_ = first.Do(context.Background())
		opts = append(opts, WithSteps(first, second, second), WithSteps(say("third", nil), first))
	case "failing step":
		opts = append(opts, WithSteps(say("one", errors.New("as the test wants it")), say("two", nil)))
	case "stuck step":
		opts = append(opts, WithDeadline(2*time.Second), WithSteps(NewStep("stuck", func(context.Context) error { select {} })))
	case "twice":
		opts = append(opts, WithSteps(NewStep("again", func(ctx context.Context) error {
			_, err := Run(ctx, func(context.Context) error { return nil })
			fmt.Println("a second Run:", err)
			return nil
		})))
	}
	return append(opts, WithLogger(slog.New(slog.NewTextHandler(os.Stdout, nil))))
}

// announced says on standard output that somebody waits for it. Run does so when
// it has subscribed to its signals.
type announced struct {
	context.Context
	once sync.Once
}

func (a *announced) Done() <-chan struct{} {
	a.once.Do(func() { fmt.Println("ready") })
	return a.Context.Done()
}

// service is a running child.
type service struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	said  []string
	sent  time.Time
}

// run starts a child and waits until it waits.
func run(t *testing.T, mode, endpoint string, change ...func(*exec.Cmd)) *service {
	t.Helper()
	s := launch(t, mode, endpoint, change...)
	s.expect(t, "ready")
	return s
}

// launch starts a child.
func launch(t *testing.T, mode, endpoint string, change ...func(*exec.Cmd)) *service {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &service{cmd: exec.Command(self), sent: time.Now()}
	s.cmd.Env = append(os.Environ(), childMode+"="+mode, "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint)
	for _, f := range change {
		f(s.cmd)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.lines = bufio.NewScanner(out)
	if err := s.cmd.Start(); err != nil {
		t.Skip("cannot start such a child here: ", err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	return s
}

// expect reads lines up to one that holds want.
func (s *service) expect(t *testing.T, want string) {
	t.Helper()
	for s.lines.Scan() {
		if strings.Contains(s.lines.Text(), want) {
			return
		}
	}
	t.Fatalf("the child never said %q", want)
}

func (s *service) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	s.sent = time.Now()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// wait returns how the child ended, and keeps what it has said meanwhile.
func (s *service) wait(t *testing.T) syscall.WaitStatus {
	t.Helper()
	for s.lines.Scan() {
		s.said = append(s.said, s.lines.Text())
	}
	_ = s.cmd.Wait()
	t.Logf("%v from signal to exit", time.Since(s.sent).Round(100*time.Microsecond))
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// delivered reports whether the child's last words arrived: those of its metrics, and
// those of its events, of which the last tells how the shutdown went.
func delivered(receiver *otlptest.Receiver) bool {
	return deliveredMetrics(receiver) && deliveredEvents(receiver)
}

func deliveredMetrics(receiver *otlptest.Receiver) bool {
	points := otlptest.Numbers(receiver.Requests(), "last")
	return len(points) > 0 && points[len(points)-1].GetAsInt() == 1
}

func deliveredEvents(receiver *otlptest.Receiver) bool {
	events := otlptest.Events(receiver.EventRequests())
	return slices.Equal(numbersOf(events), []int{0, 1}) && len(events) == 3 && events[2].EventName == DrainEvent
}

func TestSignalFlushesAndShows(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		receiver := otlptest.Start(t)
		s := run(t, "flush", receiver.Addr)
		s.signal(t, sig)
		s.expect(t, fmt.Sprintf("signal %v received by process with PID %d", sig, s.cmd.Process.Pid))
		if ws := s.wait(t); !ws.Signaled() || ws.Signal() != sig || !delivered(receiver) {
			t.Errorf("%v: ended with %#x, delivered: %v", sig, ws, delivered(receiver))
		}
	}
}

// TestSignalAtAnyPhase takes the child in the middle of whatever it does.
func TestSignalAtAnyPhase(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	for i := range rounds {
		receiver := otlptest.Start(t)
		receiver.Answer(otlptest.Delay(time.Duration(i) * time.Millisecond))
		s := run(t, "flush", receiver.Addr)
		if i%2 == 0 {
			receiver.WaitFor(t, "a pass", otlptest.AtLeast(1+i%3))
		}
		s.signal(t, syscall.SIGTERM)
		if ws := s.wait(t); !ws.Signaled() || !delivered(receiver) {
			t.Errorf("round %d: ended with %#x, delivered: %v", i, ws, delivered(receiver))
		}
	}
}

func TestFailedFlushExitsWithOne(t *testing.T) {
	receiver := otlptest.Start(t)
	receiver.Answer(otlptest.Refuse(codes.InvalidArgument))
	s := run(t, "flush", receiver.Addr)
	s.signal(t, syscall.SIGTERM)
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 1 {
		t.Errorf("ended with %#x", ws)
	}
}

func TestEndOfContextExitsWithZero(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "done", receiver.Addr)
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 0 || !delivered(receiver) {
		t.Errorf("ended with %#x, delivered: %v", ws, delivered(receiver))
	}
}

// TestIgnoredStaysIgnored starts a child as a shell does in the background, and one
// that has decided so itself.
func TestIgnoredStaysIgnored(t *testing.T) {
	inBackground := func(cmd *exec.Cmd) {
		cmd.Args = []string{"/bin/sh", "-c", `trap "" INT; exec "$0"`, cmd.Path}
		cmd.Path = "/bin/sh"
	}
	for _, tc := range []struct {
		mode         string
		ignored, not syscall.Signal
		change       []func(*exec.Cmd)
	}{
		{"flush", syscall.SIGINT, syscall.SIGTERM, []func(*exec.Cmd){inBackground}},
		{"ignore", syscall.SIGTERM, syscall.SIGINT, nil},
	} {
		receiver := otlptest.Start(t)
		s := run(t, tc.mode, receiver.Addr, tc.change...)
		s.signal(t, tc.ignored)
		n := len(receiver.Requests())
		receiver.WaitFor(t, "passes after the ignored signal", otlptest.AtLeast(n+2))
		s.signal(t, tc.not)
		if ws := s.wait(t); !ws.Signaled() || ws.Signal() != tc.not || !delivered(receiver) {
			t.Errorf("%v: ended with %#x, delivered: %v", tc.ignored, ws, delivered(receiver))
		}
	}
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	receiver := otlptest.Start(t)
	receiver.Answer(otlptest.Delay(time.Minute))
	s := run(t, "flush", receiver.Addr)
	s.signal(t, syscall.SIGTERM)
	s.expect(t, "signal terminated received")
	s.signal(t, syscall.SIGTERM)
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 1 || time.Since(s.sent) > DefaultDeadline/2 {
		t.Errorf("ended with %#x after %v", ws, time.Since(s.sent))
	}
}

// TestStepsAreDoneOnceInOrder, also one that was done before and one that is named
// twice.
func TestStepsAreDoneOnceInOrder(t *testing.T) {
	receiver := otlptest.Start(t)
	s := launch(t, "steps", receiver.Addr)
	s.expect(t, "step first")
	s.expect(t, "ready")
	s.signal(t, syscall.SIGTERM)
	ws := s.wait(t)
	var steps []string
	for _, line := range s.said {
		if name, ok := strings.CutPrefix(line, "step "); ok {
			steps = append(steps, name)
		}
	}
	if !slices.Equal(steps, []string{"second", "third"}) || !ws.Signaled() || !delivered(receiver) {
		t.Errorf("%q, ended with %#x, delivered: %v", steps, ws, delivered(receiver))
	}
}

// TestFailedStepExitsWithOne, and keeps neither the next step nor the flush from
// being done.
func TestFailedStepExitsWithOne(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "failing step", receiver.Addr)
	s.signal(t, syscall.SIGTERM)
	ws := s.wait(t)
	if !slices.Contains(s.said, "step two") || !ws.Exited() || ws.ExitStatus() != 1 || !delivered(receiver) {
		t.Errorf("%q, ended with %#x, delivered: %v", s.said, ws, delivered(receiver))
	}
}

// TestStuckStepLeavesTimeToFlush.
func TestStuckStepLeavesTimeToFlush(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "stuck step", receiver.Addr)
	s.signal(t, syscall.SIGTERM)
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 1 || !delivered(receiver) {
		t.Errorf("ended with %#x, delivered: %v", ws, delivered(receiver))
	}
}

func TestSecondRunIsAnError(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "twice", receiver.Addr)
	s.signal(t, syscall.SIGTERM)
	s.expect(t, "a second Run: "+ErrRunning.Error())
	if ws := s.wait(t); !ws.Signaled() || !delivered(receiver) {
		t.Errorf("ended with %#x, delivered: %v", ws, delivered(receiver))
	}
}

// TestBadRunFailsAtOnce waits for no signal.
func TestBadRunFailsAtOnce(t *testing.T) {
	receiver := otlptest.Start(t)
	s := launch(t, "bad", receiver.Addr)
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 1 || len(s.said) != 0 {
		t.Errorf("ended with %#x, saying %q", ws, s.said)
	}
}

// TestWithoutLoggerRunIsSilent.
func TestWithoutLoggerRunIsSilent(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "silent", receiver.Addr)
	s.signal(t, syscall.SIGTERM)
	if ws := s.wait(t); !ws.Signaled() || len(s.said) != 0 || !delivered(receiver) {
		t.Errorf("ended with %#x, saying %q, delivered: %v", ws, s.said, delivered(receiver))
	}
}

// TestLimits shows what cannot be caught: SIGKILL and os.Exit deliver nothing more,
// and do nothing that was deferred.
func TestLimits(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "flush", receiver.Addr)
	s.signal(t, syscall.SIGKILL)
	if ws := s.wait(t); !ws.Signaled() || ws.Signal() != syscall.SIGKILL || deliveredMetrics(receiver) || deliveredEvents(receiver) {
		t.Errorf("SIGKILL: ended with %#x", ws)
	}
	other := otlptest.Start(t)
	s = launch(t, "os.Exit", other.Addr)
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 3 || len(s.said) != 0 || deliveredMetrics(other) {
		t.Errorf("os.Exit: ended with %#x, saying %q", ws, s.said)
	}
}

// TestDeadEndpointStarvesNobody has one endpoint that never answers, and a good one
// for the other payload.
func TestDeadEndpointStarvesNobody(t *testing.T) {
	for _, dead := range []payload{metricsPayload, eventsPayload} {
		receiver := otlptest.Start(t)
		hole := "OTEL_EXPORTER_OTLP_" + payloads[dead].infix + "ENDPOINT=http://" + blackHole(t)
		s := run(t, "soon", receiver.Addr, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, hole) })
		s.signal(t, syscall.SIGTERM)
		ws := s.wait(t)
		took := time.Since(s.sent)
		if !ws.Exited() || ws.ExitStatus() != 1 || took > DefaultDeadline {
			t.Errorf("%v dead: ended with %#x after %v", dead, ws, took)
		}
		if dead == metricsPayload && !deliveredEvents(receiver) || dead == eventsPayload && !deliveredMetrics(receiver) {
			t.Errorf("%v dead: %d events and %d requests with metrics arrived", dead,
				len(otlptest.Events(receiver.EventRequests())), len(receiver.Requests()))
		}
	}
}

func TestOtherHandlersGetTheirCopy(t *testing.T) {
	receiver := otlptest.Start(t)
	s := run(t, "others", receiver.Addr)
	s.signal(t, syscall.SIGTERM)
	s.expect(t, "others got terminated")
	if ws := s.wait(t); !ws.Signaled() || !delivered(receiver) {
		t.Errorf("ended with %#x, delivered: %v", ws, delivered(receiver))
	}
}

func TestDeadEndpointEndsByTheDeadline(t *testing.T) {
	s := run(t, "hurry", blackHole(t))
	s.signal(t, syscall.SIGTERM)
	if ws := s.wait(t); !ws.Exited() || ws.ExitStatus() != 1 || time.Since(s.sent) > 4*time.Second {
		t.Errorf("ended with %#x after %v", ws, time.Since(s.sent))
	}
}
