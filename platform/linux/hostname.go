package linux

import "github.com/pidometer/pidometer/internal/text"

// decodeNodeName reads /etc/hostname: the first line that is neither empty nor a
// comment (man 5 hostname). The files of names in /proc/sys/kernel have one line.
func decodeNodeName(b []byte) (name []byte, ok bool) {
	for line := range text.Lines(b) {
		if line = text.Trim(line); len(line) > 0 && line[0] != '#' {
			return line, true
		}
	}
	return nil, false
}
