package simkernel

import (
	"encoding/binary"
	"sync"
)

// Queues are kqueue(2) of a made-up kernel: it writes struct kevent by its declaration, and
// keeps what the kernels keep (kern_event.c of each): a note for each process and queue, in
// which what happens before it is read is gathered.
type Queues struct {
	Kevents           *Struct
	Read, Proc, Timer uint64 // the filters
	// Apart says that a child is told of by a note of its own, as FreeBSD does and NetBSD
	// since 10. Otherwise its beginning and its end may come as one, and only the end's data.
	Apart bool
	// Zombies says that a zombie can be followed, and tells its end at once, as on FreeBSD.
	Zombies bool
	// Status is the note without which an end does not tell how it came, and which is refused
	// for processes that deny it, as on macOS, where processes that are made are not followed
	// either (NOTE_TRACK). 0 elsewhere.
	Status uint64
	// Find tells whether somebody has a PID, and what is peculiar about it.
	Find func(pid uint64) (status uint64, found, zombie, denied bool)
	// FailWith is the errno of a call, nil or 0 for none.
	FailWith func(call string) int

	mu    sync.Mutex
	woken *sync.Cond
	next  int
	notes map[int][]*note // by queue
	Made  map[string]int  // how often each call was made
	Open  int             // queues
}

// note is what a queue knows of a process, another queue or a timer.
type note struct {
	filter, ident    uint64
	wanted, happened uint64
	data             uint64
	once, ready      bool
}

const (
	noteExit     = 0x80000000
	noteFork     = 0x40000000
	noteExec     = 0x20000000
	noteTrack    = 1
	noteTrackErr = 2
	noteChild    = 4
)

// KeventOf declares struct kevent: of 16 or 32 bits for the filter and the flags, and of so
// many more numbers behind.
func KeventOf(wide bool, more string) *Struct {
	if wide {
		return C("kevent", "size ident\nuint32 filter, flags, fflags\nint64 data\npointer udata\n"+more)
	}
	return C("kevent", "size ident\nint16 filter\nuint16 flags\nuint32 fflags\nint64 data\npointer udata\n"+more)
}

func (k *Queues) fails(call string) (bool, int) {
	k.Made[call]++
	if k.FailWith != nil {
		if errno := k.FailWith(call); errno != 0 {
			return true, errno
		}
	}
	return false, 0
}

// Kqueue makes a queue.
func (k *Queues) Kqueue() (int, bool, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.notes == nil {
		k.notes, k.Made, k.woken = map[int][]*note{}, map[string]int{}, sync.NewCond(&k.mu)
	}
	if failed, errno := k.fails("kqueue"); failed {
		return -1, true, errno
	}
	k.next++
	k.Open++
	k.notes[k.next] = []*note{}
	return k.next, false, 0
}

// CloseQueue forgets a queue.
func (k *Queues) CloseQueue(queue int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.notes[queue]; !ok {
		panic("a queue is closed that is not open")
	}
	delete(k.notes, queue)
	k.Open--
}

// Kevent makes changes and hands events over.
func (k *Queues) Kevent(queue int, changes, events []byte, wait bool) (n int, failed bool, errno int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	call := "read"
	if len(changes) > 0 {
		call = "change"
	} else if wait {
		call = "wait"
	}
	if failed, errno := k.fails(call); failed {
		return -1, true, errno
	}
	if _, ok := k.notes[queue]; !ok {
		return -1, true, 9 // EBADF
	}
	for size := k.Kevents.Size; len(changes) >= size; changes = changes[size:] {
		if errno := k.change(queue, changes[:size]); errno != 0 {
			return -1, true, errno
		}
	}
	for {
		if n = k.take(queue, events); n > 0 || !wait {
			return n, false, 0
		}
		k.woken.Wait()
	}
}

// get reads a member.
func (k *Queues) get(b []byte, member string) uint64 {
	m := k.Kevents.At(member)
	switch b = b[m.Offset:]; m.Size {
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

func (k *Queues) change(queue int, b []byte) (errno int) {
	filter, ident, flags := k.get(b, "filter"), k.get(b, "ident"), k.get(b, "flags")
	if flags&2 != 0 { // EV_DELETE
		for i, n := range k.notes[queue] {
			if n.filter == filter && n.ident == ident {
				k.notes[queue] = append(k.notes[queue][:i:i], k.notes[queue][i+1:]...)
				return 0
			}
		}
		return 2 // ENOENT
	}
	n := &note{filter: filter, ident: ident, wanted: k.get(b, "fflags"), once: flags&0x10 != 0}
	switch filter {
	case k.Timer:
		n.ready = true // a millisecond is over at once
		k.woken.Broadcast()
	case k.Proc:
		status, found, zombie, denied := k.Find(ident)
		switch {
		case !found || zombie && !k.Zombies:
			return 3 // ESRCH
		case k.Status != 0 && n.wanted&noteTrack != 0:
			return 45 // ENOTSUP
		case denied && (k.Status == 0 || n.wanted&k.Status != 0):
			return 13 // EACCES
		case zombie:
			n.exit(status, k.Status)
		}
	}
	k.notes[queue] = append(k.notes[queue], n)
	return 0
}

func (n *note) exit(status, note uint64) {
	if note == 0 || n.wanted&note != 0 {
		n.data = status
	}
	n.once, n.ready = true, true
	n.happened |= n.wanted & (noteExit | note)
}

// take hands over what is ready.
func (k *Queues) take(queue int, events []byte) (n int) {
	var left []*note
	for _, note := range k.notes[queue] {
		ready := note.ready
		if note.filter == k.Read {
			ready = k.pending(int(note.ident))
		}
		if !ready || len(events) < k.Kevents.Size {
			left = append(left, note)
			continue
		}
		clear(events[:k.Kevents.Size])
		for member, v := range map[string]uint64{"ident": note.ident, "filter": note.filter, "fflags": note.happened, "data": note.data} {
			k.Kevents.Put(events, member, v)
		}
		events = events[k.Kevents.Size:]
		n++
		if note.ready, note.happened, note.data = false, 0, 0; !note.once {
			left = append(left, note)
		}
	}
	k.notes[queue] = left
	return n
}

func (k *Queues) pending(queue int) bool {
	for _, n := range k.notes[queue] {
		if n.ready {
			return true
		}
	}
	return false
}

// each calls each with the notes of a process.
func (k *Queues) each(pid uint64, each func(queue int, n *note)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for queue, notes := range k.notes {
		for _, n := range notes {
			if n.filter == k.Proc && n.ident == pid && !(n.once && n.ready) {
				each(queue, n)
			}
		}
	}
	if k.woken != nil {
		k.woken.Broadcast()
	}
}

func (n *note) tell(what uint64) {
	if n.happened |= n.wanted & what; n.happened != 0 {
		n.ready = true
	}
}

// Forked tells that a process made another.
func (k *Queues) Forked(parent, child uint64) {
	k.each(parent, func(queue int, n *note) {
		n.tell(noteFork)
		if n.wanted&noteTrack == 0 {
			return
		}
		born := &note{filter: n.filter, ident: child, happened: noteChild, data: parent, ready: true, wanted: n.wanted}
		if k.Apart {
			born.once, born.wanted = true, 0
			k.notes[queue] = append(k.notes[queue], born)
			born = &note{filter: n.filter, ident: child, wanted: n.wanted}
		}
		k.notes[queue] = append(k.notes[queue], born)
	})
}

// Untracked tells that a process made another which could not be followed.
func (k *Queues) Untracked(parent uint64) {
	k.each(parent, func(_ int, n *note) { n.happened, n.ready = n.happened|noteTrackErr, true })
}

// Executed tells that a process runs another program.
func (k *Queues) Executed(pid uint64) {
	k.each(pid, func(_ int, n *note) { n.tell(noteExec) })
}

// Exited tells that a process has ended.
func (k *Queues) Exited(pid, status uint64) {
	k.each(pid, func(_ int, n *note) { n.exit(status, k.Status) })
}
