package linux

import (
	"strconv"

	"github.com/pidometer/pidometer/internal/text"
)

// The processes that a watch looks at are few, and not those of the pass that may be
// going on: it has its own buffers.

// join puts a path together.
func (w *watch) join(parts ...string) []byte {
	w.path = w.path[:0]
	for _, p := range parts {
		w.path = append(w.path, p...)
	}
	w.path = append(w.path, 0)
	return w.path
}

// file returns the beginning of a file under a folder, as much as one read gives.
func (w *watch) file(dir int, buf []byte, parts ...string) ([]byte, error) {
	w.join(parts...)
	return w.joined(dir, buf)
}

// joined is file for the path that was put together last.
func (w *watch) joined(dir int, buf []byte) ([]byte, error) {
	fd, err := w.kernel.Open(dir, w.path)
	if err != nil {
		return nil, err
	}
	n, err := w.kernel.Read(fd, buf)
	w.kernel.Close(fd)
	return buf[:max(n, 0)], err
}

// whole returns a file under the root up to its end, or as much as there is room for.
func (w *watch) whole(buf []byte, path string) ([]byte, error) {
	fd, err := w.kernel.Open(w.backend.root, w.join(path))
	if err != nil {
		return nil, err
	}
	defer w.kernel.Close(fd)
	for at := 0; ; {
		n, err := w.kernel.Read(fd, buf[at:])
		if err != nil {
			return nil, err
		}
		if at += n; n == 0 || at == len(buf) {
			return buf[:at], nil
		}
	}
}

// statRoom is more than a stat takes: 52 numbers of at most 20 digits, and a name.
const statRoom = 2048

// statOf reads the stat of a process; not ok if it is gone.
func (w *watch) statOf(pid uint64) (ok bool) {
	w.path = append(strconv.AppendUint(w.path[:0], pid, 10), "/stat\x00"...)
	b, err := w.joined(w.backend.proc, w.statBuf[:])
	return err == nil && decodePidStat(b, &w.stat)
}

// startOf returns when a process started that is called so; 0 if it is gone, and
// another has the PID. Without a name it returns the start of whoever has it.
func (w *watch) startOf(pid uint64, command []byte) uint64 {
	if !w.statOf(pid) || command != nil && string(command) != string(w.stat.comm) {
		return 0
	}
	return w.stat.columns[statStart]
}

// groupRoom is more than the groups of a process take. A path has 4096 bytes at most.
const groupRoom = 16 << 10

// groupOf returns the control group of a process: that of the controller of memory, or
// of the one tree of version 2. The path is lent until the next read.
func (w *watch) groupOf(pid uint64) []byte {
	b, err := w.file(w.backend.proc, w.groupBuf[:], strconv.FormatUint(pid, 10), "/cgroup")
	if err != nil || !decodePidCgroup(b, &w.groups) {
		return nil
	}
	if group := w.groups[ofMemory]; group != nil {
		return group
	}
	return w.groups[unified]
}

// initialPID is the inode of the first PID namespace (PROC_PID_INIT_INO in
// include/linux/proc_ns.h).
const initialPID = "pid:[4026531836]"

// initialPIDs reports whether the PIDs of the view are those that the kernel itself
// uses, as in its log. There the process 2 makes the threads of the kernel (kthreadd),
// which are in no other PID namespace. Where it is hidden, as by hidepid=2, the
// namespace of the calling process tells it of this machine's own view.
func (w *watch) initialPIDs() bool {
	if w.statOf(2) {
		return w.stat.ofKernel()
	}
	if w.backend.options.Root != "/" {
		return false
	}
	n, err := w.kernel.ReadLink(w.backend.proc, w.join("self/ns/pid"), w.buf)
	return err == nil && string(text.Trim(w.buf[:n])) == initialPID
}
