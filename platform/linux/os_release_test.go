package linux

import (
	"maps"
	"slices"
	"testing"
)

const osReleaseText = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
# a comment
VERSION='12 (bookworm)'
ID=debian
`

func TestDecodeOSRelease(t *testing.T) {
	for _, c := range []struct{ text, name, version, description string }{
		{osReleaseText, "Debian GNU/Linux", "12", "Debian GNU/Linux 12 (bookworm)"},
		{"NAME=Fedora\nVERSION_ID=43", "Fedora", "43", ""},
		{`NAME="a \"b\" \$c"`, `a "b" $c`, "", ""},
		{`NAME='a\b'`, `a\b`, "", ""},
		{`NAME="it's"`, `it's`, "", ""},
		{`NAME="open`, `open`, "", ""},
		{`NAME=a\`, `a\`, "", ""},
		{"", "", "", ""},
	} {
		r := decodeOSRelease([]byte(c.text))
		if string(r.name) != c.name || string(r.version) != c.version || string(r.description) != c.description {
			t.Errorf("%q: %q, %q, %q", c.text, r.name, r.version, r.description)
		}
	}
}

func TestDecodeMachineID(t *testing.T) {
	const id = "3d1219c7c4c5404aaa1f6d2a48adfda4"
	for text, want := range map[string]string{
		id + "\n": id, id: id, "uninitialized\n": "", "": "", "3D1219C7C4C5404AAA1F6D2A48ADFDA4\n": "",
	} {
		got, ok := decodeMachineID([]byte(text))
		if string(got) != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func TestDecodeNodeName(t *testing.T) {
	for text, want := range map[string]string{
		"box\n": "box", "box": "box", "# name\n\n box \n": "box", "\n": "", "": "",
	} {
		got, ok := decodeNodeName([]byte(text))
		if string(got) != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func FuzzDecodeOSRelease(f *testing.F) {
	f.Add([]byte(osReleaseText))
	f.Add([]byte(`NAME="a \"b\"'c'"d'e\f'\`))
	f.Fuzz(func(t *testing.T, b []byte) {
		want := slowOSRelease(string(b))
		r := decodeOSRelease(slices.Clone(b))
		got := map[string]string{
			"NAME": string(r.name), "VERSION_ID": string(r.version), "PRETTY_NAME": string(r.description),
		}
		maps.DeleteFunc(want, func(key, _ string) bool { _, ok := got[key]; return !ok })
		maps.DeleteFunc(want, func(_, v string) bool { return v == "" })
		maps.DeleteFunc(got, func(_, v string) bool { return v == "" })
		if !maps.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func FuzzDecodeMachineID(f *testing.F) {
	f.Add([]byte("3d1219c7c4c5404aaa1f6d2a48adfda4\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, ok := decodeMachineID(b)
		want, wantOK := slowMachineID(string(b))
		if ok != wantOK || ok && string(id) != want {
			t.Fatalf("%q, %v, want %q, %v", id, ok, want, wantOK)
		}
	})
}

func FuzzDecodeNodeName(f *testing.F) {
	f.Add([]byte("# name\n\n box \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name, ok := decodeNodeName(b)
		if want, wantOK := slowNodeName(string(b)); ok != wantOK || string(name) != want {
			t.Fatalf("%q, %v, want %q, %v", name, ok, want, wantOK)
		}
	})
}
