package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
)

// osRelease is what is read of /etc/os-release; nil is not there.
type osRelease struct{ name, version, description []byte }

// decodeOSRelease reads shell assignments (man 5 os-release). The values are
// unquoted in place: b is changed, and the result is parts of it.
//
//	PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
//	NAME="Debian GNU/Linux"
//	VERSION_ID="12"
func decodeOSRelease(b []byte) (r osRelease) {
	for line := range text.Lines(b) {
		key, value, ok := bytes.Cut(text.Trim(line), []byte("="))
		if !ok {
			continue
		}
		switch string(key) {
		case "NAME":
			r.name = unquote(value)
		case "VERSION_ID":
			r.version = unquote(value)
		case "PRETTY_NAME":
			r.description = unquote(value)
		}
	}
	return r
}

// unquote removes a shell's quoting from b, in place: backslashes mean nothing
// between single quotes. What has no content is nil.
func unquote(b []byte) []byte {
	var quote byte
	n := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			continue
		case quote != 0 && c == quote:
			quote = 0
			continue
		case c == '\\' && quote != '\'' && i+1 < len(b):
			i++
			c = b[i]
		}
		b[n] = c
		n++
	}
	if n == 0 {
		return nil
	}
	return b[:n]
}
