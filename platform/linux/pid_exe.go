package linux

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// linkSize holds any target: the kernel builds it in one page (do_proc_readlink
// in fs/proc/base.c), which is at most 64 KiB.
const linkSize = 64 << 10

// readExe reads the path of the program file once per program. A kernel thread
// has none, which is ENOENT.
func (r *reader) readExe(v *visit) error {
	k := r.remember(v)
	if k.exe == nil {
		n, err := r.kernel.ReadLink(v.dir, r.join("exe"), r.link)
		if err != nil {
			return err
		}
		k.exe = append([]byte{}, r.intact(v, r.link[:n])...)
	}
	r.sample.SetText(platform.ProcessExecutable, k.exe)
	return nil
}

// intact returns the path without the mark of a deleted file, which d_path puts
// behind it. A file whose name really ends like that is still there, where the
// process sees it.
func (r *reader) intact(v *visit, path []byte) []byte {
	bare, marked := bytes.CutSuffix(path, []byte(" (deleted)"))
	if !marked {
		return path
	}
	dir, from := r.proc, strconv.FormatUint(v.key.ID, 10)+"/root"
	if v.foreign {
		dir, from = r.self, "root"
	}
	if r.exists(dir, slices.Concat([]byte(from), path, []byte{0})) {
		return path
	}
	return bare
}

// lookup is a question about a file on some file system, which may be one whose
// server never answers. There is one at a time.
type lookup struct {
	answer chan bool
	asked  bool // and not answered yet
}

// exists reports whether a file is there for certain, within the budget. While an
// earlier question waits, nothing is.
func (r *reader) exists(dir int, path []byte) bool {
	l := &r.lookup
	if l.asked {
		select {
		case <-l.answer:
		default:
			return false
		}
	}
	kernel := r.kernel
	l.asked = true
	go func() {
		_, err := kernel.Stat(dir, path)
		l.answer <- err == nil
	}()
	select {
	case there := <-l.answer:
		l.asked = false
		return there
	case <-time.After(r.budget()):
	case <-r.ctx.Done():
	}
	return false
}

func (b *backend) budget() time.Duration {
	if b.options.Budget > 0 {
		return b.options.Budget
	}
	return defaultBudget
}
