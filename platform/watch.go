package platform

import "context"

// Watcher is a [Backend] that tells what happens when it happens, and not only at the
// next pass.
type Watcher interface {
	Backend
	// Occurrences returns where this backend hears of what, the best source of a kind
	// first. The caller must not change it.
	Occurrences() []OccurrenceSource
	// Watch begins to listen to the best source that this system allows of each kind
	// that is wanted. What can't be listened to is told by [Watch.Tiers] and costs
	// nothing else; an error means that nothing can be listened to for a reason that
	// is nobody's choice. The watch has to be closed before the backend is.
	Watch(context.Context, WatchOptions) (Watch, error)
}

// WatchOptions says what to listen to.
type WatchOptions struct {
	Kinds OccurrenceKindSet
}

// OccurrenceKindSet is a set of kinds.
type OccurrenceKindSet uint16

// KindsOf returns the set of some kinds.
func KindsOf(kinds ...OccurrenceKind) (s OccurrenceKindSet) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in the set.
func (s OccurrenceKindSet) Has(k OccurrenceKind) bool { return s>>k&1 != 0 }

// OccurrenceSource is one way in which a kernel tells what happens.
type OccurrenceSource struct {
	Name  string            // the kernel's own name: proc connector, taskstats, pidfd
	Tells OccurrenceKindSet // of what
	Needs string            // the privilege or circumstance that it takes; "" for none
	// Followed says that it tells only of those processes that [Watch.Follow] was
	// called for.
	Followed bool
}

// Tier is a source that a watch considered.
type Tier struct {
	Source OccurrenceSource
	// Err is why it is not listened to; nil if it is. It wraps
	// [errors.ErrUnsupported] where this system does not have it and
	// [io/fs.ErrPermission] where a privilege is missing.
	Err error
	// Spared says that it would work, and that a better one makes it needless.
	Spared bool
}

// Watch listens. Wait may be called while Read, Follow and Unfollow are; those take
// turns.
type Watch interface {
	// Tiers returns what is listened to, and why not to the rest. It never changes.
	Tiers() []Tier
	// Wait returns nil once there is something to read, and the context's error once
	// that is over. It uses no CPU meanwhile.
	Wait(context.Context) error
	// Read hands over everything that has happened since the last Read, in the order
	// of each source, and never waits. Lost records come as one [OccurrencesLost]. An
	// error means that one of the sources is of no use any more; the others go on.
	Read(yield func(*Occurrence)) error
	// Follow asks for the end of one process. It matters where a source that is
	// listened to is Followed, and is nil otherwise. A process that is gone is an
	// error that matches [os.ErrProcessDone].
	Follow(Key) error
	// Unfollow takes that back.
	Unfollow(Key)
	// Close ends a Wait, and the watch.
	Close() error
}

// Waiter is a [Backend] that waits for the end of processes, whoever started them.
type Waiter interface {
	Backend
	// WaitProcess waits until a process has ended and tells how, where this system
	// does. The key's Start may be 0 for whoever has the PID now; a PID whose start is
	// another, and one that nobody has, is an error that matches [os.ErrProcessDone].
	// A zombie has ended. No child's status is taken from its parent. The exit is not
	// Known where only a parent is told.
	WaitProcess(context.Context, Key) (Exit, error)
}
