package linux

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const snmpText = `Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards
Ip: 2 64 117833 0 0 0 0 0 117833 115570 0
Icmp: InMsgs InErrors
Icmp: 1 0
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 2115 1983 95 801 0 117693 116174 35 6 748 0
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
Udp: 139 1 2 140 3 4 0 0 0
UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
UdpLite: 9 9 9 9 9 9 9 9 9
`

const netstatText = `TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPHPHits
TcpExt: 0 7 8 29842
IpExt: InNoRoutes InOctets
IpExt: 0 1060334462
`

const snmp6Text = `Ip6InReceives                   	29
Ip6InHdrErrors                  	0
Ip6OutRequests                  	31
Icmp6InMsgs                     	4
Udp6InDatagrams                 	11
Udp6NoPorts                     	0
Udp6InErrors                    	12
Udp6OutDatagrams                	13
Udp6RcvbufErrors                	14
Udp6SndbufErrors                	15
`

func TestDecodeSNMP(t *testing.T) {
	s := sample(platform.Host)
	decodeSNMP([]byte(snmpText), s)
	decodeSNMP([]byte(netstatText), s)
	decodeSNMP6([]byte(snmp6Text), s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostIPv4Received: 117833, platform.HostIPv4Sent: 115570,
		platform.HostIPv6Received: 29, platform.HostIPv6Sent: 31,
		platform.HostTCPActiveOpens: 2115, platform.HostTCPPassiveOpens: 1983, platform.HostTCPAttemptFails: 95,
		platform.HostTCPResets: 801, platform.HostTCPSegmentsReceived: 117693, platform.HostTCPSegmentsSent: 116174,
		platform.HostTCPRetransmits: 35, platform.HostTCPErrors: 6,
		platform.HostTCPListenOverflows: 7, platform.HostTCPListenDrops: 8,
		platform.HostUDP4Received: 139, platform.HostUDP4Sent: 140, platform.HostUDP4Errors: 2,
		platform.HostUDP4ReceiveBufferErrors: 3, platform.HostUDP4SendBufferErrors: 4,
		platform.HostUDP6Received: 11, platform.HostUDP6Sent: 13, platform.HostUDP6Errors: 12,
		platform.HostUDP6ReceiveBufferErrors: 14, platform.HostUDP6SendBufferErrors: 15,
	})
}

// Names without numbers, numbers without names and lines that are not a pair tell
// nothing.
func TestDecodeSNMPRefuses(t *testing.T) {
	for _, text := range []string{
		"", "Tcp: ActiveOpens\n", "Tcp: ActiveOpens\nUdp: 5\n", "Tcp: ActiveOpens\nTcp: 5", "Tcp: ActiveOpens\nTcp:\n",
		"Tcp: ActiveOpens\nTcp: -5\n", "Tcp: 5\nTcp: ActiveOpens\n", "Tcp: ActiveOpens\n\nTcp: 5\n",
	} {
		s := sample(platform.Host)
		decodeSNMP([]byte(text), s)
		wantFields(t, s, nil)
	}
}

func FuzzDecodeSNMP(f *testing.F) {
	f.Add([]byte(snmpText))
	f.Add([]byte(netstatText))
	f.Add([]byte("Udp: InErrors InErrors\nUdp: 1 x\nUdp: 5\nUdp: InErrors\n\n\nTcp:\nTcp: 4\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeSNMP(b, fast)
		slowSNMP(string(b), slow)
		same(t, fast, slow)
	})
}

func slowSNMP(s string, to *platform.Sample) {
	fields := map[string]platform.Field{
		"Ip: InReceives": platform.HostIPv4Received, "Ip: OutRequests": platform.HostIPv4Sent,
		"Tcp: ActiveOpens": platform.HostTCPActiveOpens, "Tcp: PassiveOpens": platform.HostTCPPassiveOpens,
		"Tcp: AttemptFails": platform.HostTCPAttemptFails, "Tcp: EstabResets": platform.HostTCPResets,
		"Tcp: InSegs": platform.HostTCPSegmentsReceived, "Tcp: OutSegs": platform.HostTCPSegmentsSent,
		"Tcp: RetransSegs": platform.HostTCPRetransmits, "Tcp: InErrs": platform.HostTCPErrors,
		"TcpExt: ListenOverflows": platform.HostTCPListenOverflows, "TcpExt: ListenDrops": platform.HostTCPListenDrops,
		"Udp: InDatagrams": platform.HostUDP4Received, "Udp: OutDatagrams": platform.HostUDP4Sent,
		"Udp: InErrors": platform.HostUDP4Errors, "Udp: RcvbufErrors": platform.HostUDP4ReceiveBufferErrors,
		"Udp: SndbufErrors": platform.HostUDP4SendBufferErrors,
	}
	var names []string
	for _, line := range slowLines(s) {
		f := append(slowFields(line), "")
		if names == nil || f[0] != names[0] {
			names = f
			continue
		}
		for i := 1; i < len(names) && i < len(f); i++ {
			field, known := fields[names[0]+" "+names[i]]
			if n := slowNumbers(f[i:], 1); known && len(n) > 0 {
				to.Set(field, n[0])
			}
		}
		names = nil
	}
}

func FuzzDecodeSNMP6(f *testing.F) {
	f.Add([]byte(snmp6Text))
	f.Add([]byte("Ip6InReceives\nUdp6InErrors -1\nUdp6InErrors 1x\nUdp6OutDatagrams 7"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeSNMP6(b, fast)
		for _, line := range slowLines(string(b)) {
			f := append(slowFields(line), "")
			field, known := map[string]platform.Field{
				"Ip6InReceives": platform.HostIPv6Received, "Ip6OutRequests": platform.HostIPv6Sent,
				"Udp6InDatagrams": platform.HostUDP6Received, "Udp6OutDatagrams": platform.HostUDP6Sent,
				"Udp6InErrors": platform.HostUDP6Errors, "Udp6RcvbufErrors": platform.HostUDP6ReceiveBufferErrors,
				"Udp6SndbufErrors": platform.HostUDP6SendBufferErrors,
			}[f[0]]
			if n := slowNumbers(f[1:], 1); known && len(n) > 0 {
				slow.Set(field, n[0])
			}
		}
		same(t, fast, slow)
	})
}
