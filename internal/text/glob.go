package text

import "strings"

// Glob reports whether a pattern, whose one special character is the star, covers
// the whole of s. Each part between stars takes the first place that it fits, so
// the time is linear in s for each part.
func Glob(pattern, s string) bool {
	head, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	for ok && starred {
		var part string
		part, rest, starred = strings.Cut(rest, "*")
		if !starred {
			return strings.HasSuffix(s, part)
		}
		_, s, ok = strings.Cut(s, part)
	}
	return ok
}
