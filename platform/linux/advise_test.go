package linux

import (
	"io/fs"
	"strings"
	"testing"
)

// What hides processes, and what to do about it.
func TestAdvise(t *testing.T) {
	const (
		proc    = "22 27 0:21 / /proc rw,relatime - proc proc rw"
		initial = "pid:[4026531836]"
		nested  = "pid:[4026532281]"
	)
	for _, x := range []struct {
		why, root string
		mounts    string // of proc, as this process sees it
		denied    bool   // the first process is out of reach
		kthreadd  string // name of the second process in the view
		first     string // PID namespace of the first process in the view; "" for denied
		own       string // of this process
		status    string // of this process, in the view
		want      string // what the advice says; "" for none
	}{
		{why: "the machine's own", mounts: proc, kthreadd: "kthreadd", first: initial, own: initial},
		{why: "the first process may not be asked", mounts: proc, own: initial},
		{why: "nothing to go by", mounts: proc},
		{why: "a container", mounts: proc, first: nested, own: nested, want: "/proc shows the 3 processes of a PID namespace"},
		{why: "a container whose second process is a shell", mounts: proc, kthreadd: "sh", own: nested, status: "NSpid:\t1\n", want: "--pid=host"},
		{why: "a host's proc in a container", root: "/host", mounts: proc, kthreadd: "kthreadd", own: nested},
		{why: "a proc further out, of another container's host", root: "/host", mounts: proc, own: nested, status: "NSpid:\t77\t1\n"},
		{why: "the own proc under another root", root: "/host", mounts: proc, own: nested, status: "NSpid:\t1\n", want: "/host/proc shows"},
		{why: "hidden", mounts: proc + ",hidepid=invisible", denied: true, own: initial, want: "/proc is mounted with hidepid=invisible"},
		{why: "an older kernel's word", mounts: proc + ",gid=4,hidepid=2", denied: true, own: initial, want: "hidepid=2, which hides the processes of other users: 3 are seen; run as root"},
		{why: "hidden from others", mounts: proc + ",hidepid=2", kthreadd: "kthreadd", own: initial},
		{why: "not hidden", mounts: proc + ",hidepid=0", denied: true, kthreadd: "kthreadd", own: initial},
		{why: "hidden elsewhere", mounts: strings.Replace(proc, "/proc", "/other", 1) + ",hidepid=2", denied: true, kthreadd: "kthreadd", own: initial},
	} {
		w := newWorld(t)
		view := strings.TrimPrefix(x.root+"/", "/")
		if view != "" {
			w.write(view+"proc/stat", "btime 1700000000\n")
			w.start(task{pid: 1, start: 10, name: "init", threads: 1, scale: 1})
			w.find(strings.TrimSuffix(view, "/") + "/proc").children["1"] = w.find("proc/1")
			w.find("proc").children["self"] = w.find("proc/1")
		}
		w.write("proc/1/mountinfo", x.mounts+"\n")
		w.write("proc/1/status", "NSpid:\t1\n")
		if x.kthreadd != "" {
			w.write(view+"proc/2/comm", x.kthreadd+"\n")
		}
		if x.status != "" {
			w.write(view+"proc/self/status", x.status)
			w.write("proc/1/status", "NSpid:\t1\n")
		}
		w.symlink("proc/1/ns/pid", x.own)
		b := w.backend(Options{Root: x.root})
		w.before = func(_ *world, _ int, op, path string) error {
			first := path == strings.TrimSuffix("/"+view, "/")+"/proc/1/ns/pid"
			if x.denied && strings.HasSuffix(path, "/1/stat") || op == "link" && first && x.first == "" {
				return fs.ErrPermission
			}
			if op == "link" && x.own == "" {
				return fs.ErrNotExist
			}
			return nil
		}
		got := strings.Join(b.Advise(), "\n")
		if x.want == "" && got != "" || !strings.Contains(got, x.want) {
			t.Errorf("%s: %q, want %q", x.why, got, x.want)
		}
		w.before = nil
		b.Close()
	}
}

// A copy of a proc hides nothing.
func TestAdviseOfTree(t *testing.T) {
	w := newWorld(t)
	w.find("proc").stat.Size = 4096
	b := w.backend(Options{})
	defer b.Close()
	w.symlink("proc/1/ns/pid", "pid:[1]")
	if got := b.Advise(); got != nil {
		t.Errorf("%q", got)
	}
}
