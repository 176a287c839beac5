package windows

import (
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// serviceWatch hears of changes by notifications, which tell short states too, and
// compares the list whenever it is read: that finds new services, and the changes of
// those that may not be followed. Nothing is read between two reads.
type serviceWatch struct {
	view    *inspection
	notices ServiceNotices // nil where there are none
	ready   func()

	mu      sync.Mutex // of reads and the end
	closed  bool
	known   map[string]*knownService
	listed  uint64 // the last list, in nanoseconds since the boot
	refusal error  // why a service is not followed: the first of these

	queue   sync.Mutex // never held while notices are asked for anything
	pending []toldService
}

// toldService is a notification that waits to be read.
type toldService struct {
	name string
	status
	err error
	at  time.Time
}

// knownService is what was told of a service last.
type knownService struct {
	display  string
	last     status
	followed bool
	refused  bool // it may not be followed
	// suspect says that the last list differs from what was told of a service that is
	// followed: its notification is on the way, or else it never comes.
	suspect bool
}

// listPause is the least time between two lists: reads may come many times a second.
const listPause = uint64(time.Second)

// begin reads the list that all changes are told against, and follows what is on it.
func (w *serviceWatch) begin() []platform.Tier {
	sources := Occurrences()
	notice, list := platform.Tier{Source: sources[byNotice]}, platform.Tier{Source: sources[byList]}
	notices, err := w.view.kernel.Notify(w.told)
	if err == nil {
		w.notices = notices
	}
	list.Err = named(list.Source.Name, w.list(func(*serviceChange) {}))
	if err == nil && !w.follows() {
		err = errors.Join(list.Err, w.refusal)
	}
	notice.Err = named(notice.Source.Name, err)
	return []platform.Tier{notice, list}
}

// follows reports whether any service is followed, or could be as soon as there is one.
func (w *serviceWatch) follows() bool {
	for _, k := range w.known {
		if k.followed {
			return true
		}
	}
	return w.refusal == nil && w.known != nil
}

// told takes a notification, on a thread of the kernel's.
func (w *serviceWatch) told(n ServiceNotice) {
	t := toldService{name: n.Name, err: n.Err, at: time.Now()}
	if t.err == nil {
		var ok bool
		if t.status, ok = decodeServiceStatus(n.Status); !ok {
			return
		}
	}
	w.queue.Lock()
	w.pending = append(w.pending, t)
	w.queue.Unlock()
	w.ready()
}

// read hands over what was told, and then what the list shows beyond that.
func (w *serviceWatch) read(yield func(*serviceChange)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	w.drain(yield)
	if _, now := w.view.kernel.Clocks(); now-w.listed < listPause {
		return nil
	}
	return named("EnumServicesStatusEx", w.list(yield))
}

func (w *serviceWatch) drain(yield func(*serviceChange)) {
	w.queue.Lock()
	pending := w.pending
	w.pending = nil
	w.queue.Unlock()
	for i := range pending {
		t := &pending[i]
		k := w.known[t.name]
		switch {
		case k == nil:
		case t.err != nil:
			k.followed, k.refused = false, isRefused(t.err)
		default:
			k.suspect = false
			k.change(t.name, t.status, t.at, yield)
		}
	}
}

// change tells of another state, and of another process where a stop in between was
// not seen.
func (k *knownService) change(name string, now status, at time.Time, yield func(*serviceChange)) {
	before := k.last
	if k.last = now; k.last.state != before.state || now.pid != 0 && before.pid != 0 && now.pid != before.pid {
		yield(&serviceChange{name: name, display: k.display, before: before.state, status: now, at: at})
	}
}

// list compares all services with what was told of them.
func (w *serviceWatch) list(yield func(*serviceChange)) error {
	first := w.known == nil
	known := map[string]*knownService{}
	err := w.view.services(func(s *service) bool {
		name := string(text.AppendUTF16(nil, s.name))
		if name == "" {
			return true
		}
		k := w.known[name]
		if k == nil {
			k = &knownService{last: status{state: platform.ServiceIsStopped}}
			if first {
				k.last = s.status
			}
		}
		k.display = string(text.AppendUTF16(nil, s.display))
		k.compare(name, s.status, yield)
		known[name] = k
		w.follow(k, s)
		return true
	})
	if err != nil {
		return err
	}
	w.known = known // without those that were deleted
	_, w.listed = w.view.kernel.Clocks()
	return nil
}

// compare holds a row of the list against what was told. Of a service that is followed
// it waits for a second list that differs, since the notification knows more.
func (k *knownService) compare(name string, now status, yield func(*serviceChange)) {
	differs := now.state != k.last.state
	if differs && k.followed && !k.suspect {
		k.suspect = true
		return
	}
	k.suspect = false
	k.change(name, now, time.Time{}, yield)
}

// follow asks for notifications of a service, once.
func (w *serviceWatch) follow(k *knownService, s *service) {
	if w.notices == nil || k.followed || k.refused {
		return
	}
	if err := w.notices.Follow(unitsOf(s.name)); err != nil {
		k.refused = isRefused(err)
		if w.refusal == nil {
			w.refusal = err
		}
		return
	}
	k.followed = true
}

// isRefused reports whether an error is the answer for one service, and for good.
func isRefused(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)
}

func (w *serviceWatch) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.notices == nil {
		return nil
	}
	return named("NotifyServiceStatusChange", w.notices.Close())
}
