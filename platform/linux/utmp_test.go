package linux

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// utmpFile holds a user, a shell of init and a dead one, with gap bytes behind each.
func utmpFile[N uint32 | uint64](gap int) []byte {
	var b bytes.Buffer
	for _, kind := range []uint16{7, 5, 8} {
		r := slowRecord[N]{Type: kind, PID: 77, Seconds: 1700000000, Micros: 250000}
		copy(r.User[:], "user\x00rest")
		copy(r.Terminal[:], "pts/0")
		copy(r.Host[:], bytes.Repeat([]byte("h"), 256))
		binary.Write(&b, binary.NativeEndian, r)
		b.Write(make([]byte, gap))
	}
	return b.Bytes()
}

func TestDecodeUtmp(t *testing.T) {
	want := []platform.Session{{
		User: "user", Terminal: "pts/0", Host: strings.Repeat("h", 256), PID: 77, Started: time.Unix(1700000000, 250000000),
	}}
	for size, file := range map[int][]byte{3 * 384: utmpFile[uint32](0), 3 * 400: utmpFile[uint64](4)} {
		if got := decodeUtmp(file); len(file) != size || !slices.Equal(got, want) {
			t.Errorf("%d bytes: %+v, want %+v", len(file), got, want)
		}
	}
	if got := decodeUtmp(nil); got == nil || len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func FuzzDecodeUtmp(f *testing.F) {
	f.Add(utmpFile[uint32](0))
	f.Add(utmpFile[uint64](4))
	f.Add(make([]byte, 500))
	f.Fuzz(func(t *testing.T, b []byte) {
		alike(t, decodeUtmp(b), true, slowUtmp(b), true)
	})
}

// slowRecord is struct utmp with a session and a time of type N.
type slowRecord[N any] struct {
	Type            uint16
	_               [2]byte
	PID             uint32
	Terminal        [32]byte
	ID              [4]byte
	User            [32]byte
	Host            [256]byte
	Exit            [4]byte
	Session         N
	Seconds, Micros N
	Address         [16]byte
	Reserved        [20]byte
}

func slowUtmp(b []byte) []platform.Session {
	if records, ok := slowRecords[uint32](b, 0); ok {
		return records
	}
	if records, ok := slowRecords[uint64](b, 4); ok {
		return records
	}
	records, _ := slowRecords[uint32](b[:len(b)/384*384], 0)
	return records
}

// slowRecords reads a file of records with some bytes between them.
func slowRecords[N uint32 | uint64](b []byte, gap int) (sessions []platform.Session, ok bool) {
	sessions, ok = []platform.Session{}, true
	until := func(b []byte) string { s, _, _ := strings.Cut(string(b), "\x00"); return s }
	for len(b) > 0 {
		r, rest, whole := slowStruct[slowRecord[N]](b)
		if !whole || len(rest) < gap {
			return sessions, false
		}
		b = rest[gap:]
		ok = ok && r.Type <= 9 && uint64(r.Micros) < 1_000_000
		if r.Type == 7 {
			sessions = append(sessions, platform.Session{
				User: until(r.User[:]), Terminal: until(r.Terminal[:]), Host: until(r.Host[:]),
				PID: uint64(r.PID), Started: time.Unix(int64(r.Seconds), int64(r.Micros)*1000),
			})
		}
	}
	return sessions, ok
}
