// Package text reads kernel text without allocating, and makes strings of
// foreign bytes fit to leave the program.
package text

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Escape returns b as valid UTF-8 that [Unescape] turns back into b. Each byte
// that is not valid UTF-8 becomes \xHH in lower case, and the three bytes of a
// surrogate (see [AppendUTF16]) become \uHHHH in upper case. So that this stays
// reversible, every backslash of a run directly before such an escape, or before
// text that looks like one (\x and two hexadecimal digits, or \u and a surrogate as
// it is written here), is doubled. All other text is itself, C:\paths too.
func Escape(b []byte) string {
	if utf8.Valid(b) && !bytes.Contains(b, []byte(`\x`)) && !bytes.Contains(b, []byte(`\uD`)) {
		return string(b)
	}
	var s strings.Builder
	s.Grow(len(b) + 3)
	for i := 0; i < len(b); {
		i += escapeNext(&s, b[i:])
	}
	return s.String()
}

// escapeNext writes the first backslash run, bad byte or character of b and
// returns how many bytes of b it was.
func escapeNext(s *strings.Builder, b []byte) int {
	if n := backslashes(b); n > 0 {
		s.Write(b[:n])
		if looksEscaped(b[n:]) || badByte(b[n:]) {
			s.Write(b[:n])
		}
		return n
	}
	if r, ok := surrogate(b); ok {
		const hex = "0123456789ABCDEF"
		s.Write([]byte{'\\', 'u', 'D', hex[r>>8&15], hex[r>>4&15], hex[r&15]})
		return surrogateBytes
	}
	if badByte(b) {
		const hex = "0123456789abcdef"
		s.Write([]byte{'\\', 'x', hex[b[0]>>4], hex[b[0]&15]})
		return 1
	}
	_, n := utf8.DecodeRune(b)
	s.Write(b[:n])
	return n
}

// Unescape returns the bytes that [Escape] was given. A run of backslashes before
// xHH or uDHHH stands for half as many; if their number is odd, the last one and what
// follows stand for one byte or one surrogate.
func Unescape(s string) []byte {
	escaped := []byte(s)
	b := make([]byte, 0, len(s))
	for i := 0; i < len(escaped); {
		var n int
		b, n = unescapeNext(b, escaped[i:])
		i += n
	}
	return b
}

// unescapeNext appends what the front of s stands for and returns how many bytes
// of s that was.
func unescapeNext(b, s []byte) ([]byte, int) {
	n := backslashes(s)
	switch {
	case n == 0:
		return append(b, s[0]), 1
	case !looksEscaped(s[n:]):
		return append(b, s[:n]...), n
	case n%2 == 0:
		return append(b, s[:n/2]...), n
	}
	b = append(b, s[:n/2]...)
	if r, ok := writtenSurrogate(s[n:]); ok {
		return append(b, 0xed, 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf), n + len("uD83D")
	}
	high, _ := hexDigit(s[n+1])
	low, _ := hexDigit(s[n+2])
	return append(b, high<<4|low), n + len("xff")
}

// Repair returns s itself if it is valid UTF-8, else [Escape] of its bytes.
func Repair(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return Escape([]byte(s))
}

// backslashes counts the backslashes that b begins with.
func backslashes(b []byte) int { return len(b) - len(bytes.TrimLeft(b, `\`)) }

// looksEscaped reports whether b begins with what follows the backslash of an
// escape: x and two hexadecimal digits, or u and a surrogate.
func looksEscaped(b []byte) bool {
	if _, ok := writtenSurrogate(b); ok {
		return true
	}
	if len(b) < 3 || b[0] != 'x' {
		return false
	}
	_, high := hexDigit(b[1])
	_, low := hexDigit(b[2])
	return high && low
}

// writtenSurrogate returns the surrogate whose number b begins with, as Escape writes
// it behind the backslash: uD800 to uDFFF.
func writtenSurrogate(b []byte) (r rune, ok bool) {
	if len(b) < len("uD83D") || b[0] != 'u' || b[1] != 'D' || b[2] < '8' {
		return 0, false
	}
	r = 0xd
	for _, c := range b[2:len("uD83D")] {
		digit, ok := hexDigit(c)
		if !ok || 'a' <= c && c <= 'f' {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}

// badByte reports whether b begins with a byte that is not part of valid UTF-8.
func badByte(b []byte) bool {
	r, n := utf8.DecodeRune(b)
	return r == utf8.RuneError && n == 1
}
