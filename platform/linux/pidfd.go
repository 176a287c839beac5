package linux

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Offsets in struct pidfd_info (include/uapi/linux/pidfd.h), of which the first version
// (Linux 6.13) had this size.
const (
	infoMask     = 0  // 8 bytes: what is wanted, and what is told
	infoExitCode = 60 // since Linux 6.15
	infoSize     = 64

	infoExit = 1 << 3 // PIDFD_INFO_EXIT: only of a process that was waited for
)

// pidfdOccurrences are the ends of single processes.
var pidfdOccurrences = platform.OccurrenceSource{
	Name: "pidfd", Needs: "Linux 5.3; for the status of processes that are no children Linux 6.15",
	Tells: platform.KindsOf(platform.ProcessExited), Followed: true,
}

// pidfds follows single processes, each by a descriptor.
type pidfds struct {
	*watch
	calls LifeListener
	open  map[uint64]*followed
}

// followed is a process by its descriptor, which never stands for another one.
type followed struct {
	*pidfds
	key platform.Key
	fd  int
}

// openPidfds finds out whether there is such a thing.
func openPidfds(w *watch) (listener, error) {
	calls, err := w.lives()
	if err != nil {
		return nil, err
	}
	fd, err := calls.OpenProcess(uint64(calls.Pid()))
	if err != nil {
		return nil, fmt.Errorf("pidfd_open: %w", err)
	}
	calls.Close(fd)
	w.pidfds = &pidfds{w, calls, map[uint64]*followed{}}
	return w.pidfds, nil
}

// Follow opens a process, and makes sure that it is the one that was meant.
func (w *watch) Follow(k platform.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pidfds
	if w.closed || p == nil || p.open[k.ID] != nil {
		return nil
	}
	fd, err := w.backend.details.openProcess(p.calls, k)
	if err != nil {
		return err
	}
	f := &followed{p, k, fd}
	return p.begin(f)
}

// begin listens to the end of a process. It is told when all threads have ended, and
// again when the parent took note: a zombie that nobody waits for would wake for ever
// otherwise.
func (p *pidfds) begin(f *followed) error {
	if err := p.listen(f.fd, Edge, f); err != nil {
		p.calls.Close(f.fd)
		return err
	}
	p.open[f.key.ID] = f
	return nil
}

// mostAwaited bounds the descriptors of processes that nobody asked for.
const mostAwaited = 64

// await follows whoever has a PID now. Where that fails, a pass tells of the end.
func (p *pidfds) await(pid uint64) {
	if p.open[pid] != nil || len(p.open) >= mostAwaited {
		return
	}
	if fd, err := p.calls.OpenProcess(pid); err == nil {
		_ = p.begin(&followed{p, platform.Key{ID: pid}, fd})
	}
}

// leave forgets whoever had a PID.
func (p *pidfds) leave(pid uint64) {
	if f := p.open[pid]; f != nil {
		f.close()
	}
}

func (w *watch) Unfollow(k platform.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pidfds == nil {
		return
	}
	if f := w.pidfds.open[k.ID]; f != nil && f.key == k {
		f.close()
	}
}

// drain is called for each process by itself.
func (p *pidfds) drain(bool, func(*platform.Occurrence)) error { return nil }

func (p *pidfds) close() {
	for _, f := range p.open {
		f.close()
	}
	if p.watch.pidfds == p {
		p.watch.pidfds = nil
	}
}

func (f *followed) drain(_ bool, yield func(*platform.Occurrence)) error {
	if f.open[f.key.ID] != f {
		return nil // it was let go of since it became ready
	}
	exit, ended := status(f.calls, f.fd)
	if ended {
		f.close()
		yield(&platform.Occurrence{Kind: platform.ProcessExited, Key: f.key, At: time.Now(), Exit: exit})
	}
	return nil
}

func (f *followed) close() {
	f.calls.Close(f.fd)
	delete(f.open, f.key.ID)
}

// status tells whether a process has ended and was waited for, and how.
func status(calls LifeListener, fd int) (exit platform.Exit, ended bool) {
	var buf [infoSize]byte
	binary.NativeEndian.PutUint64(buf[infoMask:], infoExit)
	switch err := calls.ProcessInfo(fd, buf[:]); {
	case errors.Is(err, os.ErrProcessDone), errors.Is(err, errors.ErrUnsupported):
		return exit, true // a kernel that does not tell
	case err != nil:
		return exit, false
	}
	return decodeProcessInfo(buf[:])
}

// decodeProcessInfo reads the exit of a process, if it is told.
func decodeProcessInfo(b []byte) (exit platform.Exit, ended bool) {
	if len(b) < infoSize || binary.NativeEndian.Uint64(b[infoMask:])&infoExit == 0 {
		return exit, false
	}
	return exitStatus(uint32(word(b, infoExitCode))), true
}

// openProcess opens a process by its identity: between finding and opening it another
// may have got the PID, so its start is looked at again.
func (d *details) openProcess(calls LifeListener, k platform.Key) (int, error) {
	fd, err := calls.OpenProcess(k.ID)
	if err != nil {
		return -1, err
	}
	p := d.open(context.Background())
	p.key = k
	err = p.find()
	p.Close()
	if err != nil {
		calls.Close(fd)
		return -1, err
	}
	return fd, nil
}

// reaping is how long a process that has ended may wait for its parent before it is
// told of without its status.
const reaping = time.Second

// WaitProcess waits through a pidfd, without a thread. The status of a child of this
// process is read, and left to whoever waits for it; that of another is told once its
// parent took note, since Linux 6.15. A kernel before 5.3 has no pidfd: then /proc is
// asked ten times in a second.
func (b *backend) WaitProcess(ctx context.Context, k platform.Key) (platform.Exit, error) {
	calls, ok := b.kernel.(LifeListener)
	if !ok {
		return platform.Exit{}, fmt.Errorf("a kernel that is recorded has nobody to wait for: %w", errors.ErrUnsupported)
	}
	fd, err := b.details.openProcess(calls, k)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return platform.Exit{}, b.pollProcess(ctx, k)
	case err != nil:
		return platform.Exit{}, fmt.Errorf("wait for process %d: %w", k.ID, err)
	}
	defer calls.Close(fd)
	if err := calls.Await(ctx, fd, false); err != nil {
		return platform.Exit{}, err
	}
	if exit, ended, err := calls.ChildStatus(fd); err == nil && ended {
		return exit, nil
	}
	if exit, ended := status(calls, fd); ended {
		return exit, nil
	}
	limited, cancel := context.WithTimeout(ctx, reaping)
	defer cancel()
	if err := calls.Await(limited, fd, true); err != nil {
		return platform.Exit{}, ctx.Err() // a zombie has ended
	}
	exit, _ := status(calls, fd)
	return exit, nil
}

// pollProcess looks until a process is gone, or a zombie.
func (b *backend) pollProcess(ctx context.Context, k platform.Key) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		p, err := b.Inspect(ctx, k)
		switch {
		case errors.Is(err, os.ErrProcessDone):
			return nil
		case err != nil:
			return err
		}
		id, err := p.Identity()
		k = p.Key()
		p.Close()
		if err == nil && id.Letter == 'Z' || errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
