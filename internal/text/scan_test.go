package text

import (
	"bytes"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for in, want := range map[string][]string{
		"":        nil,
		"a":       {"a"},
		"a\n":     {"a"},
		"a\nb":    {"a", "b"},
		"\n\nb\n": {"", "", "b"},
	} {
		var got []string
		for line := range Lines([]byte(in)) {
			got = append(got, string(line))
		}
		if !slices.Equal(got, want) {
			t.Errorf("Lines(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWhole(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "", "a\n": "a\n", "a\nb": "a\n", "a 12\nb 1": "a 12\n"} {
		if got := Whole([]byte(in)); string(got) != want {
			t.Errorf("Whole(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestField(t *testing.T) {
	for _, c := range []struct{ in, field, rest string }{
		{"", "", ""}, {" \t", "", ""}, {"a", "a", ""}, {"  a b", "a", " b"}, {"a\tb", "a", "\tb"},
	} {
		field, rest := Field([]byte(c.in))
		if string(field) != c.field || string(rest) != c.rest {
			t.Errorf("Field(%q) = %q, %q", c.in, field, rest)
		}
	}
	if got := Skip([]byte("a b  c"), 2); string(got) != "  c" {
		t.Errorf("Skip = %q", got)
	}
	if got := Skip([]byte("a"), 5); len(got) != 0 {
		t.Errorf("Skip beyond the end = %q", got)
	}
	if got := Trim([]byte("\t a b\r\n")); string(got) != "a b" {
		t.Errorf("Trim = %q", got)
	}
}

func TestUint(t *testing.T) {
	for _, c := range []struct {
		in   string
		v    uint64
		rest string
		ok   bool
	}{
		{"0", 0, "", true},
		{" 42 7", 42, " 7", true},
		{"8:1", 8, ":1", true},
		{"18446744073709551615", math.MaxUint64, "", true},
		{"18446744073709551616", 0, "18446744073709551616", false},
		{"99999999999999999999", 0, "99999999999999999999", false},
		{"", 0, "", false},
		{"-1", 0, "-1", false},
		{"+1", 0, "+1", false},
		{"x", 0, "x", false},
	} {
		v, rest, ok := Uint([]byte(c.in))
		if v != c.v || string(rest) != c.rest || ok != c.ok {
			t.Errorf("Uint(%q) = %d, %q, %v", c.in, v, rest, ok)
		}
	}
	if _, _, ok := UintField([]byte("8:1")); ok {
		t.Error("UintField took 8:1 for a number")
	}
	if v, _, ok := UintField([]byte("8 1")); !ok || v != 8 {
		t.Error("UintField of 8")
	}
}

func TestHex(t *testing.T) {
	for _, c := range []struct {
		in string
		v  uint64
		ok bool
	}{
		{"0A 1", 10, true}, {"fd", 253, true}, {"ffffffffffffffff", math.MaxUint64, true},
		{"10000000000000000", 0, false}, {"g", 0, false}, {"", 0, false},
	} {
		if v, _, ok := Hex([]byte(c.in)); v != c.v || ok != c.ok {
			t.Errorf("Hex(%q) = %d, %v", c.in, v, ok)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		in     string
		places int
		v      uint64
		rest   string
		ok     bool
	}{
		{"0.09 0.03", 2, 9, " 0.03", true},
		{"1473.48 2899.09", 9, 1473480000000, " 2899.09", true},
		{"2299.998", 6, 2299998000, "", true},
		{"5", 2, 500, "", true},
		{"5.", 2, 500, "", true},
		{"5.129", 2, 512, "", true},
		{".5", 2, 0, ".5", false},
		{"18446744073709551615", 1, 0, "18446744073709551615", false},
		{"", 2, 0, "", false},
	} {
		v, rest, ok := Decimal([]byte(c.in), c.places)
		if v != c.v || string(rest) != c.rest || ok != c.ok {
			t.Errorf("Decimal(%q, %d) = %d, %q, %v", c.in, c.places, v, rest, ok)
		}
	}
}

func TestUnoctal(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		`/mnt/a\040b`:  "/mnt/a b",
		`\134\011\012`: "\\\t\n",
		`\377`:         "\xff",
		`\400`:         `\400`,
		`\08`:          `\08`,
		`\`:            `\`,
		`\0`:           `\0`,
	} {
		if got := Unoctal(nil, []byte(in)); string(got) != want {
			t.Errorf("Unoctal(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestScannersDoNotAllocate(t *testing.T) {
	b := []byte("cpu  12 34.5 ff\ncpu0 1\n")
	n := testing.AllocsPerRun(100, func() {
		for line := range Lines(Whole(b)) {
			_, rest := Field(line)
			_, rest, _ = UintField(rest)
			_, rest, _ = Decimal(rest, 2)
			_, _, _ = Hex(rest)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The plain twins, to be read rather than to be fast.

func slowUint(s string) (uint64, bool) {
	s = strings.TrimLeft(s, " \t\n\r")
	end := strings.IndexFunc(s+"x", func(r rune) bool { return r < '0' || r > '9' })
	v, err := strconv.ParseUint(s[:end], 10, 64)
	return v, err == nil
}

func slowDecimal(s string, places int) (uint64, bool) {
	s = strings.TrimLeft(s, " \t\n\r")
	whole, ok := slowUint(s)
	if !ok {
		return 0, false
	}
	digits := strings.TrimLeft(s, "0123456789")
	fraction := ""
	if after, found := strings.CutPrefix(digits, "."); found {
		end := strings.IndexFunc(after+"x", func(r rune) bool { return r < '0' || r > '9' })
		fraction = after[:end]
	}
	fraction = (fraction + strings.Repeat("0", places))[:places]
	v, _ := new(big.Int).SetString(strconv.FormatUint(whole, 10)+fraction, 10)
	return v.Uint64(), v.IsUint64()
}

func FuzzUint(f *testing.F) {
	f.Add("42 7")
	f.Add(" 18446744073709551616")
	f.Fuzz(func(t *testing.T, s string) {
		v, rest, ok := Uint([]byte(s))
		want, wantOK := slowUint(s)
		if ok != wantOK || ok && v != want {
			t.Fatalf("Uint(%q) = %d, %v, want %d, %v", s, v, ok, want, wantOK)
		}
		if !ok && string(rest) != s {
			t.Fatalf("Uint(%q) lost %q", s, rest)
		}
	})
}

func FuzzDecimal(f *testing.F) {
	f.Add("1473.48", uint8(9))
	f.Add("0.5 1", uint8(0))
	f.Fuzz(func(t *testing.T, s string, places uint8) {
		p := int(places % 12)
		v, _, ok := Decimal([]byte(s), p)
		want, wantOK := slowDecimal(s, p)
		if ok != wantOK || ok && v != want {
			t.Fatalf("Decimal(%q, %d) = %d, %v, want %d, %v", s, p, v, ok, want, wantOK)
		}
	})
}

func FuzzHex(f *testing.F) {
	f.Add("0A")
	f.Fuzz(func(t *testing.T, s string) {
		v, rest, ok := Hex([]byte(s))
		read := strings.TrimLeft(s, " \t\n\r")
		read = read[:len(read)-min(len(read), len(rest))]
		want, err := strconv.ParseUint(read, 16, 64)
		if ok && (err != nil || v != want) {
			t.Fatalf("Hex(%q) = %d, want %d, %v", s, v, want, err)
		}
	})
}

func FuzzField(f *testing.F) {
	f.Add("a  b\tc\n")
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n\r", r) })
		var got []string
		rest := []byte(s)
		for {
			var field []byte
			if field, rest = Field(rest); len(field) == 0 {
				break
			}
			got = append(got, string(field))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("fields of %q: %q, want %q", s, got, want)
		}
	})
}

func FuzzUnoctal(f *testing.F) {
	f.Add([]byte(`a\040b\`))
	f.Fuzz(func(t *testing.T, b []byte) {
		escaped := bytes.ReplaceAll(b, []byte(`\`), []byte(`\134`))
		escaped = bytes.ReplaceAll(escaped, []byte(" "), []byte(`\040`))
		if got := Unoctal(nil, escaped); !bytes.Equal(got, b) {
			t.Fatalf("%q came back as %q", b, got)
		}
		Unoctal(nil, b)
	})
}
