package events

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"go.opentelemetry.io/otel/log"

	"github.com/pidometer/pidometer/internal/oneshot"
	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// Config is what to tell of, and to whom.
type Config struct {
	Logger  log.Logger
	All     bool // process.start, process.exit and pressure too
	Backend platform.Backend
	// Deaf leaves what the kernel tells out: the backend looks at another one. Rooted
	// says that the backend's PIDs may be those of another namespace.
	Deaf, Rooted bool
	Host         string // the host.id; "" is unknown
	// WithoutHost leaves out what is of the host: services, kills and pressure.
	WithoutHost bool
	// Everyone says that the passes see all processes of the host. Otherwise what the
	// kernel tells of processes is left out: it knows nothing of filters.
	Everyone bool
	Interval time.Duration // from one entity.state of a process to the next; 0 means DefaultInterval
	GOOS     string        // names the signals
	// Restarted yields the counters that began anew in a pass.
	Restarted func(*oneshot.Pass, func(Restart))
	Now       func() time.Time // nil means time.Now
}

// DefaultInterval is the time between two entity.state of a process.
const DefaultInterval = 10 * time.Minute

const (
	// eager and lazy are how long records gather in the kernel before they are read:
	// each read is a wake-up. An unprivileged socket holds some 500 of them, which 5,000
	// in a second fill in 100 ms.
	eager = 25 * time.Millisecond
	lazy  = time.Second
	// patience is how long a pass waits until its events are handed over, so that a
	// flush behind it takes them along.
	patience = 50 * time.Millisecond
)

// Engine makes events of passes and of what the kernel tells. It is safe for
// concurrent use.
type Engine struct {
	config Config
	boot   platform.Boot
	out    *outbox
	watch  platform.Watch // nil where there is none
	tiers  []platform.Tier
	told   platform.OccurrenceKindSet // what the kernel tells of every process
	follow bool                       // it tells of those that it is asked for
	gather time.Duration

	cancel context.CancelFunc
	ended  sync.WaitGroup
	once   sync.Once
	closed error

	mu       sync.Mutex
	lives    map[uint64]*life // by PID: who had it last
	schedule schedule
	moments  []moment // of this read, in their order, and not told yet
	accounts accounts // of this read
	vanished []*life  // since the last pass, and their ends not told
	records  []record // of ends, for the next pass
	clock    clock
	passes   int
	lossy    int       // processes that were told of before so many passes may have ended unheard; 0 for none
	passed   time.Time // the last pass
	wakeups  uint64
	overruns uint64
	followed int

	reading reading
}

// New begins to listen, as far as the backend and this system's rights allow. What
// can't be listened to is left to the passes, and told by Tiers.
func New(c Config) *Engine {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Interval <= 0 {
		c.Interval = DefaultInterval
	}
	e := &Engine{config: c, boot: c.Backend.Boot(), out: newOutbox(c.Logger, c.Now), lives: map[uint64]*life{}, gather: lazy}
	e.schedule.interval = c.Interval
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.ended.Go(e.out.run)
	if e.listen(ctx); e.watch != nil {
		e.ended.Go(func() { e.wait(ctx) })
	}
	return e
}

// listen opens the watch.
func (e *Engine) listen(ctx context.Context) {
	w, ok := e.config.Backend.(platform.Watcher)
	if !ok || e.config.Deaf {
		return
	}
	watch, err := w.Watch(ctx, platform.WatchOptions{Kinds: e.wanted()})
	if err != nil {
		for _, s := range w.Occurrences() {
			e.tiers = append(e.tiers, platform.Tier{Source: s, Err: err})
		}
		return
	}
	e.watch, e.tiers = watch, watch.Tiers()
	for _, t := range e.tiers {
		switch {
		case t.Err != nil || t.Spared:
		case t.Source.Followed:
			e.follow = e.follow || t.Source.Tells.Has(platform.ProcessExited)
		default:
			e.told |= t.Source.Tells & e.wanted()
		}
	}
	e.follow = e.follow && !e.told.Has(platform.ProcessExited) && !e.config.Rooted
	if e.told.Has(platform.ProcessStarted) {
		e.gather = eager
	}
}

// wanted is what is worth listening to.
func (e *Engine) wanted() platform.OccurrenceKindSet {
	var kinds platform.OccurrenceKindSet
	if !e.config.WithoutHost {
		kinds |= platform.KindsOf(platform.ServiceChanged, platform.ProcessOOMKilled)
	}
	if e.config.All && !e.config.WithoutHost {
		kinds |= platform.KindsOf(platform.PressureCrossed)
	}
	if e.config.Everyone {
		kinds |= platform.KindsOf(platform.ProcessAccounted)
	}
	if e.config.All && e.config.Everyone {
		kinds |= platform.KindsOf(platform.ProcessStarted, platform.ProcessExecuted, platform.ProcessExited)
	}
	return kinds
}

// wait reads whenever there is something, and not before some of it has gathered.
func (e *Engine) wait(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for e.watch.Wait(ctx) == nil {
		timer.Reset(e.gather)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		e.mu.Lock()
		e.wakeups++
		e.read()
		e.mu.Unlock()
	}
}

// read takes what the kernel has told since.
func (e *Engine) read() {
	if e.watch == nil {
		return
	}
	if err := e.watch.Read(e.happened); err != nil && !errors.Is(err, fs.ErrClosed) {
		e.lost(1)
	}
	e.announce()
}

// lost notes that records are missing: the next pass tells what has become of the
// processes, and the parents' counters what they used.
func (e *Engine) lost(n uint64) {
	e.overruns += n
	e.lossy = e.passes + 1
}

// Tiers returns what is listened to, and why not to the rest.
func (e *Engine) Tiers() []platform.Tier { return e.tiers }

// Close ends the listening and hands over what waits.
func (e *Engine) Close() error {
	e.once.Do(func() {
		e.cancel()
		if e.watch != nil {
			e.closed = e.watch.Close()
		}
		e.out.flushExcess()
		e.out.settle(time.Second)
		e.out.close()
	})
	return e.closed
}

// Stats is what became of events.
type Stats struct {
	Emitted, Limited map[string]uint64 // by name
	Wakeups          uint64            // reads outside of passes
	Overruns         uint64            // times that the kernel dropped what nobody read in time
}

// Stats returns what became of events so far.
func (e *Engine) Stats() Stats {
	var s Stats
	s.Emitted, s.Limited = e.out.counts()
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Wakeups, s.Overruns = e.wakeups, e.overruns
	return s
}

// put sends an event.
func (e *Engine) put(name string, at time.Time, failed bool, i item) {
	event, _ := semconv.EventNamed(name)
	i.event, i.at, i.severity = name, at, event.Severity
	if failed && event.Failed != 0 {
		i.severity = event.Failed
	}
	if at.IsZero() {
		i.at = e.config.Now()
	}
	e.out.put(i)
}
