package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// The hierarchies that a process's groups are taken from, the most telling first.
const (
	unified = iota // version 2
	ofMemory
	ofCPU
	ofCPUTime // cpuacct
	ofIO      // blkio
	ofTasks   // pids
	ofSystemd // no controller: systemd's own of version 1
	numHierarchies
)

var controllers = [numHierarchies]string{"", "memory", "cpu", "cpuacct", "blkio", "pids", "name=systemd"}

// cgroupPaths are the control groups of one process, by hierarchy. nil where there
// is none.
type cgroupPaths [numHierarchies][]byte

// cgroups is what is known of the control groups of the process being read.
type cgroups struct {
	content []byte
	paths   cgroupPaths
	member  membership
	mounted [2]hierarchies // of the view, and of this process's own where that is another
	buf     []byte         // of one file of a group
	quota   []byte
}

// decodePidCgroup reads /proc/[pid]/cgroup (man 7 cgroups): the number of a
// hierarchy, its controllers, and the path in it, which may hold anything but a
// newline. Version 2 has the number 0 and names no controllers; the two versions
// may be mounted side by side.
//
//	4:memory:/docker/04e9…
//	1:name=systemd:/docker/04e9…
//	0::/system.slice/docker.service
//
// It is not ok if none of it is of a hierarchy that is looked at.
func decodePidCgroup(b []byte, paths *cgroupPaths) (ok bool) {
	*paths = cgroupPaths{}
	for line := range text.Lines(text.Whole(b)) {
		number, rest, _ := bytes.Cut(line, []byte(":"))
		names, path, found := bytes.Cut(rest, []byte(":"))
		if !found || len(path) == 0 {
			continue
		}
		if string(number) == "0" && len(names) == 0 {
			// The mark of a group that was removed while it still had a dead process.
			path, _ = bytes.CutSuffix(path, []byte(deletedMark))
			paths[unified], ok = path, true
			continue
		}
		ok = paths.take(names, path) || ok
	}
	return ok
}

// take notes the path of a list of controllers.
func (p *cgroupPaths) take(names, path []byte) (any bool) {
	for len(names) > 0 {
		var name []byte
		name, names, _ = bytes.Cut(names, []byte(","))
		for i := ofMemory; i < numHierarchies; i++ {
			if string(name) == controllers[i] {
				p[i], any = path, true
			}
		}
	}
	return any
}

// best returns the path that stands for the process. Where both versions are
// mounted one of them may leave all processes in its root.
func (p *cgroupPaths) best() (path []byte) {
	var root []byte
	for _, path := range p {
		if len(path) > 0 && string(path) != "/" {
			return path
		}
		if len(path) > 0 {
			root = path
		}
	}
	return root
}

// decode tells what the best path says, or the first that names a container:
// runtimes before systemd's day made groups of some controllers only.
func (p *cgroupPaths) decode(m *membership) {
	for _, path := range p {
		if decodeCgroupPath(path, m); m.container != nil {
			return
		}
	}
	decodeCgroupPath(p.best(), m)
}

// readCgroup sets what the control groups tell. It is read every time, since a
// process may be moved; a container, pod or unit that there is not is known to be
// none, which is the empty text.
func (r *reader) readCgroup(v *visit) error {
	c, err := r.cgroupsOf(v)
	if err != nil {
		return err
	}
	c.paths.decode(&c.member)
	r.sample.SetText(platform.ProcessCgroup, c.paths.best())
	r.sample.SetText(platform.ProcessContainer, c.member.container)
	r.sample.SetText(platform.ProcessPod, c.member.pod)
	r.sample.SetText(platform.ProcessUnit, c.member.unit)
	return nil
}

// cgroupsOf reads the file at most once in a visit, for whoever wants it.
func (r *reader) cgroupsOf(v *visit) (*cgroups, error) {
	c := &r.cgroups
	if !v.cgroupRead {
		v.cgroupRead = true
		v.cgroupErr = r.loadCgroups(v.dir)
	}
	return c, v.cgroupErr
}

func (r *reader) loadCgroups(dir int) error {
	b, err := r.once(dir, r.join("cgroup"))
	if err != nil {
		return err
	}
	c := &r.cgroups
	c.content = append(c.content[:0], b...) // texts outlive the lent buffer
	if !decodePidCgroup(c.content, &c.paths) {
		return errContent
	}
	return nil
}
