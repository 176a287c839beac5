package solaris

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// Offsets in psinfo_t of 64-bit programs (sys/procfs.h of illumos; OSHI reads the same on
// Oracle Solaris 11.4, whose lwpsinfo_t at its end is longer; recorded values of illumos
// re-encoded have 416 bytes). pr_pad1 of illumos is private memory on Solaris, and is not
// read.
const (
	infoSize    = 416
	flagAt      = 0
	threadsAt   = 4
	pidAt       = 8
	parentAt    = 12
	userAt      = 28 // pr_euid
	virtualAt   = 48 // KiB
	residentAt  = 56 // KiB
	startAt     = 88
	nameAt      = 136
	nameLength  = 16
	argcAt      = 236
	argvAt      = 240
	envpAt      = 248
	modelAt     = 256 // pr_dmodel: 1 for a program of 32 bits, 2 for 64
	letterAt    = 288 + 26
	niceAt      = 288 + 27
	classAt     = 288 + 72
	classLength = 8
	cpuAt       = 288 + 96 // pr_onpro

	flagSystem = 1 // SSYS: part of the kernel
	niceZero   = 20
)

// Offsets in prusage_t: times are timestruc_t, counters are unsigned long.
const (
	usageSize   = 504
	momentAt    = 8
	createdAt   = 24
	userTimeAt  = 72
	sysTimeAt   = 88  // in system calls
	trapTimeAt  = 104 // in other traps into the kernel, which is on a CPU too
	minorAt     = 328
	majorAt     = 336
	readAt      = 352 // pr_inblk
	writtenAt   = 360 // pr_oublk
	voluntaryAt = 392
	forcedAt    = 400
)

// Offsets in the beginning of pstatus_t.
const (
	statusSize  = 144
	childUserAt = 112
	childSysAt  = 128
)

const needsSameUser = "same user, or the privilege proc_owner"

// processSource reads something of a process.
type processSource struct {
	platform.Source
	read func(*pass, *visit) error // nil for psinfo, which is read anyhow
}

// visit is one process while it is read.
type visit struct {
	key    platform.Key
	life   *life
	state  platform.State
	proven bool // what was read after psinfo is of the same process
}

// life is what is remembered of a process from pass to pass.
type life struct {
	start   uint64 // as in its key
	created uint64 // pr_create of its usage, 0 if that was never proven to be its own
	seen    uint64 // the pass
}

// usageSource is read last: its pr_create proves what was read before. ownerSource takes no
// file of the process.
const (
	usageSource = 1
	ownerSource = 4
)

// processTable is what can be read of a process.
func processTable() []processSource {
	table := []processSource{
		{Source: platform.Source{Name: "/proc/[pid]/psinfo", Entity: platform.Process, Clock: true, Cost: 6, Files: 1,
			Texts: []platform.Text{platform.ProcessCommand}, Gives: given(platform.ProcessParent, platform.ProcessUser, platform.ProcessNice,
				platform.ProcessThreads, platform.ProcessMemoryVirtual, platform.ProcessMemoryRSS, platform.ProcessCPUNumber,
				platform.ProcessState, platform.ProcessRunning, platform.ProcessSleeping, platform.ProcessStopped, platform.ProcessDefunct)}},
		{fileOf("/proc/[pid]/usage", "", 6, platform.ProcessCPUUser, platform.ProcessCPUSystem, platform.ProcessFaultsMinor, platform.ProcessFaultsMajor,
			platform.ProcessDiskReads, platform.ProcessDiskWrites, platform.ProcessSwitchesVoluntary, platform.ProcessSwitchesInvoluntary, platform.ProcessUptime),
			(*pass).readUsage},
		{fileOf("/proc/[pid]/status", needsSameUser, 8, platform.ProcessChildCPUUser, platform.ProcessChildCPUSystem), (*pass).readStatus},
		{fileOf("/proc/[pid]/fd", needsSameUser, 20, platform.ProcessOpenFiles), (*pass).readFiles},
		{texts("/etc/passwd", "", platform.ProcessOwner), (*pass).readOwner},
		{texts("/proc/[pid]/path/a.out", needsSameUser, platform.ProcessExecutable), (*pass).readExecutable},
		{texts("/proc/[pid]/as, pr_argv", needsSameUser, platform.ProcessArguments), (*pass).readArguments},
		{texts("/proc/[pid]/as, pr_envp", needsSameUser, platform.ProcessEnvironment), (*pass).readEnvironment},
	}
	for i := ownerSource + 1; i < len(table); i++ {
		table[i].Dear = true
	}
	return table
}

func given(fields ...platform.Field) []platform.Given {
	return level("", platform.Process, 0, fields...).Gives
}

func fileOf(name, needs string, cost int, fields ...platform.Field) platform.Source {
	s := level(name, platform.Process, cost, fields...)
	s.Needs, s.Files = needs, 1
	return s
}

func texts(name, needs string, t platform.Text) platform.Source {
	return platform.Source{Name: name, Entity: platform.Process, Needs: needs, Cost: 10, Files: 1, Texts: []platform.Text{t}}
}

// readProcesses visits every process.
func (p *pass) readProcesses(set platform.SourceSet) (more bool, err error) {
	if set == 0 {
		return true, nil
	}
	names, err := p.kernel.Names("/proc")
	if err != nil {
		p.sink.Miss(0, reasonOf(err))
		return true, fmt.Errorf("list /proc: %w", err)
	}
	for _, name := range names {
		pid, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			continue
		}
		if err := p.ctx.Err(); err != nil {
			return false, err
		}
		err = p.tell(platform.Key{ID: pid}, set)
		if err == errStopped {
			return false, p.ctx.Err()
		}
	}
	p.walked = true
	return true, nil
}

// readProcess visits one process.
func (p *pass) readProcess(key platform.Key, set platform.SourceSet) error {
	if key == platform.Self {
		key = platform.Key{ID: p.kernel.Pid()}
	}
	if err := p.tell(key, set); err != errStopped {
		return err
	}
	return p.ctx.Err()
}

func (b *backend) path(pid uint64, name string) string {
	return "/proc/" + strconv.FormatUint(pid, 10) + "/" + name
}

// read reads the structure that a file of a process is.
func (b *backend) read(pid uint64, name string, buf []byte) error {
	n, err := b.kernel.Read(b.path(pid, name), 0, buf)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.ErrProcessDone
	case err != nil:
		return err
	case n < len(buf):
		return errContent
	}
	return nil
}

// readInfo reads psinfo, and says of whom. The PID in it is that of its folder: what is not
// laid out as it is here is refused.
func (b *backend) readInfo(pid uint64) (who platform.Key, err error) {
	if err := b.read(pid, "psinfo", b.info[:]); err != nil {
		return platform.Key{}, err
	}
	if uint64(layout.U32(b.info[:], pidAt)) != pid {
		return platform.Key{}, errContent
	}
	return platform.Key{ID: pid, Start: b.startOf(pid)}, nil
}

// startOf returns when a process began, in nanoseconds since 1970 as the clock was set then:
// who sets it moves no start (u_start, which prgetpsinfo of prsubr.c copies). A zombie does not
// tell: it is who it was while it lived, and has no start where nobody saw that.
func (b *backend) startOf(pid uint64) uint64 {
	if was := b.known[pid]; was != nil && b.isZombie() && !b.isAnother(pid, was.created) {
		return was.start
	}
	return timestruc(b.info[:], startAt)
}

// isAnother reports whether who has a PID was made at another time than is known, 0 for
// nothing. The usage tells of a zombie too, which has no other file but psinfo
// (pr_lookup_piddir in prvnops.c), by a clock that nobody sets.
func (b *backend) isAnother(pid, created uint64) bool {
	if created == 0 {
		return false
	}
	now := b.creationOf(pid)
	return now != 0 && now != created
}

// creationOf returns when a process was made, by its usage, 0 where that is not told.
func (b *backend) creationOf(pid uint64) uint64 {
	if b.read(pid, "usage", b.usage[:]) != nil {
		return 0
	}
	return timestruc(b.usage[:], createdAt)
}

// timestruc reads a timestruc_t in nanoseconds.
func timestruc(b []byte, at int) uint64 { return layout.U64(b, at)*1e9 + layout.U64(b, at+8) }

// tell reads one process and hands its sample over. A PID that changed hands meanwhile
// gives none.
func (p *pass) tell(want platform.Key, set platform.SourceSet) error {
	key, err := p.readInfo(want.ID)
	if err != nil {
		p.sink.Miss(0, reasonOf(err))
		return err
	}
	if want.Start != 0 && want.Start != key.Start {
		return os.ErrProcessDone
	}
	v := &visit{key: key, life: p.remember(key)}
	p.sample.Reset(platform.Process, key)
	v.state = p.setInfo(set.Has(0))
	v.proven = v.state == platform.StateDefunct // nothing else of it is read
	for i := range (set &^ 1).All() {
		if i != usageSource {
			p.readSource(v, i)
		}
	}
	if set.Has(usageSource) {
		p.readSource(v, usageSource)
	}
	if set&^1 != 0 && !v.proven {
		if now, err := p.readInfo(key.ID); err != nil || now != key {
			return os.ErrProcessDone
		}
	}
	return p.hand()
}

// remember notes who has a PID.
func (b *backend) remember(key platform.Key) *life {
	l := b.known[key.ID]
	if l == nil || l.start != key.Start {
		l = &life{start: key.Start}
		b.known[key.ID] = l
	}
	l.seen = b.passes
	return l
}

// forget drops who is not there any more, after a pass that asked for everybody.
func (b *backend) forget() {
	for pid, l := range b.known {
		if l.seen != b.passes {
			delete(b.known, pid)
		}
	}
}

// readSource reads a source behind psinfo. A zombie owns nothing any more.
func (p *pass) readSource(v *visit, i int) {
	err := os.ErrProcessDone
	if s := &p.processes[i]; v.state != platform.StateDefunct || i == ownerSource {
		err = s.read(p, v)
	}
	if err != nil {
		p.sink.Miss(i, reasonOf(err))
	}
}

// states are the letters of proc(5). O is on a CPU, W waits for its cap of CPU time, I is
// being made.
var states = map[byte]platform.State{
	'O': platform.StateRunning, 'R': platform.StateRunning, 'S': platform.StateSleeping, 'W': platform.StateSleeping,
	'I': platform.StateSleeping, 'T': platform.StateStopped, 'Z': platform.StateDefunct,
}

// setInfo sets what psinfo tells, if that is wanted. Of a zombie the kernel fills in little
// more than its identity.
func (p *pass) setInfo(wanted bool) platform.State {
	s, b := &p.sample, p.info[:]
	state, ok := states[b[letterAt]]
	if !wanted {
		return state
	}
	s.Set(platform.ProcessParent, uint64(layout.U32(b, parentAt)))
	s.Set(platform.ProcessUser, uint64(layout.U32(b, userAt)))
	if ok {
		setState(s, state)
	}
	if state == platform.StateDefunct {
		return state
	}
	s.SetText(platform.ProcessCommand, p.command())
	s.Set(platform.ProcessThreads, uint64(layout.U32(b, threadsAt)))
	s.Set(platform.ProcessMemoryVirtual, layout.U64(b, virtualAt)*1024)
	s.Set(platform.ProcessMemoryRSS, layout.U64(b, residentAt)*1024)
	if cpu := int32(layout.U32(b, cpuAt)); cpu >= 0 {
		s.Set(platform.ProcessCPUNumber, uint64(cpu))
	}
	if hasNice(cString(b[classAt : classAt+classLength])) {
		s.SetSigned(platform.ProcessNice, int64(b[niceAt])-niceZero)
	}
	return state
}

// hasNice reports whether threads of a scheduling class are nice: those of RT and of the
// kernel's own are not, and have 0 there (prgetlwpsinfo, prsubr.c).
func hasNice(class []byte) bool {
	switch string(class) {
	case "TS", "IA", "FSS", "FX":
		return true
	}
	return false
}

// setState sets the state of a process, and the four that say whether it is one of them.
func setState(s *platform.Sample, state platform.State) {
	s.Set(platform.ProcessState, uint64(state))
	for i, f := range [...]platform.Field{platform.ProcessRunning, platform.ProcessSleeping, platform.ProcessStopped, platform.ProcessDefunct} {
		var is uint64
		if state == platform.State(i) {
			is = 1
		}
		s.Set(f, is)
	}
}

// cString returns what is before the first NUL.
func cString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i:i]
	}
	return b
}

// counters are those of prusage_t.
var counters = []struct {
	at    int
	field platform.Field
}{
	{minorAt, platform.ProcessFaultsMinor}, {majorAt, platform.ProcessFaultsMajor}, {readAt, platform.ProcessDiskReads}, {writtenAt, platform.ProcessDiskWrites},
	{voluntaryAt, platform.ProcessSwitchesVoluntary}, {forcedAt, platform.ProcessSwitchesInvoluntary},
}

// readUsage reads what a process used. Its uptime is by the clock that nobody sets.
func (p *pass) readUsage(v *visit) error {
	b := p.usage[:]
	if err := p.read(v.key.ID, "usage", b); err != nil {
		return err
	}
	created, moment := timestruc(b, createdAt), timestruc(b, momentAt)
	v.proven = v.life.created == created
	if !v.proven {
		if now, err := p.readInfo(v.key.ID); err != nil || now != v.key {
			return os.ErrProcessDone
		}
		v.life.created, v.proven = created, true
	}
	s := &p.sample
	s.Set(platform.ProcessCPUUser, timestruc(b, userTimeAt))
	s.Set(platform.ProcessCPUSystem, timestruc(b, sysTimeAt)+timestruc(b, trapTimeAt))
	for _, c := range counters {
		s.Set(c.field, layout.U64(b, c.at))
	}
	if created <= moment {
		s.Set(platform.ProcessUptime, moment-created)
	}
	return nil
}

// readStatus reads the CPU time of children that were waited for.
func (p *pass) readStatus(v *visit) error {
	if err := p.read(v.key.ID, "status", p.status[:]); err != nil {
		return err
	}
	p.sample.Set(platform.ProcessChildCPUUser, timestruc(p.status[:], childUserAt))
	p.sample.Set(platform.ProcessChildCPUSystem, timestruc(p.status[:], childSysAt))
	return nil
}

// readFiles counts what a process has open.
func (p *pass) readFiles(v *visit) error {
	names, err := p.kernel.Names(p.path(v.key.ID, "fd"))
	if err == nil {
		p.sample.Set(platform.ProcessOpenFiles, uint64(len(names)))
	}
	return gone(err)
}

// readExecutable reads the path of the program. The kernel's own processes have none, and
// neither has one whose name was removed.
func (p *pass) readExecutable(v *visit) error {
	if p.isSystem() {
		return nil
	}
	path, err := p.kernel.Link(p.path(v.key.ID, "path/a.out"))
	if err == nil {
		p.sample.SetText(platform.ProcessExecutable, []byte(path))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return os.ErrProcessDone
	}
	return err
}

// command is the name of the program.
func (b *backend) command() []byte { return cString(b.info[nameAt : nameAt+nameLength]) }

func (b *backend) isSystem() bool { return layout.U32(b.info[:], flagAt)&flagSystem != 0 }
