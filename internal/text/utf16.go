package text

import (
	"unicode/utf16"
	"unicode/utf8"
)

// AppendUTF16 appends little-endian UTF-16, as Windows writes it, as UTF-8. A
// surrogate without its partner, which Windows allows in every name, becomes the three
// bytes that UTF-8 would have for its number (WTF-8): they are no valid UTF-8, and
// [Escape] shows them as \uD83D. Nothing is lost but an odd last byte.
func AppendUTF16(to, from []byte) []byte {
	for len(from) >= 2 {
		r := unit(from)
		from = from[2:]
		if len(from) >= 2 && utf16.IsSurrogate(r) {
			if both := utf16.DecodeRune(r, unit(from)); both != utf8.RuneError {
				r, from = both, from[2:]
			}
		}
		if utf16.IsSurrogate(r) {
			to = append(to, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
			continue
		}
		to = utf8.AppendRune(to, r)
	}
	return to
}

func unit(b []byte) rune { return rune(b[0]) | rune(b[1])<<8 }

// surrogateBytes is the length of a surrogate in WTF-8.
const surrogateBytes = 3

// surrogate returns the surrogate that b begins with, in WTF-8.
func surrogate(b []byte) (r rune, ok bool) {
	if len(b) < surrogateBytes || b[0] != 0xed || b[1]&0xe0 != 0xa0 || b[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f), true
}
