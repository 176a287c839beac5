package linux

import (
	"bytes"

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
		k.exe = append([]byte{}, r.intact(v.dir, r.link[:n])...)
	}
	r.sample.SetText(platform.ProcessExecutable, k.exe)
	return nil
}

var deleted = []byte(" (deleted)")

// intact returns the path without the mark of a deleted file, which d_path puts
// behind it. A file whose name really ends like that is still there.
func (r *reader) intact(dir int, path []byte) []byte {
	bare, marked := bytes.CutSuffix(path, deleted)
	if !marked {
		return path
	}
	r.path = append(append(append(r.path[:0], "root"...), path...), 0)
	if _, err := r.kernel.Stat(dir, r.path); err == nil {
		return path
	}
	return bare
}
