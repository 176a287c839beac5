package linux

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

func littleEndian(t *testing.T) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the messages are of a little-endian machine")
	}
}

func TestDecodeNetlink(t *testing.T) {
	message := func(kind uint16, body string) []byte {
		b := dumpRequest(kind, []byte(body))
		return append(b, make([]byte, aligned(len(b))-len(b))...)
	}
	errno := func(n int32) string { return string(binary.NativeEndian.AppendUint32(nil, uint32(-n))) }
	for _, test := range []struct {
		datagram []byte
		got      string
		done     bool
		err      error
	}{
		{slices.Concat(message(16, "abc"), message(16, "d")), "abc,d,", false, nil},
		{slices.Concat(message(16, "abc"), message(netlinkDone, "")), "abc,", true, nil},
		{message(netlinkError, errno(0)), "", true, nil},
		{message(netlinkError, errno(1)), "", true, fs.ErrPermission},
		{message(netlinkError, errno(95)), "", true, errors.ErrUnsupported},
		{message(netlinkError, ""), "", true, errContent},
		{message(16, "abc")[:18], "", true, errContent},
		{nil, "", true, errContent},
	} {
		var got strings.Builder
		var a answerState
		err := decodeNetlink(test.datagram, &a, func(_ uint16, payload []byte) { got.WriteString(string(payload) + ",") })
		if got.String() != test.got || a.done != test.done || a.interrupted || !errors.Is(err, test.err) {
			t.Errorf("%x: %q, %+v, %v, want %q, %v, %v", test.datagram, got.String(), a, err, test.got, test.done, test.err)
		}
	}
	if err := decodeNetlink(message(netlinkError, errno(77)), new(answerState), nil); err == nil {
		t.Error("an error is none")
	}
}

// bytesOf reads hexadecimal digits; blanks are for the reader.
func bytesOf(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzDecodeNetlink(f *testing.F) {
	f.Add(dumpRequest(16, []byte("body ")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []string
		var a answerState
		err := decodeNetlink(b, &a, func(kind uint16, payload []byte) { got = append(got, string(rune(kind))+string(payload)) })
		var want []string
		rest, ended, interrupted := b, len(b) < 16, false
		for len(rest) >= 16 && !ended {
			n := int(binary.NativeEndian.Uint32(rest))
			kind := binary.NativeEndian.Uint16(rest[4:])
			if n >= 16 && n <= len(rest) && binary.NativeEndian.Uint16(rest[6:])>>4&1 == 1 {
				interrupted = true
			}
			if n < 16 || n > len(rest) || kind == 2 || kind == 3 {
				ended = true
				break
			}
			want = append(want, string(rune(kind))+string(rest[16:n]))
			rest = rest[min((n+3)/4*4, len(rest)):]
		}
		if a.done != ended || a.interrupted != interrupted || err != nil && !a.done {
			t.Fatalf("%+v, %v, want %v, %v", a, err, ended, interrupted)
		}
		alike(t, got, true, want, true)
	})
}

func FuzzDecodeAttributes(f *testing.F) {
	f.Add([]byte{5, 0, 1, 128, 65, 0, 0, 0, 4, 0, 2, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []slowAttribute
		decodeAttributes(b, func(kind uint16, value []byte) { got = append(got, slowAttribute{kind, string(value)}) })
		alike(t, got, true, slowAttributes(b), true)
	})
}

type slowAttribute struct {
	kind  uint16
	value string
}

// slowAttributes takes attributes off the front until one does not fit.
func slowAttributes(b []byte) (all []slowAttribute) {
	for len(b) >= 4 {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			break
		}
		all = append(all, slowAttribute{binary.NativeEndian.Uint16(b[2:]) % (1 << 14), string(b[4:n])})
		for n%4 != 0 {
			n++
		}
		b = b[min(n, len(b)):]
	}
	return all
}

// slowStruct reads a structure of the kernel and returns what follows it.
func slowStruct[T any](b []byte) (v T, rest []byte, ok bool) {
	r := bytes.NewReader(b)
	err := binary.Read(r, binary.NativeEndian, &v)
	return v, b[len(b)-r.Len():], err == nil
}

// answers is a kernel whose netlink answers each request with the next list of
// datagrams.
type answers struct {
	noCalls
	lists [][][]byte
	err   error // once nothing is left to read
	asked int
	left  [][]byte
	open  int
}

func (k *answers) OpenNetlink(int) (int, error) { k.open++; return 7, nil }
func (k *answers) Close(int) error              { k.open--; return nil }

func (k *answers) Write(int, []byte) error {
	k.left = k.lists[min(k.asked, len(k.lists)-1)]
	k.asked++
	return nil
}

func (k *answers) Read(_ int, buf []byte) (int, error) {
	if len(k.left) == 0 {
		return -1, k.err
	}
	n := copy(buf, k.left[0])
	k.left = k.left[1:]
	return n, nil
}

type timeout struct{}

func (timeout) Error() string { return "too late" }
func (timeout) Timeout() bool { return true }

// What changed while it was told is asked for again, but not for ever.
func TestDumpInterrupted(t *testing.T) {
	whole := [][]byte{dumpRequest(16, []byte("abcd")), dumpRequest(netlinkDone, nil)}
	torn := [][]byte{dumpRequest(16, []byte("torn")), dumpRequest(netlinkDone, nil)}
	binary.NativeEndian.PutUint16(torn[1][netlinkFlags:], netlinkInterrupted)
	for _, test := range []struct {
		lists [][][]byte
		got   string
		asked int
		err   error
	}{
		{[][][]byte{whole}, "abcd", 1, nil},
		{[][][]byte{torn, whole}, "abcd", 2, nil},
		{[][][]byte{torn}, "torn", mostDumps, nil},
		{[][][]byte{whole[:1]}, "abcd", 1, os.ErrDeadlineExceeded},
		{[][][]byte{{nil}}, "", 1, errContent},
		{[][][]byte{{dumpRequest(netlinkError, binary.NativeEndian.AppendUint32(nil, ^uint32(94)))}}, "", 1, errors.ErrUnsupported},
	} {
		k := &answers{lists: test.lists, err: timeout{}}
		var got string
		err := dump(k, protocolDiag, nil, make([]byte, 100), func() { got = "" }, func(_ uint16, payload []byte) { got += string(payload) })
		if got != test.got || k.asked != test.asked || k.open != 0 || !errors.Is(err, test.err) {
			t.Errorf("%q after %d requests, %v, want %q after %d, %v", got, k.asked, err, test.got, test.asked, test.err)
		}
	}
	if err := dump(noCalls{}, protocolDiag, nil, nil, func() {}, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without netlink: %v", err)
	}
}
