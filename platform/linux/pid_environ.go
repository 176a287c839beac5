package linux

import (
	"errors"

	"github.com/pidometer/pidometer/platform"
)

// readEnviron reads the environment that the process was given at exec. What it
// changed since is not shown (proc_pid_environ(5)), and nothing is remembered of
// it. That of a program may be empty, which is known then; a kernel thread has none.
func (r *reader) readEnviron(v *visit) error {
	n, err := r.drainBlock(v.dir, "environ", &r.environ)
	if err != nil {
		return err
	}
	if n == 0 && v.stat.is(taskOfKernel) {
		return errors.ErrUnsupported
	}
	r.sample.SetText(platform.ProcessEnvironment, r.environ[:n])
	return nil
}
