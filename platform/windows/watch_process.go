package windows

import (
	"io/fs"
	"sync"

	"github.com/pidometer/pidometer/platform"
)

// endWatch follows single processes, each by a handle, which keeps the PID from being
// used again, and when and how the process ended from being forgotten. It is asked at
// each read: a thread waits for 64 handles at most, so that hundreds of processes would
// take a handful of threads to be told a moment earlier.
type endWatch struct {
	kernel Kernel
	word   int

	mu     sync.Mutex
	closed bool
	all    map[platform.Key]*waited
}

// follow opens a process, and proves that it is the one that is meant.
func (w *endWatch) follow(k platform.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	if w.all[k] != nil {
		return nil
	}
	h, err := w.kernel.Open(k.ID, processSynchronize|processQueryLimited)
	if err != nil {
		return err
	}
	p := &waited{kernel: w.kernel, process: h, word: w.word, buf: make([]byte, 6*8)}
	if _, err := p.hasEnded(k); err != nil {
		w.kernel.Close(h)
		return err
	}
	w.all[k] = p
	return nil
}

func (w *endWatch) unfollow(k platform.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(k)
}

func (w *endWatch) forget(k platform.Key) {
	if p := w.all[k]; p != nil {
		w.kernel.Close(p.process)
		delete(w.all, k)
	}
}

// read tells of those that have ended. One that can't be asked any more is let go: a
// pass will miss it.
func (w *endWatch) read(yield func(*platform.Occurrence)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k, p := range w.all {
		answer, err := p.ask(classTimes)
		if err != nil {
			w.forget(k)
			continue
		}
		_, ended, ok := decodeTimes(answer)
		if !ok || ended == 0 {
			continue
		}
		o := platform.Occurrence{Kind: platform.ProcessExited, Key: k}
		if ended >= unixEpoch {
			o.At = timeOf(ended)
		}
		o.Exit, _ = p.exit() // unknown if it fails
		w.forget(k)
		yield(&o)
	}
}

func (w *endWatch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for k := range w.all {
		w.forget(k)
	}
}
