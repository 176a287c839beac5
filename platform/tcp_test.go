package platform

import (
	"strings"
	"testing"
)

// Each state of TCP has its field by name, of a host and of a process.
func TestTCPFields(t *testing.T) {
	for _, of := range []struct {
		entity Entity
		fields []Field
	}{{Host, HostTCPFields()}, {Process, ProcessTCPFields()}} {
		var counts TCPCounts
		for state := TCPEstablished; state <= TCPClosing; state++ {
			for range state {
				counts.Add(state)
			}
			name := of.fields[state-TCPEstablished].Info().Name
			if word := strings.ReplaceAll(state.String(), "_", ""); !strings.HasSuffix(strings.ReplaceAll(name, "_", ""), word) {
				t.Errorf("%s is the field of %s", name, state)
			}
		}
		counts.Add(TCPClosing + 1) // no such state
		var s Sample
		s.Reset(of.entity, Key{})
		s.SetTCP(&counts)
		for i, f := range of.fields {
			if v, ok := s.Get(f); !ok || v != uint64(i+1) {
				t.Errorf("%v is %d, %v", f, v, ok)
			}
		}
		if s.Len() != int(TCPClosing) {
			t.Errorf("%d fields are set", s.Len())
		}
	}
}
