package windows

import (
	"context"
	"io/fs"
	"sync"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Places in the list of sources of occurrences.
const (
	byNotice = iota
	byList
)

func occurrenceSources() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{
		byNotice: {Name: "NotifyServiceStatusChange", Tells: platform.KindsOf(platform.ServiceChanged)},
		byList:   {Name: "EnumServicesStatusEx", Tells: platform.KindsOf(platform.ServiceChanged)},
	}
}

// Occurrences returns where changes are heard of: notifications, and the difference of
// two lists.
func (b *backend) Occurrences() []platform.OccurrenceSource { return Occurrences() }

// Occurrences returns what a Windows kernel can be listened to for, the best source of a
// kind first.
func Occurrences() []platform.OccurrenceSource { return occurrenceSources() }

// watch is what a backend listens to.
type watch struct {
	tiers    []platform.Tier
	services *serviceWatch // nil if they are not wanted
	ready    chan struct{} // full while there is something to read
	closed   chan struct{}
	once     sync.Once
}

// Watch begins to listen.
func (b *backend) Watch(ctx context.Context, o platform.WatchOptions) (platform.Watch, error) {
	view, err := b.inspect(ctx)
	if err != nil {
		return nil, err
	}
	w := &watch{ready: make(chan struct{}, 1), closed: make(chan struct{})}
	if !o.Kinds.Has(platform.ServiceChanged) {
		return w, nil
	}
	w.services = &serviceWatch{view: view, ready: w.signal}
	w.tiers = w.services.begin()
	return w, nil
}

// signal lets a Wait return.
func (w *watch) signal() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *watch) Tiers() []platform.Tier { return w.tiers }

func (w *watch) Wait(ctx context.Context) error {
	select {
	case <-w.closed:
		return fs.ErrClosed
	default:
	}
	select {
	case <-w.ready:
		return nil
	case <-w.closed:
		return fs.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *watch) Read(yield func(*platform.Occurrence)) error {
	select {
	case <-w.closed:
		return fs.ErrClosed
	case <-w.ready:
	default:
	}
	if w.services == nil {
		return nil
	}
	return w.services.read(func(c *serviceChange) { yield(c.occurrence()) })
}

// Follow is not needed: nothing that is listened to tells of single processes.
func (w *watch) Follow(platform.Key) error { return nil }

// Unfollow takes that back.
func (w *watch) Unfollow(platform.Key) {}

func (w *watch) Close() (err error) {
	w.once.Do(func() {
		close(w.closed)
		if w.services != nil {
			err = w.services.close()
		}
	})
	return err
}

// errorSpecific is ERROR_SERVICE_SPECIFIC_ERROR: the service has a code of its own. And
// errorNeverStarted is ERROR_SERVICE_NEVER_STARTED: it has none (winerror.h).
const (
	errorSpecific     = 1066
	errorNeverStarted = 1077
)

// serviceChange is one change of a service.
type serviceChange struct {
	name, display string
	before        platform.ServiceState // unknown for a service that is new
	status
	at time.Time // when it was told; zero if a list tells it
}

// occurrence is the change as every backend tells it. What a service returned is known
// once it has stopped: its own code where it has one, else the error of Windows.
func (c *serviceChange) occurrence() *platform.Occurrence {
	o := &platform.Occurrence{Kind: platform.ServiceChanged, At: c.at, Key: platform.Key{ID: c.pid, Name: c.name},
		State: []byte(c.state.String()), Title: []byte(c.display)}
	if c.before != platform.ServiceIsUnknown {
		o.Before = []byte(c.before.String())
	}
	if c.state == platform.ServiceIsStopped && c.exit != errorNeverStarted {
		o.Exit = platform.Exit{Known: true, Code: int64(c.exit)}
		if c.exit == errorSpecific {
			o.Exit.Code = int64(c.specific)
		}
	}
	return o
}
