package linux

import (
	"strconv"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Bounds of the search for the first process of a container.
const (
	mostInner   = 256  // groups
	mostMembers = 4096 // processes
)

// patience is how many passes go by before a search that found nothing is made
// again: in a PID namespace of its own the reader sees none of the processes.
const patience = 16

// firstProcess is the oldest process of a container, with whose end a container
// ends too (man 7 pid_namespaces).
type firstProcess struct {
	pid, start uint64
	tried      uint64 // the pass that looked for it
}

// startOf returns the start of a container's first process, in ticks since boot: the
// folders of the kernel have no time of their making (the times of an inode are
// those of its first use, set_default_inode_attr in fs/kernfs/inode.c). It is 0
// where no process can be seen. A container that starts again under its ID has
// another start, and is another one.
func (p *hostPass) startOf(name string) uint64 {
	c := &p.host.containers
	f := c.first[name]
	switch {
	case f == nil:
		f = &firstProcess{}
		c.first[name] = f
	case f.pid != 0 && p.startedAt(f.pid) == f.start:
		return f.start
	case p.passes-f.tried < patience && f.pid == 0:
		return 0
	}
	f.tried = p.passes
	if pid, start := p.oldest(); pid != 0 && p.belongs(pid, name) {
		f.pid, f.start = pid, start
	}
	return f.start
}

// startedAt returns when the process with a PID started, 0 if there is none.
func (p *hostPass) startedAt(pid uint64) uint64 {
	b, err := p.smallOf(pid, "/stat")
	var stat processStat
	if err != nil || !decodePidStat(b, &stat) {
		return 0
	}
	return stat.columns[statStart]
}

// smallOf is small of a file of a process.
func (p *hostPass) smallOf(pid uint64, name string) (b []byte, err error) {
	p.path = strconv.AppendUint(append(p.path[:0], "proc/"...), pid, 10)
	p.path = append(append(p.path, name...), 0)
	p.host.attr, err = readFile(p.kernel, p.root, p.path, p.host.attr)
	return p.host.attr, err
}

// oldest looks for the process that started first in the present group and those
// below it.
func (p *hostPass) oldest() (pid, start uint64) {
	c := &p.host.containers
	tree := p.containerTree()
	left := mostMembers
	for c.inner.begin(c.walk.path, mostInner); c.inner.next() && left > 0; {
		p.pids = p.members(tree, p.pids[:0])
		for _, id := range p.pids[:min(left, len(p.pids))] {
			if at := p.startedAt(id); at != 0 && (pid == 0 || at < start) {
				pid, start = id, at
			}
		}
		left -= len(p.pids)
		if p.descend(tree, &c.inner) != nil {
			continue // it was removed meanwhile
		}
	}
	return pid, start
}

// members appends the processes of the group that the inner walk is at. Those outside the reader's PID
// namespace are 0 (cgroup_procs_show in kernel/cgroup/cgroup.c).
func (p *hostPass) members(tree *hierarchy, pids []uint64) []uint64 {
	g := group{backend: p.backend, dir: p.root, tree: tree, path: p.host.containers.inner.path}
	b, err := g.read("/cgroup.procs")
	if err != nil {
		return pids
	}
	return decodeMembers(b, pids)
}

// decodeMembers reads cgroup.procs, a PID to a line.
func decodeMembers(b []byte, pids []uint64) []uint64 {
	for line := range text.Lines(text.Whole(b)) {
		if pid, _, ok := text.UintField(line); ok && pid != 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// belongs asks the process itself: in another PID namespace than the reader's the
// same number is somebody else.
func (p *hostPass) belongs(pid uint64, name string) bool {
	b, err := p.smallOf(pid, "/cgroup")
	if err != nil {
		return false
	}
	c := &p.host.containers
	if !decodePidCgroup(b, &c.paths) {
		return false
	}
	var m membership
	c.paths.decode(&m)
	return string(m.container) == name
}

// forget drops the containers that the pass did not see.
func (c *containers) forget() {
	for name := range c.first {
		if c.seen.known[name] == nil {
			delete(c.first, name)
		}
	}
}

// uptime returns how long the host has been up.
func (p *hostPass) uptime() (nanos uint64) {
	b, err := p.small("proc/uptime")
	if err != nil {
		return 0
	}
	nanos, _, _ = text.DecimalField(b, 9)
	return nanos
}

// readContainerStart sets how long the container has been running.
func (p *hostPass) readContainerStart() error {
	s := &p.host.sample
	began := s.Key.Start * tickNanos
	if up := p.host.containers.uptime; began != 0 && up != 0 {
		s.Set(platform.ContainerUptime, up-min(up, began))
		return nil
	}
	return errContent
}

func decimal(v uint64) string { return strconv.FormatUint(v, 10) }
