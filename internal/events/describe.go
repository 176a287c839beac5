package events

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// describedPerSecond is how many processes are read for process.start in a second:
// each takes some 50 µs, and a fork bomb has no end of them.
const describedPerSecond = 100

// reading bounds what reads of single processes may cost.
type reading struct {
	mu     sync.Mutex
	second time.Time
	done   int
}

// allowed reports whether one more may be read in this second.
func (r *reading) allowed(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.second) >= time.Second || now.Before(r.second) {
		r.second, r.done = now, 0
	}
	r.done++
	return r.done <= describedPerSecond
}

// described is what is read of a process to tell who it is.
type described struct {
	executable, path, owner string
	parent                  uint64
}

// describer returns what completes an event of a process when it is handed over: the
// description of an entity, or more attributes. What can't be read any more is left
// as it is known.
func (e *Engine) describer(l *life, entity bool) func([]attribute.KeyValue) []attribute.KeyValue {
	inspector, ok := e.config.Backend.(platform.Inspector)
	key, known := l.key, described{executable: l.executable, parent: l.parent}
	if l.estimated {
		key.Start = 0 // whoever has the PID now is asked for the exact start
	}
	exact := l.key
	return func(attrs []attribute.KeyValue) []attribute.KeyValue {
		if ok && (entity || e.reading.allowed(e.config.Now())) {
			known = describe(inspector, key, exact, known)
			e.learn(l, known.executable)
		}
		if entity {
			return e.entity(attrs, known)
		}
		return known.complete(attrs)
	}
}

// learn keeps the name of a program for the events that follow.
func (e *Engine) learn(l *life, executable string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if executable != "" {
		l.executable = executable
	}
}

// namer returns what puts the name into an event that was learnt of meanwhile.
func (e *Engine) namer(l *life) func([]attribute.KeyValue) []attribute.KeyValue {
	return func(attrs []attribute.KeyValue) []attribute.KeyValue {
		e.mu.Lock()
		defer e.mu.Unlock()
		return described{executable: l.executable}.complete(attrs)
	}
}

// describe reads a process. One that another has the PID of by now stays as it is
// known.
func describe(inspector platform.Inspector, key, exact platform.Key, known described) described {
	i, err := inspector.Inspect(context.Background(), key)
	if err != nil {
		return known
	}
	defer i.Close()
	if now := i.Key(); now.Start != exact.Start && now.Start+1 != exact.Start {
		return known
	}
	if link, err := i.Executable(); err == nil && link.Path != "" {
		known.path = text.Escape([]byte(link.Path))
		known.executable = base(known.path)
	}
	if id, err := i.Identity(); err == nil {
		known.parent = id.Parent
		if id.Owner != nil {
			known.owner = text.Escape([]byte(*id.Owner))
		}
	}
	return known
}

// base is the last element of a path of any system.
func base(file string) string {
	if i := strings.LastIndexByte(file, '\\'); i >= 0 && !strings.HasPrefix(file, "/") {
		return file[i+1:]
	}
	return path.Base(file)
}

// complete puts what was read in the place of what was known.
func (d described) complete(attrs []attribute.KeyValue) []attribute.KeyValue {
	if d.executable != "" {
		attrs = slices.DeleteFunc(attrs, func(kv attribute.KeyValue) bool { return kv.Key == semconv.ProcessExecutable })
		attrs = append(attrs, semconv.ProcessExecutable.String(d.executable))
	}
	if d.parent != 0 && !slices.ContainsFunc(attrs, func(kv attribute.KeyValue) bool { return kv.Key == semconv.ProcessParentPID }) {
		attrs = append(attrs, semconv.ProcessParentPID.Int64(int64(d.parent)))
	}
	return appendKnown(attrs, semconv.ProcessOwner, d.owner)
}

// entity adds the description, and the host that the process runs on.
func (e *Engine) entity(attrs []attribute.KeyValue, d described) []attribute.KeyValue {
	description := appendKnown(nil, semconv.ProcessExecutable, d.executable)
	description = appendKnown(description, semconv.ProcessExecutablePath, d.path)
	description = appendKnown(description, semconv.ProcessOwner, d.owner)
	if d.parent != 0 {
		description = append(description, semconv.ProcessParentPID.Int64(int64(d.parent)))
	}
	if len(description) > 0 {
		attrs = append(attrs, attribute.KeyValue{Key: semconv.EntityDescription, Value: attribute.MapValue(description...)})
	}
	if e.config.Host != "" {
		attrs = append(attrs, attribute.KeyValue{Key: semconv.EntityRelationships, Value: attribute.SliceValue(attribute.MapValue(
			semconv.RelationshipType.String("runs_on"), semconv.EntityType.String("host"),
			attribute.KeyValue{Key: semconv.EntityID, Value: attribute.MapValue(attribute.String("host.id", e.config.Host))}))})
	}
	return attrs
}

func appendKnown(to []attribute.KeyValue, k attribute.Key, v string) []attribute.KeyValue {
	if v == "" {
		return to
	}
	return append(to, k.String(v))
}
