// Package openbsd reads an OpenBSD host. One sysctl tells of all processes, one of all
// their threads and one of all open files: a pass over everybody makes as many calls
// for ten processes as for ten thousand. Its decoders take the bytes that the kernel
// wrote and build on every operating system; only files named after OpenBSD make
// system calls.
//
// Structures are those of OpenBSD 7 on 64-bit machines, amd64 and arm64 alike.
package openbsd

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

// Kernel is the handful of calls that this backend makes. [Options.Kernel] replaces the
// real one with a simulated or a failing one. Its methods take and return nothing but
// built-in types.
//
//   - Sysctl(mib []int32, buf []byte) (n int, err error) reads what has a name of numbers.
//   - Named is not called.
//   - Mounts(buf []byte) (n int, err error) is getfsstat(2) with MNT_NOWAIT.
//   - File(path string) ([]byte, error) reads a whole file.
//   - Pid() uint64 is the calling process.
//   - Clocks() (now, uptime uint64) is nanoseconds since 1970 and since the start.
//
// For details it also has:
//
//   - Folder(path string) ([]string, error) lists the names in a folder.
//   - Device(path string) (uint64, error) is the number of the device that a file is.
//
// To be listened to it also has the calls of kqueue(2), each of which tells whether it
// failed, and the errno:
//
//   - Kqueue() (queue int, failed bool, errno int) makes a queue.
//   - Kevent(queue int, changes, events []byte, wait bool) (n int, failed bool, errno int)
//     makes changes and fills events.
//   - CloseQueue(queue int) closes a queue.
//
// A call that fills a buffer returns how many bytes its answer has. If that is more than
// the buffer holds it is made again with more room. Errors are those of the standard
// library where it has one: [io/fs.ErrPermission], [os.ErrProcessDone],
// [io/fs.ErrNotExist] and [errors.ErrUnsupported].
type Kernel = sysctl.Kernel

// Sources returns what a backend can read: processes first, then the host.
func Sources() []platform.Source { return dialect().Sources() }

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
	return &backend{b, &kqueue.Watcher{Kernel: kernel, Layout: &kqueue.OpenBSD, Errno: sysctl.BSD, Who: b.Who, Source: kqueue.OpenBSD.Source(follow)}}, nil
}

// follow is what it takes to follow a process: nothing for a program without pledge(2)
// (filt_procattach, kern_event.c).
const follow = ""

// backend is one machine: what sysctl(3) tells, and what happens to processes meanwhile.
type backend struct {
	*sysctl.Backend
	*kqueue.Watcher
}

// Occurrences returns where this kernel tells what happens between two passes.
func Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{kqueue.OpenBSD.Source(follow)}
}

// Calls returns the calls of this machine, for those who want to see what passes by. On
// other systems it is an error that matches [errors.ErrUnsupported].
func Calls() (Kernel, error) { return newKernel() }

// Numbers of sys/sysctl.h, sys/mount.h, sys/socket.h and uvm/uvmexp.h.
const (
	ctlKern      = 1
	ctlVM        = 2
	ctlNet       = 4
	ctlHW        = 6
	ctlVFS       = 10
	kernMaxProc  = 6
	kernMaxFiles = 7
	kernBootTime = 21
	kernFiles    = 56
	kernProc     = 66
	kernFile     = 73
	kernCPUStats = 85
	hwDiskStats  = 9
	hwSensors    = 11
	hwCPUSpeed   = 12
	hwUUID       = 18
	vmUvmexp     = 4
	bcacheStats  = 3
	afRoute      = 17
	rtIfList     = 3
)

// dialect is how OpenBSD tells what it tells.
func dialect() *sysctl.Dialect {
	d := &sysctl.Dialect{
		Table:   table(),
		State:   stateOf,
		BootMIB: []int32{ctlKern, kernBootTime}, BootUnit: 1e3, // struct timeval
		// ps_start is kept since the start, and told with the start's time added
		// (fill_kproc, kern_sysctl.c).
		Absolute: false,
		Processes: []sysctl.ProcessSource{
			sysctl.Owner(), sysctl.Files("kern.file", countFiles), sysctl.Threads("kern.proc, threads", countThreads),
			arguments(), environment(),
		},
		Interface: interfaceTable(), Mount: mountTable(), Disk: diskTable(), Login: loginTable(),
		Details: details(),
	}
	d.Details.Sessions = sysctl.Logins(&d.Login)
	d.Hosts = []sysctl.HostSource{
		sysctl.System("openbsd"), sysctl.Uptime(), sysctl.Load(), hostID(),
		sysctl.Number("kern.maxproc", platform.HostProcessLimit, ctlKern, kernMaxProc),
		sysctl.Number("kern.maxfiles", platform.HostFileHandleLimit, ctlKern, kernMaxFiles),
		sysctl.Number("kern.nfiles", platform.HostFileHandles, ctlKern, kernFiles),
		sysctl.CPUs("kern.cpustats, hw.cpuspeed", clockRate, readCPU, readSpeed),
		uvm(), buffers(), sockets(), sysctl.Sessions(&d.Login),
		sysctl.Disks(&d.Disk), sysctl.Mounts(&d.Mount), sysctl.Interfaces(&d.Interface), sensors(),
	}
	return d
}
