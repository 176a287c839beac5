package text

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "eth0", "eth0"},
		{"other languages", "größe 進程", "größe 進程"},
		{"replacement character", "a\uFFFDb", "a\uFFFDb"},
		{"NUL", "a\x00b", "a\x00b"},
		{"windows path", `C:\paths\x86\new`, `C:\paths\\x86\new`},
		{"windows path without digits", `C:\xml\paths`, `C:\xml\paths`},
		{"lone byte", "\xff", `\xff`},
		{"within text", "a\xffb", `a\xffb`},
		{"latin-1", "caf\xe9.txt", `caf\xe9.txt`},
		{"cut short", "進\xe9\x80", `進\xe9\x80`},
		{"surrogate", "\xed\xa0\x80", `\uD800`},
		{"last surrogate", "a\xed\xbf\xbfb", `a\uDFFFb`},
		{"surrogate cut short", "\xed\xa0", `\xed\xa0`},
		{"backslash before a surrogate", "\\\xed\xa0\xbd", `\\\uD83D`},
		{"literal surrogate", `C:\uD83D`, `C:\\uD83D`},
		{"literal surrogate in small letters", `C:\ud83d`, `C:\ud83d`},
		{"no surrogate", `C:\uD7FF\uDA`, `C:\uD7FF\uDA`},
		{"overlong", "\xc0\xaf", `\xc0\xaf`},
		{"literal escape", `\xff`, `\\xff`},
		{"literal escape in capitals", `\xFF`, `\\xFF`},
		{"literal escape of two backslashes", `\\xff`, `\\\\xff`},
		{"backslash before a byte", "\\\xff", `\\\xff`},
		{"backslashes before a byte", "\\\\\xff", `\\\\\xff`},
		{"backslash at the end", `a\`, `a\`},
		{"one digit", `\xf`, `\xf`},
		{"one digit before a byte", "\\xf\xff", `\xf\xff`},
		{"x before a byte", "\\x\xff", `\x\xff`},
		{"no digit", `\xgg`, `\xgg`},
		{"many backslashes", `\\\\`, `\\\\`},
	} {
		got := Escape([]byte(c.in))
		if got != c.want {
			t.Errorf("%s: Escape(%q) = %s, want %s", c.name, c.in, got, c.want)
		}
		if back := Unescape(got); string(back) != c.in {
			t.Errorf("%s: Unescape(%s) = %q, want %q", c.name, got, back, c.in)
		}
	}
}

func TestRepair(t *testing.T) {
	for in, want := range map[string]string{"": "", `\xff`: `\xff`, "a\xff": `a\xff`, "ü": "ü"} {
		if got := Repair(in); got != want {
			t.Errorf("Repair(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Repair(Repair("\\\xff")); got != `\\\xff` {
		t.Errorf("a repaired string was repaired again: %s", got)
	}
}

func TestEscapeAllocates(t *testing.T) {
	b := []byte("/usr/lib/größe")
	if n := testing.AllocsPerRun(100, func() { _ = Escape(b) }); n > 1 {
		t.Errorf("Escape of valid text: %v allocations, want the string alone", n)
	}
	s := string(b)
	if n := testing.AllocsPerRun(100, func() { _ = Repair(s) }); n > 0 {
		t.Errorf("Repair of valid text: %v allocations", n)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a", `\xff`, "\xff", "\\\xff", `\\xff`, "\\\\\xffx41", "\xed\xa0\x80", `C:\paths`, `\uD83D`, "\\\xed\xa0\xbd"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := Escape(b)
		if !utf8.ValidString(s) {
			t.Fatalf("Escape(%q) = %q is not valid UTF-8", b, s)
		}
		if back := Unescape(s); !bytes.Equal(back, b) {
			t.Fatalf("Unescape(%q) = %q, want %q", s, back, b)
		}
		if utf8.Valid(b) && !strings.Contains(string(b), `\x`) && !strings.Contains(string(b), `\uD`) && s != string(b) {
			t.Fatalf("Escape(%q) = %q changed good text", b, s)
		}
	})
}

// Two different inputs with one escape would be told apart by no reader.
func FuzzUnescape(f *testing.F) {
	f.Add(`\xff`)
	f.Add(`\\xff\`)
	f.Fuzz(func(t *testing.T, s string) {
		b := Unescape(s)
		if again := Unescape(Escape(b)); !bytes.Equal(again, b) {
			t.Fatalf("%q, %q", again, b)
		}
	})
}
