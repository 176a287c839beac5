package events

import (
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// handlers is what each kind of occurrence leads to.
var handlers = [platform.OccurrenceKinds]func(*Engine, *platform.Occurrence){
	platform.ProcessStarted:   (*Engine).begins,
	platform.ProcessExecuted:  (*Engine).executes,
	platform.ProcessExited:    (*Engine).exits,
	platform.ProcessAccounted: (*Engine).account,
	platform.ProcessOOMKilled: (*Engine).killed,
	platform.ServiceChanged:   (*Engine).serviceChanged,
	platform.PressureCrossed:  (*Engine).pressed,
	platform.OccurrencesLost:  func(e *Engine, o *platform.Occurrence) { e.lost(max(o.Count, 1)) },
}

// happened takes one occurrence.
func (e *Engine) happened(o *platform.Occurrence) {
	if int(o.Kind) < len(handlers) {
		handlers[o.Kind](e, o)
	}
}

// begins notes a process that another one made. It inherits the name.
func (e *Engine) begins(o *platform.Occurrence) {
	if old := e.lives[o.Key.ID]; old != nil && !old.left {
		if old.is(o.Key) && !old.exited && !old.unknownStart() {
			return // a pass was faster
		}
		e.end(old, time.Time{}, platform.Exit{})
	}
	l := &life{key: o.Key, estimated: o.Estimated, parent: o.Parent, began: o.At, pass: e.passes}
	if l.created = e.when(o); o.Key.Start != 0 {
		l.created = e.boot.Created(o.Key.Start)
	}
	if mother := e.lives[o.Parent]; mother != nil {
		l.executable = mother.executable
	}
	l.name(o.Command)
	e.lives[o.Key.ID] = l
	e.moments = append(e.moments, moment{life: l})
}

// executes notes the name of the new program: the one before is not its name any more.
func (e *Engine) executes(o *platform.Occurrence) {
	if l := e.lives[o.Key.ID]; l != nil && l.is(o.Key) && !l.seen {
		l.executable = ""
		l.name(o.Command)
	}
}

// exits notes the end of a process, which is told when the kernel's other sources
// have been read too.
func (e *Engine) exits(o *platform.Occurrence) {
	l := e.lives[o.Key.ID]
	if l == nil || !l.is(o.Key) {
		l = e.stranger(o)
	}
	if l.parent == 0 {
		l.parent = o.Parent
	}
	if l.executable == "" {
		l.name(o.Command)
	}
	l.left = true
	e.moments = append(e.moments, moment{l, true, e.when(o), o.Exit})
}

// stranger is a process that nobody has heard of before its end: it began before
// anybody listened and no pass has seen it yet.
func (e *Engine) stranger(o *platform.Occurrence) *life {
	l := &life{key: o.Key, estimated: o.Estimated, started: true}
	if o.Key.Start != 0 {
		l.created = e.boot.Created(o.Key.Start)
	}
	e.lives[o.Key.ID] = l
	return l
}

// when is the time of an occurrence: a moment ago, where the kernel does not say.
func (e *Engine) when(o *platform.Occurrence) time.Time {
	if o.At.IsZero() {
		return e.config.Now()
	}
	return o.At
}

// announce tells of what began and ended in this read. Who had a PID first is told of
// before whoever had it next.
func (e *Engine) announce() {
	e.settle()
	for _, m := range e.moments {
		if m.end {
			e.end(m.life, m.at, m.exit)
		} else {
			e.tellStart(m.life, true)
		}
	}
	clear(e.moments)
	e.moments = e.moments[:0]
	if len(e.lives) > mostLives {
		e.forget()
	}
}

// mostLives is how many processes are known before those that have ended are
// forgotten without waiting for a pass. A pass that sees the zombie of one of them
// tells of it again.
const mostLives = 1 << 16

// killed tells of a process that was killed for want of memory.
func (e *Engine) killed(o *platform.Occurrence) {
	attrs := []attribute.KeyValue{semconv.ErrorType.String("oom")}
	if o.Key.ID != 0 {
		attrs = append(attrs, e.victim(o).Identity()...)
	}
	if len(o.Cgroup) > 0 {
		attrs = append(attrs, semconv.ProcessCgroup.String(text.Escape(o.Cgroup)))
	}
	if o.Usage != nil {
		if v, ok := o.Usage.Get(platform.ProcessMemoryRSS); ok {
			attrs = append(attrs, semconv.ProcessMemoryUsage.Int64(int64(v)))
		}
	}
	if o.Count > 1 || o.Key.ID == 0 {
		attrs = append(attrs, semconv.OOMKills.Int64(int64(max(o.Count, 1))))
	}
	e.put(semconv.EventOOMKill, e.when(o), false, item{attrs: attrs})
}

// victim is who was killed, as far as the kernel and the passes know.
func (e *Engine) victim(o *platform.Occurrence) *semconv.Subject {
	if l := e.lives[o.Key.ID]; l != nil && l.is(o.Key) && !l.created.IsZero() {
		return l.subject()
	}
	s := &semconv.Subject{Entity: platform.Process, Key: o.Key, Executable: text.Escape(o.Command)}
	if o.Key.Start != 0 {
		s.Created = e.boot.Created(o.Key.Start)
	}
	return s
}

// service is how the two managers of services spell the same things.
type service struct {
	event                      string
	name, state, before, title attribute.Key
}

var (
	windowsService = service{semconv.EventService, semconv.ServiceName, semconv.ServiceState, semconv.ServiceBefore, semconv.ServiceDisplayName}
	systemdUnit    = service{semconv.EventUnit, semconv.UnitName, semconv.UnitState, semconv.UnitBefore, semconv.UnitDescription}
)

// serviceChanged tells of a service in another state.
func (e *Engine) serviceChanged(o *platform.Occurrence) {
	kind := systemdUnit
	if e.config.GOOS == "windows" {
		kind = windowsService
	}
	attrs := []attribute.KeyValue{kind.name.String(text.Escape([]byte(o.Key.Name)))}
	for _, t := range []struct {
		key   attribute.Key
		bytes []byte
	}{{kind.state, o.State}, {kind.before, o.Before}, {kind.title, o.Title}} {
		if len(t.bytes) > 0 {
			attrs = append(attrs, t.key.String(text.Escape(t.bytes)))
		}
	}
	if o.Key.ID != 0 {
		attrs = append(attrs, semconv.ProcessPID.Int64(int64(o.Key.ID)))
	}
	failed := o.Exit.Failed()
	attrs = e.spellExit(attrs, o.Exit)
	if string(o.State) == "failed" && !failed {
		failed = true
		attrs = append(attrs, semconv.ErrorType.String("failed"))
	}
	e.put(kind.event, e.when(o), failed, item{attrs: attrs})
}

// pressed tells of a threshold of waiting that was crossed.
func (e *Engine) pressed(o *platform.Occurrence) {
	who := "some"
	if o.Stall.Full {
		who = "full"
	}
	e.put(semconv.EventPressure, e.when(o), false, item{attrs: []attribute.KeyValue{
		semconv.PressureResource.String(o.Stall.Resource), semconv.PressureType.String(who),
		semconv.PressureThreshold.Float64(o.Stall.Waited.Seconds()), semconv.PressureWindow.Float64(o.Stall.Window.Seconds())}})
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
