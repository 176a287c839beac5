package windows

import (
	"context"
	"io/fs"
	"sync"

	"github.com/pidometer/pidometer/platform"
)

var _ platform.Watcher = (*backend)(nil)

// Places in the list of sources of occurrences.
const (
	byNotice = iota
	byList
	byHandle
)

// Occurrences returns where Windows tells what happens between two passes: changes of
// services by notifications and by the difference of two lists, and the ends of single
// processes by handles that are kept open.
func Occurrences() []platform.OccurrenceSource {
	return []platform.OccurrenceSource{
		byNotice: {Name: "NotifyServiceStatusChange", Tells: platform.KindsOf(platform.ServiceChanged)},
		byList:   {Name: "EnumServicesStatusEx", Tells: platform.KindsOf(platform.ServiceChanged)},
		byHandle: {Name: "ProcessTimes", Needs: limitedRight, Tells: platform.KindsOf(platform.ProcessExited), Followed: true},
	}
}

func (b *backend) Occurrences() []platform.OccurrenceSource { return Occurrences() }

// watch is what a backend listens to.
type watch struct {
	tiers    []platform.Tier
	services *serviceWatch // nil if they are not wanted
	ends     *endWatch     // nil if they are not wanted
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
	if o.Kinds.Has(platform.ServiceChanged) {
		w.services = &serviceWatch{view: view, ready: w.signal}
		w.tiers = w.services.begin()
	}
	if o.Kinds.Has(platform.ProcessExited) {
		w.ends = &endWatch{kernel: b.kernel, word: b.word, all: map[platform.Key]*waited{}}
		w.tiers = append(w.tiers, platform.Tier{Source: Occurrences()[byHandle]})
	}
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

// Wait is woken by services. The end of a process waits for the next Read, as a pass
// makes: nothing is lost, since its handle tells when and how it was.
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

func (w *watch) Read(yield func(*platform.Occurrence)) (err error) {
	select {
	case <-w.closed:
		return fs.ErrClosed
	case <-w.ready:
	default:
	}
	if w.services != nil {
		err = w.services.read(func(c *serviceChange) { yield(c.occurrence()) })
	}
	if w.ends != nil {
		w.ends.read(yield)
	}
	return err
}

func (w *watch) Follow(k platform.Key) error {
	if w.ends == nil {
		return nil
	}
	return w.ends.follow(k)
}

func (w *watch) Unfollow(k platform.Key) {
	if w.ends != nil {
		w.ends.unfollow(k)
	}
}

func (w *watch) Close() (err error) {
	w.once.Do(func() {
		close(w.closed)
		if w.ends != nil {
			w.ends.close()
		}
		if w.services != nil {
			err = w.services.close()
		}
	})
	return err
}
