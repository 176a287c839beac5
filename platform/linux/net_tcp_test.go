package linux

import (
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const tcpText = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:C0AF 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 56873 2 000000003fdb49c1 100 0 0 10 0                     
   1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 452 1 0000000060f394be 100 0 0 10 0                       
   2: 0100007F:E808 0100007F:C0AF 01 00000000:00000000 00:00000000 00000000     0        0 56874 2 00000000e607a3f4 20 0 0 10 -1                     
   3: 0100007F:C0AF 0100007F:E808 0C 00000000:00000000 00:00000000 00000000     0        0 0 1 00000000ca0e79b2 20 0 0 10 -1                         
   4: 0100007F:C0AF 0100007F:E809 03 00000000:00000000 00:00000000 00000000     0        0 0 1 00000000ca0e79b2 20 0 0 10 -1                         
`

const udpText = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
10636: 0100007F:D306 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 56875 2 0000000092009256 0         
`

func TestDecodeTCP(t *testing.T) {
	var counts tcpCounts
	var udp uint64
	for line := range strings.Lines(tcpText) {
		decodeTCP([]byte(line), &counts)
	}
	for line := range strings.Lines(udpText) {
		decodeUDP([]byte(line), &udp)
	}
	s := sample(platform.Host)
	counts.set(s)
	want := map[platform.Field]uint64{
		platform.HostTCPEstablished: 1, platform.HostTCPSynReceived: 2, platform.HostTCPListen: 2,
	}
	for _, f := range tcpSource().Gives {
		want[f.Field] += 0
	}
	wantFields(t, s, want)
	if udp != 1 {
		t.Errorf("%d UDP sockets, want 1", udp)
	}
	decodeTCP([]byte("   2: 0100007F:E808 0100007F:C0AF 01"), &counts)
	if counts[1] != 1 {
		t.Error("a line that was cut off behind the state was counted")
	}
}

func FuzzDecodeTCP(f *testing.F) {
	for line := range strings.Lines(tcpText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var fast, slow tcpCounts
		decodeTCP(b, &fast)
		slowTCP(string(b), &slow)
		if fast != slow {
			t.Fatalf("%v, want %v", fast, slow)
		}
	})
}

func FuzzDecodeUDP(f *testing.F) {
	for line := range strings.Lines(udpText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var n uint64
		decodeUDP(b, &n)
		if is := slowSocket(string(b)) != nil; is != (n == 1) {
			t.Fatalf("%d sockets", n)
		}
	})
}
