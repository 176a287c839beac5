package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// psiOccurrences are the triggers of pressure (Documentation/accounting/psi.rst).
var psiOccurrences = platform.OccurrenceSource{
	Name: "/proc/pressure", Tells: platform.KindsOf(platform.PressureCrossed),
	Needs: "Linux 5.2 with pressure accounting, and CAP_SYS_RESOURCE before Linux 6.4",
}

// psiWindow is the window of every trigger. It is the longest that the kernel takes,
// and a multiple of two seconds, without which a trigger needs CAP_SYS_RESOURCE
// (psi_trigger_create in kernel/sched/psi.c). The kernel tells of a trigger once in a
// window at most, and looks at it each two seconds: what never ends is told six times
// in a minute, and what begins within two seconds.
const psiWindow = 10 * time.Second

// psiStall is a threshold that is listened to.
type psiStall struct {
	resource string
	full     bool
	waited   time.Duration
}

// psiStalls are the thresholds. Shares of others in their own windows are taken over,
// since none is in any standard.
var psiStalls = []psiStall{
	// Somebody waits for a CPU half of the time. Nobody else sets a limit here: that some
	// wait is what a busy machine does.
	{"cpu", false, 5 * time.Second},
	// 10 %, by which systemd tells services to free memory: MemoryPressureThresholdSec is
	// 200 ms of 2 s (man 5 systemd.resource-control).
	{"memory", false, time.Second},
	// 60 %, above which systemd-oomd kills (man 5 oomd.conf, DefaultMemoryPressureLimit).
	{"memory", true, 6 * time.Second},
	// 5 % of all work standing still, the example of psi.rst: 50 ms of a second.
	{"io", true, 500 * time.Millisecond},
}

// text is the threshold as the kernel reads it. It cuts off the last byte of a write.
func (s *psiStall) text() []byte {
	kind := "some"
	if s.full {
		kind = "full"
	}
	return fmt.Appendf(nil, "%s %d %d\x00", kind, s.waited.Microseconds(), psiWindow.Microseconds())
}

// psi is the triggers that could be set.
type psi struct {
	*watch
	triggers []*psiTrigger
}

// psiTrigger is one trigger. Each poll of it takes the event that it tells, so that the
// poll of the Go runtime, which asks ours, would leave nothing to ours: EPOLLPRI never
// comes through two epoll instances (measured on Linux 6.18, 2026-11-23;
// psi_trigger_poll in kernel/sched/psi.c). But a trigger that fires wakes whoever polls
// it, and a file that can always be read is then an edge to read.
type psiTrigger struct {
	*watch
	stall psiStall
	fd    int
	armed bool // the edge of having been added is over
}

func openPSI(w *watch) (listener, error) { return w.openStalls(psiStalls) }

func (w *watch) openStalls(stalls []psiStall) (listener, error) {
	p := &psi{watch: w}
	var failed error
	for _, stall := range stalls {
		t, err := w.openTrigger(stall)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("/proc/pressure/%s: %w", stall.resource, err))
			continue
		}
		p.triggers = append(p.triggers, t)
	}
	if len(p.triggers) == 0 {
		return nil, failed
	}
	return p, nil
}

func (w *watch) openTrigger(stall psiStall) (*psiTrigger, error) {
	fd, err := w.kernel.OpenWrite(w.backend.root, w.join("proc/pressure/", stall.resource))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: this kernel does not account for pressure (CONFIG_PSI, psi=1)", errors.ErrUnsupported)
	}
	if err != nil {
		return nil, psiDenied(err)
	}
	t := &psiTrigger{watch: w, stall: stall, fd: fd}
	if err = w.kernel.Write(fd, stall.text()); err == nil {
		err = w.listen(fd, Edge, t)
	}
	if err != nil {
		t.close()
		return nil, psiDenied(err)
	}
	return t, nil
}

// psiDenied explains that a trigger takes a privilege. Linux 6.4 and later take a window
// like ours from everybody.
func psiDenied(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: needs CAP_SYS_RESOURCE before Linux 6.4", err)
	}
	if errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("%w: this kernel has no triggers, as before Linux 5.2 (%w)", errors.ErrUnsupported, err)
	}
	return err
}

func (p *psi) drain(bool, func(*platform.Occurrence)) error { return nil }

func (p *psi) close() {
	for _, t := range p.triggers {
		t.close()
	}
}

func (t *psiTrigger) drain(failed bool, yield func(*platform.Occurrence)) error {
	if failed {
		return fmt.Errorf("/proc/pressure/%s: %w: the kernel took the trigger away", t.stall.resource, errDeaf)
	}
	if !t.armed {
		t.armed = true
		return nil
	}
	yield(&platform.Occurrence{Kind: platform.PressureCrossed, Stall: platform.Stall{
		Resource: t.stall.resource, Full: t.stall.full, Waited: t.stall.waited, Window: psiWindow,
	}})
	return nil
}

// close closes the trigger once, whether it is alone in being gone or the watch ends.
func (t *psiTrigger) close() {
	if t.fd >= 0 {
		t.kernel.Close(t.fd)
		t.fd = -1
	}
}
