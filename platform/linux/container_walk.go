package linux

import (
	"bytes"
	"encoding/binary"
)

// Bounds of one walk over the groups. A machine with a thousand containers has some
// ten thousand groups; who may make groups may make any number of them, and nest
// them as deep as he likes (cgroup.max.depth is max by default).
const (
	mostGroups = 20_000
	mostDepth  = 24
)

// groupWalk goes through all groups of a tree, parents first, without taking memory
// for each: pending holds the paths that are still to be seen, one behind the other.
type groupWalk struct {
	pending []byte
	ends    []groupEnd
	path    []byte // of the group that is being seen, from the mount point down
	depth   int
	seen    int
	most    int // how many to see
	left    int // groups that were not seen, for the bounds
}

// groupEnd is where a pending path ends, and how deep it lies.
type groupEnd struct{ at, depth int }

// begin starts at the group with a path.
func (w *groupWalk) begin(path []byte, most int) {
	w.pending = append(w.pending[:0], path...)
	w.ends = append(w.ends[:0], groupEnd{at: len(path)})
	w.seen, w.left, w.most = 0, 0, most
}

// next goes on to the next group.
func (w *groupWalk) next() bool {
	last := len(w.ends) - 1
	if last < 0 || w.seen == w.most {
		w.left += last + 1
		return false
	}
	end, from := w.ends[last], 0
	if last > 0 {
		from = w.ends[last-1].at
	}
	w.path = append(w.path[:0], w.pending[from:end.at]...)
	w.depth = end.depth
	w.pending, w.ends = w.pending[:from], w.ends[:last]
	w.seen++
	return true
}

// add makes a group below the present one pending.
func (w *groupWalk) add(name []byte) {
	if w.depth == mostDepth {
		w.left++
		return
	}
	w.pending = append(w.pending, w.path...)
	w.pending = append(w.pending, '/')
	w.pending = append(w.pending, name...)
	w.ends = append(w.ends, groupEnd{len(w.pending), w.depth + 1})
}

// descend makes the groups below the present one pending.
func (b *backend) descend(t *hierarchy, w *groupWalk) error {
	b.path = append(append(b.path[:0], t.point...), w.path...)
	b.path = append(b.path, 0)
	if st, err := b.kernel.Stat(b.root, b.path); err != nil || st.Links == leafLinks {
		return err
	}
	fd, err := b.kernel.Open(b.root, b.path)
	if err != nil {
		return err
	}
	defer b.kernel.Close(fd)
	for seen := 0; seen < mostDirents; {
		n, err := b.kernel.ReadDir(fd, b.dirents)
		if err != nil || n == 0 {
			return err
		}
		decodeFolders(b.dirents[:n], w.add)
		seen += n
	}
	return errEndless
}

// leafLinks is how many names a folder has that holds no other: its own, and the dot
// in it. The kernel counts folders so in control groups (kernfs_refresh_inode in
// fs/kernfs/inode.c); file systems that do not count at all say 1.
const leafLinks = 2

// Offset and values of d_type in struct linux_dirent64 (man 2 getdents).
const (
	direntType = 18
	typeFolder = 4
	typeUntold = 0
)

// decodeFolders yields the names of the folders in one buffer of directory entries,
// lent until yield returns. What is untold may be one.
func decodeFolders(b []byte, yield func(name []byte)) {
	for len(b) > direntName {
		length := int(binary.NativeEndian.Uint16(b[direntLength:]))
		if length <= direntName || length > len(b) {
			break
		}
		kind := b[direntType]
		name, _, _ := bytes.Cut(b[direntName:length], []byte{0})
		b = b[length:]
		if kind != typeFolder && kind != typeUntold || len(name) == 0 || string(name) == "." || string(name) == ".." {
			continue
		}
		yield(name)
	}
}
