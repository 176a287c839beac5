package producer_test

import (
	"flag"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/pidometer/pidometer/instrumentation"
	"github.com/pidometer/pidometer/instrumentation/producer"
)

// TestMain is also a process that uses CPU time and ends.
func TestMain(m *testing.M) {
	if text := os.Getenv(burnVariable); text != "" {
		burn(text)
	}
	os.Exit(m.Run())
}

const burnVariable = "PIDOMETER_TEST_BURN"

func burn(text string) {
	wanted, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	for usage(syscall.RUSAGE_SELF) < wanted {
		for n := 0; n < 1e5; n++ {
			runtime.KeepAlive(n)
		}
	}
	os.Exit(0)
}

func usage(who int) time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var burners = flag.Int("burners", 40, "how many processes TestNoSecondIsLost lets burn 50 ms each")

// Processes that begin and end between two passes are in the sums: by their parent's
// counters for everybody, and by exit records for whoever may listen to them. Where another
// process of the machine ends that nobody waits for, such as a worker of the kernel, the
// remainder keeps what it had used back from the counters of parents: then it is seen again.
func TestNoSecondIsLost(t *testing.T) {
	const attempts = 3
	for _, processes := range []instrumentation.Processes{instrumentation.Top, instrumentation.All} {
		for _, events := range []instrumentation.Events{instrumentation.EventsOff, instrumentation.EventsDefault} {
			lost := true
			for n := 0; n < attempts && lost; n++ {
				lost = loses(t, processes, events)
			}
			if lost {
				t.Errorf("processes %d, events %d: the remainder lacks more than 5 %% of what the dead used, %d times", processes, events, attempts)
			}
		}
	}
}

// loses lets processes burn between two passes, and reports whether the remainder grew by less
// than 95 % of that. It never grows by more than the host can have used.
func loses(t *testing.T, processes instrumentation.Processes, events instrumentation.Events) bool {
	t.Helper()
	p, err := producer.New(instrumentation.WithProcesses(processes), instrumentation.WithMetrics("-*", "process.cpu.time", "system.cpu.time"),
		instrumentation.WithEvents(events), instrumentation.WithLoggerProvider(noop.NewLoggerProvider()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ledger := newLedger()
	ledger.take(produce(t, p))
	burnt, busy := usage(syscall.RUSAGE_CHILDREN), ledger.host
	children(t, *burners, 50*time.Millisecond)
	burnt = usage(syscall.RUSAGE_CHILDREN) - burnt
	// A process that is waited for behind the walk's look at its parent is at its parent in
	// the next pass, and what others used is owed until then.
	share := 0.0
	for n := 0; n < 8 && share < 0.95; n++ {
		time.Sleep(250 * time.Millisecond) // a pass is shared for 200 ms
		ledger.take(produce(t, p))
		share = ledger.other / burnt.Seconds()
	}
	t.Logf("processes %d, events %d: the dead used %v, the remainder grew by %.3f s; host %.2f s, all processes %.2f s",
		processes, events, burnt, ledger.other, ledger.host-busy, ledger.sum)
	// The host counts ticks and the processes nanoseconds, and what the dead can have used is
	// bounded to within a second.
	if host := ledger.host - busy; ledger.sum > host*1.05+1.5 {
		t.Errorf("all processes used %.2f s of the host's %.2f s", ledger.sum, host)
	}
	return share < 0.95
}

// children lets processes burn, as many at a time as there are CPUs.
func children(t *testing.T, n int, each time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	queue := make(chan int)
	for range runtime.NumCPU() {
		all.Go(func() {
			for range queue {
				cmd := exec.Command(os.Args[0])
				// The race detector lets a process sleep for a second before it ends.
				cmd.Env = append(os.Environ(), burnVariable+"="+each.String(), "GORACE=atexit_sleep_ms=0")
				if err := cmd.Run(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range n {
		queue <- i
	}
	close(queue)
	all.Wait()
}

// ledger sums CPU time up over the exports, as a receiver does.
type ledger struct {
	last       map[string]float64
	begun      bool
	sum, other float64 // growth of all processes' series, and of the remainder's
	host       float64
}

func newLedger() *ledger { return &ledger{last: map[string]float64{}} }

func (l *ledger) take(scope metricdata.ScopeMetrics) {
	for _, m := range scope.Metrics {
		data, ok := m.Data.(metricdata.Sum[float64])
		if !ok {
			continue
		}
		if m.Name == "system.cpu.time" {
			l.host = 0
		}
		for _, p := range data.DataPoints {
			mode, _ := p.Attributes.Value("cpu.mode")
			if m.Name == "system.cpu.time" {
				switch mode.AsString() {
				case "user", "nice", "system":
					l.host += p.Value
				}
				continue
			}
			key := p.Attributes.Encoded(attribute.DefaultEncoder()) + p.StartTime.String()
			grown := p.Value - l.last[key]
			if _, known := l.last[key]; !known && !l.begun {
				grown = 0
			}
			l.last[key] = p.Value
			l.sum += grown
			if _, ok := p.Attributes.Value("pidometer.process.group"); ok {
				l.other += grown
			}
		}
	}
	l.begun = true
}
