// Package dragonfly reads a DragonFly BSD host: one sysctl tells of all processes and one of
// all their threads. Its decoders take the bytes that the kernel wrote and build on every
// operating system; only files named after DragonFly make system calls.
//
// It tells the core of what other BSDs do, see docs/platforms.md; it was added by the recipe
// of docs/adding-an-os.md, to try that out. Structures are those of DragonFly 6 on amd64, the
// only machines that it runs on.
package dragonfly

import (
	"github.com/pidometer/pidometer/internal/kqueue"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Options choose what a backend looks at. The zero value is this machine.
type Options struct {
	// AllDevices reports virtual network interfaces and file systems without blocks too.
	AllDevices bool
	// Kernel replaces the system calls. nil means the real ones.
	Kernel Kernel
}

// Kernel is the handful of calls that this backend makes, those of package platform/freebsd
// but for Affinity. [Options.Kernel] replaces the real one with a simulated or a failing one.
type Kernel = sysctl.Kernel

// Sources returns what a backend can read: processes first, then the host.
func Sources() []platform.Source { return dialect().Sources() }

// Details returns where this backend reads each detail.
func Details() []platform.DetailSource { return dialect().DetailSources() }

// New opens this machine, or what the options put in its place.
func New(o Options) (platform.Backend, error) {
	kernel := o.Kernel
	if kernel == nil {
		var err error
		if kernel, err = newKernel(); err != nil {
			return nil, err
		}
	}
	b, err := sysctl.New(dialect(), sysctl.Options{AllDevices: o.AllDevices, Kernel: kernel})
	if err != nil {
		return nil, err
	}
	return &backend{b, &kqueue.Watcher{Kernel: kernel, Layout: &kqueue.OpenBSD, Errno: sysctl.BSD, Who: b.Who, Source: Occurrences()[0]}}, nil
}

// backend is one machine: what sysctl(3) tells, and what happens to processes meanwhile.
type backend struct {
	*sysctl.Backend
	*kqueue.Watcher
}

// Occurrences returns where this kernel tells what happens between two passes.
func Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{kqueue.OpenBSD.Source("")}
}

// Calls returns the calls of this machine, for those who want to see what passes by. On other
// systems it is an error that matches [errors.ErrUnsupported].
func Calls() (Kernel, error) { return newKernel() }

// Numbers of sys/sysctl.h and sys/socket.h.
const (
	ctlKern      = 1
	ctlNet       = 4
	ctlHW        = 6
	kernMaxProc  = 6
	kernProc     = 14
	kernBootTime = 21
	afRoute      = 17
	rtIfList     = 3

	procAll      = 0
	procPid      = 1
	procArgs     = 7
	procCwd      = 8
	procPathname = 9
	procThreads  = 0x10 // KERN_PROC_FLAG_LWP: a row for each thread
)

// dialect is how DragonFly tells what it tells.
func dialect() *sysctl.Dialect {
	d := &sysctl.Dialect{
		Table: table(), State: stateOf,
		BootMIB: []int32{ctlKern, kernBootTime}, BootUnit: 1e3, // struct timeval
		Absolute:  true, // p_start is what the clock said (fork1 in sys/kern/kern_fork.c)
		Processes: []sysctl.ProcessSource{sysctl.Owner(), threadTimes(), arguments(), executable()},
		Interface: interfaceTable(), Mount: mountTable(), Details: details(),
	}
	d.Hosts = []sysctl.HostSource{
		sysctl.System("dragonflybsd"), sysctl.Uptime(), sysctl.Load(),
		sysctl.Number("kern.maxproc", platform.HostProcessLimit, ctlKern, kernMaxProc),
		sysctl.AllCPUs("kern.cputime", sysctl.Microseconds, readCPUs), memory(),
		sysctl.Interfaces(&d.Interface), sysctl.Mounts(&d.Mount),
	}
	return d
}
