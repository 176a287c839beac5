package netbsd

import (
	"errors"
	"os"

	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// sets is what a kernel has beside [sysctl.Kernel]. Thread 0 is any.
type sets interface {
	Affinity(pid, thread uint64, buf []byte) (n int, err error)
}

const hwCPUs = 3 // HW_NCPU of sys/sysctl.h

// mostCPUs is beyond any MAXCPUS of NetBSD 10: 256 of amd64 (machine/cpu.h).
const mostCPUs = 4096

// affinity is _sched_getaffinity(2) of the first thread, which takes no right
// (sched_listener_cb in sys/kern/sys_sched.c). Of the kernel's own process it cannot be asked:
// PID 0 means the caller there.
func affinity() sysctl.Detail[platform.Affinity] {
	return sysctl.Detail[platform.Affinity]{Reads: []string{"_sched_getaffinity", "kern.lwp", "hw.ncpu"}, Of: readAffinity}
}

// readAffinity asks for as many bits as there are CPUs: the kernel refuses room that is larger
// than its own set, and fills what is smaller (kcpuset_copyout in sys/kern/subr_kcpuset.c,
// since NetBSD 7). An empty set is that of a thread for which nobody chose: it may run on all,
// those that are offline among them.
func readAffinity(p *sysctl.Inspection, v *sysctl.Visit) (a platform.Affinity, err error) {
	count, err := p.AskNumber(ctlHW, hwCPUs)
	if err != nil {
		return a, err
	}
	if count == 0 || count > mostCPUs {
		return a, sysctl.ErrContent
	}
	buf := make([]byte, (count+31)/32*4)
	if err := readSet(p, v.Key.ID, buf); err != nil {
		return a, err
	}
	a.CPUs = sysctl.CPUSet(buf)
	if len(a.CPUs) == 0 {
		a.CPUs = allCPUs(int(count))
	}
	return a, nil
}

func allCPUs(count int) (all []int) {
	for i := range count {
		all = append(all, i)
	}
	return all
}

// readSet fills in the set of the first thread, or of any where that one has ended.
func readSet(p *sysctl.Inspection, pid uint64, set []byte) error {
	thread, err := firstThread(p, pid)
	if err != nil {
		return err
	}
	kernel := p.Kernel().(sets)
	n, err := kernel.Affinity(pid, thread, set)
	if errors.Is(err, os.ErrProcessDone) {
		n, err = kernel.Affinity(pid, 0, set)
	}
	if err == nil && n != len(set) {
		err = sysctl.ErrContent
	}
	return err
}

// firstThread is the one with the number of the process since NetBSD 10, and before the one
// with the lowest (lwp_create in sys/kern/kern_lwp.c). The kernel's own list has the youngest
// first. It is 0 where there are none.
func firstThread(p *sysctl.Inspection, pid uint64) (first uint64, err error) {
	all, err := readThreads(p, pid)
	for i, t := range all {
		if i == 0 || t.Key.ID == pid {
			first = t.Key.ID
		}
	}
	return first, err
}
