// Package native opens the backend of the machine that the program runs on.
//
//	backend, err := native.New(native.Options{})
//
// The zero options are this machine as it is. On a system without a backend the
// error matches [errors.ErrUnsupported].
package native

//go:generate go test -run ^TestPlatforms$ -update

import (
	"time"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/darwin"
	"github.com/pidometer/pidometer/platform/dragonfly"
	"github.com/pidometer/pidometer/platform/freebsd"
	"github.com/pidometer/pidometer/platform/linux"
	"github.com/pidometer/pidometer/platform/netbsd"
	"github.com/pidometer/pidometer/platform/openbsd"
	"github.com/pidometer/pidometer/platform/solaris"
	"github.com/pidometer/pidometer/platform/windows"
)

// Options choose what the backend looks at. What a system has no use for is
// ignored there.
type Options struct {
	// Root moves the whole view, on systems that tell of themselves in files: a
	// folder that holds proc, sys and etc, such as /host in a container. "" means /,
	// and any other is refused on systems that do not.
	Root string
	// AllDevices reports partitions, stacked and memory disks, virtual interfaces
	// and every mount of a file system too.
	AllDevices bool
	// Budget is how long a file system or a device may take to answer before a pass
	// goes on without it. 0 means the backend's default of a second.
	Budget time.Duration
	// MapsCeiling is how much memory a process may have resident for its unique,
	// proportional and swapped memory to be read, on systems that walk its pages for
	// it. 0 means the backend's default of 4 GiB.
	MapsCeiling uint64
	// MapsBudget is the time in a pass after which no more of it is read. 0 means the
	// backend's default of a second.
	MapsBudget time.Duration
}

// New opens this machine's backend.
func New(o Options) (platform.Backend, error) { return open(o) }

// Sources returns what the backend of a system, by its GOOS, can read on a 64-bit
// kernel, on whatever system it is asked. It is nil for a system without one.
func Sources(goos string) []platform.Source {
	switch goos {
	case "linux", "android":
		return linux.Sources(64)
	case "windows":
		return windows.Sources()
	case "darwin":
		return darwin.Sources()
	case "openbsd":
		return openbsd.Sources()
	case "freebsd":
		return freebsd.Sources()
	case "netbsd":
		return netbsd.Sources()
	case "dragonfly":
		return dragonfly.Sources()
	case "illumos", "solaris":
		return solaris.Sources()
	}
	return nil
}

// Details returns where the backend of a system, by its GOOS, reads each detail, on
// whatever system it is asked. It is nil for a system whose backend tells none.
func Details(goos string) []platform.DetailSource {
	switch goos {
	case "linux", "android":
		return linux.Details()
	case "windows":
		return windows.Details()
	case "darwin":
		return darwin.Details()
	case "freebsd":
		return freebsd.Details()
	case "openbsd":
		return openbsd.Details()
	case "netbsd":
		return netbsd.Details()
	case "dragonfly":
		return dragonfly.Details()
	case "illumos", "solaris":
		return solaris.Details()
	}
	return nil
}

// Occurrences returns what the backend of a system, by its GOOS, can be listened to for,
// on whatever system it is asked. It is nil for a system that tells passes alone.
func Occurrences(goos string) []platform.OccurrenceSource {
	switch goos {
	case "linux", "android":
		return linux.Occurrences()
	case "windows":
		return windows.Occurrences()
	case "freebsd":
		return freebsd.Occurrences()
	case "openbsd":
		return openbsd.Occurrences()
	case "netbsd":
		return netbsd.Occurrences()
	case "dragonfly":
		return dragonfly.Occurrences()
	case "darwin":
		return darwin.Occurrences()
	}
	return nil
}
