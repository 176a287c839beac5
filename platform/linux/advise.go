package linux

import (
	"context"
	"fmt"
	"strings"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// initialNamespace is what a link to the PID namespace of the whole machine says
// (PROC_PID_INIT_INO in include/linux/proc_ns.h).
const initialNamespace = "pid:[4026531836]"

// Advise tells what hides processes from this view. A recorded tree hides nothing.
func (b *backend) Advise() (advice []string) {
	if b.turn.Take(context.Background()) != nil {
		return nil
	}
	defer b.turn.Give()
	if !b.live {
		return nil
	}
	proc := strings.TrimRight(b.options.Root, "/") + "/proc"
	seen := len(b.visible())
	if option := b.hidden(proc); option != "" {
		return []string{fmt.Sprintf("%s is mounted with %s, which hides the processes of other users: %d are seen; "+
			"run as root or with CAP_SYS_PTRACE, or in the group of the mount option gid", proc, option, seen)}
	}
	if b.confined() {
		return []string{fmt.Sprintf("%s shows the %d processes of a PID namespace, not those of the host; "+
			"to see these run in the host's: docker run --pid=host, or hostPID: true in Kubernetes", proc, seen)}
	}
	return nil
}

// visible lists the processes.
func (b *backend) visible() []uint64 {
	fd, err := b.open(b.proc, ".")
	if err != nil {
		return nil
	}
	defer b.kernel.Close(fd)
	b.pids, _ = b.list(fd, b.pids[:0])
	return b.pids
}

// hidden returns the option of proc's mount that hides processes of others (man 5
// proc), if it does so to this one: the first process is another user's to all that
// it works on.
func (b *backend) hidden(proc string) (option string) {
	if fd, err := b.open(b.proc, "1/stat"); err == nil {
		b.kernel.Close(fd)
		return ""
	}
	table, err := b.slurp(b.self, "mountinfo")
	if b.selfErr != nil || err != nil {
		return ""
	}
	for line := range text.Lines(text.Whole(table)) {
		if m, ok := decodeMountDetail(line); ok && m.Point == proc && m.Type == "proc" {
			option = hidepid(m) // of several mounts the last is seen
		}
	}
	return option
}

// hidepid returns the option of a mount. 0 and off are what is without it.
func hidepid(m platform.Mount) string {
	for option := range strings.SplitSeq(m.SuperOptions+","+m.Options, ",") {
		if v, ok := strings.CutPrefix(option, "hidepid="); ok && v != "0" && v != "off" {
			return option
		}
	}
	return ""
}

// confined reports whether it is certain that proc belongs to a PID namespace within
// the machine's. In the machine's own, the second process is the parent of all kernel
// threads (rest_init in init/main.c).
func (b *backend) confined() bool {
	if comm, err := b.file("proc/2/comm"); err == nil && string(text.Trim(comm)) == "kthreadd" {
		return false
	}
	if namespace, ok := b.readLink(b.proc, "1/ns/pid"); ok {
		return namespace != initialNamespace
	}
	// The first process's is not everybody's to know, the own one is.
	namespace, ok := b.readLink(b.self, "ns/pid")
	return ok && b.selfErr == nil && namespace != initialNamespace && b.sharesNamespace()
}

// sharesNamespace reports whether the view's proc has this process in as many
// namespaces as its own proc does: in that of a proc further out there is one more.
func (b *backend) sharesNamespace() bool {
	inView, err := b.file("proc/self/status")
	if err != nil {
		return false
	}
	n := depth(inView)
	own, err := b.slurp(b.self, "status")
	return err == nil && n > 0 && n == depth(own)
}

// depth returns in how many PID namespaces a process is, by its status.
func depth(status []byte) (n int) {
	for line := range text.Lines(text.Whole(status)) {
		list, ok := strings.CutPrefix(string(line), "NSpid:")
		if ok {
			return len(strings.Fields(list))
		}
	}
	return 0
}

// readLink reads a short link.
func (b *backend) readLink(dir int, path string) (target string, ok bool) {
	n, err := b.kernel.ReadLink(dir, b.join(path), b.link)
	if err != nil {
		return "", false
	}
	return string(b.link[:n]), true
}
