package events

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// life is one process, from when it was first heard of until all of its end is told.
type life struct {
	key        platform.Key
	estimated  bool      // the start may be one too many
	created    time.Time // as everybody computes it, from a boot time in whole seconds
	began      time.Time // as the kernel told it; zero if it did not
	executable string
	parent     uint64
	pass       int  // how many passes there had been when the kernel told of it
	version    int  // of the row's strings
	seen       bool // a pass has a row of it
	exited     bool // its end is told
	left       bool // or will be, when this read is over
	started    bool // its start is told, or was before anybody looked
	followed   bool
	entity     bool      // an entity.state was sent
	due        time.Time // of the next one
	place      int       // in the schedule, plus one; 0 for none
	usage      usage
}

// usage is what is known of a process that ended.
type usage struct {
	user, system, peak          uint64
	hasUser, hasSystem, hasPeak bool
}

// moment is a beginning or an end that waits for what else this read tells of it.
type moment struct {
	life *life
	end  bool
	at   time.Time
	exit platform.Exit
}

// unknownStart is a life of which only the PID is known.
func (l *life) unknownStart() bool { return l.key.Start == 0 }

// is reports whether the process that a pass or the kernel means is this one.
func (l *life) is(k platform.Key) bool {
	switch {
	case k.ID != l.key.ID:
		return false
	case k.Start == l.key.Start || k.Start == 0 || l.unknownStart():
		return true
	}
	return l.estimated && k.Start+1 == l.key.Start
}

// Passed takes a pass that has just been made. Its rows are lent until it returns.
func (e *Engine) Passed(p *oneshot.Pass) {
	e.pass(p)
	e.out.flushExcess() // the last pass is behind all that a shutdown sends
	e.out.settle(patience)
}

func (e *Engine) pass(p *oneshot.Pass) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.read()
	e.giveUp()
	for row := range p.Gone() {
		e.missing(row)
	}
	for row := range p.Rows(platform.Process) {
		if !p.IsOther(row) {
			e.see(row)
		}
	}
	for row := range p.Rest() {
		e.see(row)
	}
	e.report(p.At())
	e.host(p)
	e.repair(p.Whole())
	e.forget()
	e.passes++
	e.passed = p.At()
}

// see notes a row.
func (e *Engine) see(row *oneshot.Row) {
	l := e.lives[row.Key.ID]
	if l != nil && !l.is(row.Key) {
		e.end(l, time.Time{}, platform.Exit{})
		l = nil
	}
	if l == nil {
		l = &life{key: row.Key, created: row.Created, executable: row.Executable}
		e.lives[row.Key.ID] = l
	}
	if !l.seen {
		e.meet(l, row)
	}
	if l.version != row.Version && !l.exited {
		l.version, l.executable = row.Version, row.Executable
		e.schedule.now(l)
	}
}

// meet takes what a pass knows of a process that it sees for the first time. One that
// the kernel told of has its exact start from now on.
func (e *Engine) meet(l *life, row *oneshot.Row) {
	l.seen = true
	l.key, l.estimated, l.created = row.Key, false, row.Created
	if l.executable == "" {
		l.executable = row.Executable
	}
	if v, ok := row.Value(platform.ProcessParent); ok {
		l.parent = v
	}
	if l.exited {
		return // a zombie, whose end was told already
	}
	e.tellStart(l, e.born(row))
	e.schedule.now(l)
	if e.follow && e.config.All && e.followed < mostFollowed && e.watch.Follow(l.key) == nil {
		l.followed = true
		e.followed++
	}
}

// mostFollowed is how many processes are followed one by one: each takes a descriptor.
const mostFollowed = 256

// born reports whether a process that a pass sees for the first time is also new:
// boot times are whole seconds, so that a creation may seem up to one too early.
func (e *Engine) born(row *oneshot.Row) bool {
	return e.passes > 0 && row.Created.After(e.passed.Add(-2*time.Second))
}

// missing notes that a process has gone. Where the kernel tells of ends, it may do so
// a moment after the process was taken down (do_exit in kernel/exit.c): that is waited
// for until the next pass.
func (e *Engine) missing(row *oneshot.Row) {
	l := e.lives[row.Key.ID]
	if l == nil || !l.is(row.Key) {
		return
	}
	l.seen = false
	if e.told.Has(platform.ProcessExited) {
		e.vanished = append(e.vanished, l)
		return
	}
	e.end(l, time.Time{}, platform.Exit{})
}

// repair finds those whose ends were among lost records: a whole pass since did not see
// them. Where nothing was lost it is left to the kernel to tell, which knows of processes
// that passes may not see (hidepid).
func (e *Engine) repair(whole bool) {
	if !whole || e.lossy == 0 {
		return
	}
	left := false
	for _, l := range e.lives {
		switch {
		case l.seen || l.exited || l.pass >= e.lossy:
		case l.pass == e.passes: // the pass may have begun before it
			left = true
		default:
			e.vanished = append(e.vanished, l)
		}
	}
	if !left {
		e.lossy = 0
	}
}

// giveUp ends those that the pass before missed, and nobody told of since.
func (e *Engine) giveUp() {
	for _, l := range e.vanished {
		e.end(l, time.Time{}, platform.Exit{})
	}
	clear(e.vanished)
	e.vanished = e.vanished[:0]
}

// forget drops those whose end is told and whom no pass sees.
func (e *Engine) forget() {
	for pid, l := range e.lives {
		if l.exited && !l.seen {
			delete(e.lives, pid)
		}
	}
}

// tellStart sends process.start, once.
func (e *Engine) tellStart(l *life, news bool) {
	if l.started {
		return
	}
	l.started = true
	if !news || !e.config.All {
		return
	}
	attrs := e.subject(l)
	if l.parent != 0 {
		attrs = append(attrs, semconv.ProcessParentPID.Int64(int64(l.parent)))
	}
	at := l.created
	if !l.began.IsZero() {
		at = l.began
	}
	complete := e.describer(l, false)
	if l.left {
		complete = e.namer(l) // there is nothing to read any more
	}
	e.put(semconv.EventProcessStart, at, false, item{attrs: attrs, complete: complete})
}

// end tells of the end of a process, once. A zero time is unknown.
func (e *Engine) end(l *life, at time.Time, exit platform.Exit) {
	if l.exited {
		return
	}
	e.tellStart(l, !l.seen && !l.unknownStart())
	l.exited = true
	e.schedule.remove(l)
	if l.followed {
		e.followed--
		e.watch.Unfollow(l.key)
	}
	if l.entity {
		e.put(semconv.EventEntityDelete, at, false, item{attrs: []attribute.KeyValue{
			semconv.EntityType.String("process"), {Key: semconv.EntityID, Value: l.subject().EntityIDOf()},
			semconv.EntityDeleteReason.String("terminated")}})
	}
	if e.config.All {
		e.put(semconv.EventProcessExit, at, exit.Failed(), item{attrs: e.exitAttributes(l, at, exit), complete: e.namer(l)})
	}
}

func (e *Engine) exitAttributes(l *life, at time.Time, exit platform.Exit) []attribute.KeyValue {
	attrs := e.subject(l)
	if l.parent != 0 {
		attrs = append(attrs, semconv.ProcessParentPID.Int64(int64(l.parent)))
	}
	if !at.IsZero() {
		attrs = append(attrs, semconv.ProcessExitTime.String(semconv.FormatTime(at)))
	}
	return append(e.spellExit(attrs, exit), l.usage.attributes()...)
}

// spellExit adds how a process ended.
func (e *Engine) spellExit(attrs []attribute.KeyValue, exit platform.Exit) []attribute.KeyValue {
	switch {
	case !exit.Known:
		return attrs
	case exit.Signal != 0:
		name := platform.SignalName(e.config.GOOS, exit.Signal)
		attrs = append(attrs, semconv.ProcessExitSignal.String(name), semconv.ErrorType.String(name))
		if exit.Core {
			attrs = append(attrs, semconv.ProcessExitCore.Bool(true))
		}
	default:
		attrs = append(attrs, semconv.ProcessExitCode.Int64(exit.Code))
		if exit.Code != 0 {
			attrs = append(attrs, semconv.ErrorType.String(decimal(exit.Code)))
		}
	}
	return attrs
}

// attributes are the sums over a life, in seconds and bytes.
func (u usage) attributes() (attrs []attribute.KeyValue) {
	if u.hasUser {
		attrs = append(attrs, semconv.ProcessExitUser.Float64(float64(u.user)/1e9))
	}
	if u.hasSystem {
		attrs = append(attrs, semconv.ProcessExitSystem.Float64(float64(u.system)/1e9))
	}
	if u.hasPeak {
		attrs = append(attrs, semconv.ProcessExitPeak.Int64(int64(u.peak)))
	}
	return attrs
}

func (l *life) subject() *semconv.Subject {
	return &semconv.Subject{Entity: platform.Process, Key: l.key, Created: l.created, Executable: l.executable}
}

func (e *Engine) subject(l *life) []attribute.KeyValue { return l.subject().Identity() }

// name takes the kernel's short name, unless a pass gave a better one.
func (l *life) name(command []byte) {
	if len(command) > 0 && !l.seen {
		l.executable = text.Escape(command)
	}
}
