package linux

import (
	"context"
	"strings"

	"github.com/pidometer/pidometer/platform"
)

// Views tells where each source is read. Most are at their usual places under the
// root; the others are found as the passes find them.
func (b *backend) Views() []platform.View {
	if b.turn.Take(context.Background()) != nil {
		return nil
	}
	defer b.turn.Give()
	views := make([]platform.View, 0, len(b.sources)+1)
	for i := range b.sources {
		v := b.view(b.sources[i].Name)
		if v.Path != "" {
			v.Path = strings.TrimRight(b.options.Root, "/") + "/" + v.Path
		}
		views = append(views, v)
	}
	return append(views, platform.View{Source: "/proc/self", Path: "/proc/self", Own: true})
}

// view returns where a source is read, as a path under the root.
func (b *backend) view(source string) platform.View {
	v := platform.View{Source: source}
	if source == sockDiag && b.options.moved() {
		source = "/proc/net/tcp"
	}
	path, isFile := strings.CutPrefix(source, "/")
	switch table, isNet := strings.CutPrefix(path, "proc/net/"); {
	case !isFile:
		v.Own = b.options.moved()
	case isNet:
		tables := b.networkTables()
		v.Path, v.Own = tables+table, b.options.moved() && tables == ownTables
	case strings.HasPrefix(path, "proc/sys/net/"):
		// The kernel looks at the reader's network namespace (net_ctl_header_lookup in
		// net/sysctl_net.c), and no other way leads to the numbers.
		v.Path, v.Own = path, b.options.moved()
	case path == "proc/self/mountinfo":
		v.Path, v.Own = b.mountsView()
	case strings.HasPrefix(path, groupsFolder+"/"):
		v.Path = b.groupsView(path)
	default:
		v.Path, v.Own = b.alternative(path)
	}
	return v
}

// mountsView is where mountTable finds the table.
func (b *backend) mountsView() (path string, own bool) {
	for _, path := range [...]string{"proc/1/mountinfo", "proc/self/mountinfo"} {
		if path == "proc/1/mountinfo" && !b.options.moved() {
			continue
		}
		if _, err := b.file(path); err == nil {
			return path, b.options.moved() && path == "proc/self/mountinfo"
		}
	}
	return "proc/mounts", b.options.moved()
}

// groupsView puts the mount point of the tree that is walked in place of the usual.
func (b *backend) groupsView(path string) string {
	if t := b.containerTree(); t.point != "" {
		return t.point + strings.TrimPrefix(path, groupsFolder)
	}
	return path
}

// The texts that stand in one of several files: in a moved view, and elsewhere.
var alternatives = map[string][]string{
	"etc/machine-id":           {"etc/machine-id", "var/lib/dbus/machine-id"},
	"etc/os-release":           {"etc/os-release", "usr/lib/os-release"},
	"proc/sys/kernel/hostname": {"etc/hostname", "proc/sys/kernel/hostname"},
}

// alternative returns the first of several files that is there.
func (b *backend) alternative(path string) (found string, own bool) {
	if !b.options.moved() {
		return path, false
	}
	for _, p := range alternatives[path] {
		if b.has(p) {
			return p, p == "proc/sys/kernel/hostname"
		}
	}
	return path, false
}
