package linux

import (
	"errors"

	"github.com/pidometer/pidometer/platform"
)

// mostArgs is how much of the arguments is read. No exec takes more than three
// quarters of 8 MiB (bprm_stack_limits in fs/exec.c), but a process may point the
// kernel at any part of its memory afterwards (man 2 prctl, PR_SET_MM).
const mostArgs = 6 << 20

// shortArgs is how much of them is remembered; longer ones are read every time.
const shortArgs = 4 << 10

// readCmdline reads the arguments as they are, empty ones at the end included. A
// kernel thread has none, nor has a process that wiped them out.
func (r *reader) readCmdline(v *visit) error {
	k := r.remember(v)
	args := k.args
	if args == nil {
		n, err := r.drainBlock(v.dir, "cmdline", &r.args)
		if err != nil {
			return err
		}
		args = r.args[:n]
		if n <= shortArgs {
			k.args = append([]byte{}, args...)
		}
	}
	if len(args) == 0 {
		return errors.ErrUnsupported
	}
	r.sample.SetText(platform.ProcessArguments, args)
	return nil
}

// drainBlock reads a part of a process's memory under dir into a buffer. It is no
// record: a read may give less than there is.
func (b *backend) drainBlock(dir int, name string, into *[]byte) (int, error) {
	fd, err := b.open(dir, name)
	if err != nil {
		return 0, err
	}
	defer b.kernel.Close(fd)
	return b.drain(fd, into, 0, mostArgs)
}
