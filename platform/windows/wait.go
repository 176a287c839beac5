package windows

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// waited is a process whose end is waited for. It has buffers of its own, since passes
// go on meanwhile.
type waited struct {
	kernel  Kernel
	process Handle
	word    int
	buf     []byte
}

// WaitProcess waits until a process has ended and returns what it returned, which
// Windows tells everybody who may open it. The handle keeps the PID from being used
// again, and its time of creation proves whose it is.
func (b *backend) WaitProcess(ctx context.Context, key platform.Key) (platform.Exit, error) {
	if err := ctx.Err(); err != nil {
		return platform.Exit{}, err
	}
	if b.turn.Ended() {
		return platform.Exit{}, fs.ErrClosed
	}
	if key == platform.Self {
		key.ID = b.kernel.Pid()
	}
	h, err := b.kernel.Open(key.ID, processSynchronize|processQueryLimited)
	if err != nil {
		return platform.Exit{}, fmt.Errorf("open process %d: %w", key.ID, err)
	}
	defer b.kernel.Close(h)
	w := &waited{kernel: b.kernel, process: h, word: b.word, buf: make([]byte, 6*8)}
	ended, err := w.hasEnded(key)
	if err == nil && !ended {
		err = w.await(ctx)
	}
	if err != nil {
		return platform.Exit{}, err
	}
	return w.exit()
}

// hasEnded reports whether the process is over already, and proves that it is the one
// that is meant.
func (w *waited) hasEnded(key platform.Key) (bool, error) {
	answer, err := w.ask(classTimes)
	if err != nil {
		return false, named("ProcessTimes", err)
	}
	create, exit, ok := decodeTimes(answer)
	switch {
	case !ok:
		return false, named("ProcessTimes", errContent)
	case key.Start != 0 && create >= unixEpoch && create-unixEpoch != key.Start:
		return false, fmt.Errorf("process %d has ended, and another has its PID: %w", key.ID, os.ErrProcessDone)
	}
	return exit != 0, nil
}

// await waits in a goroutine of its own, which an event wakes when nobody wants to
// know any more.
func (w *waited) await(ctx context.Context) error {
	event, err := w.kernel.Event()
	if err != nil {
		return named("CreateEvent", err)
	}
	defer w.kernel.Close(event)
	over := make(chan error, 1)
	go func() {
		ended, err := w.kernel.Wait(w.process, event)
		if err == nil && !ended {
			err = context.Canceled
		}
		over <- err
	}()
	select {
	case err := <-over:
		return named("WaitForMultipleObjects", err)
	case <-ctx.Done():
	}
	if err := w.kernel.Signal(event); err != nil {
		return named("SetEvent", err)
	}
	<-over
	return ctx.Err()
}

// exit returns what the process returned.
func (w *waited) exit() (platform.Exit, error) {
	answer, err := w.ask(classBasic)
	if err != nil {
		return platform.Exit{}, named("ProcessBasicInformation", err)
	}
	p, ok := decodeBasic(answer, w.word)
	if !ok {
		return platform.Exit{}, named("ProcessBasicInformation", errContent)
	}
	return platform.Exit{Known: true, Code: int64(p.exit)}, nil
}

func (w *waited) ask(class int32) (answer []byte, err error) {
	answer, w.buf, err = layout.Grow(w.buf, func(buf []byte) (int, error) { return w.kernel.Process(w.process, class, buf) })
	return answer, err
}
