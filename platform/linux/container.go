package linux

import (
	"errors"
	"io/fs"

	"github.com/pidometer/pidometer/platform"
)

// containers is what is kept of containers from pass to pass.
type containers struct {
	walk     groupWalk
	inner    groupWalk // within one container
	path     []byte    // of the group that is being seen, from the root of its tree
	member   membership
	paths    cgroupPaths
	seen     devices // by ID, so that each is told once
	first    map[string]*firstProcess
	physical map[uint64]bool // by device number
	io       []groupIO
	uptime   uint64 // of the host, in nanoseconds; 0 if that is unknown
}

func (c *containers) init() {
	c.seen.init()
	c.first = map[string]*firstProcess{}
	c.physical = map[uint64]bool{}
}

// containerSources are those that tell of containers.
const containerSources platform.SourceSet = 1<<fromContainerCPU | 1<<fromContainerMemory | 1<<fromContainerIO |
	1<<fromContainerPressure | 1<<fromContainerTasks | 1<<fromContainerStart

// sendContainers walks the control groups and hands on those that are a container.
func (p *hostPass) sendContainers() bool {
	if p.set&containerSources == 0 {
		return true
	}
	tree := p.containerTree()
	if tree.point == "" {
		p.missContainers(platform.Unsupported)
		return true
	}
	c := &p.host.containers
	c.seen.begin()
	c.walk.begin(nil, mostGroups)
	c.uptime = p.uptime()
	more := true
	for more && c.walk.next() {
		if err := p.descend(tree, &c.walk); err != nil {
			if c.walk.depth == 0 {
				p.missContainers(missReason(err))
			}
			continue // it was removed meanwhile
		}
		more = p.sendGroup(tree)
	}
	if c.walk.left > 0 {
		p.missContainers(platform.Skipped)
	}
	c.seen.prune()
	c.forget()
	return more && p.ctx.Err() == nil
}

// containerTree returns the tree that is walked: one with a controller that every
// runtime uses. Containers have the same path in all.
func (b *backend) containerTree() *hierarchy {
	h := b.hierarchies(false)
	for _, controller := range [...]int{ofMemory, ofCPUTime, ofCPU, ofTasks} {
		if t, old := h.of(controller); old {
			return t
		}
	}
	return &h.at[unified]
}

func (p *hostPass) missContainers(why platform.Reason) {
	for i := range (p.set & containerSources).All() {
		p.miss(i, why)
	}
}

// sendGroup hands on the present group if it is a container, once.
func (p *hostPass) sendGroup(tree *hierarchy) bool {
	c := &p.host.containers
	c.path = append(append(c.path[:0], tree.root...), c.walk.path...)
	decodeCgroupPath(c.path, &c.member)
	if !c.member.own {
		return true
	}
	dev, first, _ := c.seen.see(c.member.container)
	if !first {
		return true
	}
	return p.sendContainer(dev.name)
}

// sendContainer reads what is wanted of the container whose group is the present one.
func (p *hostPass) sendContainer(name string) bool {
	s := &p.host.sample
	s.Reset(platform.Container, platform.Key{Name: name, Start: p.startOf(name)})
	p.describeContainer()
	for source := range (p.set & containerSources).All() {
		before := s.Len()
		if err := p.readContainer(source); err != nil && s.Len() == before {
			if !p.groupIsThere() {
				return true // it ended meanwhile
			}
			p.miss(source, missReason(err))
		}
	}
	return p.send()
}

// readContainer reads a source into the sample.
func (p *hostPass) readContainer(source int) error {
	switch source {
	case fromContainerCPU:
		return p.readContainerCPU()
	case fromContainerMemory:
		return p.readContainerMemory()
	case fromContainerIO:
		return p.readContainerIO()
	case fromContainerPressure:
		return p.readContainerPressure()
	case fromContainerTasks:
		return p.readContainerTasks()
	}
	return p.readContainerStart()
}

// describeContainer sets the texts.
func (p *hostPass) describeContainer() {
	m := &p.host.containers.member
	p.keep(platform.ContainerRuntime, []byte(m.runtime))
	p.keep(platform.ContainerPod, m.pod)
}

// groupIsThere reports whether the present group has not been removed.
func (p *hostPass) groupIsThere() bool {
	p.path = append(append(append(p.path[:0], p.containerTree().point...), p.host.containers.walk.path...), 0)
	_, err := p.kernel.Stat(p.root, p.path)
	return err == nil
}

// group returns the container's group in the tree that a controller is in.
func (p *hostPass) group(controller int) (group, error) {
	tree, old := p.hierarchies(false).of(controller)
	if tree.point == "" {
		return group{}, errors.ErrUnsupported
	}
	return group{p.backend, p.root, tree, p.host.containers.walk.path, old}, nil
}

// optional makes a file that is not there no error: a controller may be off for a
// group, and older kernels have fewer files.
func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
