package linux

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
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
		{nil, "", false, nil},
	} {
		var got strings.Builder
		done, err := decodeNetlink(test.datagram, func(_ uint16, payload []byte) { got.WriteString(string(payload) + ",") })
		if got.String() != test.got || done != test.done || !errors.Is(err, test.err) {
			t.Errorf("%x: %q, %v, %v, want %q, %v, %v", test.datagram, got.String(), done, err, test.got, test.done, test.err)
		}
	}
	if _, err := decodeNetlink(message(netlinkError, errno(77)), nil); err == nil {
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
		done, err := decodeNetlink(b, func(kind uint16, payload []byte) { got = append(got, string(rune(kind))+string(payload)) })
		var want []string
		rest, ended := b, false
		for len(rest) >= 16 && !ended {
			n := int(binary.NativeEndian.Uint32(rest))
			kind := binary.NativeEndian.Uint16(rest[4:])
			if n < 16 || n > len(rest) || kind == 2 || kind == 3 {
				ended = true
				break
			}
			want = append(want, string(rune(kind))+string(rest[16:n]))
			rest = rest[min((n+3)/4*4, len(rest)):]
		}
		if done != ended || err != nil && !done {
			t.Fatalf("done %v, %v, want %v", done, err, ended)
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
