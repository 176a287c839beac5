package linux

import (
	"strings"
)

func slowOSRelease(s string) map[string]string {
	m := map[string]string{}
	for _, line := range strings.Split(s, "\n") {
		key, value, ok := strings.Cut(slowTrim(line), "=")
		if ok {
			m[key] = slowUnquote(value)
		}
	}
	return m
}

func slowUnquote(s string) string {
	var out strings.Builder
	for len(s) > 0 {
		switch i := strings.IndexByte(s[1:], s[0]); {
		case s[0] == '\'':
			if i < 0 {
				i = len(s) - 1
			}
			out.WriteString(s[1 : i+1])
			s = s[min(i+2, len(s)):]
		case s[0] == '"':
			s = slowDoubleQuoted(&out, s[1:])
		case s[0] == '\\' && len(s) > 1:
			out.WriteByte(s[1])
			s = s[2:]
		default:
			out.WriteByte(s[0])
			s = s[1:]
		}
	}
	return out.String()
}

// slowDoubleQuoted writes up to the closing quote and returns what is behind it.
func slowDoubleQuoted(out *strings.Builder, s string) string {
	for len(s) > 0 && s[0] != '"' {
		if s[0] == '\\' && len(s) > 1 {
			s = s[1:]
		}
		out.WriteByte(s[0])
		s = s[1:]
	}
	return strings.TrimPrefix(s, `"`)
}

func slowMachineID(s string) (string, bool) {
	s = slowTrim(s)
	return s, len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

func slowNodeName(s string) (string, bool) {
	for _, line := range strings.Split(s, "\n") {
		if line = slowTrim(line); line != "" && !strings.HasPrefix(line, "#") {
			return line, true
		}
	}
	return "", false
}
