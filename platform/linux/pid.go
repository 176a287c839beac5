package linux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pidometer/pidometer/platform"
)

// errContent says that a file does not read as its manual says.
var errContent = errors.New("unexpected content")

// visit is one process while it is read.
//
// Everything but a plan of stat alone is read under one handle of /proc/[pid]:
// the handle of a process that has ended gives ESRCH (proc_pid_permission in
// fs/proc/base.c) and never names the next process with the same PID, seen on
// Linux 6.18. So nothing has to be read twice to prove that a sample is of one
// process.
type visit struct {
	key     platform.Key // Start is 0 until it is known, if anybody will do
	foreign bool         // this process, seen from under another root
	dir     int          // handle of /proc/[pid]
	set     platform.SourceSet
	sink    platform.Sink

	stat       processStat
	status     processStatus
	statusErr  error
	statusRead bool
	cgroupErr  error
	cgroupRead bool
}

// begin prepares the visit of a process.
func (r *reader) begin(key platform.Key, set platform.SourceSet, sink platform.Sink) *visit {
	v := &r.pass.visit
	v.key, v.foreign, v.dir, v.set, v.sink = key, false, -1, set, sink
	v.statusRead, v.cgroupRead = false, false
	return v
}

// readProcesses visits every process.
func (r *reader) readProcesses(set platform.SourceSet, sink platform.Sink) (more bool, err error) {
	if set == 0 {
		return true, nil
	}
	if err := r.listProcesses(); err != nil {
		return true, fmt.Errorf("list processes: %w", err)
	}
	for _, pid := range r.pids {
		if err := r.ctx.Err(); err != nil {
			return false, err
		}
		if more, _ := r.look(r.begin(platform.Key{ID: pid}, set, sink)); !more {
			return false, nil
		}
	}
	r.pass.walked = true
	return true, nil
}

func (r *reader) listProcesses() error {
	fd, err := r.open(r.proc, ".")
	if err != nil {
		return err
	}
	r.pids, err = r.list(fd, r.pids[:0])
	r.kernel.Close(fd)
	return err
}

// readProcess visits one process.
func (r *reader) readProcess(key platform.Key, set platform.SourceSet, sink platform.Sink) error {
	switch {
	case set == 0:
		return nil
	case key == platform.Self:
		return r.lookSelf(set, sink)
	}
	_, err := r.look(r.begin(key, set, sink))
	return err
}

// lookSelf reads the calling process through the true /proc.
func (r *reader) lookSelf(set platform.SourceSet, sink platform.Sink) error {
	if r.selfErr != nil {
		return fmt.Errorf("open /proc/self: %w", r.selfErr)
	}
	v := r.begin(platform.Key{ID: uint64(r.kernel.Pid())}, set, sink)
	v.foreign = r.options.moved()
	_, err := r.lookInto(v, r.self)
	return err
}

// look reads a process by its PID.
func (r *reader) look(v *visit) (more bool, err error) {
	if v.set == statAlone {
		return r.identify(v, r.proc, r.joinNumber(v.key.ID, "/stat"))
	}
	dir, err := r.kernel.OpenDir(r.proc, r.joinNumber(v.key.ID, ""))
	if err != nil {
		return true, r.lost(v, err)
	}
	more, err = r.lookInto(v, dir)
	r.kernel.Close(dir)
	return more, err
}

// lookInto reads a process under its handle.
func (r *reader) lookInto(v *visit, dir int) (more bool, err error) {
	v.dir = dir
	return r.identify(v, dir, r.join("stat"))
}

// identify reads stat, which tells who the process is, and then the rest.
func (r *reader) identify(v *visit, dir int, stat []byte) (more bool, err error) {
	b, err := r.once(dir, stat)
	if err != nil {
		return true, r.lost(v, err)
	}
	if !decodePidStat(b, &v.stat) {
		return true, r.lost(v, errContent)
	}
	if v.stat.dead() {
		return true, r.lost(v, os.ErrProcessDone)
	}
	start := v.stat.columns[statStart]
	if v.stat.thread() || v.key.Start != 0 && v.key.Start != start {
		return true, os.ErrProcessDone
	}
	v.key.Start = start
	r.comm = append(r.comm[:0], v.stat.comm...)
	r.touch(v)
	return r.tell(v), nil
}

// lost reports a process of which not even stat could be read.
func (r *reader) lost(v *visit, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = os.ErrProcessDone
	}
	why := reasonOf(err)
	r.keepOrDrop(v, why)
	v.sink.Miss(pidStat, why)
	return err
}

// tell makes the sample and hands it over.
func (r *reader) tell(v *visit) (more bool) {
	r.sample.Reset(platform.Process, v.key)
	if v.set.Has(pidStat) {
		r.setStat(v)
	}
	for i := range (v.set &^ statAlone).All() {
		if err := r.readSource(v, i); err != nil {
			v.sink.Miss(i, r.why(v, err))
		}
	}
	return v.sink.Sample(&r.sample)
}

// readSource reads one source behind stat. A process that has ended and waits for
// its parent owns nothing any more: its files are gone or hold zeros.
func (r *reader) readSource(v *visit, i int) error {
	if v.stat.ended() {
		return os.ErrProcessDone
	}
	return pidReads[i](r, v)
}

// why tells a process that ended in the middle from a file that this kernel was
// built without: both are ENOENT.
func (r *reader) why(v *visit, err error) platform.Reason {
	if !errors.Is(err, fs.ErrNotExist) {
		return reasonOf(err)
	}
	if _, err := r.kernel.Stat(v.dir, r.join("stat")); err != nil {
		return platform.Gone
	}
	return platform.Unsupported
}

func reasonOf(err error) platform.Reason {
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return platform.Gone
	case errors.Is(err, fs.ErrPermission):
		return platform.Denied
	case errors.Is(err, errors.ErrUnsupported):
		return platform.Unsupported
	case errors.Is(err, os.ErrDeadlineExceeded):
		return platform.Stuck
	case errors.Is(err, errSkipped):
		return platform.Skipped
	}
	return platform.Unknown
}
