package windows

// known is what is remembered of one process from pass to pass: what never changes
// and takes a handle to read, and sums over its threads.
type known struct {
	start     uint64
	seen      uint64 // the pass that last saw it
	image     []byte // nil if not read yet
	owner     []byte
	arguments []byte
	switches  switches
}

// crowdKnown is how many processes are remembered if no pass ever visits all.
const crowdKnown = 4096

// remember returns the memory of the process that is visited.
func (r *reader) remember(v *visit) *known {
	k := r.known[v.key.ID]
	if k == nil || k.start != v.key.Start {
		k = &known{start: v.key.Start}
		r.known[v.key.ID] = k
	}
	k.seen = r.passes
	return k
}

// forget drops what a pass over all processes did not meet again.
func (b *backend) forget(walked bool) {
	if !walked && len(b.known) <= crowdKnown {
		return
	}
	for pid, k := range b.known {
		if k.seen != b.passes {
			delete(b.known, pid)
		}
	}
}
