package linux

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// roleVariable names what the test binary does instead of testing.
const roleVariable = "PIDOMETER_TEST_ROLE"

// init runs on the main thread, before anything else of the test.
func init() {
	switch os.Getenv(roleVariable) {
	case "":
		return
	case "subject":
		playSubject()
	case "headless":
		playHeadless()
	case "parent":
		playParent()
	case "holder":
		playHolder()
	case "stranger":
		playStranger()
	case "dumper":
		playDumper()
	case "title":
		playTitle()
	case "hog":
		playHog()
	case "systemd":
		playSystemd()
	}
	fmt.Println("ready")
	rest()
}

// rest waits until the input ends, then ends.
func rest() {
	bufio.NewReader(os.Stdin).ReadString('\n')
	os.Exit(0)
}

// subject is what a subject says of itself.
type subject struct {
	Files map[string]int // descriptors by what they are
	Tasks []int
}

var hostileThread = "w) S 9 9 9"

// playSubject makes itself something to look at and tells what.
func playSubject() {
	s := subject{Files: map[string]int{}}
	must(os.Chdir(os.Getenv("SUBJECT_DIR")))
	s.openFiles()
	s.openSockets()
	s.startThreads()
	pid := os.Getpid()
	must(unix.Setpriority(unix.PRIO_PROCESS, pid, 7))
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 123, Max: 456}))
	must(unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: 3600, Max: unix.RLIM_INFINITY}))
	var set unix.CPUSet
	set.Set(0)
	must(unix.SchedSetaffinity(pid, &set))
	_, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioProcess, uintptr(pid), 2<<ioprioShift|6)
	if errno != 0 {
		panic(errno)
	}
	must(json.NewEncoder(os.Stdout).Encode(s))
	rest()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func try[T any](v T, err error) T {
	must(err)
	return v
}

func (s *subject) openFiles() {
	open := func(what, name string, flags int) {
		s.Files[what] = try(unix.Open(name, flags|unix.O_CREAT, 0o600))
	}
	open("read", "read", unix.O_RDONLY)
	open("write", "write", unix.O_WRONLY)
	open("append", "append", unix.O_WRONLY|unix.O_APPEND)
	open("both", "both", unix.O_RDWR)
	open("both append", "both append", unix.O_RDWR|unix.O_APPEND)
	open("newline", "new\nline\xff", unix.O_RDWR)
	open("marked", "marked (deleted)", unix.O_RDONLY)
	open("gone", "gone", unix.O_RDWR)
	open("linked", "linked", unix.O_RDWR)
	must(os.Link("linked", "other name"))
	must(os.Remove("linked"))
	must(os.Remove("gone"))
	try(unix.Write(s.Files["both"], make([]byte, 4321)))
	s.Files["path"] = try(unix.Open("read", unix.O_PATH, 0))
	s.Files["dir"] = try(unix.Open(".", unix.O_RDONLY, 0))
	s.Files["null"] = try(unix.Open("/dev/null", unix.O_RDWR, 0))
	s.Files["memory"] = try(unix.MemfdCreate("scratch", 0))
	s.Files["event"] = try(unix.Eventfd(0, 0))
}

// descriptor keeps the file of a connection open, for ever.
func (s *subject) keep(what string, c interface{ File() (*os.File, error) }) {
	s.Files[what] = int(try(c.File()).Fd())
}

func (s *subject) openSockets() {
	for network, address := range loopbacks() {
		l, err := net.Listen(network, address)
		must(err)
		client := try(net.Dial(network, l.Addr().String()))
		server := try(l.Accept())
		try(client.Write([]byte("12345678")))
		s.keep(network+" listen", l.(*net.TCPListener))
		s.keep(network+" client", client.(*net.TCPConn))
		s.keep(network+" server", server.(*net.TCPConn))
	}
	if hasIPv6() {
		any6 := try(net.Listen("tcp", ":0"))
		mapped := try(net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", any6.Addr().(*net.TCPAddr).Port)))
		s.keep("mapped", try(any6.Accept()).(*net.TCPConn))
		s.keep("mapped client", mapped.(*net.TCPConn))
		s.keep("udp6", try(net.DialUDP("udp6", nil, &net.UDPAddr{IP: net.IPv6loopback, Port: 9})))
	}
	s.keep("udp4", try(net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})))
	s.keep("unix", try(net.ListenUnix("unix", &net.UnixAddr{Name: "socket (deleted)", Net: "unix"})))
	s.keep("abstract", try(net.ListenUnix("unix", &net.UnixAddr{Name: fmt.Sprintf("@pidometer %d", os.Getpid()), Net: "unix"})))
	s.keep("dgram", try(net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "dgram", Net: "unixgram"})))
	pair := try(unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET, 0))
	s.Files["pair"], s.Files["pair 2"] = pair[0], pair[1]
	s.Files["pair dup"] = try(unix.Dup(pair[0]))
	s.Files["netlink"] = try(unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0))
}

// loopbacks are the addresses of this machine to itself, by the network.
func loopbacks() map[string]string {
	all := map[string]string{"tcp4": "127.0.0.1:0"}
	if hasIPv6() {
		all["tcp6"] = "[::1]:0"
	}
	return all
}

// hasIPv6 reports whether this network namespace has IPv6, which may be switched off.
func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func (s *subject) startThreads() {
	ids := make(chan int)
	for range 3 {
		go func() {
			runtime.LockOSThread()
			name := append([]byte(hostileThread), 0)
			must(unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0))
			ids <- unix.Gettid()
			select {}
		}()
	}
	for range 3 {
		s.Tasks = append(s.Tasks, <-ids)
	}
}

// playHeadless ends the first thread and goes on with the others.
func playHeadless() {
	go func() {
		try(os.Create(filepath.Join(os.Getenv("SUBJECT_DIR"), "headless")))
		for {
			b, _ := os.ReadFile("/proc/self/stat")
			var p processStat
			if decodePidStat(b, &p) && p.state == 'Z' {
				break
			}
			time.Sleep(time.Millisecond)
		}
		fmt.Println("ready")
		rest()
	}()
	// The runtime learns of no end, since it is told of a call that never returns.
	syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
}

// playParent has a child and a grandchild, and a zombie.
func playParent() {
	generation := os.Getenv("GENERATION")
	if generation == "2" {
		return
	}
	next := map[string]string{"": "1", "1": "2"}[generation]
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "GENERATION="+next)
	in := try(cmd.StdinPipe())
	out := try(cmd.StdoutPipe())
	must(cmd.Start())
	try(bufio.NewReader(out).ReadString('\n'))
	runtime.KeepAlive(in)
}

// playTitle writes over its arguments as setproctitle(3) does, the last NUL byte
// included. They are still where the kernel put them.
func playTitle() {
	first, last := os.Args[0], os.Args[len(os.Args)-1]
	begin := uintptr(unsafe.Pointer(unsafe.StringData(first)))
	end := uintptr(unsafe.Pointer(unsafe.StringData(last))) + uintptr(len(last))
	area := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.StringData(first))), end-begin+1)
	for i := range area {
		area[i] = 'x'
	}
	copy(area, "worker: idle\x00")
}

// play starts the test binary in a role and waits for its first line.
func play(t testing.TB, role string, prepare func(*exec.Cmd)) (cmd *exec.Cmd, line string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(exe)
	cmd.Env = []string{roleVariable + "=" + role, "SUBJECT_DIR=" + t.TempDir(), "GORACE=atexit_sleep_ms=0"}
	cmd.Stderr = os.Stderr
	if prepare != nil {
		prepare(cmd)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return cmd, line
}
