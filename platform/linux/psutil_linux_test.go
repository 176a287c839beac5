package linux

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// psutilProcesses is how many processes of all kinds TestPsutilProcesses adds to those
// that are there.
var psutilProcesses = flag.Int("psutil.processes", 30, "how many processes to start beside those of the machine")

//go:embed testdata/psutil_says.py
var psutilScript string

// account is what somebody says: values by name, of each process by PID.
type account map[string]map[string]string

// witness is a process that answers each question with a account. It stays alive between
// the questions, so that what it shares with others is the same each time.
type witness struct {
	t   testing.TB
	pid string
	in  io.WriteCloser
	out *bufio.Reader
}

// call starts a witness, as the given user or, for -1, as we are.
func call(t testing.TB, uid int, cmd *exec.Cmd) *witness {
	t.Helper()
	if uid >= 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	cmd.Stderr = os.Stderr
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
	return &witness{t, strconv.Itoa(cmd.Process.Pid), in, bufio.NewReader(out)}
}

func (w *witness) ask(question string) account {
	w.t.Helper()
	if _, err := io.WriteString(w.in, question+"\n"); err != nil {
		w.t.Fatal(err)
	}
	line, err := w.out.ReadString('\n')
	if err != nil {
		w.t.Fatalf("%s: %v", question, err)
	}
	var d account
	if err := json.Unmarshal([]byte(line), &d); err != nil {
		w.t.Fatalf("%s: %v in %.300q", question, err, line)
	}
	return d
}

// callPsutil starts the script. The interpreter is Debian's, which has the package.
func callPsutil(t testing.TB, uid int) *witness {
	t.Helper()
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import psutil").CombinedOutput(); err != nil {
		t.Skipf("Debian's python3-psutil is not installed: %v %s", err, out)
	}
	return call(t, uid, exec.Command(python, "-c", psutilScript))
}

// callOurs starts this test as a dumper.
func callOurs(t testing.TB, uid int) *witness {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{roleVariable + "=dumper", "GORACE=atexit_sleep_ms=0"}
	return call(t, uid, cmd)
}

// users are whom the comparison is made as: root, if we are, and somebody.
func users() map[string]int {
	if os.Geteuid() != 0 {
		return map[string]int{"as we are": -1}
	}
	return map[string]int{"root": -1, "nobody": 65534}
}

// TestPsutilProcesses compares every value of every process with psutil's, before and
// after: a counter is between the two, and what is the same both times, and of the same
// process, is what we say too. What changes there and back, as the last CPU, is
// another in another round; what is wrong is so in each.
func TestPsutilProcesses(t *testing.T) {
	for name, uid := range users() {
		t.Run(name, func(t *testing.T) {
			psutil, ours := callPsutil(t, uid), callOurs(t, uid)
			newStage(t) // somebody with a bit of everything
			newThrong(t, *psutilProcesses)
			ours.ask("processes")
			psutil.ask("processes")
			c := comparison{lookers: []string{strconv.Itoa(os.Getpid()), ours.pid}, ways: psutilWays}
			var got account
			agree(t, &c, func() account { return psutil.ask("processes") }, func() account {
				got = ours.ask("processes")
				return got
			})
			if name == "root" {
				c.wantEverything(t, got)
			}
		})
	}
}
