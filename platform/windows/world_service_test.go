package windows

import (
	"encoding/binary"
	"io/fs"
	"slices"

	"github.com/pidometer/pidometer/internal/text"
)

// managed is one service of a [world].
type managed struct {
	name, display      []uint16
	path, owner        []uint16
	description        []uint16
	state, pid         uint32
	exit, specific     uint32
	start              uint32
	delayed            bool
	denied             bool // opening it is refused
	gone               bool // it is on the list, and nobody has it any more
	deaf               bool // nobody may follow it
	withoutDescription bool // of a library that is not there
}

// scm is the service control manager of a world.
type scm struct {
	services []managed
	piece    int // how many rows fit into an answer; 0 for all
	stuck    bool
	opened   map[Handle]*managed

	tell     func(ServiceNotice) // nil while nobody listens
	followed map[string]bool
}

func (m *managed) called() string { return string(text.AppendUTF16(nil, units(m.name))) }

// block is a structure of so many bytes whose strings stand behind it.
type block struct {
	b    []byte
	word int
}

func (x *block) str(at int, s []uint16) {
	if s == nil {
		return
	}
	putWord(x.b[at:], x.word, tableBase+uint64(len(x.b)))
	x.b = append(x.b, units(append(slices.Clone(s), 0))...)
}

func (m *managed) status() []byte {
	return put(nil, 0x10, m.state, 0, m.exit, m.specific, 0, 0, m.pid, 0)
}

func (m *managed) config(word int) []byte {
	first := configNumbers + -configNumbers&(word-1)
	x := &block{make([]byte, first+configWords*word), word}
	binary.LittleEndian.PutUint32(x.b[configStart:], m.start)
	x.str(first+configPath*word, m.path)
	x.str(first+configOwner*word, m.owner)
	return x.b
}

func (m *managed) describe(word int) []byte {
	x := &block{make([]byte, word), word}
	x.str(0, m.description)
	return x.b
}

// services are the rows from one on.
func (w *world) services(from int) []byte {
	all := w.scm.rows(from)
	size := 2*w.word + serviceStatus
	size += -size & (w.word - 1)
	x := &block{make([]byte, len(all)*size), w.word}
	for i := range all {
		x.str(i*size, all[i].name)
		x.str(i*size+w.word, all[i].display)
		copy(x.b[i*size+2*w.word:], all[i].status())
	}
	return x.b
}

func (s *scm) rows(from int) []managed {
	all := s.services[min(from, len(s.services)):]
	if s.piece > 0 {
		all = all[:min(s.piece, len(all))]
	}
	return all
}

func (w *world) Services(from uint32, buf []byte) (n, count int, next uint32, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Services"); err != nil {
		return 0, 0, 0, err
	}
	count = len(w.scm.rows(int(from)))
	if next = from + uint32(count); int(next) == len(w.scm.services) {
		next = 0
	}
	if w.scm.stuck {
		next = 1
	}
	n, err = answer(buf, w.services(int(from)))
	return n, count, next, err
}

func (w *world) OpenService(name []uint16) (Handle, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("OpenService"); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(w.scm.services, func(m managed) bool { return slices.Equal(m.name, name) })
	switch {
	case i < 0 || w.scm.services[i].gone:
		return 0, fs.ErrNotExist
	case w.scm.services[i].denied:
		return 0, errRefused
	}
	w.last += 4
	if w.scm.opened == nil {
		w.scm.opened = map[Handle]*managed{}
	}
	w.scm.opened[w.last] = &w.scm.services[i]
	return w.last, nil
}

func (w *world) CloseService(h Handle) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.scm.opened, h)
	return nil
}

func (w *world) ServiceConfig(h Handle, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("ServiceConfig"); err != nil {
		return 0, err
	}
	return answer(buf, w.scm.opened[h].config(w.word))
}

func (w *world) ServiceConfig2(h Handle, level uint32, buf []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.scm.opened[h]
	if level == serviceDelayed {
		delayed := uint32(0)
		if m.delayed {
			delayed = 1
		}
		n, err := answer(buf, put(nil, delayed))
		if failed := w.call("Delayed"); failed != nil {
			err = failed
		}
		return n, err
	}
	if err := w.call("Description"); err != nil || m.withoutDescription {
		return 0, err
	}
	return answer(buf, m.describe(w.word))
}

// listening is the world as it hands over notifications.
type listening struct{ *world }

func (w *world) Notify(tell func(ServiceNotice)) (ServiceNotices, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call("Notify"); err != nil {
		return nil, err
	}
	w.scm.tell, w.scm.followed = tell, map[string]bool{}
	return listening{w}, nil
}

func (l listening) Follow(name []uint16) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.call("Follow"); err != nil {
		return err
	}
	i := slices.IndexFunc(l.scm.services, func(m managed) bool { return slices.Equal(m.name, name) })
	if i < 0 || l.scm.services[i].deaf {
		return errRefused
	}
	l.scm.followed[l.scm.services[i].called()] = true
	l.scm.send(&l.scm.services[i])
	return nil
}

func (l listening) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scm.tell = nil
	return l.call("CloseNotify")
}

// send tells of a service that is followed.
func (s *scm) send(m *managed) {
	if s.tell != nil && s.followed[m.called()] {
		s.tell(ServiceNotice{Name: m.called(), Status: m.status()})
	}
}

// become lets a service be in another state. Who follows it is told unless it is quiet.
func (w *world) become(i int, state, pid uint32, quiet bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &w.scm.services[i]
	if m.state, m.pid = state, pid; !quiet {
		w.scm.send(m)
	}
}
