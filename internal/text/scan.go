package text

import (
	"bytes"
	"iter"
)

// Whole returns b up to and including its last newline. A kernel ends every line
// that it prints; what follows the last newline was cut off on the way, and a
// number cut short is a wrong number.
func Whole(b []byte) []byte { return b[:bytes.LastIndexByte(b, '\n')+1] }

// Lines yields the lines of b without their newlines. A last line that has none
// is yielded too.
func Lines(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			line := b
			if i := bytes.IndexByte(b, '\n'); i >= 0 {
				line, b = b[:i], b[i+1:]
			} else {
				b = nil
			}
			if !yield(line) {
				return
			}
		}
	}
}

// Field returns the first run of b that holds no blank, and what follows it. An
// empty field means that b holds nothing but blanks.
func Field(b []byte) (field, rest []byte) {
	b = skipBlanks(b)
	for i, c := range b {
		if blank(c) {
			return b[:i], b[i:]
		}
	}
	return b, nil
}

// Skip returns b behind its first n fields.
func Skip(b []byte, n int) []byte {
	for range n {
		_, b = Field(b)
	}
	return b
}

// Trim returns b without the blanks around it.
func Trim(b []byte) []byte {
	b = skipBlanks(b)
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// Uint reads the decimal number that b begins with, after blanks, and returns
// what follows it. It is not ok if there is no digit or if 64 bits do not hold
// the number; rest is then b as it was.
func Uint(b []byte) (v uint64, rest []byte, ok bool) {
	const most = ^uint64(0)
	s := skipBlanks(b)
	n := 0
	for ; n < len(s); n++ {
		d := uint64(s[n] - '0')
		if d > 9 {
			break
		}
		if v > most/10 || v*10 > most-d {
			return 0, b, false
		}
		v = v*10 + d
	}
	if n == 0 {
		return 0, b, false
	}
	return v, s[n:], true
}

// UintField is [Uint] for a field that is nothing but the number.
func UintField(b []byte) (v uint64, rest []byte, ok bool) {
	v, rest, ok = Uint(b)
	return whole(v, rest, ok, b)
}

// whole takes a number only if a field ends with it; b is what was read from.
func whole(v uint64, rest []byte, ok bool, b []byte) (uint64, []byte, bool) {
	if !ok || len(rest) > 0 && !blank(rest[0]) {
		return 0, b, false
	}
	return v, rest, true
}

// Hex is [Uint] in base sixteen, without a prefix.
func Hex(b []byte) (v uint64, rest []byte, ok bool) {
	s := skipBlanks(b)
	n := 0
	for ; n < len(s); n++ {
		d, isHex := hexDigit(s[n])
		if !isHex {
			break
		}
		if v>>60 != 0 {
			return 0, b, false
		}
		v = v<<4 | uint64(d)
	}
	if n == 0 {
		return 0, b, false
	}
	return v, s[n:], true
}

// HexField is [Hex] for a field that is nothing but the number.
func HexField(b []byte) (v uint64, rest []byte, ok bool) {
	v, rest, ok = Hex(b)
	return whole(v, rest, ok, b)
}

// DecimalField is [Decimal] for a field that is nothing but the number.
func DecimalField(b []byte, places int) (v uint64, rest []byte, ok bool) {
	v, rest, ok = Decimal(b, places)
	return whole(v, rest, ok, b)
}

// Decimal reads a number with an optional fraction in units of 10^-places: with
// two places, 1.5 is 150. Digits beyond the places are dropped, not rounded.
func Decimal(b []byte, places int) (v uint64, rest []byte, ok bool) {
	v, rest, ok = Uint(b)
	if !ok {
		return 0, b, false
	}
	var fraction []byte
	if len(rest) > 0 && rest[0] == '.' {
		fraction, rest = digits(rest[1:])
	}
	for i := range places {
		d := uint64(0)
		if i < len(fraction) {
			d = uint64(fraction[i] - '0')
		}
		if v > (^uint64(0)-d)/10 {
			return 0, b, false
		}
		v = v*10 + d
	}
	return v, rest, true
}

// Unoctal appends b to dst with every \ooo turned back into its byte, the way
// the kernel writes blanks and backslashes in paths (seq_path in fs/seq_file.c).
func Unoctal(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if c, ok := octal(b[i:]); ok {
			dst = append(dst, c)
			i += 3
			continue
		}
		dst = append(dst, b[i])
	}
	return dst
}

// octal reads one \ooo.
func octal(b []byte) (c byte, ok bool) {
	if len(b) < 4 || b[0] != '\\' {
		return 0, false
	}
	x, y, z := b[1]-'0', b[2]-'0', b[3]-'0'
	return x<<6 | y<<3 | z, x <= 3 && y <= 7 && z <= 7
}

// digits splits b behind its leading decimal digits.
func digits(b []byte) (run, rest []byte) {
	for i, c := range b {
		if c-'0' > 9 {
			return b[:i], b[i:]
		}
	}
	return b, nil
}

func skipBlanks(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	return b
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func hexDigit(c byte) (v byte, ok bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case c-'a' <= 5:
		return c - 'a' + 10, true
	case c-'A' <= 5:
		return c - 'A' + 10, true
	}
	return 0, false
}
