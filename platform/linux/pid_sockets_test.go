package linux

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// socketLine is a line of a table.
func socketLine(state string, inode int) string {
	return fmt.Sprintf("   0: 00000000:07E8 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0        0 %d 1 x\n", state, inode)
}

// What a process holds is counted by what the tables of its own namespace say, once
// for each socket, whatever the number of descriptors.
func TestConnectionCount(t *testing.T) {
	w := newWorld(t)
	for fd, inode := range map[int]string{0: "11", 1: "11", 2: "12", 3: "13", 4: "14", 5: "15", 6: "999"} {
		w.symlink(fmt.Sprintf("proc/42/fd/%d", fd), "socket:["+inode+"]")
	}
	for _, pid := range []string{"1", "42"} { // one namespace
		dir := "proc/" + pid + "/net/"
		w.write(dir+"tcp", "  sl  local_address\n"+socketLine("0A", 11)+socketLine("01", 12)+socketLine("0C", 13)+socketLine("06", 0)+"  garbage 14\n")
		w.write(dir+"tcp6", "  sl  local_address\n"+socketLine("01", 14))
		w.write(dir+"udp", "  sl  local_address\n"+socketLine("07", 15))
	}
	w.symlink("proc/43/fd/0", "socket:[11]")
	w.symlink("proc/43/ns/net", "net:[4026532000]") // another, where 11 is something else
	w.write("proc/43/net/tcp", socketLine("08", 11))
	b := w.backend(Options{})
	defer b.Close()
	for range 2 {
		w.log = []string{}
		s := read(t, b, 1<<pidSockets)
		for pid, want := range map[uint64]map[platform.Field]uint64{
			42: {platform.ProcessTCPListen: 1, platform.ProcessTCPEstablished: 2, platform.ProcessTCPSynReceived: 1, platform.ProcessUDP: 1, platform.ProcessTCPTimeWait: 0},
			43: {platform.ProcessTCPCloseWait: 1, platform.ProcessTCPListen: 0},
		} {
			for f, v := range want {
				if got, ok := s.fields[pid][f]; !ok || got != v {
					t.Errorf("%d: %v is %d, %v, want %d", pid, f, got, ok, v)
				}
			}
		}
		tables := slices.DeleteFunc(w.log, func(call string) bool {
			return !strings.HasPrefix(call, "open") || !strings.HasSuffix(call, "/net/tcp")
		})
		if len(tables) != 2 || len(s.misses) > 0 {
			t.Errorf("%q, misses %v", tables, s.misses)
		}
	}
	if n := len(b.networks.known); n != 2 {
		t.Errorf("%d namespaces are known", n)
	}
}

// Whose descriptors are hidden has no count, and not one of 0.
func TestConnectionCountDenied(t *testing.T) {
	for _, path := range []string{"/proc/42/fd", "/proc/42/ns/net"} {
		w := newWorld(t)
		w.before = func(_ *world, _ int, _, at string) error {
			if at == path {
				return fs.ErrPermission
			}
			return nil
		}
		b := w.backend(Options{})
		s := read(t, b, 1<<pidSockets)
		if len(s.fields[42]) != 0 || s.misses[pidSockets][platform.Denied] != 1 || len(s.fields[43]) != 12 {
			t.Errorf("%s: %v, misses %v", path, s.fields, s.misses)
		}
		b.Close()
		if n := w.leaked(); n != 0 {
			t.Errorf("%d handles are left", n)
		}
	}
}

// Children are counted in one look at everybody in a pass.
func TestChildCount(t *testing.T) {
	w := newWorld(t)
	b := w.backend(Options{})
	defer b.Close()
	stat := func(pid, parent int) string {
		return strings.Replace(statLine(uint64(pid), task{name: "x", state: "Z", threads: 1, scale: 1}), ") Z 1 ", fmt.Sprintf(") Z %d ", parent), 1)
	}
	for pid, parent := range map[int]int{100: 42, 101: 42, 102: 100} {
		w.write(fmt.Sprintf("proc/%d/stat", pid), stat(pid, parent))
	}
	for pass := range 2 {
		w.log = []string{}
		s := read(t, b, 1<<pidStat|1<<pidChildren)
		for pid, want := range map[uint64]uint64{42: 2, 43: 0} {
			if v, ok := s.fields[pid][platform.ProcessChildren]; !ok || v != want {
				t.Errorf("pass %d: %d has %d children, %v", pass, pid, v, ok)
			}
		}
	}
	w.before = func(_ *world, _ int, op, path string) error {
		if op == "open" && path == "/proc/." {
			return fs.ErrPermission
		}
		return nil
	}
	s, err := readOne(t, b, platform.Key{ID: 42}, 1<<pidChildren)
	if err != nil || s.misses[pidChildren][platform.Denied] != 1 {
		t.Errorf("%v, misses %v", err, s.misses)
	}
}

func FuzzDecodeSocketState(f *testing.F) {
	f.Add([]byte(socketLine("0A", 452)))
	f.Fuzz(func(t *testing.T, b []byte) {
		inode, state, ok := decodeSocketState(b)
		wantInode, wantState, want := slowSocketState(string(b))
		if ok != want || ok && (inode != wantInode || state != wantState) {
			t.Fatalf("%d %d %v, want %d %d %v", inode, state, ok, wantInode, wantState, want)
		}
	})
}

func slowSocketState(line string) (inode uint64, state uint8, ok bool) {
	f := slowFields(line)
	digits := leadingDigits(strings.TrimLeft(line, " \t\n\r"))
	if _, err := strconv.ParseUint(digits, 10, 64); err != nil || !strings.HasPrefix(strings.TrimLeft(line, " \t\n\r")[len(digits):], ":") || len(f) < 10 {
		return 0, 0, false
	}
	s, err := strconv.ParseUint(f[3], 16, 64)
	n, other := strconv.ParseUint(f[9], 10, 64)
	if err != nil || other != nil || strings.ContainsAny(f[3]+f[9], "+_") || s == 0 || s > 15 || n == 0 {
		return 0, 0, false
	}
	return n, uint8(s), true
}
