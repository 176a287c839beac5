package linux

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

func TestDecodeStatDetail(t *testing.T) {
	const columns = " 1 42 41 34816 -1 4194560 100 0 3 0 12 7 5 6 -2 -20 2 0 8123 3133440 415 1 2 3 4 0 0 0 0 0 0 0 0 0 17 1 99 2 0\n"
	for _, name := range hostileNames {
		var id platform.Identity
		terminal, ok := decodeStatDetail([]byte("42 ("+name+") S"+columns), &id)
		if !ok || *terminal != 34816 || id.Command != name || id.Letter != 'S' || *id.State != platform.StateSleeping {
			t.Fatalf("%q: %v %+v", name, ok, id)
		}
		if id.Parent != 1 || *id.Group != 42 || *id.Session != 41 || *id.Priority != -2 || *id.Nice != -20 ||
			*id.LastCPU != 1 || *id.Realtime != 99 || id.Policy != "rr" {
			t.Errorf("%q: %+v", name, id)
		}
		want := platform.CPUTimes{User: 50 * time.Millisecond, System: 60 * time.Millisecond}
		if id.Children != want || id.CPU.User != 120*time.Millisecond || id.CPU.System != 70*time.Millisecond {
			t.Errorf("%q: %+v, %+v", name, id.CPU, id.Children)
		}
	}
	var id platform.Identity
	terminal, ok := decodeStatDetail([]byte("1 (a) ? 0 0 -1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n"), &id)
	if !ok || *terminal != 0 || id.State != nil || id.Group != nil || id.Session != nil || id.LastCPU != nil || id.Policy != "" {
		t.Errorf("%+v", id)
	}
}

func FuzzDecodeStatDetail(f *testing.F) {
	for _, name := range hostileNames {
		f.Add([]byte("42 (" + name + ") S 1 42 41 34816 -1 4 100 0 3 0 12 7 5 6 -2 -20 2 0 8123 3133440 415 1 2 3 4 0 0 0 0 0 0 0 0 0 17 1 99 2 0\n"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var id platform.Identity
		terminal, ok := decodeStatDetail(b, &id)
		want, wantTerminal, wantOK := slowStatDetail(string(b))
		alike(t, id, ok, want, wantOK)
		alike(t, terminal, ok, wantTerminal, wantOK)
	})
}

func FuzzDecodeThread(f *testing.F) {
	f.Add([]byte("42 (w) S 9 9 9) S 1 42 42 0 -1 4 1 0 3 0 12 7 0 0 20 0 2 0 8123 1 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		thread, ok := decodeThread(b)
		id, _, wantOK := slowStatDetail(string(b))
		want := platform.Thread{Name: id.Command, State: id.State, CPU: id.CPU}
		wantOK = wantOK && id.Letter != 'X' && id.Letter != 'x'
		if wantOK {
			_, _, columns, _ := slowPidStat(string(b))
			want.Key.Start = columns[statStart]
		}
		alike(t, thread, ok, want, wantOK)
	})
}

func slowTicks(v uint64) time.Duration {
	const most = (1<<63 - 1) / 10_000_000
	return time.Duration(min(v, most) * 10_000_000)
}

func slowState(letter byte) *platform.State {
	for state, letters := range map[platform.State]string{
		platform.StateRunning: "R", platform.StateSleeping: "SDIPWK", platform.StateStopped: "Tt", platform.StateDefunct: "Z",
	} {
		if strings.IndexByte(letters, letter) >= 0 {
			return &state
		}
	}
	return nil
}

// slowSigned reads a number that may have a minus sign.
func slowSigned(s string) *int {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v > 1<<31-1 || v < -(1<<31-1) || strings.HasPrefix(s, "+") {
		return nil
	}
	n := int(v)
	return &n
}

func slowStatDetail(s string) (id platform.Identity, terminal *int, ok bool) {
	comm, state, columns, ok := slowPidStat(s)
	if !ok {
		return id, nil, false
	}
	positive := func(column int) *uint64 {
		v, has := columns[column]
		if !has || v == 0 {
			return nil
		}
		return &v
	}
	small := func(column int) *int {
		if _, has := columns[column]; !has {
			return nil
		}
		return slowSigned(strconv.FormatUint(columns[column], 10))
	}
	fields := slowFields(s[strings.LastIndex(s, ")")+1:])
	signed := func(column int) *int {
		if column-3 >= len(fields) {
			return nil
		}
		return slowSigned(fields[column-3])
	}
	id.Command, id.State, id.Letter = comm, slowState(state[0]), state[0]
	id.Parent, id.Group, id.Session = columns[4], positive(5), positive(6)
	id.CPU = platform.CPUTimes{User: slowTicks(columns[14]), System: slowTicks(columns[15])}
	id.Children = platform.CPUTimes{User: slowTicks(columns[16]), System: slowTicks(columns[17])}
	id.LastCPU, id.Realtime = small(39), small(40)
	if policy, has := columns[41]; has && policy < 8 {
		id.Policy = []string{"other", "fifo", "rr", "batch", "", "idle", "deadline", "ext"}[policy]
	}
	id.Priority, id.Nice = signed(18), signed(19)
	return id, signed(7), true
}
