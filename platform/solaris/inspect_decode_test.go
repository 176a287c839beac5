package solaris

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/solaris"
	"github.com/pidometer/pidometer/platform"
)

// seeds are what the made-up kernel has in a file of a process, and what is left of it.
func seeds(f *testing.F, file string) {
	w := simkernel.New(1, 8)
	buf := make([]byte, 64<<10)
	n, err := sim.New(w).Read("/proc/1/"+file, 0, buf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(buf[:n:n])
	f.Add(buf[: n-1 : n-1])
	f.Add([]byte{})
}

// slowList is the slow way to the structures behind a head, nil if they are not all there.
func slowList(b []byte, least uint64) (records [][]byte, whole bool) {
	if len(b) < 16 {
		return nil, false
	}
	count, size := number(b, 0, 8), number(b, 8, 8)
	if count > 1<<20 || size < least {
		return nil, false
	}
	for at := uint64(16); count > 0; count-- {
		if size > uint64(len(b)) || at+size > uint64(len(b)) {
			return nil, false
		}
		records = append(records, b[at:at+size])
		at += size
	}
	return records, true
}

func FuzzDecodeList(f *testing.F) {
	seeds(f, "lpsinfo")
	f.Fuzz(func(t *testing.T, b []byte) {
		var got [][]byte
		whole := decodeList(b, 112, func(r []byte) { got = append(got, r) })
		want, ok := slowList(b, 112)
		if whole != ok || ok && !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%d structures, %v, want %d, %v", len(got), whole, len(want), ok)
		}
	})
}

func FuzzDecodeThreads(f *testing.F) {
	seeds(f, "lpsinfo")
	f.Fuzz(func(t *testing.T, b []byte) {
		got, whole := decodeThreads(b)
		records, ok := slowList(b, 112)
		if whole != ok {
			t.Fatalf("%v, want %v", whole, ok)
		}
		if !ok {
			return
		}
		want := []platform.Thread{}
		for _, r := range records {
			one := platform.Thread{Key: platform.Key{ID: number(r, 4, 4), Start: number(r, 40, 8)*1e9 + number(r, 48, 8)}, Name: upTo(r, 80, 16)}
			if state, known := states[r[26]]; known {
				one.State = &state
			}
			want = append(want, one)
		}
		for i := 1; i < len(got); i++ {
			if got[i-1].Key.ID > got[i].Key.ID {
				t.Errorf("%d is before %d", got[i-1].Key.ID, got[i].Key.ID)
			}
		}
		for _, one := range want {
			if !slices.ContainsFunc(got, func(g platform.Thread) bool { return reflect.DeepEqual(g, one) }) {
				t.Errorf("%+v is missing in %+v", one, got)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d, want %d", len(got), len(want))
		}
	})
}

func FuzzDecodeUsages(f *testing.F) {
	seeds(f, "lusage")
	f.Fuzz(func(t *testing.T, b []byte) {
		got, whole := decodeUsages(b)
		records, ok := slowList(b, 120)
		if whole != ok {
			t.Fatalf("%v, want %v", whole, ok)
		}
		want := map[uint64]platform.CPUTimes{}
		at := func(r []byte, at int) time.Duration { return time.Duration(number(r, at, 8)*1e9 + number(r, at+8, 8)) }
		for _, r := range records {
			want[number(r, 0, 4)] = platform.CPUTimes{User: at(r, 72), System: at(r, 88) + at(r, 104)}
		}
		if ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func FuzzDecodeCred(f *testing.F) {
	seeds(f, "cred")
	f.Fuzz(func(t *testing.T, b []byte) {
		var got, want platform.Identity
		decodeCred(b, &got)
		if len(b) >= 28 {
			if n := number(b, 24, 4); n <= 1024 && uint64(len(b)) >= 28+4*n {
				id := func(at int) uint32 { return uint32(number(b, at, 4)) }
				want.Users = &platform.IDs{Effective: id(0), Real: id(4), Saved: new(id(8))}
				want.Groups = &platform.IDs{Effective: id(12), Real: id(16), Saved: new(id(20))}
				want.Supplementary = []uint32{}
				for i := range int(n) {
					want.Supplementary = append(want.Supplementary, id(28+4*i))
				}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

func FuzzDecodeMap(f *testing.F) {
	seeds(f, "xmap")
	f.Fuzz(func(t *testing.T, b []byte) {
		got, whole := decodeMaps(b)
		if whole != (len(b)%216 == 0) || len(got) != len(b)/216 {
			t.Fatalf("%d, %v of %d bytes", len(got), whole, len(b))
		}
		for i, m := range got {
			r := b[i*216 : i*216+216]
			if one := decodeMap(r); !reflect.DeepEqual(one, m) {
				t.Errorf("%+v, alone %+v", m, one)
			}
			checkMap(t, m, r)
		}
	})
}

// checkMap compares a mapping with what is read of it byte by byte.
func checkMap(t *testing.T, m platform.MemoryMap, r []byte) {
	t.Helper()
	path, flags, page := upTo(r, 16, 64), number(r, 88, 4), number(r, 92, 4)
	if path == "" && flags&0x280 != 0 {
		path = "[shmid]"
	}
	permitted := ""
	for i, bit := range []uint64{4, 2, 1, 8} {
		permitted += map[bool]string{true: "rwxs"[i : i+1], false: "---p"[i : i+1]}[flags&bit != 0]
	}
	device := number(r, 104, 8)
	if device == 1<<64-1 {
		device = 0
	}
	rss, private := number(r, 120, 8)*page, number(r, 128, 8)*page
	if flags&8 != 0 {
		private = 0
	}
	if private > rss {
		private = rss
	}
	want := platform.MemoryMap{Start: number(r, 0, 8), End: number(r, 0, 8) + number(r, 8, 8), Permissions: permitted, Offset: number(r, 80, 8),
		Device: device, Inode: number(r, 112, 8), Path: path, Use: &platform.MemoryUse{RSS: rss, PrivateDirty: private, SharedDirty: rss - private, Coarse: true}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, want %+v", m, want)
	}
}

// socketOpen are the bytes of a descriptor of sshd that IPD 12 of illumos shows (its section
// Examples), the only recorded ones that are public.
const socketOpen = `
	0500 0000 b6c1 0000 27f9 0000 0000 0000 0000 0000 0000 0000 1670 0000 0000 0000
	0000 0000 0000 0000 2f02 0000 0000 0000 0000 0000 0000 0000 8200 0000 0100 0000
	0300 0000 ffff ffff ffff ffff ffff ffff 0000 0000 0000 0000 0000 0000 0000 0000
	0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000
	0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000
	0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000
	0000 0000 1800 0000 0100 0000 0200 0016 ac1b 0a09 0000 0000 0000 0000 1800 0000
	0200 0000 0200 96b0 ac1b 0a4f 0000 0000 0000 0000 0c00 0000 0300 0000 0a00 0000
	1000 0000 0400 0000 0000 0000 0000 0000 0c00 0000 0900 0000 0200 0000 0c00 0000
	0500 0000 00c0 0000 0c00 0000 0600 0000 68f7 0100 0800 0000 0700 0000 1000 0000
	0a00 0000 7375 6e72 656e 6f00 0000 0000 0000 0000`

func recordedOpen(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(socketOpen), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The recorded socket is the one that pfiles(1) shows beside it.
func TestRecordedSocket(t *testing.T) {
	o, whole := decodeOpen(recordedOpen(t))
	c, ok := o.connection()
	if !whole || !ok || o.fd != 5 || o.mode != 0o140666 || o.inode != 63783 || o.flags != 0x82 || o.position != 0x7016 ||
		c.Local.String() != "172.27.10.9:22" || c.Peer.String() != "172.27.10.79:38576" || c.Type != platform.TypeStream || c.Family != platform.FamilyInet {
		t.Errorf("%+v, %+v, %v, %v", o, c, whole, ok)
	}
}

func FuzzDecodeOpen(f *testing.F) {
	f.Add(recordedOpen(f))
	for _, fd := range []string{"3", "4", "5", "9"} {
		seeds(f, "fdinfo/"+fd)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, whole := decodeOpen(b)
		if len(b) < 196 {
			if whole {
				t.Error("it is whole")
			}
			return
		}
		want, ended := descriptor{fd: int(int32(number(b, 0, 4))), mode: uint32(number(b, 4, 4)), inode: number(b, 8, 8), position: number(b, 24, 8), flags: uint32(number(b, 56, 4))}, false
		for at := uint64(196); at+8 <= uint64(len(b)); {
			size := number(b, int(at), 4)
			if ended = size == 0; ended || size < 8 || at+size > uint64(len(b)) {
				break
			}
			value := b[at+8 : at+size]
			switch kind := number(b, int(at)+4, 4); {
			case kind == 0:
				want.path = upTo(append(slices.Clone(value), 0), 0, len(value)+1)
			case kind == 1:
				want.name = value
			case kind == 2:
				want.peer = value
			case kind == 9 && len(value) > 3:
				want.kind = uint32(number(value, 0, 4))
			}
			at += size
		}
		if whole != ended || ended && !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v, %v", got, whole, want, ended)
		}
		if c, ok := got.connection(); ok && (got.mode>>12&15 != 0xc || c.FD != got.fd || c.Family == platform.FamilyUnknown || c.Type == platform.TypeUnknown) {
			t.Errorf("%+v of %+v", c, got)
		}
	})
}

func FuzzDecodeLinks(f *testing.F) {
	link := make([]byte, 376)
	copy(link, "net0")
	f.Add(append(link, link...))
	f.Add(link[:375])
	f.Fuzz(func(t *testing.T, b []byte) {
		var want []string
		for at := 0; at+376 <= len(b); at += 376 {
			want = append(want, upTo(b, at, 32))
		}
		if got, whole := decodeLinks(b); !slices.Equal(got, want) || whole != (len(b)%376 == 0) {
			t.Errorf("%q, %v, want %q", got, whole, want)
		}
	})
}

func FuzzDecodeMounts(f *testing.F) {
	f.Add([]byte("rpool/ROOT/a\t/\tzfs\trw,devices,dev=4410002\t0\nbroken\n/dev/c\t/ro\thsfs\tro\t3\n-\t/x\tproc\t-\t4"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := decodeMounts(b)
		n := 0
		for _, line := range strings.Split(string(b), "\n") {
			w := strings.Split(line, "\t")
			if len(w) < 5 || w[0] == "" || w[1] == "" {
				continue
			}
			if n >= len(got) {
				t.Fatalf("%d, and %q is one", len(got), line)
			}
			for _, i := range []int{0, 3} {
				if w[i] == "-" {
					w[i] = ""
				}
			}
			if m := got[n]; m.Source != w[0] || m.Point != w[1] || m.Type != w[2] || m.Options != w[3] || m.ReadOnly != strings.Contains(","+w[3]+",", ",ro,") {
				t.Errorf("%+v of %q", m, line)
			}
			n++
		}
		if n != len(got) {
			t.Errorf("%d, want %d", len(got), n)
		}
	})
}

func FuzzDecodeSession(f *testing.F) {
	b, err := sim.New(simkernel.New(1, 4)).File(loginPath)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[372:744:744])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 372 {
			return
		}
		b = b[:372]
		got := decodeSession(b)
		started := time.Unix(int64(int32(number(b, 80, 4))), 0).Add(time.Duration(int32(number(b, 84, 4))) * time.Microsecond)
		if got.User != upTo(b, 0, 32) || got.Terminal != upTo(b, 36, 32) || got.Host != upTo(append(slices.Clone(b), 0), 114, 259) || got.PID != number(b, 68, 4) || !got.Started.Equal(started) {
			t.Errorf("%+v", got)
		}
	})
}
