package events

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/freebsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
	bsd "github.com/pidometer/pidometer/platform/freebsd"
	"github.com/pidometer/pidometer/semconv"
)

// ends keeps how processes end in a world, and who made whom.
type ends struct{ begun, codes, signals []int }

func (e *ends) Forked(_, child uint64) { e.begun = append(e.begun, int(child)) }
func (e *ends) Executed(uint64)        {}
func (e *ends) Exited(_, status uint64) {
	if signal := status & 0x7f; signal != 0 {
		e.signals = append(e.signals, int(signal))
	} else {
		e.codes = append(e.codes, int(status>>8))
	}
}

// locked is a kernel that is asked one question at a time: processes are described by a
// goroutine of its own, and neither a world nor its kernel knows of any.
type locked struct {
	*freebsd.Kernel
	mu sync.Mutex
}

func (k *locked) Sysctl(mib []int32, buf []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Sysctl(mib, buf)
}

func (k *locked) Named(name string, args []int32, buf []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Named(name, args, buf)
}

func (k *locked) Folder(path string) ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Folder(path)
}

func (k *locked) Device(path string) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Device(path)
}

func (k *locked) Mounts(buf []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Mounts(buf)
}

func (k *locked) File(path string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.File(path)
}

func (k *locked) Affinity(pid uint64, buf []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Affinity(pid, buf)
}

func (k *locked) Clocks() (now, uptime uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Kernel.Clocks()
}

func (k *locked) step(w *simkernel.World) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w.Step()
}

// On a system of kqueue(2) the processes that a pass has seen, and all that they make, tell
// of their beginnings and ends as on the others: each once, with the status, those that
// live between two passes among them.
func TestFollowedTell(t *testing.T) {
	for seed := range uint64(20) {
		w := simkernel.New(seed+1, 8)
		k := &locked{Kernel: freebsd.New(w)}
		k.FailWith = func(call string) int { // nobody waits: the test reads
			if call == "wait" {
				return sysctl.BSD.NoMemory
			}
			return 0
		}
		b, err := bsd.New(bsd.Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		heard := &listener{}
		e := New(Config{Logger: heard, All: true, Backend: b, Everyone: true, GOOS: "freebsd"})
		passes := oneshot.New(oneshot.Config{Backend: b, Processes: oneshot.All,
			Want: platform.Want{Fields: platform.Fields(platform.ProcessCPUUser), Texts: platform.Texts(platform.ProcessCommand)}})
		pass := func() { passes.Collect(t.Context(), e.Passed) }
		pass()
		heard.take()
		truth := &ends{}
		w.Hear = append(w.Hear, truth)
		for step := range 300 {
			e.mu.Lock()
			k.step(w)
			e.read()
			e.mu.Unlock()
			if step%10 == 9 {
				pass()
			}
		}
		pass()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		passes.Close()
		var got ends
		for _, told := range heard.take() {
			code, coded := told.attrs[string(semconv.ProcessExitCode)]
			switch {
			case told.name == semconv.EventProcessStart:
				got.begun = append(got.begun, int(told.attrs[string(semconv.ProcessPID)].(int64)))
				if told.at.Year() < 2020 {
					t.Errorf("began %v", told.at)
				}
			case told.name == semconv.EventProcessExit && coded:
				got.codes = append(got.codes, int(code.(int64)))
			case told.name == semconv.EventProcessExit:
				got.signals = append(got.signals, 11)
				if name := told.attrs[string(semconv.ProcessExitSignal)]; name != "SIGSEGV" {
					t.Errorf("%v", told.attrs)
				}
			}
		}
		for _, list := range []*[]int{&truth.begun, &truth.codes, &truth.signals, &got.begun, &got.codes, &got.signals} {
			slices.Sort(*list)
		}
		if fmt.Sprint(got) != fmt.Sprint(*truth) || len(truth.codes) == 0 {
			t.Errorf("seed %d: told\n%v, happened\n%v", seed+1, got, *truth)
		}
	}
}
