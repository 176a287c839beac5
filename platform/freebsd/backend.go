// Package freebsd reads a FreeBSD host. One sysctl tells of all processes, one of all
// open files and two of all sockets: a pass over everybody makes as many calls for ten
// processes as for ten thousand. Its decoders take the bytes that the kernel wrote and
// build on every operating system; only files named after FreeBSD make system calls.
//
// Structures are those of FreeBSD 12 to 15 on 64-bit machines, amd64 and arm64 alike.
package freebsd

import (
	"github.com/pidometer/pidometer/internal/kqueue"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Options choose what a backend looks at. The zero value is this machine.
type Options struct {
	// AllDevices reports memory disks and devices that are no disks, virtual network
	// interfaces and file systems without blocks too.
	AllDevices bool
	// Kernel replaces the system calls. nil means the real ones.
	Kernel Kernel
}

// Kernel is the handful of calls that this backend makes. [Options.Kernel] replaces the
// real one with a simulated or a failing one. Its methods take and return nothing but
// built-in types.
//
//   - Sysctl(mib []int32, buf []byte) (n int, err error) reads what has a name of numbers.
//   - Named(name string, args []int32, buf []byte) (n int, err error) reads what has a
//     name of words, which the kernel numbers as it starts, and numbers behind it.
//   - Mounts(buf []byte) (n int, err error) is getfsstat(2) with MNT_NOWAIT.
//   - File(path string) ([]byte, error) reads a whole file.
//   - Pid() uint64 is the calling process.
//   - Clocks() (now, uptime uint64) is nanoseconds since 1970 and since the start.
//
// For details it also has:
//
//   - Folder(path string) ([]string, error) lists the names in a folder.
//   - Device(path string) (uint64, error) is the number of the device that a file is.
//   - Affinity(pid uint64, buf []byte) (n int, err error) is cpuset_getaffinity(2).
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
	return &backend{b, &kqueue.Watcher{Kernel: kernel, Layout: &kqueue.FreeBSD, Errno: sysctl.BSD, Who: b.Who, Source: kqueue.FreeBSD.Source(follow)}}, nil
}

// follow is what it takes to follow a process: to see it (filt_procattach, kern_event.c).
const follow = "for processes of other users security.bsd.see_other_uids, or root"

// backend is one machine: what sysctl(3) tells, and what happens to processes meanwhile.
type backend struct {
	*sysctl.Backend
	*kqueue.Watcher
}

// Occurrences returns where this kernel tells what happens between two passes.
func Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{kqueue.FreeBSD.Source(follow)}
}

// Calls returns the calls of this machine, for those who want to see what passes by. On
// other systems it is an error that matches [errors.ErrUnsupported].
func Calls() (Kernel, error) { return newKernel() }

// Numbers of sys/sysctl.h, sys/socket.h and sys/resource.h.
const (
	ctlKern      = 1
	ctlNet       = 4
	ctlHW        = 6
	kernMaxProc  = 6
	kernProc     = 14
	kernFile     = 15
	kernBootTime = 21
	kernHostUUID = 36
	hwPhysMem    = 5
	afRoute      = 17
	rtIfList     = 3

	procArgs     = 7  // KERN_PROC_ARGS
	procProc     = 8  // KERN_PROC_PROC: a row for each process, not for each thread
	procPathname = 12 // KERN_PROC_PATHNAME
	procEnv      = 35 // KERN_PROC_ENV
	procRlimit   = 37 // KERN_PROC_RLIMIT
	limitFiles   = 8  // RLIMIT_NOFILE
)

// dialect is how FreeBSD tells what it tells.
func dialect() *sysctl.Dialect {
	d := &sysctl.Dialect{
		Table:   table(),
		State:   stateOf,
		BootMIB: []int32{ctlKern, kernBootTime}, BootUnit: 1e3, // struct timeval
		// p_start is kept since the start, and told with the start's time added
		// (fill_kinfo_proc_only, kern_proc.c).
		Absolute: false,
		Processes: []sysctl.ProcessSource{
			sysctl.Owner(), sysctl.Files(fileSources, countFiles), executable(), arguments(), environment(), limits(),
		},
		Interface: interfaceTable(), Mount: mountTable(), Details: details(),
	}
	d.Hosts = []sysctl.HostSource{
		sysctl.System("freebsd"), sysctl.Uptime(), sysctl.Load(), hostID(),
		sysctl.Number("kern.maxproc", platform.HostProcessLimit, ctlKern, kernMaxProc),
		sysctl.Speeds("dev.cpu.N.freq, dev.cpu.N.freq_levels", frequencyCost, true, readSpeeds),
		sysctl.AllCPUs("kern.cp_times", clockRate, readCPUs), cores(), memory(), activity(), paging(), sockets(), sessions(),
		swap(), disks(), sysctl.Interfaces(&d.Interface), sysctl.Mounts(&d.Mount), temperatures(), battery(),
	}
	return d
}
