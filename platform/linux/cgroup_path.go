package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
)

// scopes are the names that runtimes give to the group of a container, before its
// ID: as a scope of systemd, or as a folder of their own.
var scopes = [...]struct{ prefix, runtime string }{
	{"docker-", "docker"},
	{"cri-containerd-", "containerd"},
	{"nerdctl-", "containerd"},
	{"crio-", "cri-o"},
	{"libpod-", "podman"},
	{"libpod-payload-", "podman"}, // podman run --cgroups=split
}

// parents are the groups in which a runtime keeps containers under their bare IDs.
var parents = [...]struct{ name, runtime string }{
	{"docker", "docker"},
	{"actions_job", "docker"}, // of GitHub's runners
	{"default", "containerd"}, // its namespaces
	{"k8s.io", "containerd"},
}

// machines are the drivers of libvirt whose machines are no containers: systemd
// names their scopes as it names those of containers.
var machines = [...]string{`qemu\x2d`, `xen\x2d`, `ch\x2d`, `bhyve\x2d`, `vmware\x2d`}

// units are the types of systemd's units that processes may belong to (man 5
// systemd.kill).
var units = [...]string{".service", ".scope", ".socket", ".mount", ".swap"}

// Sizes of identifiers, in digits.
const (
	idSize   = 64 // SHA-256
	uuidSize = 36
	hashSize = 32
)

// membership is what the path of a control group says of the processes in it. Its
// bytes are those of the path or its own, and good until the next path.
type membership struct {
	container []byte // ID; the name where the runtime gives no other
	runtime   string // that runs the container; "" where the path does not tell
	pod       []byte // UID of the Kubernetes pod
	unit      []byte // systemd's name for it
	own       bool   // the path ends with the group of the container as a whole

	uid      [uuidSize]byte
	name     []byte
	kubepods bool // the path has gone through Kubernetes' group
	ecs      bool // or that of Amazon's agent
	nspawn   bool // the component before is a machine of systemd-nspawn
}

// decodeCgroupPath reads the path of a control group. There is no rule for such
// paths but the habits of the programs that make them:
//
//	/docker/<id>                                              docker, v1
//	/system.slice/docker-<id>.scope                           docker, v2
//	/kubepods/burstable/pod<uid>/<id>                         kubelet, cgroupfs
//	/kubepods.slice/[…]-pod<uid>.slice/cri-containerd-<id>.scope kubelet, systemd
//	/system.slice/nginx.service                               no container
//
// An ID is taken for one of a container only where a runtime puts one: hypervisors
// name groups after hexadecimal numbers too. Of containers within each other the
// innermost counts, and a unit is of the innermost service manager. Groups of what
// watches a container (conmon, lxc.monitor) are none of the container.
func decodeCgroupPath(path []byte, m *membership) {
	*m = membership{name: m.name[:0]}
	var parent []byte
	for len(path) > 0 {
		var c []byte
		c, path, _ = bytes.Cut(path, []byte("/"))
		if len(c) > 0 {
			m.enter(parent, c)
			parent = c
		}
	}
}

// enter goes down into the group c.
func (m *membership) enter(parent, c []byte) {
	supervisor := m.nspawn && string(c) == "supervisor"
	inPod := m.pod != nil && isPod(parent)
	m.own, m.nspawn = false, false
	m.enterPod(c)
	id, runtime := m.containerIn(parent, c, inPod)
	switch {
	case id != nil:
		m.container, m.runtime, m.own, m.unit = id, runtime, true, nil
	case supervisor: // systemd-nspawn itself, beside the container
		m.container, m.runtime, m.unit = nil, "", parent
	case isUnit(c):
		m.unit = bytes.TrimPrefix(c, []byte("_")) // as systemd escapes it (cg_escape)
	}
	m.kubepods = m.kubepods || bytes.Contains(c, []byte("kubepods"))
	m.ecs = m.ecs || string(c) == "ecs"
}

// containerIn returns the ID of the container whose group c is, or nil.
func (m *membership) containerIn(parent, c []byte, inPod bool) (id []byte, runtime string) {
	if id, runtime = scopeID(c); id != nil {
		return id, runtime
	}
	if name, runtime := lxcName(parent, c); name != nil {
		return name, runtime
	}
	if name := m.machine(c); name != nil {
		return name, "systemd-nspawn"
	}
	if m.ecs && isTask(c) {
		return c, "ecs"
	}
	if !isID(c) {
		return nil, ""
	}
	for _, p := range parents {
		if string(parent) == p.name {
			return c, p.runtime
		}
	}
	if inPod || m.ecs {
		return c, ""
	}
	return nil, ""
}

// scopeID finds an ID behind the prefix of a runtime. runc without systemd, told to
// use a parent of systemd's, makes one group with colons in its name of the three
// parts: kubepods-pod<uid>.slice:cri-containerd:<id>.
func scopeID(c []byte) (id []byte, runtime string) {
	name, _ := bytes.CutSuffix(c, []byte(".scope"))
	prefix, rest, colons := bytes.Cut(name, []byte(".slice:"))
	if !colons {
		prefix, rest = nil, name
	}
	for _, s := range scopes {
		id, ok := bytes.CutPrefix(rest, []byte(s.prefix))
		if prefix != nil {
			id, ok = bytes.CutPrefix(rest, []byte(s.prefix[:len(s.prefix)-1]+":"))
		}
		if ok && isID(id) {
			return id, s.runtime
		}
	}
	return nil, ""
}

// lxcName finds the name of a container of LXC, LXD, Incus or Proxmox: lxc/NAME,
// lxc.payload/NAME or lxc.payload.NAME (lxc.cgroup.dir in man 5 lxc.container.conf).
func lxcName(parent, c []byte) (name []byte, runtime string) {
	if string(parent) == "lxc" || string(parent) == "lxc.payload" {
		return c, "lxc"
	}
	if name, ok := bytes.CutPrefix(c, []byte("lxc.payload.")); ok && len(name) > 0 {
		return name, "lxc"
	}
	return nil, ""
}

// machine finds the name of a container of systemd-nspawn, which is a scope, or a
// service if it was started as one (man 1 systemd-nspawn, --keep-unit).
func (m *membership) machine(c []byte) []byte {
	name, ok := middle(c, "systemd-nspawn@", ".service")
	if !ok {
		name, ok = middle(c, "machine-", ".scope")
	}
	if !ok || isVirtual(name) {
		return nil
	}
	m.nspawn = true
	return m.unescape(name)
}

// isVirtual reports whether a machine is a virtual one of libvirt.
func isVirtual(name []byte) bool {
	for _, driver := range machines {
		if bytes.HasPrefix(name, []byte(driver)) {
			return true
		}
	}
	return false
}

// middle returns what stands between a prefix and a suffix, if it is anything.
func middle(b []byte, prefix, suffix string) (name []byte, ok bool) {
	if len(b) <= len(prefix)+len(suffix) || !bytes.HasPrefix(b, []byte(prefix)) || !bytes.HasSuffix(b, []byte(suffix)) {
		return nil, false
	}
	return b[len(prefix) : len(b)-len(suffix)], true
}

// unescape turns \xHH in the name of a unit back into the byte (man 5 systemd.unit).
func (m *membership) unescape(b []byte) []byte {
	m.name = m.name[:0]
	for i := 0; i < len(b); i++ {
		if len(b) >= i+4 && b[i] == '\\' && b[i+1] == 'x' {
			if v, rest, ok := text.Hex(b[i+2 : i+4]); ok && len(rest) == 0 {
				m.name = append(m.name, byte(v))
				i += 3
				continue
			}
		}
		m.name = append(m.name, b[i])
	}
	return m.name
}

// enterPod notes the pod if c is a pod's group.
func (m *membership) enterPod(c []byte) {
	uid := podUID(c)
	if uid == nil || !m.kubepods && !bytes.Contains(c, []byte("kubepods")) {
		return
	}
	n := copy(m.uid[:], uid)
	for i, b := range m.uid[:n] {
		if b == '_' { // as systemd's driver writes it: a hyphen would be a parent's end
			m.uid[i] = '-'
		}
	}
	m.pod = m.uid[:n]
}

// podUID returns the UID of pod<uid> or [kubepods-…-]pod<uid>.slice, nil for all else.
func podUID(c []byte) []byte {
	if i := bytes.Index(c, []byte(".slice")); i >= 0 {
		c = c[bytes.LastIndex(c[:i], []byte("-"))+1 : i]
	}
	uid, ok := bytes.CutPrefix(c, []byte("pod"))
	if !ok || !isUUID(uid) && (len(uid) != hashSize || !isHex(uid)) {
		return nil
	}
	return uid
}

func isPod(c []byte) bool { return podUID(c) != nil }

// isUUID reports whether b is a UUID, with hyphens or underscores between its parts.
func isUUID(b []byte) bool {
	if len(b) != uuidSize {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' && c != '_' {
				return false
			}
		default:
			if !isHexDigit(c) {
				return false
			}
		}
	}
	return true
}

// isTask reports whether b is the ID of a container of AWS Fargate: that of its
// task, and a number.
func isTask(b []byte) bool {
	if len(b) <= hashSize+1 || b[hashSize] != '-' || !isHex(b[:hashSize]) {
		return false
	}
	_, rest, ok := text.Uint(b[hashSize+1:])
	return ok && len(rest) == 0 && b[hashSize+1] != ' '
}

func isID(b []byte) bool { return len(b) == idSize && isHex(b) }

func isHex(b []byte) bool {
	for _, c := range b {
		if !isHexDigit(c) {
			return false
		}
	}
	return true
}

// isHexDigit takes lower case only, as all runtimes write.
func isHexDigit(c byte) bool { return c-'0' <= 9 || c-'a' <= 5 }

// isUnit reports whether a group is one of systemd's units.
func isUnit(c []byte) bool {
	for _, suffix := range units {
		if name, ok := bytes.CutSuffix(c, []byte(suffix)); ok && len(name) > 0 {
			return isUnitName(name)
		}
	}
	return false
}

// isUnitName reports whether systemd allows all characters of a name (man 5
// systemd.unit).
func isUnitName(name []byte) bool {
	for _, c := range name {
		if c-'0' > 9 && c-'a' > 25 && c-'A' > 25 && bytes.IndexByte([]byte(`:-_.\@`), c) < 0 {
			return false
		}
	}
	return true
}
