package linux

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const (
	statusText = "Name:\tcat\nUmask:\t0022\nState:\tR (running)\nTgid:\t6113\nPid:\t6113\nPPid:\t6101\n" +
		"Uid:\t1000\t1001\t1002\t1003\nGid:\t0\t0\t0\t0\nVmPeak:\t    3060 kB\nVmSize:\t    3060 kB\n" +
		"VmHWM:\t    1800 kB\nVmRSS:\t    1776 kB\nRssAnon:\t     104 kB\nRssFile:\t    1672 kB\nRssShmem:\t       0 kB\n" +
		"HugetlbPages:\t    2048 kB\nThreads:\t3\nSigQ:\t0/96365\nSigPnd:\t0000000000000200\nShdPnd:\t0000000000004200\n" +
		"SigBlk:\tffffffffffffffff\nCpus_allowed:\tff,00000003\nCpus_allowed_list:\t0-1,32-39\n" +
		"voluntary_ctxt_switches:\t11\nnonvoluntary_ctxt_switches:\t7\n"
	ioText     = "rchar: 4292\nwchar: 99\nsyscr: 13\nsyscw: 5\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n"
	passwdText = "root:x:0:0:root:/root:/bin/bash\n# comment\n+::::::\ntoor:x:0:0::/root:/bin/sh\n" +
		"big:x:4294967295:1::/:\nnobody:x:65534:65534:nobody:/:\nbad:x:12z:1::/:\n"
)

// hostileNames are names that a process may give itself.
var hostileNames = []string{
	"cat", "", ")", "((sd-pam))", "a b) S 1 2", "x\ny", ") R 1 1 1 1 1", "Uid:\t0\t0\t0",
	strings.Repeat("\xff", 15), "Threads:\t99", "\x00", "kworker/u8:3-events_unbound",
}

func TestDecodePidStat(t *testing.T) {
	const columns = " 1 42 42 0 -1 4194560 100 0 3 0 12 7 0 0 20 0 2 0 8123 3133440 415 18446744073709551615 1 2 3 0 0 0 0 0 0 0 0 0 17 1 0 0 9 0 0\n"
	for _, name := range hostileNames {
		var p processStat
		if !decodePidStat([]byte("42 ("+name+") S"+columns), &p) {
			t.Fatalf("%q: not read", name)
		}
		want := map[int]uint64{
			statParent: 1, statMinorFaults: 100, statMajorFaults: 3, statUser: 12, statSystem: 7, statThreads: 2,
			statStart: 8123, statVirtual: 3133440, statRSS: 415, statIowait: 9,
		}
		for column, v := range want {
			if !p.has(column) || p.columns[column] != v {
				t.Errorf("%q: column %d is %d, want %d", name, column, p.columns[column], v)
			}
		}
		if string(p.comm) != name || p.state != 'S' || p.has(8) {
			t.Errorf("%q: name %q, state %c, tty %v", name, p.comm, p.state, p.has(8))
		}
	}
}

func TestDecodePidStatOfThread(t *testing.T) {
	const columns = " 1 42 42 0 -1 4194560 100 0 3 0 12 7 0 0 20 0 2 0 8123 3133440 415 18446744073709551615 1 2 3 0 0 0 0 0 0 0 0 0 "
	for rest, want := range map[string]bool{"17 1 0 0 9\n": false, "-1 1 0 0 9\n": true, "0 0 0 0 9\n": false, "\n": false} {
		var p processStat
		if !decodePidStat([]byte("42 (cat) S"+columns+rest), &p) || p.thread() != want {
			t.Errorf("%q: a thread is %v, want %v", rest, p.thread(), want)
		}
	}
}

func TestDecodePidStatRefuses(t *testing.T) {
	for _, text := range []string{
		"", "\n", ")(", "42 (cat", "42 (cat)", "42 (cat) S", "42 (cat) S\n", "42 (cat) S 1 2 3\n",
		"42 (cat) S 1 42 42 0 -1 4194560 100 0 3 0 12 7 0 0 20 0 2 0 81", // cut in the start
		"42 (cat) S 1 42 42 0 -1 4194560 100 0 3 0 12 7 0 0 20 0 2 0 -1 1\n",
	} {
		if decodePidStat([]byte(text), new(processStat)) {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestDecodePidStatus(t *testing.T) {
	want := map[int]uint64{
		statusParent: 6101, statusUser: 1001, statusVirtual: 3060 << 10, statusRSS: 1776 << 10, statusThreads: 3,
		statusPending: 2, statusAllowed: 10, statusVoluntary: 11, statusInvoluntary: 7,
		statusVirtualPeak: 3060 << 10, statusPeak: 1800 << 10, statusAnonymous: 104 << 10, statusFile: 1672 << 10,
		statusShmem: 0, statusHugetlb: 2048 << 10,
	}
	for _, name := range []string{"cat", `Uid:\t0`, "Uid:\t0\t0\t0", "Threads:\t99", strings.Repeat("\xff", 15), `x\nUid:\t0`} {
		var p processStatus
		decodePidStatus([]byte(strings.Replace(statusText, "\tcat\n", "\t"+name+"\n", 1)), &p)
		if got := statusMap(&p); !maps.Equal(got, want) {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

// statusMap returns the values that are there.
func statusMap(p *processStatus) map[int]uint64 {
	m := map[int]uint64{}
	for i, v := range p.values {
		if p.has(i) {
			m[i] = v
		}
	}
	return m
}

func TestDecodePidStatusCut(t *testing.T) {
	for n := range len(statusText) {
		var p processStatus
		decodePidStatus([]byte(statusText[:n]), &p)
		var whole processStatus
		decodePidStatus([]byte(statusText), &whole)
		for i, v := range statusMap(&p) {
			if v != whole.values[i] {
				t.Fatalf("cut at %d: value %d is %d, want %d", n, i, v, whole.values[i])
			}
		}
	}
}

func TestDecodePidIO(t *testing.T) {
	var s platform.Sample
	s.Reset(platform.Process, platform.Key{})
	if !decodePidIO([]byte(ioText), &s) {
		t.Fatal("not read")
	}
	want := map[platform.Field]uint64{
		platform.ProcessDiskReadBytes: 4096, platform.ProcessDiskWriteBytes: 8192,
		platform.ProcessDiskReads: 13, platform.ProcessDiskWrites: 5,
		platform.ProcessRequestedRead: 4292, platform.ProcessRequestedWrite: 99,
	}
	for f, v := range want {
		if got, ok := s.Get(f); !ok || got != v {
			t.Errorf("%v is %d, %v, want %d", f, got, ok, v)
		}
	}
	if s.Len() != len(want) {
		t.Errorf("%d fields, want %d", s.Len(), len(want))
	}
}

func TestDecodePidStatm(t *testing.T) {
	for _, test := range []struct {
		text string
		want []uint64
	}{
		{"765 415 399 5 0 90 0\n", []uint64{765, 415, 399, 5, 0, 90}},
		{"0 0 0 0 0 0 0\n", []uint64{0, 0, 0, 0, 0, 0}},
		{"765 415", nil},
		{"765\n", []uint64{765}},
		{"", nil},
		{"765 415 x 5\n", []uint64{765, 415}},
	} {
		pages, n := decodePidStatm([]byte(test.text))
		if !slices.Equal(pages[:n], test.want) {
			t.Errorf("%q: %d", test.text, pages[:n])
		}
	}
}

func TestDecodePasswd(t *testing.T) {
	want := map[uint64]string{0: "root", 4294967295: "big", 65534: "nobody"}
	got := decodePasswd([]byte(passwdText))
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for id, name := range want {
		if string(got[id]) != name {
			t.Errorf("%d is %q, want %q", id, got[id], name)
		}
	}
}

func TestDecodeDirents(t *testing.T) {
	b := dirents(".", "..", "self", "1", "42", "4194304", "99999999999999999999", "4x", "-1", "")
	if got, want := decodeDirents(b, nil), []uint64{1, 42, 4194304}; !slices.Equal(got, want) {
		t.Errorf("%d, want %d", got, want)
	}
	for n := range len(b) {
		decodeDirents(b[:n], nil)
	}
}

// dirents encodes struct linux_dirent64.
func dirents(names ...string) (b []byte) {
	for _, name := range names {
		length := (direntName + len(name) + 1 + 7) &^ 7
		at := len(b)
		b = append(b, make([]byte, length)...)
		binary.NativeEndian.PutUint16(b[at+direntLength:], uint16(length))
		copy(b[at+direntName:], name)
	}
	return b
}

func FuzzDecodePidStat(f *testing.F) {
	for _, name := range hostileNames {
		f.Add([]byte("42 (" + name + ") S 1 42 42 0 -1 4194560 100 0 3 0 12 7 0 0 20 0 2 0 8123 3133440 415 9\n"))
	}
	f.Add([]byte("42 (cat) S 1 42 42 0 -1 4194560 100 0 3 0 12 7 0 0 20 -20 2 0 8123 3133440 415 9\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p processStat
		ok := decodePidStat(b, &p)
		comm, state, columns, wantOK := slowPidStat(string(b))
		if ok != wantOK {
			t.Fatalf("%v, want %v", ok, wantOK)
		}
		if !ok {
			return
		}
		if string(p.comm) != comm || string(p.state) != string(state[0]) {
			t.Fatalf("%q %c, want %q %s", p.comm, p.state, comm, state)
		}
		for column := statParent; column <= statIowait; column++ {
			v, want := columns[column]
			if p.has(column) != want || want && p.columns[column] != v {
				t.Fatalf("column %d: %d, %v, want %d, %v", column, p.columns[column], p.has(column), v, want)
			}
		}
		if nice, known := slowNice(string(b)); p.niced != known || known && p.nice != nice {
			t.Fatalf("nice %d, %v, want %d, %v", p.nice, p.niced, nice, known)
		}
	})
}

func FuzzDecodePidStatus(f *testing.F) {
	f.Add([]byte(statusText))
	f.Add([]byte("SigPnd:\t1\nShdPnd:\t,\nCpus_allowed:\nVmRSS:\t99999999999999999 kB\nUid:\t1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p processStatus
		ok := decodePidStatus(b, &p)
		got, want := statusMap(&p), slowPidStatus(string(b))
		if !maps.Equal(got, want) || ok != (len(want) > 0) {
			t.Fatalf("%v, %v, want %v", got, ok, want)
		}
	})
}

func FuzzDecodePidIO(f *testing.F) {
	f.Add([]byte(ioText))
	f.Add([]byte("syscr:\nsyscw: 18446744073709551616\nread_bytes:1\nread_bytes: 2 x\nwrite_bytes: 1x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s platform.Sample
		s.Reset(platform.Process, platform.Key{})
		ok := decodePidIO(b, &s)
		want := slowPidIO(string(b))
		n := 0
		for key, f := range map[string]platform.Field{
			"rchar": platform.ProcessRequestedRead, "wchar": platform.ProcessRequestedWrite,
			"syscr": platform.ProcessDiskReads, "syscw": platform.ProcessDiskWrites,
			"read_bytes": platform.ProcessDiskReadBytes, "write_bytes": platform.ProcessDiskWriteBytes,
		} {
			v, there := want[key]
			got, read := s.Get(f)
			if there != read || got != v {
				t.Fatalf("%s: %d, %v, want %d, %v", key, got, read, v, there)
			}
			if there {
				n++
			}
		}
		if s.Len() != n || ok != (n > 0) {
			t.Fatalf("%d fields, %v, want %d", s.Len(), ok, n)
		}
	})
}

func FuzzDecodePidStatm(f *testing.F) {
	f.Add([]byte("765 415 399 5 0 90 0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pages, n := decodePidStatm(b)
		if want := slowPidStatm(string(b)); !slices.Equal(pages[:n], want) {
			t.Fatalf("%d, want %d", pages[:n], want)
		}
	})
}

func FuzzDecodePasswd(f *testing.F) {
	f.Add([]byte(passwdText))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, want := decodePasswd(b), slowPasswd(string(b))
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for id, name := range want {
			if string(got[id]) != name {
				t.Fatalf("%d is %q, want %q", id, got[id], name)
			}
		}
	})
}

func FuzzDecodeDirents(f *testing.F) {
	f.Add(dirents(".", "1", "self"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range decodeDirents(b, nil) {
			if v > 10<<32 {
				t.Fatalf("%d is no PID", v)
			}
		}
	})
}
