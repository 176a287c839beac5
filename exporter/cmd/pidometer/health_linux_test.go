package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/pidometer/pidometer/exporter/cmd/pidometer/internal/health"
	"github.com/pidometer/pidometer/internal/otlptest"
)

var told = regexp.MustCompile(`msg="health is told[^"]*" address=(\S+)`)

// eventually waits for what must come.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(otlptest.Patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %v", what, otlptest.Patience)
		}
	}
}

// probe asks a sidecar that was started with --health 127.0.0.1:0.
func (s *sidecar) probe(t *testing.T, path string) (int, health.Report) {
	t.Helper()
	eventually(t, "address in the log", func() bool { return told.MatchString(s.log.String()) })
	client := http.Client{Timeout: otlptest.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + told.FindStringSubmatch(s.log.String())[1] + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var r health.Report
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, r
}

// The sidecar is ready when something has been delivered, and not ready in an outage;
// healthy it is all the time, as an ordinary user too, to whom much is denied.
func TestHealth(t *testing.T) {
	for _, processes := range []string{"top", "all"} {
		t.Run(processes, func(t *testing.T) {
			r := otlptest.Start(t)
			r.Answer(otlptest.Refuse(codes.PermissionDenied))
			c := exec.Command(program(t), "run", "--otlp", "http://"+r.Addr, "--interval", "200ms", "--processes", processes, "--health", "127.0.0.1:0")
			c.Dir = "/"
			if os.Getuid() == 0 {
				c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			s := start(t, c)
			ready := func(status int, state string) func() bool {
				return func() bool {
					code, report := s.probe(t, "/readyz")
					return code == status && report.Exporter.State == state
				}
			}
			eventually(t, "outage", ready(http.StatusServiceUnavailable, "failing"))
			r.Answer(nil)
			eventually(t, "recovery", ready(http.StatusOK, "ok"))
			code, report := s.probe(t, "/healthz")
			if code != http.StatusOK || report.Status != "ok" || report.Pass.Count == 0 || !report.Pass.Whole || report.Exporter.Points.Delivered == 0 {
				t.Errorf("status %d, %+v", code, report)
			}
			states := map[string]string{}
			for _, source := range report.Sources {
				states[source.Name] = source.State
			}
			if states["/proc/[pid]/stat"] == "" || states["/proc/meminfo"] != "ok" {
				t.Errorf("sources %v", states)
			}
			if os.Getuid() == 0 && states["/proc/[pid]/io"] != "partial" {
				t.Errorf("I/O of root's processes is denied to an ordinary user: %v", states)
			}
			s.Process.Signal(syscall.SIGTERM)
			s.ended(t)
		})
	}
}

// When the last pass arrives, nobody can ask for health any more.
func TestHealthEndsFirst(t *testing.T) {
	r := otlptest.Start(t)
	s := sidecarTo(t, r, "--processes", "none", "--interval", "1h", "--health", ":0")
	eventually(t, "first data", func() bool { code, _ := s.probe(t, "/readyz"); return code == http.StatusOK })
	address := told.FindStringSubmatch(s.log.String())[1]
	open := make(chan bool, 10)
	r.Answer(func(context.Context, *otlptest.Request) (*otlptest.Response, error) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		open <- err == nil
		return nil, nil
	})
	s.Process.Signal(syscall.SIGTERM)
	s.ended(t)
	if len(open) == 0 || <-open {
		t.Error("no last pass, or health was still told when it came")
	}
}

// Nothing listens unless it is asked for, and an address of the network is told.
func TestListens(t *testing.T) {
	r := otlptest.Start(t)
	for address, want := range map[string]string{"": "", "127.0.0.1:0": "level=INFO", "0.0.0.0:0": "level=WARN"} {
		args := []string{"--processes", "none"}
		if address != "" {
			args = append(args, "--health", address)
		}
		seen := len(r.Requests())
		s := sidecarTo(t, r, args...)
		r.WaitFor(t, "data", otlptest.AtLeast(seen+1))
		line := ""
		for l := range strings.Lines(s.log.String()) {
			if told.MatchString(l) {
				line = l
			}
		}
		if listening(t, s.Process.Pid) != (address != "") || !strings.Contains(line, want) || want == "" && line != "" {
			t.Errorf("--health %q: listens: %v, says %q", address, listening(t, s.Process.Pid), line)
		}
		s.Process.Signal(syscall.SIGTERM)
		s.ended(t)
	}
}

// listening reports whether a process has a TCP socket that listens (proc_pid_net(5):
// state 0A).
func listening(t *testing.T, pid int) bool {
	t.Helper()
	dir := filepath.Join("/proc", fmt.Sprint(pid))
	sockets := map[string]bool{}
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(dir, "fd", f.Name())); err == nil && strings.HasPrefix(to, "socket:[") {
			sockets[strings.Trim(to, "socket:[]")] = true
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(filepath.Join(dir, "net", table)) // without IPv6 there is no tcp6
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" && sockets[f[9]] {
				return true
			}
		}
	}
	return false
}

func TestHealthMistakes(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	r := otlptest.Start(t)
	for address, want := range map[string]struct {
		code int
		says string
	}{
		"13133": {2, "--health"}, "example.com:13133": {2, "no IP address"}, "127.0.0.1:x": {2, "port"}, busy.Addr().String(): {1, "choose another address"},
	} {
		_, log, code := run(t, "run", "--otlp", "http://"+r.Addr, "--processes", "none", "--health", address)
		last := log[strings.LastIndex(strings.TrimSuffix(log, "\n"), "\n")+1:]
		if code != want.code || !strings.Contains(last, want.says) || !strings.HasPrefix(last, "pidometer: ") {
			t.Errorf("--health %s: status %d, log %q", address, code, log)
		}
	}
}
