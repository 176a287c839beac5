package linux

import "context"

// Listener is a [Kernel] that also makes the calls of a watch. With one that does not,
// nothing can be watched.
type Listener interface {
	Caller
	// OpenPoll makes an epoll instance.
	OpenPoll() (Poll, error)
	// OpenWrite opens a file for reading and writing.
	OpenWrite(dir int, path []byte) (fd int, err error)
	// End moves the position of a file behind what is in it.
	End(fd int) error
	// Connect connects a stream socket to a Unix socket; a name that begins with @ is
	// an abstract one. It also tells the PID of the other end as this process knows
	// it, which is 0 for a process of another PID namespace. Read and Send do not wait
	// on it: an error that matches syscall.EAGAIN says that they would have to.
	Connect(path string) (fd int, peer int, err error)
	// Send sends all of b, or fails.
	Send(fd int, b []byte) error
	// UID is the effective user of the process.
	UID() int
}

// Poll is an epoll instance (man 7 epoll).
type Poll interface {
	// Add adds a descriptor. Closing that removes it.
	Add(fd int, on PollEvents, of any) error
	// Ready fills ready with what is ready now. It does not wait.
	Ready(ready []Ready) (int, error)
	// Wait returns nil once something is ready, or the error of the context. It keeps
	// no thread waiting.
	Wait(context.Context) error
	// Close ends a Wait.
	Close() error
}

// Ready is a descriptor that is ready.
type Ready struct {
	Of any // what it was added with
	// Failed says that it is of no use any more (EPOLLERR, EPOLLHUP).
	Failed bool
}

// PollEvents is what a descriptor is ready for.
type PollEvents uint8

const (
	// ToRead is ready while there is something to read.
	ToRead PollEvents = iota
	// Edge is ready each time that the descriptor wakes whoever polls it.
	Edge
)
