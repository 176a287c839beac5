package solaris

import (
	"bytes"
	"strconv"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// readOwner reads the name of the effective user, from passwd(5), which is read once in a
// pass.
func (p *pass) readOwner(*visit) error {
	if p.owners == nil {
		b, err := p.kernel.File("/etc/passwd")
		if err != nil {
			return err
		}
		p.owners = decodeOwners(b)
	}
	if name, ok := p.owners[uint64(layout.U32(p.info[:], userAt))]; ok {
		p.sample.SetText(platform.ProcessOwner, name)
	}
	return nil
}

// decodeOwners reads the name, the password, the number and more between colons. The first
// name of a number counts.
func decodeOwners(b []byte) map[uint64][]byte {
	owners := map[uint64][]byte{}
	for line := range bytes.Lines(b) {
		members := bytes.SplitN(line, []byte(":"), 4)
		if len(members) < 4 || len(members[0]) == 0 || members[0][0] == '#' {
			continue
		}
		id, err := strconv.ParseUint(string(members[2]), 10, 32)
		if _, twice := owners[id]; err == nil && !twice {
			owners[id] = members[0]
		}
	}
	return owners
}
