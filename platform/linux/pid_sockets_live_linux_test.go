package linux

import (
	"net"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// The sockets of this process, against those it opens.
func TestLiveConnectionCount(t *testing.T) {
	b := liveHost(t)
	count := func() map[platform.Field]uint64 {
		s, err := readOne(t, b, platform.Self, 1<<pidSockets|1<<pidChildren)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.misses) > 0 {
			t.Skipf("this process may not read of itself: %v", s.misses)
		}
		for _, fields := range s.fields {
			return fields
		}
		return nil
	}
	before := count()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer udp.Close()
	after := count()
	if after[platform.ProcessTCPListen] != before[platform.ProcessTCPListen]+1 || after[platform.ProcessUDP] != before[platform.ProcessUDP]+1 {
		t.Errorf("%v, and with one more of each %v", before, after)
	}
}
