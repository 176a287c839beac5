package windows

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// errContent says that an answer does not read as its header says.
var errContent = errors.New("unexpected content")

// systemPid is the process that is the kernel, and the parent of the processes that
// it keeps for itself: Registry, Memory Compression, Secure System.
const systemPid = 4

// visit is one process while it is read.
type visit struct {
	entry
	key   platform.Key
	set   platform.SourceSet
	sink  platform.Sink
	ended bool // only its object is left, held open by somebody

	handle  Handle
	rights  uint32 // of the handle; 0 while there is none
	refused error  // why there is none of the least rights
}

// processes asks for the table of all processes, once in a pass. A table that breaks
// off tells of nobody: the rest of it would look as if it had ended.
func (r *reader) processes() error {
	if r.pass.asked {
		return r.pass.err
	}
	r.pass.asked = true
	answer, grown, err := layout.Grow(r.table, func(buf []byte) (int, error) { return r.kernel.System(classProcesses, buf) })
	r.table = grown
	r.pass.now, _ = r.kernel.Clocks()
	r.pass.table = newProcessTable(answer, r.kernel.Address(grown), r.word)
	if err == nil {
		err = r.index()
	}
	if err != nil {
		r.pass.err = fmt.Errorf("read SystemProcessInformation: %w", err)
	}
	return r.pass.err
}

// index notes where each PID is. The row of PID 0 is the loop of idle CPUs, whose
// time is the host's; others with that number are processes being taken down, such as
// two of svchost.exe (windows_exporter issue 2046). Of two rows with one PID the later
// process has it now. What is left out so is counted.
func (r *reader) index() error {
	t := &r.pass.table
	r.entries = r.entries[:0]
	clear(r.places)
	whole := t.decodeProcesses(func(e entry) bool {
		pid := t.size(e, t.proc.pid)
		if pid == 0 {
			if len(t.name(e)) > 0 {
				r.pass.ghosts++
			}
			return true
		}
		if i, twice := r.places[pid]; twice {
			r.pass.ghosts++
			if t.u64(e, t.proc.create) > t.u64(r.entries[i], t.proc.create) {
				r.entries[i] = e
			}
			return true
		}
		r.places[pid] = len(r.entries)
		r.entries = append(r.entries, e)
		return true
	})
	if !whole {
		r.entries = r.entries[:0]
		clear(r.places)
		return errContent
	}
	r.countingOf(r.entries)
	return nil
}

// keyOf returns the identity of a process: its PID and when it was created, in units
// of 100 ns since 1970. That time is absolute, so that no step of the clock changes
// it. The kernel's own process may have none, and is as old as the kernel.
func (r *backend) keyOf(e entry) platform.Key {
	t := &r.pass.table
	create := t.u64(e, t.proc.create)
	if create < unixEpoch {
		create = r.started
	}
	return platform.Key{ID: t.size(e, t.proc.pid), Start: create - unixEpoch}
}

// readProcesses visits every process.
func (r *reader) readProcesses(set platform.SourceSet, sink platform.Sink) (more bool, err error) {
	if set == 0 {
		return true, nil
	}
	if err := r.processes(); err != nil {
		sink.Miss(fromProcesses, reasonOf(err))
		return true, err
	}
	for range r.pass.ghosts {
		sink.Miss(fromProcesses, platform.Gone)
	}
	for _, e := range r.entries {
		if err := r.ctx.Err(); err != nil {
			return false, err
		}
		if !r.tell(r.begin(e, set, sink)) {
			return false, nil
		}
	}
	r.pass.walked = true
	return true, nil
}

// readProcess visits one process. Those that began after the table was asked for are
// not in it: a pass has one moment.
func (r *reader) readProcess(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	if set == 0 {
		return nil
	}
	if err := r.processes(); err != nil {
		sink.Miss(fromProcesses, reasonOf(err))
		return err
	}
	if key == platform.Self {
		key = platform.Key{ID: r.kernel.Pid()}
	}
	i, ok := r.places[key.ID]
	if !ok || key.Start != 0 && r.keyOf(r.entries[i]).Start != key.Start {
		return os.ErrProcessDone
	}
	r.tell(r.begin(r.entries[i], set, sink))
	return nil
}

// begin prepares the visit of a process.
func (r *reader) begin(e entry, set platform.SourceSet, sink platform.Sink) *visit {
	v := &r.pass.processed
	*v = visit{entry: e, key: r.keyOf(e), set: set, sink: sink}
	t := &r.pass.table
	// A process without threads has ended, and somebody holds it open. Some that are
	// the kernel's own never had any.
	v.ended = e.count == 0 && v.key.ID != systemPid && t.size(e, t.proc.parent) != systemPid
	if k := r.known[v.key.ID]; k != nil && k.start == v.key.Start {
		k.seen = r.passes
	}
	return v
}

// tell makes the sample and hands it over.
func (r *reader) tell(v *visit) (more bool) {
	r.sample.Reset(platform.Process, v.key)
	r.text = r.text[:0]
	if v.set.Has(fromProcesses) {
		r.setProcess(v)
	}
	for i := range (v.set &^ (1 << fromProcesses)).All() {
		if err := r.readSource(v, i); err != nil {
			v.sink.Miss(i, reasonOf(err))
		}
	}
	r.release(v)
	return v.sink.Sample(&r.sample)
}

// readSource reads one source behind the table. A process that has ended owns
// nothing any more.
func (r *reader) readSource(v *visit, i int) error {
	if v.ended {
		return os.ErrProcessDone
	}
	return processReads[i](r, v)
}

// lend decodes UTF-16 into memory that is lent until the sample was handed over.
func (r *reader) lend(wide []byte) []byte {
	from := len(r.text)
	r.text = text.AppendUTF16(r.text, wide)
	return r.text[from:len(r.text):len(r.text)]
}

// setProcess sets what the table tells of a process.
func (r *reader) setProcess(v *visit) {
	t, s := &r.pass.table, &r.sample
	p := t.proc
	if name := t.name(v.entry); len(name) > 0 {
		s.SetText(platform.ProcessCommand, r.lend(name))
	}
	s.Set(platform.ProcessCPUUser, t.u64(v.entry, p.user)*tickNanos)
	s.Set(platform.ProcessCPUSystem, t.u64(v.entry, p.kernel)*tickNanos)
	s.Set(platform.ProcessThreads, uint64(v.count))
	if began := v.key.Start + unixEpoch; began <= r.pass.now {
		s.Set(platform.ProcessUptime, (r.pass.now-began)*tickNanos)
	}
	r.setParent(v)
	r.setMemory(v.entry)
	r.setTransfers(v.entry)
	if state, ok := t.state(v); ok {
		setState(s, state)
	}
}

// setParent sets the parent, unless its PID went to a process that is younger than
// the child: Windows never changes the number that it noted at creation.
func (r *reader) setParent(v *visit) {
	t := &r.pass.table
	parent := t.size(v.entry, t.proc.parent)
	if parent == r.parentOf(v.entry) {
		r.sample.Set(platform.ProcessParent, parent)
	}
}

// setMemory sets sizes and page faults. Virtual memory is what is committed, as the
// conventions say and psutil's vms is: the address space of a 64-bit program may be
// terabytes that nobody touches. The private working set is never 0 while there is a
// working set, so that 0 is of a kernel that does not count it.
func (r *reader) setMemory(e entry) {
	t, s := &r.pass.table, &r.sample
	p := t.proc
	resident := t.size(e, p.workingSet)
	s.Set(platform.ProcessMemoryRSS, resident)
	s.Set(platform.ProcessMemoryVirtual, t.size(e, p.commit))
	if private := t.u64(e, p.privateWorkingSet); private != 0 || resident == 0 {
		s.Set(platform.ProcessPrivateSet, private)
	}
	s.Set(platform.ProcessAddressSpace, t.size(e, p.virtual))
	s.Set(platform.ProcessAddressPeak, t.size(e, p.virtualPeak))
	s.Set(platform.ProcessWorkingSetPeak, t.size(e, p.workingSetPeak))
	s.Set(platform.ProcessCommitPeak, t.size(e, p.commitPeak))
	s.Set(platform.ProcessPoolPaged, t.size(e, p.pagedPool))
	s.Set(platform.ProcessPoolNonPaged, t.size(e, p.nonPagedPool))
	s.Set(platform.ProcessHandles, t.u32(e, p.handles))
	if r.counting.faults {
		all, hard := t.u32(e, p.faults), t.u32(e, p.hardFaults)
		s.Set(platform.ProcessFaultsMajor, hard)
		s.Set(platform.ProcessFaultsMinor, uint64(uint32(all)-uint32(hard)))
	}
}

// setTransfers sets what the process read and wrote, from and to files, devices, pipes
// and sockets, cached or not: no figure of disks. A process that did nothing else
// has at least opened its program, so that all zeros are of a kernel that does not
// count.
func (r *reader) setTransfers(e entry) {
	t, s := &r.pass.table, &r.sample
	p := t.proc
	fields := [...]struct {
		field platform.Field
		at    int
	}{
		{platform.ProcessTransferReads, p.readOps}, {platform.ProcessTransferWrites, p.writeOps},
		{platform.ProcessOtherOperations, p.otherOps}, {platform.ProcessTransferRead, p.readSize},
		{platform.ProcessTransferWrite, p.writeSize}, {platform.ProcessOtherBytes, p.othSize},
	}
	var any uint64
	for _, f := range fields {
		any |= t.u64(e, f.at)
	}
	for _, f := range fields {
		if any != 0 {
			s.Set(f.field, t.u64(e, f.at))
		}
	}
}

func reasonOf(err error) platform.Reason {
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return platform.Gone
	case errors.Is(err, fs.ErrPermission):
		return platform.Denied
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrNotExist):
		return platform.Unsupported
	case errors.Is(err, errSkipped):
		return platform.Skipped
	case errors.Is(err, os.ErrDeadlineExceeded):
		return platform.Stuck
	}
	return platform.Unknown
}
