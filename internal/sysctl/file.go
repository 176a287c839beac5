package sysctl

import "github.com/pidometer/pidometer/platform"

// FileCount is what a process has open.
type FileCount struct {
	Files uint64
	TCP   platform.TCPCounts
	UDP   uint64
}

// TCPStates are the numbers of netinet/tcp_fsm.h.
var TCPStates = [...]platform.TCPState{
	platform.TCPClosed, platform.TCPListen, platform.TCPSynSent, platform.TCPSynReceived,
	platform.TCPEstablished, platform.TCPCloseWait, platform.TCPFinWait1, platform.TCPClosing,
	platform.TCPLastAck, platform.TCPFinWait2, platform.TCPTimeWait,
}

// TCPState returns the state with a number of the kernel's.
func TCPState(number uint64) platform.TCPState {
	if number >= uint64(len(TCPStates)) {
		return platform.TCPNone
	}
	return TCPStates[number]
}

// Files are the sources of what processes have open. count fills in, by PID, what the
// kernel tells in a fixed number of calls; it is called once in a pass. Whom it leaves out
// nobody is told about, or has nothing open.
func Files(name string, count func(*Pass, map[uint64]*FileCount) error) ProcessSource {
	s := Level(name, platform.Process, 2, append(platform.ProcessTCPFields(), platform.ProcessUDP, platform.ProcessOpenFiles)...)
	return ProcessSource{Source: s, Read: func(p *Pass, v *Visit) error {
		counts, err := p.fileCounts(count)
		if c := counts[v.Key.ID]; err == nil && c != nil {
			p.sample.Set(platform.ProcessOpenFiles, c.Files)
			p.setSockets(c)
		}
		return err
	}}
}

// Sockets is likewise where the kernel tells everybody of all sockets and of no other
// files: whom count leaves out has none.
func Sockets(name string, count func(*Pass, map[uint64]*FileCount) error) ProcessSource {
	s := Level(name, platform.Process, 2, append(platform.ProcessTCPFields(), platform.ProcessUDP)...)
	return ProcessSource{Source: s, Read: func(p *Pass, v *Visit) error {
		counts, err := p.fileCounts(count)
		if err == nil {
			p.setSockets(Counted(counts, v.Key.ID))
		}
		return err
	}}
}

func (p *Pass) fileCounts(count func(*Pass, map[uint64]*FileCount) error) (map[uint64]*FileCount, error) {
	if !p.pass.counted {
		p.pass.counted, p.pass.counts = true, map[uint64]*FileCount{}
		p.pass.fileErr = count(p, p.pass.counts)
	}
	return p.pass.counts, p.pass.fileErr
}

func (p *Pass) setSockets(c *FileCount) {
	p.sample.SetTCP(&c.TCP)
	p.sample.Set(platform.ProcessUDP, c.UDP)
}

// Counted returns the counts of a process, which are made where there are none.
func Counted(counts map[uint64]*FileCount, pid uint64) *FileCount {
	c := counts[pid]
	if c == nil {
		c = &FileCount{}
		counts[pid] = c
	}
	return c
}

// Lend reads a text of the process by a name of numbers into memory of its own.
func (p *Pass) Lend(t platform.Text, mib ...int32) error {
	b, err := p.Ask(mib...)
	if err == nil {
		p.sample.SetText(t, append([]byte{}, b...))
	}
	return err
}

// Threads is how many threads each process has, from one call for all.
func Threads(name string, count func(*Pass, map[uint64]uint64) error) ProcessSource {
	s := Level(name, platform.Process, 2, platform.ProcessThreads)
	return ProcessSource{Source: s, Read: func(p *Pass, v *Visit) error {
		if p.pass.threads == nil {
			p.pass.threads = map[uint64]uint64{}
			p.pass.threadErr = count(p, p.pass.threads)
		}
		if n := p.pass.threads[v.Key.ID]; n != 0 && p.pass.threadErr == nil {
			p.sample.Set(platform.ProcessThreads, n)
		}
		return p.pass.threadErr
	}}
}
