// Package netbsd reads a NetBSD host. One sysctl tells of all processes, one of all open
// files and one for each kind of socket of all sockets: a pass over everybody makes as
// many calls for ten processes as for ten thousand. Its decoders take the bytes that
// the kernel wrote and build on every operating system; only files named after NetBSD
// make system calls.
//
// Structures are those of NetBSD 9 and later on 64-bit machines, amd64 and arm64 alike.
package netbsd

import (
	"github.com/pidometer/pidometer/internal/kqueue"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// Options choose what a backend looks at. The zero value is this machine.
type Options struct {
	// AllDevices reports pseudo file systems and virtual network interfaces too.
	AllDevices bool
	// Kernel replaces the system calls. nil means the real ones.
	Kernel Kernel
}

// Kernel is the handful of calls that this backend makes. [Options.Kernel] replaces the
// real one with a simulated or a failing one. Its methods take and return nothing but
// built-in types.
//
//   - Sysctl(mib []int32, buf []byte) (n int, err error) reads what has a name of numbers.
//   - Named(name string, args []int32, buf []byte) (n int, err error) reads what has a name.
//   - Mounts(buf []byte) (n int, err error) is getvfsstat(2) with MNT_NOWAIT.
//   - File(path string) ([]byte, error) reads a whole file.
//   - Pid() uint64 is the calling process.
//   - Clocks() (now, uptime uint64) is nanoseconds since 1970 and since the start.
//
// For sensors it also has:
//
//   - Envsys(buf []byte) (n int, err error) is ENVSYS_GETDICTIONARY of envsys(4).
//
// For details it also has:
//
//   - Folder(path string) ([]string, error) lists the names in a folder.
//   - Device(path string) (uint64, error) is the number of the device that a file is.
//   - Affinity(pid, thread uint64, buf []byte) (n int, err error) is _sched_getaffinity(2).
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
type Kernel interface {
	sysctl.Kernel
	Envsys(buf []byte) (n int, err error)
}

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
	return &backend{b, &kqueue.Watcher{Kernel: kernel, Layout: &kqueue.NetBSD, Errno: sysctl.BSD, Who: b.Who, Source: kqueue.NetBSD.Source(follow)}}, nil
}

// follow is what it takes to follow a process (filt_procattach, kern_event.c).
const follow = needsSameUser

// backend is one machine: what sysctl(3) tells, and what happens to processes meanwhile.
type backend struct {
	*sysctl.Backend
	*kqueue.Watcher
}

// Occurrences returns where this kernel tells what happens between two passes.
func Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{kqueue.NetBSD.Source(follow)}
}

// Calls returns the calls of this machine, for those who want to see what passes by. On
// other systems it is an error that matches [errors.ErrUnsupported].
func Calls() (Kernel, error) { return newKernel() }

// Numbers of sys/sysctl.h.
const (
	ctlKern      = 1
	ctlVM        = 2
	ctlNet       = 4
	ctlHW        = 6
	kernMaxProc  = 6
	kernMaxFiles = 7
	kernCPTime   = 51
	kernFile2    = 77
	kernBootTime = 83
	fileByPid    = 2 // KERN_FILE_BYPID
	hwIOStats    = 9
	vmUvmexp2    = 5
	afRoute      = 34
	rtIfList     = 6 // NET_RT_IFLIST since NetBSD 8: 5 is an older form now
)

// everybody is the PID that kern.file2 takes for all processes: -1.
const everybody = -1

// dialect is how NetBSD tells what it tells.
func dialect() *sysctl.Dialect {
	d := &sysctl.Dialect{
		Table:   table(),
		State:   stateOf,
		BootMIB: []int32{ctlKern, kernBootTime}, BootUnit: 1, // struct timespec
		Absolute: true, // p_start is what microtime(9) said at fork(2)
		Processes: []sysctl.ProcessSource{
			sysctl.Owner(), sysctl.Files("kern.file2, net.*.pcblist", countFiles),
			executable(), arguments(), environment(),
		},
		Details: details(),
	}
	d.Interface, d.Mount, d.Login, d.Disk = interfaceTable(), mountTable(), loginTable(), diskTable()
	d.Details.Sessions = sysctl.Logins(&d.Login)
	d.Hosts = []sysctl.HostSource{
		sysctl.System("netbsd"), sysctl.Uptime(), sysctl.Load(), hostID(),
		sysctl.Number("kern.maxproc", platform.HostProcessLimit, ctlKern, kernMaxProc),
		sysctl.Number("kern.maxfiles", platform.HostFileHandleLimit, ctlKern, kernMaxFiles),
		sysctl.CPUs("kern.cp_time", clockRate, readCPU, nil),
		uvm(), sockets(), sysctl.Sessions(&d.Login),
		sysctl.Disks(&d.Disk), sysctl.Mounts(&d.Mount), sysctl.Interfaces(&d.Interface), sensors(),
	}
	return d
}
