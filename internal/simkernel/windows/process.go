package windows

import "github.com/pidometer/pidometer/internal/simkernel"

// States of a thread, and why it waits (KTHREAD_STATE and KWAIT_REASON of wdm.h).
const (
	running     = 2
	waiting     = 5
	suspended   = 5
	userRequest = 6
)

// processes is the table of all processes that live. A world has no loop of idle CPUs.
func (k *Kernel) processes(b []byte) []byte {
	last := -1
	for _, p := range k.Processes {
		if p.State == simkernel.Zombie {
			continue
		}
		if last >= 0 {
			k.next.Put(b[last:], uint64(len(b)-last))
		}
		last = len(b)
		b = k.row(b, p)
	}
	return b
}

// row is SYSTEM_PROCESS_INFORMATION of a process, its threads, the extension that programs as
// wide as the kernel are told, and its name; the next is at a multiple of 8.
func (k *Kernel) row(b []byte, p *simkernel.Process) []byte {
	at := len(b)
	b, row := zeros(b, k.headers.Process.Size)
	k.process.Put(row, p.PID, p.Parent, filetime(p.Clock), units(p.User), units(p.System), p.FaultsMajor, p.FaultsMinor+p.FaultsMajor,
		p.Virtual, p.Virtual, p.PeakResident, p.Resident)
	k.threads.Put(row, p.Threads)
	for n := range p.Threads {
		b, row = zeros(b, k.headers.Thread.Size)
		k.putThread(row, p, n)
	}
	if k.headers.Word == 8 {
		b, row = zeros(b, k.headers.Extension.Size)
		k.extension.Put(row, p.BlocksRead*512, p.BlocksWritten*512, p.BlocksRead, p.BlocksWritten, p.Voluntary+p.Involuntary)
	}
	b = k.text(b, at+k.name[0].Offset, p.Name)
	b, _ = zeros(b, -len(b)&7)
	return b
}

// putThread writes the n-th thread of a process, in whose states the process's is. The first
// was switched to as often as all.
func (k *Kernel) putThread(row []byte, p *simkernel.Process, n uint64) {
	state, wait, switches := uint64(waiting), uint64(userRequest), uint64(0)
	switch p.State {
	case simkernel.Running:
		state = running
	case simkernel.Stopped:
		wait = suspended
	}
	if n == 0 {
		switches = p.Voluntary + p.Involuntary
	}
	k.thread.Put(row, p.PID, p.Thread(n), filetime(p.Clock), switches, state, wait)
}
