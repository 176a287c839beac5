package linux

import (
	"os"

	"github.com/pidometer/pidometer/platform"
)

// readFD counts the open files. Since Linux 6.2 the size of the directory is how
// many there are (proc_fd_getattr in fs/proc/fd.c): one call instead of a walk,
// which with 5000 files takes 1.4 us instead of 3.5 ms, and which other users'
// processes do not refuse.
func (r *reader) readFD(v *visit) error {
	if v.stat.state == 'Z' {
		return os.ErrProcessDone // the first thread ended and let go of the files
	}
	if r.sized {
		st, err := r.kernel.Stat(v.dir, r.join("fd"))
		if err != nil {
			return err
		}
		r.sample.Set(platform.ProcessOpenFiles, uint64(st.Size))
		return nil
	}
	n, err := r.countEntries(v.dir)
	if err != nil {
		return err
	}
	r.sample.Set(platform.ProcessOpenFiles, uint64(n))
	return nil
}

// countEntries counts the descriptors in fd under dir by walking over them.
func (b *backend) countEntries(dir int) (int, error) {
	fd, err := b.open(dir, "fd")
	if err != nil {
		return 0, err
	}
	b.numbers, err = b.list(fd, b.numbers[:0])
	b.kernel.Close(fd)
	return len(b.numbers), err
}

// sizesCount asks this process's own directory whether its size is the number of
// its open files. Other goroutines may open and close some meanwhile, so one
// agreement in three is enough.
func (b *backend) sizesCount() bool {
	if b.selfErr != nil {
		return false
	}
	for range 3 {
		st, err := b.kernel.Stat(b.self, b.join("fd"))
		n, listErr := b.countEntries(b.self)
		if err == nil && listErr == nil && int(st.Size) == n-1 { // the walk opened one more
			return true
		}
	}
	return false
}
