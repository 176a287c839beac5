package linux

import (
	"slices"
	"strings"
	"testing"
)

func TestDecodeBlock(t *testing.T) {
	for text, want := range map[string][]string{
		"": {}, "\x00": {""}, "a\x00": {"a"}, "a": {"a"}, "a\x00\x00": {"a", ""}, "\x00\x00": {"", ""},
		"/opt/My App/run\x00": {"/opt/My App/run"}, "worker: idle": {"worker: idle"}, "a\x00b c\xff": {"a", "b c\xff"},
	} {
		if got := decodeBlock([]byte(text)); got == nil || !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add([]byte("a\x00\x00b c\x00\x00"))
	f.Add([]byte("title"))
	f.Fuzz(func(t *testing.T, b []byte) {
		alike(t, decodeBlock(b), true, slowBlock(string(b)), true)
	})
}

func slowBlock(s string) []string {
	if s == "" {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(s, "\x00"), "\x00")
}
