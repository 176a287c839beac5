// Package darwin reads a macOS host. One sysctl tells who all processes are, zombies among
// them; what each uses takes a call of its own, which the kernel allows for processes of the
// same user, and to root for all. Its decoders take the bytes that the kernel wrote and build
// on every operating system; only files named after Darwin make system calls.
//
// Structures are those of 64-bit machines, amd64 and arm64 alike.
package darwin

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/pidometer/pidometer/internal/kqueue"
	"github.com/pidometer/pidometer/internal/layout"
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
//   - Named(name string, args []int32, buf []byte) (n int, err error) reads what has a
//     name of words.
//   - Mounts(buf []byte) (n int, err error) is getfsstat(2) with MNT_NOWAIT.
//   - File(path string) ([]byte, error) reads a whole file.
//   - Pid() uint64 is the calling process.
//   - Clocks() (now, uptime uint64) is nanoseconds since 1970 and since the start.
//   - ProcInfo(call, pid, flavor int32, arg uint64, buf []byte) (n int, err error) is
//     proc_info(2), which libproc(3) is made of.
//   - Statistics(flavor int32, buf []byte) (n int, err error) is host_statistics64() for
//     this host.
//   - Processors(flavor int32, buf []byte) (n int, err error) is host_processor_info().
//   - Registry(class string, keys []string) ([][][]byte, error) looks properties up in the
//     registry of IOKit, for each service of a class the values of the keys at it or below
//     it as binary property lists, nil for one that is not there.
//   - Devices(name string, keys []string) ([][][]byte, error) does so for each device that
//     has a name, or a type of that name, in the tree that the firmware hands over.
//   - Folder(path string) ([]string, error) lists the names in a folder.
//   - Device(path string) (uint64, error) is the number of the device that a file is.
//   - User(id uint64) (string, error) is the name of a user, from the directory service.
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
// [io/fs.ErrNotExist], [io/fs.ErrInvalid] and [errors.ErrUnsupported].
type Kernel interface {
	sysctl.Kernel
	ProcInfo(call, pid, flavor int32, arg uint64, buf []byte) (n int, err error)
	Statistics(flavor int32, buf []byte) (n int, err error)
	Processors(flavor int32, buf []byte) (n int, err error)
	Registry(class string, keys []string) ([][][]byte, error)
	Devices(name string, keys []string) ([][][]byte, error)
	User(id uint64) (string, error)
}

// Sources returns what a backend can read: processes first, then the host.
func Sources() []platform.Source { return new(machine).dialect().Sources() }

// New opens this machine, or what the options put in its place.
func New(o Options) (platform.Backend, error) {
	m := &machine{kernel: o.Kernel}
	if m.kernel == nil {
		var err error
		if m.kernel, err = newKernel(); err != nil {
			return nil, err
		}
	}
	if err := m.readClock(); err != nil {
		return nil, err
	}
	b, err := sysctl.New(m.dialect(), sysctl.Options{AllDevices: o.AllDevices, Kernel: m.kernel})
	if err != nil {
		return nil, err
	}
	return &backend{b, &kqueue.Watcher{Kernel: m.kernel, Layout: &kqueue.Darwin, Errno: sysctl.BSD, Who: b.Who, Source: Occurrences()[0]}}, nil
}

// follow is what it takes to be told how a process ended (filt_procattach in
// bsd/kern/kern_event.c): that it did, and that it runs another program, everybody is told.
const follow = "for how it ended, same user or root"

// backend is one machine: what it tells when asked, and what happens to processes meanwhile.
type backend struct {
	*sysctl.Backend
	*kqueue.Watcher
}

// Occurrences returns where this kernel tells what happens between two passes.
func Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{kqueue.Darwin.Source(follow)}
}

// Calls returns the calls of this machine, for those who want to see what passes by. On
// other systems it is an error that matches [errors.ErrUnsupported].
func Calls() (Kernel, error) { return newKernel() }

// machine is what the sources ask beside sysctl(3).
type machine struct {
	kernel    Kernel
	frequency uint64         // of the clock that processes' times are kept by, in hertz
	room      [pathRoom]byte // lent to one structure of a process at a time
	fds       []byte         // lent to one list of open files at a time
	args      []byte         // likewise of arguments
	users     map[uint64]string
	speeds    []sysctl.Speed // of Apple's own processors, which stay
	measured  bool           // they are looked up
}

// readClock reads the rate of Mach's absolute time: 1 GHz on Intel, 24 MHz on Apple's own
// processors, where one program for Intel sees that rate too, though mach_timebase_info()
// tells it another one.
func (m *machine) readClock() error {
	var buf [8]byte
	n, err := m.kernel.Named("hw.tbfrequency", nil, buf[:])
	if err != nil {
		return fmt.Errorf("read hw.tbfrequency: %w", err)
	}
	if n != 4 && n != 8 {
		return fmt.Errorf("hw.tbfrequency of %d bytes: %w", n, sysctl.ErrContent)
	}
	if m.frequency = layout.Word(buf[:], 0, n); m.frequency == 0 || m.frequency > 1e12 {
		return fmt.Errorf("hw.tbfrequency of %d: %w", m.frequency, sysctl.ErrContent)
	}
	return nil
}

// nanoseconds converts from Mach's absolute time. What is beyond 64 bits is the largest.
func (m *machine) nanoseconds(ticks uint64) uint64 {
	high, low := bits.Mul64(ticks, 1e9)
	if high >= m.frequency {
		return math.MaxUint64
	}
	ns, _ := bits.Div64(high, low, m.frequency)
	return ns
}

// Numbers of sys/sysctl.h.
const (
	ctlKern       = 1
	ctlNet        = 4
	kernMaxProc   = 6
	kernArgMax    = 8
	kernProc      = 14
	kernBootTime  = 21
	kernProcArgs2 = 49
	afRoute       = 17
	rtIfList2     = 6
)

// dialect is how macOS tells what it tells.
func (m *machine) dialect() *sysctl.Dialect {
	d := &sysctl.Dialect{
		Table:   table(),
		State:   stateOf,
		BootMIB: []int32{ctlKern, kernBootTime}, BootUnit: 1e3, // struct timeval
		// p_start is what the clock said (proc_create in bsd/kern/kern_fork.c).
		Absolute: true,
		Processes: []sysctl.ProcessSource{
			m.task(), m.owner(), m.usage(), m.openFiles(), sysctl.Sockets(socketOwners, countSockets),
			m.executable(), m.arguments(), m.environment(), m.unique(),
		},
		Interface: interfaceTable(), Mount: mountTable(),
		Login: sysctl.LoginTable{Path: "/var/run/utmpx", Size: 628, User: 0, UserLength: 256, Line: 260, LineLength: 32, PID: 292, Kind: 296,
			Seconds: 300, SecondsWidth: 4, Host: 308, HostLength: 256},
		Details: m.details(), Again: m.again,
	}
	d.Details.Sessions = sysctl.Logins(&d.Login)
	d.Hosts = []sysctl.HostSource{
		system(), sysctl.Uptime(), sysctl.Load(), m.identity(),
		sysctl.Number("kern.maxproc", platform.HostProcessLimit, ctlKern, kernMaxProc),
		m.frequencies(), m.processors(), cores(), m.memory(), swap(), sockets(), sysctl.Sessions(&d.Login),
		m.disks(), sysctl.Interfaces(&d.Interface), sysctl.Mounts(&d.Mount), m.battery(),
	}
	return d
}
