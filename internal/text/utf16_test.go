package text

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// wide returns little-endian UTF-16.
func wide(units ...uint16) (b []byte) {
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestAppendUTF16(t *testing.T) {
	for _, c := range []struct {
		name  string
		units []uint16
		want  string
		shown string
	}{
		{"nothing", nil, "", ""},
		{"ASCII", []uint16{'a', 0, 'b'}, "a\x00b", "a\x00b"},
		{"two bytes, three bytes", []uint16{0xe9, 0x65e5}, "é日", "é日"},
		{"a pair", []uint16{0xd83d, 0xdca9}, "💩", "💩"},
		{"a high surrogate alone", []uint16{'a', 0xd83d}, "a\xed\xa0\xbd", `a\uD83D`},
		{"a low surrogate alone", []uint16{0xdca9, 'b'}, "\xed\xb2\xa9b", `\uDCA9b`},
		{"two high surrogates, the second with its partner", []uint16{0xd83d, 0xd83d, 0xdca9}, "\xed\xa0\xbd💩", `\uD83D💩`},
		{"the wrong way round", []uint16{0xdca9, 0xd83d}, "\xed\xb2\xa9\xed\xa0\xbd", `\uDCA9\uD83D`},
	} {
		got := string(AppendUTF16([]byte("> "), wide(c.units...)))
		if got != "> "+c.want || Escape([]byte(c.want)) != c.shown {
			t.Errorf("%s: %q shown as %s, want %q shown as %s", c.name, got, Escape([]byte(c.want)), c.want, c.shown)
		}
	}
	if got := string(AppendUTF16(nil, []byte{'a', 0, 'b'})); got != "a" {
		t.Errorf("an odd byte: %q", got)
	}
}

// backward turns WTF-8 back into UTF-16, slowly.
func backward(b []byte) (units []uint16) {
	for len(b) > 0 {
		if r, ok := surrogate(b); ok {
			units, b = append(units, uint16(r)), b[surrogateBytes:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		units, b = utf16.AppendRune(units, r), b[n:]
	}
	return units
}

// Nothing of any UTF-16 is lost, neither on the way in nor on the way out.
func FuzzAppendUTF16(f *testing.F) {
	f.Add(wide('a', 0xd83d, 0xdca9, 0xd83d))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		got := AppendUTF16(nil, b)
		if back := wide(backward(got)...); !bytes.Equal(back, b[:len(b)&^1]) {
			t.Fatalf("%x became %q, which is %x", b, got, back)
		}
		if back := Unescape(Escape(got)); !bytes.Equal(back, got) {
			t.Fatalf("%q was shown as %s, which is %q", got, Escape(got), back)
		}
	})
}
