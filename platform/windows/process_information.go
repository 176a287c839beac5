package windows

import "github.com/pidometer/pidometer/internal/layout"

// Information classes of NtQuerySystemInformation (winternl.h, and ntexapi.h of the
// System Informer project for those that Microsoft does not document).
const (
	classTimeOfDay            = 3
	classProcesses            = 5
	classDevices              = 7
	classProcessorPerformance = 8
	classPerformance          = 2
	classPageFiles            = 18
	classLogicalProcessors    = 107
)

// processOffsets is the layout of SYSTEM_PROCESS_INFORMATION: the offset of each
// member that is read. size is where the threads begin.
type processOffsets struct {
	size                         int
	next, threads                int
	privateWorkingSet            int
	hardFaults                   int
	create, user, kernel         int
	nameLength, nameBuffer       int
	basePriority                 int
	pid, parent, handles, sess   int
	virtualPeak, virtual         int
	faults                       int
	workingSetPeak, workingSet   int
	pagedPool, nonPagedPool      int
	commit, commitPeak           int
	readOps, writeOps, otherOps  int
	readSize, writeSize, othSize int
}

// threadOffsets is the layout of SYSTEM_THREAD_INFORMATION.
type threadOffsets struct {
	size                 int
	kernel, user, create int
	id                   int
	basePriority         int
	switches             int
	state, waitReason    int
}

// A structure has another layout for each size of a pointer, and the same on amd64
// and arm64.
var processLayouts = map[int]*processOffsets{
	8: {
		size: 0x100, next: 0, threads: 4, privateWorkingSet: 8, hardFaults: 0x10,
		create: 0x20, user: 0x28, kernel: 0x30, nameLength: 0x38, nameBuffer: 0x40, basePriority: 0x48,
		pid: 0x50, parent: 0x58, handles: 0x60, sess: 0x64, virtualPeak: 0x70, virtual: 0x78, faults: 0x80,
		workingSetPeak: 0x88, workingSet: 0x90, pagedPool: 0xa0, nonPagedPool: 0xb0, commit: 0xb8, commitPeak: 0xc0,
		readOps: 0xd0, writeOps: 0xd8, otherOps: 0xe0, readSize: 0xe8, writeSize: 0xf0, othSize: 0xf8,
	},
	4: {
		size: 0xb8, next: 0, threads: 4, privateWorkingSet: 8, hardFaults: 0x10,
		create: 0x20, user: 0x28, kernel: 0x30, nameLength: 0x38, nameBuffer: 0x3c, basePriority: 0x40,
		pid: 0x44, parent: 0x48, handles: 0x4c, sess: 0x50, virtualPeak: 0x58, virtual: 0x5c, faults: 0x60,
		workingSetPeak: 0x64, workingSet: 0x68, pagedPool: 0x70, nonPagedPool: 0x78, commit: 0x7c, commitPeak: 0x80,
		readOps: 0x88, writeOps: 0x90, otherOps: 0x98, readSize: 0xa0, writeSize: 0xa8, othSize: 0xb0,
	},
}

var threadLayouts = map[int]*threadOffsets{
	8: {size: 0x50, kernel: 0, user: 8, create: 0x10, id: 0x30, basePriority: 0x3c, switches: 0x40, state: 0x44, waitReason: 0x48},
	4: {size: 0x40, kernel: 0, user: 8, create: 0x10, id: 0x24, basePriority: 0x2c, switches: 0x30, state: 0x34, waitReason: 0x38},
}

// processTable is the answer that tells of all processes and their threads.
type processTable struct {
	buf  []byte
	base uint64 // address of buf
	word int
	proc *processOffsets
	thr  *threadOffsets
}

func newProcessTable(buf []byte, base uint64, word int) processTable {
	return processTable{buf, base, word, processLayouts[word], threadLayouts[word]}
}

// entry is the place of one process in the table.
type entry struct {
	at      int // of its structure
	threads int // of the first of its threads
	count   int // how many threads there are
	end     int // of all that is of this process
}

// decodeProcesses calls each with every process of the table, until one returns
// false. A structure that does not fit into the table ends it, and so does a step
// that leads nowhere: false.
func (t *processTable) decodeProcesses(each func(entry) bool) (whole bool) {
	at := 0
	for {
		if len(t.buf)-at < t.proc.size {
			return false
		}
		e := entry{at, at + t.proc.size, int(layout.U32(t.buf, at+t.proc.threads)), len(t.buf)}
		next := int(layout.U32(t.buf, at+t.proc.next))
		if next != 0 {
			if next < t.proc.size || next > len(t.buf)-at {
				return false
			}
			e.end = at + next
		}
		if e.count > (e.end-e.threads)/t.thr.size {
			return false
		}
		if !each(e) || next == 0 {
			return true
		}
		at += next
	}
}

// The members of a process, by their offsets.

func (t *processTable) u32(e entry, at int) uint64  { return uint64(layout.U32(t.buf, e.at+at)) }
func (t *processTable) u64(e entry, at int) uint64  { return layout.U64(t.buf, e.at+at) }
func (t *processTable) size(e entry, at int) uint64 { return layout.Word(t.buf, e.at+at, t.word) }

// name returns the file name of the program, in UTF-16, which lies somewhere in the
// table. The idle process and processes of the kernel may have none.
func (t *processTable) name(e entry) []byte {
	length := uint64(layout.U16(t.buf, e.at+t.proc.nameLength))
	b, _ := layout.Within(t.buf, t.base, t.size(e, t.proc.nameBuffer), length)
	return b
}

// threadEntry is one thread of a process.
type threadEntry struct {
	id, create   uint64
	user, kernel uint64 // units of 100 ns
	switches     uint32
	state, wait  uint32
}

// thread decodes the i-th thread of a process.
func (t *processTable) thread(e entry, i int) threadEntry {
	b := t.buf[e.threads+i*t.thr.size:][:t.thr.size]
	return threadEntry{
		id: layout.Word(b, t.thr.id, t.word), create: layout.U64(b, t.thr.create),
		user: layout.U64(b, t.thr.user), kernel: layout.U64(b, t.thr.kernel),
		switches: layout.U32(b, t.thr.switches), state: layout.U32(b, t.thr.state), wait: layout.U32(b, t.thr.waitReason),
	}
}
