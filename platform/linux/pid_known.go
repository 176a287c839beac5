package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/platform"
)

// place is where a process is found. Under another root this process may have
// the PID of one in the view.
type place struct {
	foreign bool
	pid     uint64
}

// known is what is remembered of one process from pass to pass: what is dear to
// read and changes only when the process becomes another program, which gives it
// another name.
type known struct {
	start    uint64
	seen     uint64 // the pass that last saw it
	comm     []byte
	exe      []byte // nil if not read yet
	args     []byte
	switches switches
}

// crowdKnown is how many processes are remembered if no pass ever visits all.
const crowdKnown = 4096

// remember returns the memory of the process that is visited.
func (r *reader) remember(v *visit) *known {
	at := place{v.foreign, v.key.ID}
	k := r.known[at]
	if k == nil || k.start != v.key.Start {
		k = &known{start: v.key.Start}
		r.known[at] = k
	}
	if k.comm == nil || !bytes.Equal(k.comm, r.comm) {
		k.comm = append([]byte{}, r.comm...)
		k.exe, k.args = nil, nil
	}
	k.seen = r.passes
	return k
}

// touch notes that a process was there, if it is remembered.
func (r *reader) touch(v *visit) {
	if k := r.known[place{v.foreign, v.key.ID}]; k != nil && k.start == v.key.Start {
		k.seen = r.passes
	}
}

// keepOrDrop decides about the memory of a process that could not be read: only
// one that ended is forgotten at once.
func (r *reader) keepOrDrop(v *visit, why platform.Reason) {
	at := place{v.foreign, v.key.ID}
	if why == platform.Gone {
		delete(r.known, at)
	} else if k := r.known[at]; k != nil {
		k.seen = r.passes
	}
}

// forget drops what a pass over all processes did not meet again.
func (b *backend) forget(walked bool) {
	if !walked && len(b.known) <= crowdKnown {
		return
	}
	for at, k := range b.known {
		if k.seen != b.passes {
			delete(b.known, at)
		}
	}
}
