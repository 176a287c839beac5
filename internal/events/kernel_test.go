package events

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/noop"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
)

// kernel is one in memory: it walks processes, and tells what happens where it may.
type kernel struct {
	boot      platform.Boot
	begun     time.Time
	uptime    time.Duration // then
	processes map[uint64]platform.Key
	names     map[uint64]string
	tiers     []platform.Tier
	silent    bool // no Watcher

	mu      sync.Mutex
	pending []platform.Occurrence
	ready   chan struct{}
	closed  chan struct{}
	follows []platform.Key
	walks   int // passes over all processes
	singles int // reads of one process
	hears   int // reads of what happened
}

func newKernel() *kernel {
	return &kernel{boot: platform.Boot{ID: "boot-1", Time: time.Now().Add(-time.Hour).Truncate(time.Second), Tick: 10 * time.Millisecond},
		begun: time.Now(), uptime: time.Hour, processes: map[uint64]platform.Key{}, names: map[uint64]string{},
		ready: make(chan struct{}, 1), closed: make(chan struct{})}
}

const (
	walk = iota
	clockSource
)

func (k *kernel) Sources() []platform.Source {
	return []platform.Source{
		walk: {Name: "walk", Entity: platform.Process, Clock: true, Texts: []platform.Text{platform.ProcessCommand},
			Gives: []platform.Given{{Field: platform.ProcessCPUUser}, {Field: platform.ProcessCPUSystem}, {Field: platform.ProcessMemoryRSS}}},
		clockSource: {Name: "uptime", Gives: []platform.Given{{Field: platform.HostUptime}}},
	}
}

func (k *kernel) Boot() platform.Boot                            { return k.boot }
func (k *kernel) Begin(context.Context) (platform.Reader, error) { return k, nil }
func (k *kernel) Close() error                                   { return nil }

func (k *kernel) Process(platform.Key, platform.SourceSet, platform.Sink) error {
	k.singles++
	return os.ErrProcessDone
}

func (k *kernel) Read(set platform.SourceSet, sink platform.Sink) error {
	k.walks++
	var s platform.Sample
	if set.Has(clockSource) {
		s.Reset(platform.Host, platform.Key{})
		s.Set(platform.HostUptime, uint64(k.uptime+time.Since(k.begun)))
		sink.Sample(&s)
	}
	for pid, key := range k.processes {
		s.Reset(platform.Process, key)
		s.Set(platform.ProcessCPUUser, 1e9)
		s.SetText(platform.ProcessCommand, []byte(k.names[pid]))
		sink.Sample(&s)
	}
	return nil
}

// now is the moment in ticks since the boot.
func (k *kernel) now() uint64 { return uint64(time.Since(k.boot.Time) / k.boot.Tick) }

// run makes a process that passes see.
func (k *kernel) run(pid uint64, name string) platform.Key {
	k.processes[pid], k.names[pid] = platform.Key{ID: pid, Start: k.now()}, name
	return k.processes[pid]
}

// watching is the kernel as a Watcher.
type watching struct{ *kernel }

func (k watching) Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{{Name: "connector"}}
}

func (k watching) Watch(context.Context, platform.WatchOptions) (platform.Watch, error) {
	if k.silent {
		return nil, fmt.Errorf("connector: %w", os.ErrPermission)
	}
	return &watch{k.kernel}, nil
}

// everything is a tier that tells all.
var everything = []platform.Tier{{Source: platform.OccurrenceSource{Name: "connector", Tells: 1<<platform.OccurrenceKinds - 1}}}

// watch is the kernel as it tells what happens.
type watch struct{ *kernel }

func (w *watch) Tiers() []platform.Tier { return w.tiers }

func (w *watch) Wait(ctx context.Context) error {
	select {
	case <-w.ready:
		return nil
	case <-w.closed:
		return os.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *watch) Read(yield func(*platform.Occurrence)) error {
	w.mu.Lock()
	w.hears++
	pending := w.pending
	w.pending = nil
	w.mu.Unlock()
	for i := range pending {
		yield(&pending[i])
	}
	return nil
}

func (w *watch) Follow(k platform.Key) error { w.follows = append(w.follows, k); return nil }

func (w *watch) Unfollow(k platform.Key) {
	w.follows = slices.DeleteFunc(w.follows, func(f platform.Key) bool { return f == k })
}

func (w *watch) Close() error { close(w.closed); return nil }

// tell lets something happen.
func (k *kernel) tell(all ...platform.Occurrence) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range all {
		o.At = time.Now()
		k.pending = append(k.pending, o)
	}
	select {
	case k.ready <- struct{}{}:
	default:
	}
}

// told is one event as a test compares it.
type told struct {
	name     string
	at       time.Time
	severity int
	attrs    map[string]any
}

// listener is a Logger that keeps what it is given.
type listener struct {
	noop.Logger
	mu   sync.Mutex
	all  []told
	slow chan struct{} // an event waits for it
}

func (l *listener) Emit(_ context.Context, r log.Record) {
	if l.slow != nil {
		<-l.slow
	}
	t := told{r.EventName(), r.Timestamp(), int(r.Severity()), map[string]any{}}
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		t.attrs[string(kv.Key)] = plain(kv.Value)
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, t)
}

// plain is a value that can be compared: maps become their text.
func plain(v attribute.Value) any {
	switch v.Type() {
	case attribute.MAP, attribute.SLICE:
		return v.String()
	}
	return v.AsInterface()
}

// take returns what was told since the last call.
func (l *listener) take() []told {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

// told are the names of the events that were told since, sorted.
func (l *listener) told() (names []string) {
	for _, t := range l.take() {
		names = append(names, t.name)
	}
	slices.Sort(names)
	return names
}

// bench is an engine with passes over a kernel, and who listens.
type bench struct {
	*kernel
	*Engine
	*listener
	passes *oneshot.Pass
}

func begin(t *testing.T, k *kernel, change func(*Config)) *bench {
	t.Helper()
	b := &bench{kernel: k, listener: &listener{}}
	var backend platform.Backend = k
	if k.tiers != nil || k.silent {
		backend = watching{k}
	}
	c := Config{Logger: b.listener, All: true, Backend: backend, Host: "host-1", Everyone: true, GOOS: "linux"}
	if change != nil {
		change(&c)
	}
	b.Engine = New(c)
	b.passes = oneshot.New(oneshot.Config{Backend: backend, Processes: oneshot.All,
		Want: platform.Want{Fields: platform.Fields(platform.HostUptime, platform.ProcessCPUUser), Texts: platform.Texts(platform.ProcessCommand)}})
	t.Cleanup(func() {
		if err := b.Engine.Close(); err != nil {
			t.Error(err)
		}
		b.passes.Close()
	})
	return b
}

// pass lets a time go by and makes a pass.
func (b *bench) pass(t *testing.T, after time.Duration) {
	time.Sleep(after)
	b.passes.Collect(t.Context(), b.Passed)
}
