//go:build unix

package exporter

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
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
	exp, err := New(context.Background(), WithInterval(50*time.Millisecond), WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		panic(err)
	}
	if _, err := exp.MeterProvider().Meter(scopeName).Int64Counter("up"); err != nil {
		panic(err)
	}
	last, err := exp.MeterProvider().Meter(scopeName).Int64Gauge("last")
	if err != nil {
		panic(err)
	}
	last.Record(context.Background(), 0)
	others := make(chan os.Signal, 1)
	if mode == "others" {
		signal.Notify(others, syscall.SIGTERM)
	}
	if mode == "ignore" {
		signal.Ignore(syscall.SIGTERM)
	}
	flush := func(ctx context.Context) error {
		if mode == "others" {
			fmt.Println("others got", <-others)
		}
		last.Record(ctx, 1)
		return exp.Shutdown(ctx)
	}
	ctx := &announced{Context: context.Background()}
	if mode == "done" {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		ctx.Context = over
	}
	opts := []RunOption{WithSignals(syscall.SIGTERM, os.Interrupt), WithLogger(slog.New(slog.NewTextHandler(os.Stdout, nil)))}
	if mode == "hurry" {
		opts = append(opts, WithDeadline(500*time.Millisecond))
	}
	Exit(Run(ctx, flush, opts...))
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
	sent  time.Time
}

// run starts a child and waits until it waits.
func run(t *testing.T, mode, endpoint string, change ...func(*exec.Cmd)) *service {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &service{cmd: exec.Command(self)}
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
	s.expect(t, "ready")
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

// wait returns how the child ended.
func (s *service) wait(t *testing.T) syscall.WaitStatus {
	t.Helper()
	for s.lines.Scan() {
	}
	_ = s.cmd.Wait()
	t.Logf("%v from signal to exit", time.Since(s.sent).Round(100*time.Microsecond))
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// delivered reports whether the child's last words arrived, once.
func delivered(receiver *otlptest.Receiver) bool {
	n := 0
	for _, p := range otlptest.Numbers(receiver.Requests(), "last") {
		n += int(p.GetAsInt())
	}
	return n == 1
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
