package linux

import (
	"bytes"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// hierarchy is one mounted tree of control groups.
type hierarchy struct {
	point string // path of its mount point under the view's root, without a slash in front
	root  string // the group that is mounted there, as /proc/[pid]/cgroup names it; "" for /
}

// hierarchies are the trees of a view, by what they are for. One that is not
// mounted has no point.
type hierarchies struct {
	at    [numHierarchies]hierarchy
	found bool
}

// of returns the tree that a controller is in, and whether that is of version 1. A
// controller is in one tree at a time (man 7 cgroups).
func (h *hierarchies) of(controller int) (t *hierarchy, old bool) {
	if t = &h.at[controller]; t.point != "" && controller != unified {
		return t, true
	}
	return &h.at[unified], false
}

// within returns the path of a group, as a process tells it, from the mount point
// down. A process in a namespace of groups, or behind a mount of a part of the tree,
// sees no group outside.
func (t *hierarchy) within(path []byte) (below []byte, ok bool) {
	below, ok = bytes.CutPrefix(bytes.TrimSuffix(path, []byte("/")), []byte(t.root))
	inside := len(below) == 0 || below[0] == '/' && !bytes.HasPrefix(below, []byte("/.."))
	return below, ok && inside && t.point != ""
}

// add takes a mount, if it is of control groups. The first of several mounts of one
// tree holds, unless a later one shows more of it.
func (h *hierarchies) add(m *platform.Mount) {
	t := hierarchy{strings.Trim(m.Point, "/"), strings.TrimSuffix(m.Root, "/")}
	switch m.Type {
	case "cgroup2":
		h.put(unified, t)
	case "cgroup":
		for option := range strings.SplitSeq(m.SuperOptions, ",") {
			for i := ofMemory; i < numHierarchies; i++ {
				if option == controllers[i] {
					h.put(i, t)
				}
			}
		}
	}
}

func (h *hierarchies) put(i int, t hierarchy) {
	if have := &h.at[i]; have.point == "" || len(t.root) < len(have.root) {
		*have, h.found = t, true
	}
}

// hierarchies returns the trees of this view, or those that the calling process
// itself has where it looks at another. They are looked for until there are some.
func (b *backend) hierarchies(own bool) *hierarchies {
	h := &b.cgroups.mounted[0]
	if own {
		h = &b.cgroups.mounted[1]
	}
	if h.found {
		return h
	}
	for line := range text.Lines(text.Whole(b.mountsOfGroups(own))) {
		if m, ok := decodeMountDetail(line); ok {
			h.add(&m)
		}
	}
	if !own {
		b.usual(h)
	}
	return h
}

func (b *backend) mountsOfGroups(own bool) (table []byte) {
	err := b.selfErr
	switch {
	case own && err == nil:
		table, err = b.slurp(b.self, "mountinfo")
	case !own && b.options.moved():
		table, err = b.file("proc/1/mountinfo")
	case !own:
		table, err = b.file("proc/self/mountinfo")
	}
	if err != nil {
		return nil
	}
	return table
}

// groupsFolder is where control groups are mounted by custom (man 7 cgroups).
const groupsFolder = "sys/fs/cgroup"

// usual drops the trees that this view does not have where its mount table says,
// and looks for others in the usual place: the table is not to be had in every
// container, and the folder may be all that was mounted of the host.
func (b *backend) usual(h *hierarchies) {
	h.found = false
	for i := range h.at {
		if h.at[i].point == "" || !b.has(h.at[i].point) {
			h.at[i] = b.usualAt(i)
		}
		h.found = h.found || h.at[i].point != ""
	}
}

func (b *backend) usualAt(i int) hierarchy {
	switch {
	case i != unified && b.has(groupsFolder+"/"+controllers[i]+"/cgroup.procs"):
		return hierarchy{point: groupsFolder + "/" + controllers[i]}
	case i == unified && b.has(groupsFolder+"/cgroup.controllers"):
		return hierarchy{point: groupsFolder}
	case i == unified && b.has(groupsFolder+"/unified/cgroup.controllers"):
		return hierarchy{point: groupsFolder + "/unified"}
	}
	return hierarchy{}
}

// has reports whether the view has a file.
func (b *backend) has(path string) bool {
	_, err := b.kernel.Stat(b.root, b.join(path))
	return err == nil
}
