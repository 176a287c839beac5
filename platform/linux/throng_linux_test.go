package linux

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// extra is a process of a throng: a shell that waits for its input.
type extra struct {
	kind string
	cmd  *exec.Cmd
	comm string // its short name
}

// kindOf is one way in which processes differ. Name is what the program file is
// called, if it is another name than that of the shell.
type kindOf struct {
	name    string
	prepare func(c *throng, cmd *exec.Cmd)
	after   func(c *throng, pid int) error
}

// throng is what the processes of a test share.
type throng struct {
	t     testing.TB
	dir   string
	input *os.File // which never comes
	all   []extra
}

const shell = "/bin/sh"

// kinds are all ways.
var kinds = map[string]kindOf{
	"plain":              {},
	"parenthesis":        {name: ")"},
	"columns":            {name: "a) S 9 9 (b"},
	"newline":            {name: "new\nline"},
	"users":              {name: "Uid:\t0\t0\t0"},
	"thread count":       {name: "Threads:\t99"},
	"no UTF-8":           {name: strings.Repeat("\xff", 15)},
	"long name":          {name: "a name that is longer than fifteen bytes"},
	"empty name":         {name: " "},
	"empty arguments":    {prepare: arguments("", "", "")},
	"arguments":          {prepare: arguments("an argument", "\xff", "new\nline", "")},
	"long arguments":     {prepare: arguments(strings.Repeat("x", 100_000), strings.Repeat("y", 28_000))},
	"blanks":             {prepare: arguments(" ", "  ")},
	"other name":         {prepare: func(_ *throng, cmd *exec.Cmd) { cmd.Args[0] = "worker: idle" }},
	"environment":        {prepare: environment("A=1", "EMPTY=", "no equals sign", "", "=", "A=2", "BYTES=\xff\n")},
	"empty environment":  {prepare: environment("")},
	"long environment":   {prepare: environment("LONG=" + strings.Repeat("x", 100_000))},
	"deleted executable": {prepare: copied, after: func(c *throng, _ int) error { return os.Remove(filepath.Join(c.dir, "copied")) }},
	"folder":             {prepare: func(_ *throng, cmd *exec.Cmd) { cmd.Dir = "/usr" }},
	"deleted folder":     {prepare: inFolder, after: func(c *throng, _ int) error { return os.Remove(filepath.Join(c.dir, "folder")) }},
	"files":              {prepare: withFiles},
	"sockets":            {prepare: withSockets},
	"session":            {prepare: func(_ *throng, cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }},
	"nobody's":           {prepare: asNobody},
	"nice":               {after: func(_ *throng, pid int) error { return unix.Setpriority(unix.PRIO_PROCESS, pid, 5) }},
	"idle disk":          {after: idleDisk},
	"one CPU":            {after: oneCPU},
	"limits":             {after: limited},
	"stopped":            {after: func(_ *throng, pid int) error { return unix.Kill(pid, unix.SIGSTOP) }},
	"zombie":             {after: func(_ *throng, pid int) error { return unix.Kill(pid, unix.SIGKILL) }},
}

// newThrong starts n processes, of all kinds as far as n goes. They end with the test.
func newThrong(t testing.TB, n int) *throng {
	t.Helper()
	if _, err := os.Stat(shell); err != nil {
		t.Skipf("no %s on this machine: %v", shell, err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &throng{t: t, dir: dir, input: read}
	t.Cleanup(func() {
		for _, e := range c.all {
			e.cmd.Process.Kill()
			e.cmd.Wait()
		}
		read.Close()
		write.Close()
	})
	names := []string{}
	for kind := range kinds {
		names = append(names, kind)
	}
	slices.Sort(names)
	for i := range n {
		c.start(names[i%len(names)])
	}
	return c
}

// start starts one process. A name is that of a link to the shell.
func (c *throng) start(kind string) {
	c.t.Helper()
	k := kinds[kind]
	cmd := exec.Command(shell, "-c", "read x", "sh")
	if k.name != "" {
		cmd.Path = filepath.Join(c.dir, k.name)
		if err := os.Symlink(shell, cmd.Path); err != nil && !os.IsExist(err) {
			c.t.Fatal(err)
		}
	}
	cmd.Env, cmd.Stdin = []string{"KIND=" + kind}, c.input
	if k.prepare != nil {
		k.prepare(c, cmd)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatalf("%s: %v", kind, err)
	}
	comm := filepath.Base(cmd.Path)
	c.all = append(c.all, extra{kind, cmd, comm[:min(len(comm), 15)]})
	if k.after != nil {
		if err := k.after(c, cmd.Process.Pid); err != nil {
			c.t.Fatalf("%s: %v", kind, err)
		}
	}
}

func arguments(more ...string) func(*throng, *exec.Cmd) {
	return func(_ *throng, cmd *exec.Cmd) { cmd.Args = append(cmd.Args, more...) }
}

func environment(entries ...string) func(*throng, *exec.Cmd) {
	return func(_ *throng, cmd *exec.Cmd) { cmd.Env = entries }
}

// copied runs a copy of the shell.
func copied(c *throng, cmd *exec.Cmd) {
	cmd.Path = filepath.Join(c.dir, "copied")
	from, err := os.Open(shell)
	if err != nil {
		c.t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(cmd.Path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		c.t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		c.t.Fatal(err)
	}
}

func inFolder(c *throng, cmd *exec.Cmd) {
	cmd.Dir = filepath.Join(c.dir, "folder")
	if err := os.Mkdir(cmd.Dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
}

// withFiles opens files for all that a process may do with them.
func withFiles(c *throng, cmd *exec.Cmd) {
	for _, flags := range [...]int{os.O_RDONLY, os.O_WRONLY, os.O_WRONLY | os.O_APPEND, os.O_RDWR, os.O_RDWR | os.O_APPEND} {
		f, err := os.OpenFile(filepath.Join(c.dir, "a file"), flags|os.O_CREATE, 0o600)
		if err != nil {
			c.t.Fatal(err)
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		c.t.Cleanup(func() { f.Close() })
	}
}

// withSockets opens a listening socket, one of datagrams and a pair.
func withSockets(c *throng, cmd *exec.Cmd) {
	keep := func(f *os.File, err error) {
		if err != nil {
			c.t.Fatal(err)
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		c.t.Cleanup(func() { f.Close() })
	}
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		c.t.Fatal(err)
	}
	defer l.Close()
	keep(l.File())
	u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		c.t.Fatal(err)
	}
	defer u.Close()
	keep(u.File())
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, fd := range pair {
		keep(os.NewFile(uintptr(fd), "pair"), nil)
	}
}

// asNobody makes it another user's, if we may.
func asNobody(_ *throng, cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

func idleDisk(_ *throng, pid int) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioProcess, uintptr(pid), 3<<ioprioShift); errno != 0 {
		return errno
	}
	return nil
}

func oneCPU(_ *throng, pid int) error {
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &all); err != nil {
		return err
	}
	for cpu := range len(all) * 64 {
		if all.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	return unix.SchedSetaffinity(pid, &one)
}

func limited(_ *throng, pid int) error {
	return unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 77, Max: 88}, nil)
}

// user is whose it is.
func (e *extra) user() uint64 {
	if a := e.cmd.SysProcAttr; a != nil && a.Credential != nil {
		return uint64(a.Credential.Uid)
	}
	return uint64(os.Geteuid())
}
