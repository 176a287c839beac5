package platformtest

import (
	"errors"
	"os"
	"slices"

	"github.com/pidometer/pidometer/platform"
)

// Observer is the calling process as it is: what a backend tells of [platform.Self] is
// compared with it. On a made-up kernel it is made up too.
type Observer struct {
	PID, Parent uint64
	Command     string        // the short name, "" for any
	Users       *platform.IDs // real and effective, nil where nobody says
	Arguments   []string
	// Open opens a regular file.
	Open func() (*Opened, error)
	// Details are those that the backend declares: every other one has to be
	// [errors.ErrUnsupported]. nil is for a backend of which nobody says.
	Details []platform.DetailSource
}

// Opened is a regular file that the observer has open.
type Opened struct {
	Path  string
	FD    int
	Close func() error
}

// Caller is the process that runs the test.
func Caller() *Observer {
	o := &Observer{PID: uint64(os.Getpid()), Parent: uint64(os.Getppid()), Arguments: os.Args, Open: openTemporary}
	if os.Getuid() >= 0 {
		o.Users = &platform.IDs{Real: uint32(os.Getuid()), Effective: uint32(os.Geteuid())}
	}
	return o
}

// openTemporary opens a file of the machine's own, and removes it when it is closed.
func openTemporary() (*Opened, error) {
	file, err := os.CreateTemp("", "open")
	if err != nil {
		return nil, err
	}
	return &Opened{Path: file.Name(), FD: int(file.Fd()), Close: func() error { return errors.Join(file.Close(), os.Remove(file.Name())) }}, nil
}

// lacks reports whether the backend says that it does not tell a detail.
func (o *Observer) lacks(detail string) bool {
	return o.Details != nil && !slices.ContainsFunc(o.Details, func(d platform.DetailSource) bool { return d.Detail == detail })
}
