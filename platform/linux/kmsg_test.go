package linux

import (
	"regexp"
	"strconv"
	"testing"
)

// kmsgRecords are records, the text of those that the kernel wrote, and whether it did.
var kmsgRecords = []struct {
	record, line string
	kernel       bool
}{
	{"6,339,5140900,-;NET: Registered protocol family 10\n", "NET: Registered protocol family 10", true},
	{"3,1,2,-,caller=T77;a;b\n SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A03:00\n", "a;b", true},
	{"0,1,2,c;\n", "", true},
	{`6,1,2,-;a\x0ab\x5cx41\xff` + "\n", "a\nb\\x41\xff", true},
	{`6,1,2,-;\x4\x\xg1\x 1` + "\n", `\x4\x\xg1\x 1`, true},
	{"12,339,5140900,-;Killed process 1 (a) total-vm:1kB\n", "", false}, // of a user, by logger or echo
	{"8,339,5140900,-;user.emerg\n", "", false},
	{"99999999999999999999,1,2,-;a\n", "", false},
	{"6;a\n", "", false},
	{"6,1,2,-\n", "", false},
	{"6,1,2,-;cut short", "", false},
	{" 6,1,2,-;a\n", "", false},
	{"", "", false},
}

func TestDecodeKmsg(t *testing.T) {
	for _, want := range kmsgRecords {
		if line, ok := decodeKmsg([]byte(want.record)); ok != want.kernel || ok && string(line) != want.line {
			t.Errorf("%q: %q, %v", want.record, line, ok)
		}
	}
}

// slowKmsg is decodeKmsg by regular expressions.
func slowKmsg(record string) (string, bool) {
	m := regexp.MustCompile(`^0*[0-7],[^;]*;([^\n]*)\n`).FindStringSubmatch(latin(record))
	if m == nil {
		return "", false
	}
	return unlatin(regexp.MustCompile(`\\x[0-9a-fA-F]{2}`).ReplaceAllStringFunc(m[1], func(s string) string {
		v, _ := strconv.ParseUint(s[2:], 16, 8)
		return string(rune(v))
	})), true
}

func FuzzDecodeKmsg(f *testing.F) {
	for _, r := range kmsgRecords {
		f.Add([]byte(r.record))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		want, wanted := slowKmsg(string(record))
		if line, ok := decodeKmsg(record); ok != wanted || ok && string(line) != want {
			t.Fatalf("%q, %v, want %q, %v", line, ok, want, wanted)
		}
	})
}
