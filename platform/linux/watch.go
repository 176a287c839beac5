package linux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/pidometer/pidometer/platform"
)

// Listener is a [Caller] that also makes the calls behind a watch. Of one that does
// not, nothing is listened to.
type Listener interface {
	Caller
	// NewPoll makes a set of descriptors that can be waited for together.
	NewPoll() (Poll, error)
	// Listen opens a socket of a netlink protocol that hears what the kernel sends to
	// the groups, a bit for each, and nobody else. Its buffer is as large as the system
	// allows, up to the size that is asked for. Reads and writes never wait.
	Listen(protocol int, groups uint32, buffer int) (fd int, err error)
	// Attach filters what a socket hears by a classic BPF program.
	Attach(fd int, program []Instruction) error
	// Hear reads one datagram. errEmpty says that there is none, errOverrun that some
	// were lost.
	Hear(fd int, buf []byte) (int, error)
	// Monotonic returns CLOCK_MONOTONIC in nanoseconds.
	Monotonic() int64
	// OpenProcess opens a process by its PID (pidfd_open).
	OpenProcess(pid uint64) (fd int, err error)
	// ProcessInfo fills buf with a struct pidfd_info, of which the mask says what is
	// wanted (PIDFD_GET_INFO).
	ProcessInfo(fd int, buf []byte) error
	// ChildStatus tells how a child of this process ended, and leaves it to be waited
	// for (waitid with WNOWAIT). False if it has not ended.
	ChildStatus(fd int) (exit platform.Exit, ended bool, err error)
	// Await waits until a process has ended, and if reaped until its parent took note
	// too, without a thread.
	Await(ctx context.Context, fd int, reaped bool) error
}

// Poll is a set of descriptors.
type Poll interface {
	// Add takes a descriptor in. Urgent ones tell by POLLPRI.
	Add(fd int, urgent bool) error
	// Remove takes it out.
	Remove(fd int)
	// Wait returns nil once one of them has something, without a thread. A closed poll
	// is [fs.ErrClosed].
	Wait(context.Context) error
	Close() error
}

// Instruction is one of classic BPF (struct sock_filter).
type Instruction struct {
	Code             uint16
	JumpTrue, JumpNo uint8
	K                uint32
}

var (
	errEmpty   = errors.New("nothing to read")
	errOverrun = errors.New("records were lost")
)

// spring is one source of occurrences that is listened to.
type spring interface {
	// descriptor is what to wait for; -1 if there is none, and it is looked at with
	// every read.
	descriptor() (fd int, urgent bool)
	// drain hands over what has happened and never waits. An error means that the
	// source is of no use any more; what is lost is an occurrence.
	drain(yield func(*platform.Occurrence)) error
	close()
}

// follower is a spring that tells of single processes.
type follower interface {
	follow(platform.Key) error
	unfollow(platform.Key)
}

// occurrenceSource is one row of the table.
type occurrenceSource struct {
	platform.OccurrenceSource
	open func(*watch) (spring, error)
}

// occurrenceSources are all of them, the best of a kind first.
var occurrenceSources = []occurrenceSource{
	{platform.OccurrenceSource{Name: "proc connector", Needs: "the first PID namespace, and before Linux 6.6 CAP_NET_ADMIN",
		Tells: platform.KindsOf(platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)}, openConnector},
	{platform.OccurrenceSource{Name: "taskstats", Needs: "CAP_NET_ADMIN in the first user namespace and the first PID namespace, and Linux 5.19",
		Tells: platform.KindsOf(platform.ProcessAccounted)}, openTaskstats},
	{platform.OccurrenceSource{Name: "pidfd", Needs: "Linux 5.3; for the status of processes that are no children Linux 6.15",
		Tells: platform.KindsOf(platform.ProcessExited), Followed: true}, openPidfds},
}

// Occurrences returns what can be listened to.
func (b *backend) Occurrences() []platform.OccurrenceSource { return Occurrences() }

// Occurrences returns what a Linux kernel can be listened to for, the best source of a
// kind first.
func Occurrences() (all []platform.OccurrenceSource) {
	for _, s := range occurrenceSources {
		all = append(all, s.OccurrenceSource)
	}
	return all
}

// watch listens to several sources at once.
type watch struct {
	shared *details
	calls  Listener
	poll   Poll
	tiers  []platform.Tier

	mu      sync.Mutex
	springs []spring
	closed  bool
}

// Watch listens to the best source of each kind.
func (b *backend) Watch(_ context.Context, o platform.WatchOptions) (platform.Watch, error) {
	calls, ok := b.kernel.(Listener)
	if !ok {
		return nil, fmt.Errorf("a kernel that is recorded tells nothing: %w", errors.ErrUnsupported)
	}
	poll, err := calls.NewPoll()
	if err != nil {
		return nil, fmt.Errorf("poll: %w", err)
	}
	w := &watch{shared: b.details, calls: calls, poll: poll}
	var covered platform.OccurrenceKindSet
	for _, s := range occurrenceSources {
		covered |= w.open(s, o.Kinds, covered)
	}
	return w, nil
}

// open listens to a source unless better ones tell all that is wanted of it, and
// returns what need not be listened for elsewhere.
func (w *watch) open(s occurrenceSource, wanted, covered platform.OccurrenceKindSet) platform.OccurrenceKindSet {
	wanted &= s.Tells
	tier := platform.Tier{Source: s.OccurrenceSource}
	switch {
	case wanted == 0:
		return 0
	case wanted&^covered == 0:
		tier.Spared = true
		w.tiers = append(w.tiers, tier)
		return 0
	}
	opened, err := s.open(w)
	if err == nil {
		if fd, urgent := opened.descriptor(); fd >= 0 {
			if err = w.poll.Add(fd, urgent); err != nil {
				opened.close()
			}
		}
	}
	tier.Err = err
	if err != nil {
		tier.Err = fmt.Errorf("%s: %w", s.Name, err)
	}
	w.tiers = append(w.tiers, tier)
	if err != nil {
		return 0
	}
	w.springs = append(w.springs, opened)
	if s.Followed {
		return 0
	}
	return wanted
}

func (w *watch) Tiers() []platform.Tier { return w.tiers }

func (w *watch) Wait(ctx context.Context) error { return w.poll.Wait(ctx) }

// Read drains every source. One that fails is closed: the others go on.
func (w *watch) Read(yield func(*platform.Occurrence)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	var errs []error
	w.springs = slices.DeleteFunc(w.springs, func(s spring) bool {
		err := s.drain(yield)
		if err != nil {
			errs = append(errs, err)
			w.shut(s)
		}
		return err != nil
	})
	return errors.Join(errs...)
}

// shut closes a source.
func (w *watch) shut(s spring) {
	if fd, _ := s.descriptor(); fd >= 0 {
		w.poll.Remove(fd)
	}
	s.close()
}

func (w *watch) Follow(k platform.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.springs {
		if f, ok := s.(follower); ok {
			return f.follow(k)
		}
	}
	return nil
}

func (w *watch) Unfollow(k platform.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.springs {
		if f, ok := s.(follower); ok {
			f.unfollow(k)
		}
	}
}

func (w *watch) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	for _, s := range w.springs {
		w.shut(s)
	}
	w.springs = nil
	return w.poll.Close()
}

// lost is the occurrence that stands for records that were dropped.
func lost(yield func(*platform.Occurrence)) {
	yield(&platform.Occurrence{Kind: platform.OccurrencesLost})
}

// inFirstNamespace reports whether this program is in the PID namespace that the
// kernel began with: only there it tells of processes by netlink (cn_proc_mcast_ctl in
// drivers/connector/cn_proc.c, taskstats_user_cmd in kernel/taskstats.c). That
// namespace has a number of its own (PROC_PID_INIT_INO in include/linux/proc_ns.h).
func (w *watch) inFirstNamespace() error {
	p := w.shared.open(context.Background())
	if p.selfErr != nil {
		return p.selfErr
	}
	link, err := p.readLink(p.self, "ns/pid")
	switch {
	case err != nil:
		return err
	case link != firstNamespace:
		return fmt.Errorf("%w inside a PID namespace", errors.ErrUnsupported)
	}
	return nil
}

const firstNamespace = "pid:[4026531836]"
