package linux

import (
	"slices"
	"strconv"
	"strings"
)

// slowMount is a mountLine in strings.
type slowMount struct {
	device                    uint64
	whole                     bool
	point, kind, source, mode string
}

func slowMode(lists ...string) string {
	for _, list := range lists {
		if strings.Split(list, ",")[0] == "ro" {
			return "ro"
		}
	}
	return "rw"
}

func slowMountinfo(line string) (m slowMount, ok bool) {
	f := slowFields(line)
	if len(f) < 3 {
		return m, false
	}
	major, minor, found := strings.Cut(f[2], ":")
	x, err := strconv.ParseUint(major, 10, 64)
	y, err2 := strconv.ParseUint(minor, 10, 64)
	if !found || err != nil || err2 != nil {
		return m, false
	}
	hyphen := slices.Index(f[min(6, len(f)):], "-")
	if hyphen < 0 || len(f) < 6+hyphen+2 {
		return m, false
	}
	tail := append(f[6+hyphen+1:], "", "")
	m = slowMount{x<<20 | y, f[3] == "/", f[4], tail[0], tail[1], slowMode(f[5], tail[2])}
	return m, true
}

func slowMounts(line string) (m slowMount, ok bool) {
	f := slowFields(line)
	if len(f) < 4 {
		return m, false
	}
	return slowMount{0, true, f[1], f[2], f[0], slowMode(f[3])}, true
}

func slowUnoctal(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if i+4 <= len(s) && s[i] == '\\' {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
