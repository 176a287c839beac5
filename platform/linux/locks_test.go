package linux

import (
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const locksText = `1: FLOCK  ADVISORY  WRITE 5367 00:1b:2 0 EOF
2: POSIX  ADVISORY  READ 5367 fe:00:9977905 5 14
3: LEASE  ACTIVE    READ 5367 fe:00:9977904 0 EOF
4: OFDLCK ADVISORY  READ -1 fe:00:9977903 0 EOF
5: FLOCK  ADVISORY  READ 5367 fe:00:9977902 0 EOF
6: POSIX  ADVISORY  WRITE 5367 fe:00:9977901 0 EOF
6: -> POSIX  ADVISORY  WRITE 5408 fe:00:9977901 0 EOF
`

func TestDecodeLock(t *testing.T) {
	for line, want := range map[string]platform.Field{
		"1: POSIX  ADVISORY  READ 5 08:01:786 128 128": platform.LockPosixRead,
		"1: POSIX  MANDATORY WRITE 5 08:01:786 0 EOF":  platform.LockPosixWrite,
		"1: FLOCK  ADVISORY  READ 5 08:01:786 0 EOF":   platform.LockFlockRead,
		"1: FLOCK  ADVISORY  WRITE 5 08:01:786 0 EOF":  platform.LockFlockWrite,
		"1: OFDLCK ADVISORY  READ -1 08:01:786 0 EOF":  platform.LockOFDRead,
		"1: OFDLCK ADVISORY  WRITE -1 08:01:786 0 EOF": platform.LockOFDWrite,
		"1: LEASE  ACTIVE    READ 5 08:01:786 0 EOF":   platform.LockLeaseRead,
		"1: LEASE  BREAKING  READ 5 08:01:786 0 EOF":   platform.LockLeaseRead,
		"1: DELEG  ACTIVE    WRITE 5 08:01:786 0 EOF":  platform.LockLeaseWrite,
		"12345: POSIX  ADVISORY  READ 5 08:01:9 0 EOF": platform.LockPosixRead,
	} {
		device, f, ok := decodeLock([]byte(line))
		if !ok || f != want || string(device) != "08:01" {
			t.Errorf("%q: %q, %v, %v", line, device, f, ok)
		}
	}
	for _, line := range []string{
		"", "1: POSIX", "1: -> POSIX  ADVISORY  WRITE 5 08:01:786 0 EOF", "1:  -> FLOCK  ADVISORY  WRITE 5 08:01:786 0 EOF",
		"1: LEASE  BREAKING  UNLCK 5 08:01:786 0 EOF", "1: ACCESS ADVISORY  READ 5 08:01:786 0 EOF",
		"1: POSIX  *NOINODE* READ 5 <none>:0 0 EOF", "1: FLOCK  MSNFS     RW    5 08:01:786 0 EOF",
	} {
		if device, f, ok := decodeLock([]byte(line)); ok {
			t.Errorf("%q counted as %v on %s", line, f, device)
		}
	}
}

func FuzzDecodeLock(f *testing.F) {
	for line := range strings.Lines(locksText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		device, field, ok := decodeLock(b)
		want, wantField, wantOK := slowLock(string(b))
		if ok != wantOK || ok && (string(device) != want || field != wantField) {
			t.Fatalf("%q, %v, %v, want %q, %v, %v", device, field, ok, want, wantField, wantOK)
		}
	})
}
