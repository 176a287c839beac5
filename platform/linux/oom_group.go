package linux

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// groupOccurrences are the counts of kills that control groups keep
// (Documentation/admin-guide/cgroup-v2.rst, memory.events). They wake whoever polls them.
var groupOccurrences = platform.OccurrenceSource{
	Name: "memory.events", Tells: platform.KindsOf(platform.ProcessOOMKilled),
	Needs: "control groups of version 2 with the controller of memory, Linux 4.13; it tells how many were killed, in which of the outermost groups, and not who",
}

// mostOutermost bounds the files that are kept open. The outermost groups are few.
const mostOutermost = 64

// memoryEventsRoom holds a memory.events: some 100 bytes on Linux 6.18.
const memoryEventsRoom = 4 << 10

// mountinfoRoom holds a table of some thousand mounts.
const mountinfoRoom = 256 << 10

// groupKills listens to the outermost control groups, whose counts include those of all
// groups in them. What the kernel counts beyond is told without a group.
type groupKills struct {
	*watch
	tree   hierarchy
	links  int64 // of the folder of the outermost groups, which change with them; -1 before the first look
	groups []*groupCount
	count  *oomCount // of the whole machine, nil where the groups are those of a container
	ahead  uint64    // kills that the machine counted and no group has yet
	buf    []byte
	list   []byte
	begun  bool
}

// groupCount is one group.
type groupCount struct {
	of    *groupKills
	path  string
	fd    int
	kills uint64
}

var errNoGroupCount = fmt.Errorf("no control group counts kills: %w", errors.ErrUnsupported)

func openGroupKills(w *watch) (listener, error) {
	g := &groupKills{watch: w, links: -1, buf: make([]byte, memoryEventsRoom), list: make([]byte, direntSize)}
	if err := g.find(); err != nil {
		return nil, err
	}
	if err := g.begin(); err != nil {
		g.close()
		return nil, err
	}
	w.silent = append(w.silent, g)
	return g, nil
}

// begin counts from now on. A mount that begins inside the tree shows the count of all
// that it holds.
func (g *groupKills) begin() (err error) {
	if g.add("") != nil {
		if g.count, err = newOOMCount(g.watch); err == nil {
			err = g.look()
		}
		if err != nil {
			return err
		}
	}
	if len(g.groups) == 0 {
		return errNoGroupCount
	}
	g.begun = true
	return nil
}

// find finds the tree of control groups, with buffers of its own.
func (g *groupKills) find() error {
	file := "proc/self/mountinfo"
	if g.backend.options.moved() {
		file = "proc/1/mountinfo"
	}
	table, err := g.whole(make([]byte, mountinfoRoom), file)
	if err != nil {
		return fmt.Errorf("/%s: %w", file, err)
	}
	var all hierarchies
	for line := range text.Lines(text.Whole(table)) {
		if m, ok := decodeMountDetail(line); ok {
			all.add(&m)
		}
	}
	t, old := all.of(ofMemory)
	if old || t.point == "" {
		return errNoGroupCount
	}
	g.tree = *t
	return nil
}

// look begins to listen to the outermost groups that are there now.
func (g *groupKills) look() error {
	st, err := g.kernel.Stat(g.backend.root, g.join(g.tree.point))
	if err != nil || int64(st.Links) == g.links {
		return err
	}
	fd, err := g.kernel.Open(g.backend.root, g.join(g.tree.point))
	if err != nil {
		return err
	}
	defer g.kernel.Close(fd)
	for seen := 0; seen < mostDirents; {
		n, err := g.kernel.ReadDir(fd, g.list)
		if err != nil {
			return err
		}
		if n == 0 {
			g.links = int64(st.Links)
			return nil
		}
		decodeFolders(g.list[:n], func(name []byte) {
			if path := "/" + string(name); !slices.ContainsFunc(g.groups, func(c *groupCount) bool { return c.path == path }) {
				_ = g.add(path) // one without the controller counts nothing
			}
		})
		seen += n
	}
	return errEndless
}

// add listens to one group. One that came later counts from 0.
func (g *groupKills) add(path string) error {
	if len(g.groups) >= mostOutermost {
		return nil // what is killed in the others is told without a group
	}
	fd, err := g.kernel.Open(g.backend.root, g.join(g.tree.point, path, "/memory.events"))
	if err != nil {
		return err
	}
	c := &groupCount{of: g, path: path, fd: fd}
	kills, err := c.read()
	if err == nil {
		err = g.listen(fd, Edge, c)
	}
	if err != nil {
		g.kernel.Close(fd)
		return err
	}
	if !g.begun {
		c.kills = kills
	}
	g.groups = append(g.groups, c)
	return nil
}

// drain is asked at every Read: it looks for new groups, and tells of kills outside of
// all groups. The kernel counts a kill of the machine first, and of its group a moment
// later, so that one without a group is told a Read later.
func (g *groupKills) drain(_ bool, yield func(*platform.Occurrence)) error {
	if g.count == nil {
		return nil
	}
	if err := g.look(); err != nil {
		return err
	}
	before := g.ahead
	var told uint64
	for _, c := range slices.Clone(g.groups) {
		told += c.tell(yield)
	}
	kills, err := g.count.read()
	if err != nil {
		return err
	}
	g.ahead += kills - min(kills, g.count.kills)
	g.count.kills = kills
	g.ahead -= min(g.ahead, told)
	if n := min(before, g.ahead); n > 0 {
		g.ahead -= n
		yield(&platform.Occurrence{Kind: platform.ProcessOOMKilled, Count: n})
	}
	return nil
}

func (g *groupKills) close() {
	for _, c := range slices.Clone(g.groups) {
		c.close()
	}
}

// drain is told of a change. kernfs reports it as an error too (kernfs_generic_poll in
// fs/kernfs/file.c); to read ends that. What was killed is told by the drain of all, or
// where there is no count of the machine, here.
func (c *groupCount) drain(_ bool, yield func(*platform.Occurrence)) error {
	if c.of.count == nil {
		c.tell(yield)
	}
	return nil
}

// tell tells by how much the count has grown. A group that is gone is left.
func (c *groupCount) tell(yield func(*platform.Occurrence)) (told uint64) {
	kills, err := c.read()
	if err != nil {
		c.close()
		return 0
	}
	if kills > c.kills {
		told = kills - c.kills
		yield(&platform.Occurrence{Kind: platform.ProcessOOMKilled, Count: told, Cgroup: []byte(c.of.tree.root + c.path)})
	}
	c.kills = kills
	return told
}

// read returns how many were killed in a group and in those below it.
func (c *groupCount) read() (uint64, error) {
	n, err := c.of.kernel.Pread(c.fd, c.of.buf, 0)
	if err != nil {
		return 0, err
	}
	kills, ok := decodeMemoryEvents(c.of.buf[:n])
	if !ok {
		return 0, errNoGroupCount
	}
	return kills, nil
}

func (c *groupCount) close() {
	if c.fd >= 0 {
		c.of.kernel.Close(c.fd)
		c.fd = -1
		c.of.groups = slices.DeleteFunc(c.of.groups, func(have *groupCount) bool { return have == c })
	}
}

// decodeMemoryEvents returns the kills of a memory.events: lines of a name and a number.
func decodeMemoryEvents(b []byte) (kills uint64, ok bool) {
	for line := range text.Lines(b) {
		if rest, found := bytes.CutPrefix(line, []byte("oom_kill ")); found {
			kills, rest, ok = text.Uint(rest)
			return kills, ok && len(text.Trim(rest)) == 0
		}
	}
	return 0, false
}
