package platform

// TCPCounts counts sockets by [TCPState]. What is at [TCPNone] is counted as none of
// the states.
type TCPCounts [TCPClosing + 1]uint64

// Add counts one socket.
func (c *TCPCounts) Add(s TCPState) {
	if int(s) < len(c) {
		c[s]++
	}
}

// HostTCPFields are the fields of the states of a host's TCP sockets, in the order of
// [TCPState] from [TCPEstablished] on.
func HostTCPFields() []Field { return fieldsFrom(HostTCPEstablished, HostTCPClosing) }

// ProcessTCPFields are those of a process's.
func ProcessTCPFields() []Field { return fieldsFrom(ProcessTCPEstablished, ProcessTCPClosing) }

func fieldsFrom(first, last Field) (fields []Field) {
	for f := first; f <= last; f++ {
		fields = append(fields, f)
	}
	return fields
}

// SetTCP sets how many TCP sockets are in each state, as fields of the entity of s,
// which has to be a [Host] or a [Process].
func (s *Sample) SetTCP(c *TCPCounts) {
	first := HostTCPEstablished
	if s.Entity == Process {
		first = ProcessTCPEstablished
	}
	for state := TCPEstablished; state <= TCPClosing; state++ {
		s.Set(first+Field(state-TCPEstablished), c[state])
	}
}
