package linux

import "github.com/pidometer/pidometer/internal/text"

// decodeMachineID reads /etc/machine-id: 32 hexadecimal digits in lower case, or
// "uninitialized" until the first boot is over (man 5 machine-id).
func decodeMachineID(b []byte) (id []byte, ok bool) {
	id = text.Trim(b)
	if len(id) != 32 {
		return nil, false
	}
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return nil, false
		}
	}
	return id, true
}
