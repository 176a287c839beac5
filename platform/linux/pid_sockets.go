package linux

import (
	"errors"
	"io"
	"io/fs"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// stateUDP stands for a socket of UDP among the states of TCP, none of which has the
// number 0.
const stateUDP = 0

// socketStates are the sockets of one network namespace, by inode.
type socketStates map[uint64]uint8

// networks are the network namespaces that passes came by.
type networks struct {
	known  map[string]*namespace
	pass   uint64 // that asked last
	counts tcpCounts
	seen   map[uint64]bool // sockets of the process being read: several descriptors may be one
	fds    []uint64
	lines  []byte
}

// namespace is one of them, by the name that the kernel gives it: net:[4026531840].
type namespace struct {
	states socketStates
	pass   uint64 // that read them
}

// connectionTables are the tables, below /proc/[pid]/net, that have a line for each
// socket of TCP or UDP.
var connectionTables = [...]struct {
	name string
	tcp  bool
}{{"tcp", true}, {"tcp6", true}, {"udp", false}, {"udp6", false}}

// readConnections counts the sockets of a process by state. Its descriptors name
// them, the tables of its network namespace tell what they are.
func (r *reader) readConnections(v *visit) error {
	states, err := r.socketStates(v)
	if err != nil {
		return err
	}
	n := &r.networks
	fd, err := r.open(v.dir, "fd")
	if err != nil {
		return err
	}
	defer r.kernel.Close(fd)
	if n.fds, err = r.list(fd, n.fds[:0]); err != nil {
		return err
	}
	n.counts = tcpCounts{}
	clear(n.seen)
	for _, number := range n.fds {
		length, err := r.kernel.ReadLink(fd, r.joinNumber(number, ""), r.link)
		if err != nil {
			continue // closed meanwhile
		}
		inode, ok := decodeSocketLink(r.link[:length])
		state, known := states[inode]
		if ok && known && !n.seen[inode] {
			n.seen[inode] = true
			n.counts[state]++
		}
	}
	r.sample.Set(platform.ProcessUDP, n.counts[stateUDP])
	n.counts.set(&r.sample)
	return nil
}

// socketStates returns the sockets of a process's network namespace, read once in a
// pass: the kernel walks its whole hash table for them, see tcpSource.
func (r *reader) socketStates(v *visit) (socketStates, error) {
	length, err := r.kernel.ReadLink(v.dir, r.join("ns/net"), r.link)
	if err != nil {
		return nil, err
	}
	n := &r.networks
	n.begin(r.passes)
	space := n.known[string(r.link[:length])]
	if space == nil {
		space = &namespace{states: socketStates{}}
		n.known[string(r.link[:length])] = space
	}
	if space.pass == r.passes {
		return space.states, nil
	}
	clear(space.states)
	for _, table := range connectionTables {
		if err := r.readStates(v, table.name, table.tcp, space.states); err != nil {
			return nil, err
		}
	}
	space.pass = r.passes
	return space.states, nil
}

// begin forgets the namespaces that the pass before did not come by.
func (n *networks) begin(pass uint64) {
	if n.known == nil {
		n.known, n.seen = map[string]*namespace{}, map[uint64]bool{}
	}
	if n.pass == pass {
		return
	}
	n.pass = pass
	for name, space := range n.known {
		if space.pass+1 < pass {
			delete(n.known, name)
		}
	}
}

// readStates reads one table. A kernel without IPv6 lacks two.
func (r *reader) readStates(v *visit, name string, tcp bool, states socketStates) error {
	fd, err := r.open(v.dir, "net/", name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.kernel.Close(fd)
	n := &r.networks
	if n.lines == nil {
		n.lines = make([]byte, streamSize)
	}
	s := stream{kernel: r.kernel, fd: fd, buf: n.lines}
	for r.ctx.Err() == nil {
		line, err := s.line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if inode, state, ok := decodeSocketState(line); ok {
			if !tcp {
				state = stateUDP
			}
			states[inode] = state
		}
	}
	return r.ctx.Err()
}

// decodeSocketState reads the state and the inode of one line of tcp or udp below
// /proc/[pid]/net, the fourth and the tenth field, see decodeTCP.
func decodeSocketState(line []byte) (inode uint64, state uint8, ok bool) {
	if !isSocket(line) {
		return 0, 0, false
	}
	number, rest, ok := text.HexField(text.Skip(line, 3))
	if !ok || number == stateUDP || number >= uint64(len(tcpCounts{})) {
		return 0, 0, false
	}
	inode, _, ok = text.UintField(text.Skip(rest, 5))
	return inode, uint8(number), ok && inode != 0 // 0 is a socket that no process has
}
