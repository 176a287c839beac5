package platform

import "time"

// OccurrenceKind says what happened.
type OccurrenceKind uint8

// The kinds of occurrences.
const (
	// ProcessStarted: a process was made by another.
	ProcessStarted OccurrenceKind = iota
	// ProcessExecuted: a process runs another program now.
	ProcessExecuted
	// ProcessExited: all threads of a process have ended, or its first one where a
	// kernel tells of threads alone.
	ProcessExited
	// ProcessAccounted: a process has ended, and its lifetime's sums are known.
	ProcessAccounted
	// ProcessOOMKilled: the kernel ended a process for want of memory.
	ProcessOOMKilled
	// ServiceChanged: a service, or a unit of a service manager, is in another state.
	ServiceChanged
	// PressureCrossed: tasks waited for a resource longer than the threshold in a window.
	PressureCrossed
	// OccurrencesLost: the kernel dropped what nobody read in time. A pass tells what
	// has become of the processes.
	OccurrencesLost
	numOccurrenceKinds
)

// OccurrenceKinds is how many kinds there are.
const OccurrenceKinds = int(numOccurrenceKinds)

var occurrenceNames = [numOccurrenceKinds]string{"process started", "process executed", "process exited", "process accounted",
	"process killed for want of memory", "service changed", "pressure crossed", "occurrences lost"}

// String returns the kind in words.
func (k OccurrenceKind) String() string {
	if k >= numOccurrenceKinds {
		return "unknown"
	}
	return occurrenceNames[k]
}

// Exit is how a process ended. Of the zero value nothing is known.
type Exit struct {
	Known  bool
	Code   int64 // what it returned; 0 if a signal ended it. On Windows any 32 bits
	Signal int   // the number of the signal that ended it; 0 for none
	Core   bool  // the kernel wrote a core file, or tried to
}

// Failed reports whether the process is known to have ended in another way than by
// returning 0.
func (e Exit) Failed() bool { return e.Known && (e.Code != 0 || e.Signal != 0) }

// Occurrence is one thing that happened, as a kernel tells it when it happens. What
// is not known is zero, nil or empty. Slices are lent until the call that yielded it
// returns; they hold the kernel's own bytes and are not trusted.
type Occurrence struct {
	Kind OccurrenceKind
	// At is when it happened. Zero means that the kernel does not say, and that it was
	// a moment ago.
	At time.Time
	// Key is whom it happened to. A process has ID and Start; a Start of 0 is unknown.
	// A service has the Name.
	Key Key
	// Estimated says that Start was computed from the time of the occurrence. Rounding
	// to the unit of the kernel may make it one too many, never fewer.
	Estimated bool

	Parent  uint64 // PID of the parent; 0 is unknown
	Command []byte // the kernel's short name of the process
	Cgroup  []byte // control group of the process, as the kernel names it
	Exit    Exit
	// Usage are the last readings of a process that ended: sums over its life.
	Usage *Sample

	// Of a service: the state now and before in the words of [ServiceState], or of the
	// service manager; its main process is in Key.ID.
	State, Before []byte
	// Title is the service's name for people.
	Title []byte

	// Of pressure: who waits, for what, how long, in which window.
	Stall Stall
	// Count is how many occurrences this one stands for; 0 means 1.
	Count uint64
}

// Stall is a threshold of waiting that was crossed.
type Stall struct {
	Resource string        // cpu, memory or io
	Full     bool          // all tasks that are not idle waited, not only some
	Waited   time.Duration // the threshold, within a window
	Window   time.Duration
}
