package windows

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/pidometer/pidometer/platform"
)

// thread is one thread of a [task].
type thread struct {
	id, create   uint64
	user, kernel uint64
	switches     uint32
	state, wait  uint32
}

// task is one process of a [world].
type task struct {
	pid, parent uint64
	create      uint64 // FILETIME
	name        []uint16
	user        uint64 // units of 100 ns
	kernel      uint64
	values      map[int]uint64 // by offset in the structure of 64 bits, of its width there
	threads     []thread
	disk        [6]uint64 // the front of the extension
	denied      bool      // opening it is refused
	ended       bool      // it has ended, and can be opened still
	exit        uint32
	groups      []uint16      // of processors
	exited      chan struct{} // closed when it ends
	image       string
	nativeImage []uint16 // as the kernel names it
	owner       string
	line        []uint16
	environment []uint16 // with the NULs
	wow64       bool
}

// world is a Windows of our own making. Its calls are counted, and may fail.
type world struct {
	mu    sync.Mutex
	word  int
	now   uint64 // FILETIME
	boot  uint64
	tasks []task
	self  uint64

	processors [][]processor // by group
	noGroups   bool          // the call that takes a group is missing
	build      uint32        // of Windows
	power      []byte        // SYSTEM_POWER_STATUS
	answers    map[int32][]byte
	tables     map[SocketTable][]byte
	statistics map[StatisticsTable][]byte
	interfaces []byte
	disks      map[int]map[uint32][]byte
	drives     []Drive
	volumes    map[string]Volume
	registry   map[string]string
	sessions   []Session
	scm        scm
	hang       chan struct{} // if not nil, volumes answer when it is closed

	atRegion, atWait func() // called by the calls, if not nil
	dear             uint64 // ticks that a question about pages takes
	calls            map[string]int
	fail             map[string]error
	partial          int // so many reads of memory fail with ErrPartial
	open             map[Handle]uint64
	events           map[Handle]chan struct{}
	last             Handle
}

// filetime returns a time as FILETIME.
func filetime(t time.Time) uint64 { return uint64(t.UnixNano()/tickNanos) + unixEpoch }

var noon = filetime(time.Date(2026, 1, 23, 12, 0, 0, 0, time.UTC))

// wide returns UTF-16.
func wide(s string) []uint16 { return utf16.Encode([]rune(s)) }

// newWorld returns a small machine: the kernel, a service, and this process.
func newWorld(word int) *world {
	w := &world{
		word: word, build: 22631, power: []byte{0, 1, 80, 0, 0x10, 0x0e, 0, 0}, now: noon, boot: noon - 3600*second - 5, self: 4711,
		calls: map[string]int{}, fail: map[string]error{}, open: map[Handle]uint64{}, events: map[Handle]chan struct{}{},
		answers: map[int32][]byte{}, tables: map[SocketTable][]byte{}, statistics: map[StatisticsTable][]byte{},
		registry: map[string]string{keyCryptography + `\MachineGuid`: "3f2a", keyVersion + `\ProductName`: "Windows 10 Pro"},
		disks:    map[int]map[uint32][]byte{}, volumes: map[string]Volume{},
	}
	w.tasks = []task{
		{pid: 0, threads: []thread{{state: threadRunning}}},
		{pid: systemPid, create: 0, name: wide("System"), kernel: 70 * second, threads: someThreads(4, 3, threadWaiting)},
		{pid: 100, parent: systemPid, create: w.boot + 2*second, name: wide("Registry"), values: map[int]uint64{0x90: 8 << 20}},
		w.service(612), w.service(4711),
	}
	w.fill()
	return w
}

// service is an ordinary process.
func (w *world) service(pid uint64) task {
	return task{
		pid: pid, parent: systemPid, create: w.boot + pid/10*second, name: wide("svchost.exe"), user: 5 * second, kernel: 2 * second,
		values: map[int]uint64{
			0x08: 3 << 20, 0x10: 11, 0x60: 42, 0x64: 1, 0x70: 9 << 30, 0x78: 8 << 30, 0x80: 1011, 0x88: 12 << 20, 0x90: 10 << 20,
			0xa0: 300, 0xb0: 200, 0xb8: 7 << 20, 0xc0: 8 << 20, 0xd0: 5, 0xd8: 6, 0xe0: 7, 0xe8: 5000, 0xf0: 6000, 0xf8: 7000,
		},
		threads: someThreads(pid, 4, threadWaiting), disk: [6]uint64{4096, 8192, 1, 2, 3, 1 << 33},
		exited: make(chan struct{}), nativeImage: wide(`\Device\HarddiskVolumeC\Windows\System32\svchost.exe`),
		image: `C:\Windows\System32\svchost.exe`, owner: `NT AUTHORITY\SYSTEM`,
		line: wide(`"C:\Windows\System32\svchost.exe" -k "net svcs" -p`), environment: wide("A=1\x00Path=C:\\\x00\x00"),
	}
}

func someThreads(pid uint64, n int, state uint32) (all []thread) {
	for i := range n {
		all = append(all, thread{id: pid*100 + uint64(i), create: noon - second, switches: 10, state: state, wait: 6})
	}
	return all
}

// fill gives the machine its devices.
func (w *world) fill() {
	w.processors = [][]processor{{
		{idle: 100 * second, kernel: 130 * second, user: 20 * second, deferred: 3 * second, interrupt: 2 * second, interrupts: 1000},
		{idle: 110 * second, kernel: 120 * second, user: 30 * second, deferred: 1 * second, interrupt: 1 * second, interrupts: 2000},
	}}
	performance := make([]byte, performanceSize+32)
	for at, v := range map[int]uint32{performanceFaults: 900, performanceReads: 80, performanceReadCalls: 60, performanceWrites: 40, performanceSwitches: 12345, performanceCalls: 54321} {
		binary.LittleEndian.PutUint32(performance[at:], v)
	}
	w.answers[classPerformance] = performance
	w.answers[classDevices] = put(nil, 2, 0, 1, 0, 0, 0)
	w.answers[classLogicalProcessors] = cores(2)
	w.tables[TCP4] = put(nil, append([]uint32{3}, tcpRows(TCP4, 2, 5, 5)...)...)
	w.tables[TCP6] = put(nil, append([]uint32{2}, tcpRows(TCP6, 2, 12)...)...)
	w.tables[UDP4] = put(nil, 1, 0, 0, 4711)
	w.tables[UDP6] = put(nil, 0)
	for table, size := range map[StatisticsTable]int{StatisticsTCP4: 60, StatisticsTCP6: 60, StatisticsUDP4: 20, StatisticsUDP6: 20, StatisticsIP4: 92, StatisticsIP6: 92} {
		for i := range size / 4 {
			w.statistics[table] = put(w.statistics[table], uint32(i+1))
		}
	}
	w.interfaces = interfaceTable(
		ifaceOf("Ethernet", ifHardware, ifUp, 6, 1500), ifaceOf("Ethernet-filter-0000", ifHardware|ifFilter, ifUp, 6, 1500),
		ifaceOf("Wi-Fi off", ifHardware, 2, 71, 1500), ifaceOf("Loopback", 0, ifUp, ifLoopback, noMTU))
	for number := range 2 {
		w.disks[number*3] = map[uint32][]byte{
			ioctlDiskPerformance: diskPerformance(uint64(number + 1)),
			ioctlDiskGeometryEx:  put(nil, 0, 0, 0, 0, 0, 0, 512<<20, 0, 0, 0),
		}
	}
	w.drives = []Drive{{`C:\`, driveFixed}, {`D:\`, driveOptical}, {`Z:\`, driveRemote}}
	for _, d := range w.drives {
		w.volumes[d.Root] = Volume{Device: `\Device\HarddiskVolume3`, Type: "NTFS", Serial: 7, Total: 100 << 30, Free: 40 << 30, Usable: 30 << 30}
	}
	w.scm.services = []managed{
		{name: wide("EventLog"), display: wide("Windows Ereignisprotokoll Ā"), state: 4, pid: 612, path: wide(`"C:\Windows\svchost.exe" -k netsvcs`),
			owner: wide(`NT AUTHORITY\LocalService`), start: 2, delayed: true, description: []uint16{'a', 0xdc3d, 'b', 0xd83d, 0xde00}},
		{name: []uint16{'x', 0xd83d}, state: 1, exit: errorNeverStarted, start: 3},
	}
	w.sessions = []Session{{ID: 0, Station: "Services"}, {ID: 1, User: "ada", Station: "Console"}}
}

// put appends numbers of 32 bits.
func put(b []byte, numbers ...uint32) []byte {
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// cores is a list of so many cores with two CPUs each, and of a group.
func cores(n int) (b []byte) {
	for range n {
		b = append(b, put(make([]byte, 0, 48), relationCore, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)...)
	}
	return append(b, put(nil, 4, 16, 0, 0)...)
}

// tcpRows are rows with the given states.
func tcpRows(table SocketTable, states ...uint32) (numbers []uint32) {
	row := socketRows[table]
	for _, state := range states {
		r := make([]uint32, row.size/4)
		r[row.state/4], r[row.pid/4] = state, 4711
		numbers = append(numbers, r...)
	}
	return numbers
}

func ifaceOf(name string, flags byte, admin, kind, mtu uint32) []byte {
	row := make([]byte, ifRowSize)
	for i, u := range wide(name) {
		binary.LittleEndian.PutUint16(row[ifRowAlias+2*i:], u)
	}
	row[ifRowFlags] = flags
	for at, v := range map[int]uint32{ifRowAdmin: admin, ifRowType: kind, ifRowMTU: mtu, ifRowOper: 1} {
		binary.LittleEndian.PutUint32(row[at:], v)
	}
	for i, c := range ifCounters {
		for _, at := range c.at {
			binary.LittleEndian.PutUint64(row[at:], 1<<40+uint64(i))
		}
	}
	return row
}

func interfaceTable(rows ...[]byte) []byte {
	return append(put(nil, uint32(len(rows)), 0), slices.Concat(rows...)...)
}

func diskPerformance(n uint64) []byte {
	b := make([]byte, 88)
	for i, v := range []uint64{n * 1000, n * 2000, n * second, n * 2 * second, 600 * second} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	binary.LittleEndian.PutUint32(b[40:], uint32(n*10))
	binary.LittleEndian.PutUint32(b[44:], uint32(n*20))
	binary.LittleEndian.PutUint32(b[48:], 1)
	return b
}

// tableBase is where the table of processes would lie.
const tableBase = 0x1230000

// table is SystemProcessInformation of the world's processes.
func (w *world) table() []byte {
	var b []byte
	p, th := processLayouts[w.word], threadLayouts[w.word]
	for i, t := range w.tasks {
		at := len(b)
		b = append(b, make([]byte, p.size)...)
		for _, x := range t.threads {
			b = append(b, x.bytes(th, w.word)...)
		}
		if w.word == 8 && w.build >= extensionBuild {
			for _, v := range t.disk {
				b = binary.LittleEndian.AppendUint64(b, v)
			}
			b = append(b, make([]byte, 488)...) // energy and the rest
		}
		set := func(offset, size int, v uint64) { putWord(b[at+offset:], size, v) }
		set(p.threads, 4, uint64(len(t.threads)))
		set(p.create, 8, t.create)
		set(p.user, 8, t.user)
		set(p.kernel, 8, t.kernel)
		set(p.pid, w.word, t.pid)
		set(p.parent, w.word, t.parent)
		for from, v := range t.values {
			offset, size := narrowed(from, w.word)
			set(offset, size, v)
		}
		if len(t.name) > 0 {
			set(p.nameLength, 2, uint64(2*len(t.name)))
			set(p.nameBuffer, w.word, tableBase+uint64(len(b)))
			for _, u := range append(slices.Clone(t.name), 0) {
				b = binary.LittleEndian.AppendUint16(b, u)
			}
		}
		b = append(b, make([]byte, -len(b)&7)...)
		if i < len(w.tasks)-1 {
			set(p.next, 4, uint64(len(b)-at))
		}
	}
	return b
}

// narrowed finds a member by its offset in the layout of 64 bits, and its width.
func narrowed(at, word int) (offset, size int) {
	wide, here := processLayouts[8], processLayouts[word]
	for _, m := range [...]struct{ from, to, size int }{
		{wide.basePriority, here.basePriority, 4}, {wide.privateWorkingSet, here.privateWorkingSet, 8}, {wide.hardFaults, here.hardFaults, 4},
		{wide.handles, here.handles, 4}, {wide.sess, here.sess, 4}, {wide.virtualPeak, here.virtualPeak, word},
		{wide.virtual, here.virtual, word}, {wide.faults, here.faults, 4}, {wide.workingSetPeak, here.workingSetPeak, word},
		{wide.workingSet, here.workingSet, word}, {wide.pagedPool, here.pagedPool, word}, {wide.nonPagedPool, here.nonPagedPool, word},
		{wide.commit, here.commit, word}, {wide.commitPeak, here.commitPeak, word}, {wide.readOps, here.readOps, 8},
		{wide.writeOps, here.writeOps, 8}, {wide.otherOps, here.otherOps, 8}, {wide.readSize, here.readSize, 8},
		{wide.writeSize, here.writeSize, 8}, {wide.othSize, here.othSize, 8},
	} {
		if m.from == at {
			return m.to, m.size
		}
	}
	panic("no such member")
}

func putWord(b []byte, size int, v uint64) {
	for i := range size {
		b[i] = byte(v >> (8 * i))
	}
}

func (x *thread) bytes(l *threadOffsets, word int) []byte {
	b := make([]byte, l.size)
	putWord(b[l.kernel:], 8, x.kernel)
	putWord(b[l.user:], 8, x.user)
	putWord(b[l.create:], 8, x.create)
	putWord(b[l.id:], word, x.id)
	putWord(b[l.switches:], 4, uint64(x.switches))
	putWord(b[l.state:], 4, uint64(x.state))
	putWord(b[l.waitReason:], 4, uint64(x.wait))
	return b
}

// call counts a call, and returns the error that it is to fail with.
func (w *world) call(name string) error {
	w.calls[name]++
	return w.fail[name]
}

// counts returns how often each call was made, and begins anew.
func (w *world) counts() (calls map[string]int, sum int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls, w.calls = w.calls, map[string]int{}
	for n := range maps.Values(calls) {
		sum += n
	}
	return calls, sum
}

// answer fills a buffer, or says how large it has to be.
func answer(buf, with []byte) (int, error) {
	if len(with) <= len(buf) {
		copy(buf, with)
	}
	return len(with), nil
}

var errAbsent = errors.ErrUnsupported

// open opens a backend on the world.
func (w *world) backend() (platform.Backend, error) {
	return New(Options{Kernel: w, Budget: time.Minute})
}

// find returns the task with a PID.
func (w *world) find(pid uint64) (*task, error) {
	for i := range w.tasks {
		if w.tasks[i].pid == pid {
			return &w.tasks[i], nil
		}
	}
	return nil, os.ErrProcessDone
}

func (w *world) ofHandle(h Handle) *task {
	pid, ok := w.open[h]
	if !ok {
		panic("a handle that is not open")
	}
	t, _ := w.find(pid)
	return t
}

var (
	errRefused = fs.ErrPermission
	errNoFile  = fs.ErrNotExist
)
