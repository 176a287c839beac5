package platform

import (
	"context"
	"errors"
)

// Errors that a detail of a process may match beside those of the standard
// library. The four answers for a process that gives nothing are different
// things: it is gone ([os.ErrProcessDone]), a zombie, a kernel thread, or refused
// ([io/fs.ErrPermission]).
var (
	// ErrZombie says that the process has ended and waits for its parent: it owns
	// nothing any more.
	ErrZombie = errors.New("process has ended and waits for its parent")
	// ErrKernelThread says that the process is part of the kernel: it has no
	// program, no memory and no files of its own.
	ErrKernelThread = errors.New("kernel thread")
)

// Inspector is a [Backend] that tells details: lists that are no metric, and what
// describes a single process. Its calls take memory of their own, and may be made
// at the same time as each other and as a pass.
//
// All strings hold the kernel's own bytes, chosen by whoever named a process or a
// file: they are not valid UTF-8 for certain, and not trusted. Results belong to
// the caller. An empty list that is not nil is known to be empty; a nil pointer, or
// a nil slice within a result, is unknown. Errors name the source that failed; one
// that matches [errors.ErrUnsupported] says that this system does not tell.
type Inspector interface {
	Backend
	// Inspect opens one process. The key's Start may be 0 for whoever has the PID
	// now. A process that is gone, a PID whose start is another, a number that no
	// process has and the number of a mere thread are errors that match
	// [os.ErrProcessDone]; the text tells which. It has to be closed before the
	// backend is.
	Inspect(context.Context, Key) (Inspection, error)
	// Interfaces returns all network interfaces of this view's network namespace.
	Interfaces(context.Context) ([]Interface, error)
	// Mounts returns all mounts of this view's mount namespace, in the kernel's
	// order: of several on one mount point the last is seen.
	Mounts(context.Context) ([]Mount, error)
	// Sessions returns the users that are logged in.
	Sessions(context.Context) ([]Session, error)
}

// Inspection is one process laid open. Everything it returns belongs to the process
// that it was opened for, never to a later one with the same PID. It serves one
// goroutine at a time.
//
// Every method returns [os.ErrProcessDone] once the process is gone. Of a zombie
// only Identity, Parents, Children and Descendants are known, the rest is
// [ErrZombie]; a kernel thread has no arguments, environment, links, open files,
// connections and memory maps, which is [ErrKernelThread].
type Inspection interface {
	// Key returns the process's identity, its true start included.
	Key() Key
	// Identity returns who the process is and how the kernel runs it.
	Identity() (Identity, error)
	// Arguments returns the argument vector, empty arguments included. A process
	// that wrote a title over its arguments shows that title as one argument. One
	// that wiped them out has none.
	Arguments() ([]string, error)
	// Environment returns the environment that the program was started with, each
	// entry as it was, mostly NAME=value. Later changes are in the process's own
	// memory and not seen.
	Environment() ([]string, error)
	// Executable returns the program file.
	Executable() (Link, error)
	// WorkingDirectory returns the current folder.
	WorkingDirectory() (Link, error)
	// Root returns the folder that is the process's /.
	Root() (Link, error)
	// Affinity returns the CPUs that the first thread may run on.
	Affinity() (Affinity, error)
	// IOPriority returns the priority of the first thread's disk requests.
	IOPriority() (IOPriority, error)
	// OpenFiles returns the regular files that the process has open, by descriptor.
	OpenFiles() ([]OpenFile, error)
	// Connections returns the TCP, UDP and local sockets of the process, by
	// descriptor. Sockets of other kinds, and those of another network namespace
	// than the process's own, are left out.
	Connections() ([]Connection, error)
	// SocketStats returns what TCP knows of each connection of the process, by
	// descriptor. Listening sockets have none.
	SocketStats() ([]SocketStats, error)
	// Threads returns the threads by their ID.
	Threads() ([]Thread, error)
	// MemoryMaps returns the mappings by address. See [GroupMaps].
	MemoryMaps() ([]MemoryMap, error)
	// Limits returns the resource limits, by name.
	Limits() ([]Limit, error)
	// Children returns the processes that this one is the parent of, oldest first.
	Children() ([]Relative, error)
	// Descendants returns children, their children and so on, oldest first.
	Descendants() ([]Relative, error)
	// Parents returns the parent, its parent and so on. A parent outside the PID
	// namespace is not seen.
	Parents() ([]Relative, error)
	// Close ends the inspection.
	Close() error
}

// DetailSource tells where a backend reads one detail.
type DetailSource struct {
	Detail string   // the method of [Inspector], [Inspection] or [ServiceInspector]
	Entity Entity   // [Host], [Process] or [Service]: what it is a detail of
	Reads  []string // what it takes, by the kernel's own names: /proc/[pid]/fd, sock_diag
	Needs  string   // the privilege that it takes; "" for none
}
