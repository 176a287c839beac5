package linux

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"syscall"

	"github.com/pidometer/pidometer/platform"
)

// Numbers of include/uapi/linux/genetlink.h and taskstats.h.
const (
	protocolGeneric = 16   // NETLINK_GENERIC
	genericControl  = 0x10 // GENL_ID_CTRL
	genericHeader   = 4    // struct genlmsghdr: command, version, 2 bytes of nothing

	controlGetFamily  = 3
	controlFamilyID   = 1
	controlFamilyName = 2

	taskstatsGet      = 1
	taskstatsNew      = 2
	taskstatsPID      = 1 // TASKSTATS_CMD_ATTR_PID
	taskstatsRegister = 3 // TASKSTATS_CMD_ATTR_REGISTER_CPUMASK
	taskstatsStats    = 3 // TASKSTATS_TYPE_STATS
	taskstatsThread   = 4 // TASKSTATS_TYPE_AGGR_PID
	taskstatsProcess  = 5 // TASKSTATS_TYPE_AGGR_TGID

	netlinkAck = 0x4
)

// Offsets in struct taskstats, the same on all architectures but for 386, whose
// alignment of 8 bytes is asked for by the structure itself. It grew at its end only.
const (
	statsVersion     = 0 // 2 bytes
	statsExitCode    = 4 // of a process's first thread
	statsFlags       = 8 // 1 byte
	statsRunVirtual  = 72
	statsCommand     = 80 // 32 bytes
	statsParent      = 132
	statsUser        = 152 // microseconds
	statsSystem      = 160
	statsFaultsMinor = 168
	statsFaultsMajor = 176
	statsPeakRSS     = 200 // KiB
	statsPeakVirtual = 208
	statsReadChar    = 216
	statsWriteChar   = 224
	statsReadBytes   = 248
	statsWriteBytes  = 256
	statsVoluntary   = 272
	statsInvoluntary = 280
	statsTgid        = 368 // since version 12
	statsLeast       = 376

	commandSize = 32
	flagGroup   = 0x20 // AGROUP: the last thread of its process, since version 12
)

// leastVersion is the first one that tells whose thread it was (Linux 5.19).
const leastVersion = 12

// taskstatsBuffer is room for some 8,000 records of 640 bytes.
const taskstatsBuffer = 8 << 20

// taskstatsOccurrences are the exit records.
var taskstatsOccurrences = platform.OccurrenceSource{
	Name: "taskstats", Needs: "CAP_NET_ADMIN in the first user namespace, the first PID and network namespaces, and Linux 5.19",
	Tells: platform.KindsOf(platform.ProcessAccounted),
}

// taskstats hears of each thread that ends, and what it used in its life.
type taskstats struct {
	*watch
	calls  LifeListener
	fd     int
	family uint16
	buf    []byte
	groups map[uint64]*threadUse // by process: the threads that have ended

	told    platform.Occurrence // lent to one yield at a time, with the next two
	sample  platform.Sample
	command [commandSize]byte
}

// openTaskstats asks for the records of all CPUs.
func openTaskstats(w *watch) (listener, error) {
	calls, err := w.lives()
	if err != nil {
		return nil, err
	}
	if err = w.inFirstNamespace(); err == nil {
		err = inFirstNetwork(calls)
	}
	if err != nil {
		return nil, fmt.Errorf("taskstats: %w", err)
	}
	fd, err := calls.Listen(protocolGeneric, 0, taskstatsBuffer)
	if err != nil {
		return nil, fmt.Errorf("taskstats: %w", netlinkRefusal(err))
	}
	t := &taskstats{watch: w, calls: calls, fd: fd, buf: make([]byte, 16<<10), groups: map[uint64]*threadUse{}}
	if err = t.register(); err == nil {
		err = t.listen(fd, ToRead, t)
	}
	if err != nil {
		t.close()
		return nil, fmt.Errorf("taskstats: %w", netlinkRefusal(err))
	}
	return t, nil
}

// inFirstNetwork is nil in the network namespace that the kernel began with, and where
// that can't be found out: the kernel lets a listener register in any, and sends all
// records into the first one (send_cpu_listeners in kernel/taskstats.c). The connector,
// which the kernel has in the first one only, shows it by a message to nobody.
func inFirstNetwork(calls LifeListener) error {
	fd, err := calls.Listen(protocolConnector, 0, 0)
	if err != nil {
		return nil
	}
	defer calls.Close(fd)
	if err := calls.Write(fd, connectorMessage(0, 0, 0)); errors.Is(err, syscall.ECONNREFUSED) {
		return netlinkRefusal(err)
	}
	return nil
}

// register finds the number of the family, looks whether a record tells enough, and
// registers for what ends on all CPUs.
func (t *taskstats) register() error {
	answer, err := t.ask(genericRequest(genericControl, controlGetFamily, controlFamilyName, []byte("TASKSTATS\x00")))
	if err != nil {
		return err
	}
	if t.family = decodeFamily(answer); t.family == 0 {
		return fmt.Errorf("family: %w", errContent)
	}
	own := binary.NativeEndian.AppendUint32(nil, uint32(t.calls.Pid()))
	if answer, err = t.ask(genericRequest(t.family, taskstatsGet, taskstatsPID, own)); err != nil {
		return err
	}
	if _, ok := decodeTaskstats(answer); !ok {
		return fmt.Errorf("%w: the records are older than version %d", errors.ErrUnsupported, leastVersion)
	}
	_, err = t.ask(genericRequest(t.family, taskstatsGet, taskstatsRegister, append([]byte(t.possible()), 0)))
	return err
}

// possible is the list of all CPUs that may ever be there.
func (t *taskstats) possible() string {
	p := t.backend.details.open(context.Background())
	b, err := p.file("sys/devices/system/cpu/possible")
	if list := strings.TrimSpace(string(b)); err == nil && list != "" {
		return list
	}
	return "0-4095" // the kernel cuts off what it does not have (cpulist_parse)
}

// ask sends a request and returns the answer's payload, if it has one. The kernel
// answers before the write returns.
func (t *taskstats) ask(request []byte) (answer []byte, err error) {
	if err := t.calls.Write(t.fd, request); err != nil {
		return nil, err
	}
	for {
		n, err := t.calls.Hear(t.fd, t.buf)
		if errors.Is(err, errEmpty) {
			return nil, fmt.Errorf("%w: the kernel does not answer", errors.ErrUnsupported)
		}
		if err != nil {
			return nil, err
		}
		done, refused := false, error(nil)
		_ = decodeDatagram(t.buf[:n], func(kind uint16, b []byte) {
			if kind == netlinkError {
				done, refused = true, netlinkFailure(b)
			} else {
				answer = append([]byte(nil), b...)
			}
		})
		if done {
			return answer, refused
		}
	}
}

func (t *taskstats) close() { t.calls.Close(t.fd) }

func (t *taskstats) drain(_ bool, yield func(*platform.Occurrence)) error {
	err := datagrams(t.calls, t.fd, t.buf, func() {
		// Whose last thread was among the lost is not known, and another may have the PID
		// by now.
		clear(t.groups)
		lost(yield)
	}, func(b []byte) error {
		t.records(b, yield)
		return nil
	})
	if err != nil {
		return fmt.Errorf("taskstats: %w", err)
	}
	return nil
}

// records takes the records of a datagram.
func (t *taskstats) records(b []byte, yield func(*platform.Occurrence)) {
	_ = decodeDatagram(b, func(kind uint16, b []byte) {
		if kind != t.family {
			return
		}
		if record, ok := decodeTaskstats(b); ok {
			t.add(&record, yield)
		}
	})
}

// add sums the threads of a process up, and tells of it with the last one.
func (t *taskstats) add(record *threadUse, yield func(*platform.Occurrence)) {
	earlier := t.groups[record.process]
	switch {
	case earlier != nil:
		record.add(earlier)
	case !record.last:
		earlier = new(threadUse)
		t.groups[record.process] = earlier
	}
	if !record.last {
		*earlier = *record
		return
	}
	delete(t.groups, record.process)
	s := &t.sample
	s.Reset(platform.Process, platform.Key{ID: record.process})
	record.fill(s)
	t.command = record.command
	t.told = platform.Occurrence{Kind: platform.ProcessAccounted, Key: s.Key, Parent: record.parent,
		Command: terminated(t.command[:]), Usage: s}
	yield(&t.told)
}

// threadUse is what one thread used, or several of a process.
type threadUse struct {
	process, parent uint64
	last            bool
	command         [commandSize]byte
	sums            [len(taskSums)]uint64
	peaks           [len(taskPeaks)]uint64
	user, system    uint64 // microseconds, as the clock's ticks found it
	ran             uint64 // nanoseconds, exactly
	whole           uint64 // what all threads of the process ran; with the last one of several
}

// taskSums and taskPeaks are where the fields stand: what threads add up to, and what
// they share.
var (
	taskSums = [...]struct {
		at    int
		field platform.Field
	}{
		{statsFaultsMinor, platform.ProcessFaultsMinor},
		{statsFaultsMajor, platform.ProcessFaultsMajor},
		{statsVoluntary, platform.ProcessSwitchesVoluntary},
		{statsInvoluntary, platform.ProcessSwitchesInvoluntary},
		{statsReadBytes, platform.ProcessDiskReadBytes},
		{statsWriteBytes, platform.ProcessDiskWriteBytes},
		{statsReadChar, platform.ProcessRequestedRead},
		{statsWriteChar, platform.ProcessRequestedWrite},
	}
	taskPeaks = [...]struct {
		at    int
		field platform.Field
	}{
		{statsPeakRSS, platform.ProcessMemoryPeak},
		{statsPeakVirtual, platform.ProcessVirtualPeak},
	}
)

func (t *threadUse) add(u *threadUse) {
	t.user += u.user
	t.system += u.system
	t.ran += u.ran
	for i := range t.sums {
		t.sums[i] += u.sums[i]
	}
	for i := range t.peaks {
		t.peaks[i] = max(t.peaks[i], u.peaks[i])
	}
}

// fill sets what was read. The CPU time is exact, and parted as the ticks found it, as
// the kernel does it for /proc/[pid]/stat and for the parent's sums (cputime_adjust in
// kernel/sched/cputime.c).
//
// Threads that ended before anybody listened, and those whose records were lost, are in
// the sum that the kernel keeps of all, which is of this time alone: the rest is not told
// then.
func (t *threadUse) fill(s *platform.Sample) {
	partial := t.whole > t.ran
	t.ran = max(t.ran, t.whole)
	user, system := t.ran, uint64(0)
	switch {
	case t.ran == 0:
		user, system = t.user*1000, t.system*1000
	case t.system == 0:
	case t.user == 0:
		user, system = 0, t.ran
	default:
		high, low := bits.Mul64(t.ran, t.system)
		if total := t.user + t.system; high < total {
			system, _ = bits.Div64(high, low, total)
		}
		user = t.ran - system
	}
	s.Set(platform.ProcessCPUUser, user)
	s.Set(platform.ProcessCPUSystem, system)
	for i, f := range taskSums {
		if !partial {
			s.Set(f.field, t.sums[i])
		}
	}
	for i, f := range taskPeaks {
		if t.peaks[i] > 0 { // 0 of a thread without memory of its own
			s.Set(f.field, t.peaks[i]*1024)
		}
	}
}

// decodeTaskstats reads the record of one thread. That of the last one of several is
// followed by one of the process, which tells what all of them ran and nothing else
// (fill_tgid_exit in kernel/taskstats.c).
func decodeTaskstats(b []byte) (t threadUse, ok bool) {
	if len(b) < genericHeader || b[0] != taskstatsNew {
		return t, false
	}
	decodeAttributes(b[genericHeader:], func(of uint16, value []byte) {
		decodeAttributes(value, func(kind uint16, value []byte) {
			switch {
			case kind != taskstatsStats:
			case of == taskstatsThread && !ok:
				ok = t.decode(value)
			case of == taskstatsProcess && len(value) >= statsRunVirtual+8:
				t.whole = binary.NativeEndian.Uint64(value[statsRunVirtual:])
			}
		})
	})
	return t, ok
}

// decode reads a struct taskstats.
func (t *threadUse) decode(b []byte) bool {
	if len(b) < statsLeast || binary.NativeEndian.Uint16(b[statsVersion:]) < leastVersion {
		return false
	}
	long := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
	t.process, t.parent = word(b, statsTgid), word(b, statsParent)
	t.last = b[statsFlags]&flagGroup != 0
	copy(t.command[:], b[statsCommand:])
	t.user, t.system, t.ran = long(statsUser), long(statsSystem), long(statsRunVirtual)
	for i, f := range taskSums {
		t.sums[i] = long(f.at)
	}
	for i, f := range taskPeaks {
		t.peaks[i] = long(f.at)
	}
	return true
}

// decodeFamily reads the number of a family of generic netlink.
func decodeFamily(b []byte) (id uint16) {
	if len(b) < genericHeader {
		return 0
	}
	decodeAttributes(b[genericHeader:], func(kind uint16, value []byte) {
		if kind == controlFamilyID && len(value) >= 2 {
			id = binary.NativeEndian.Uint16(value)
		}
	})
	return id
}

// genericRequest encodes a request with one attribute that is to be answered for
// certain.
func genericRequest(family uint16, command byte, attribute uint16, value []byte) []byte {
	length := attributeHeader + len(value)
	b := make([]byte, netlinkHeader+genericHeader+aligned(length))
	binary.NativeEndian.PutUint32(b[netlinkLength:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[netlinkType:], family)
	binary.NativeEndian.PutUint16(b[netlinkFlags:], netlinkRequest|netlinkAck)
	b[netlinkHeader] = command
	b[netlinkHeader+1] = 1 // version
	a := b[netlinkHeader+genericHeader:]
	binary.NativeEndian.PutUint16(a[attributeLength:], uint16(length))
	binary.NativeEndian.PutUint16(a[attributeType:], attribute)
	copy(a[attributeHeader:], value)
	return b
}
