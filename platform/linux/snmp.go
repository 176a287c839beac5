package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeSNMP reads /proc/net/snmp and /proc/net/netstat, where a line of names
// precedes each line of numbers (snmp_seq_show in net/ipv4/proc.c). The names are
// those of RFC 4293, 4022 and 4113, and for TcpExt Linux's own.
//
//	Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
//	Udp: 139 0 0 140 0 0
func decodeSNMP(b []byte, s *platform.Sample) {
	var title, names []byte
	for line := range text.Lines(text.Whole(b)) {
		key, rest := text.Field(line)
		if names != nil && bytes.Equal(key, title) {
			setSNMP(s, key, names, rest)
			names = nil
			continue
		}
		title, names = key, rest
	}
}

// setSNMP sets the numbers that have a field. Limits among them may be -1.
func setSNMP(s *platform.Sample, title, names, numbers []byte) {
	lookup := snmpTable(title)
	if lookup == nil {
		return
	}
	for len(names) > 0 {
		var name, number []byte
		name, names = text.Field(names)
		number, numbers = text.Field(numbers)
		f, wanted := lookup(name)
		if !wanted {
			continue
		}
		if v, _, ok := text.UintField(number); ok {
			s.Set(f, v)
		}
	}
}

func snmpTable(title []byte) func(name []byte) (platform.Field, bool) {
	switch string(title) {
	case "Ip:":
		return ipCounter
	case "Tcp:":
		return tcpCounter
	case "Udp:":
		return udp4Counter
	case "TcpExt:":
		return tcpExtCounter
	}
	return nil
}

func ipCounter(name []byte) (f platform.Field, ok bool) {
	switch string(name) {
	case "InReceives":
		return platform.HostIPv4Received, true
	case "OutRequests":
		return platform.HostIPv4Sent, true
	}
	return 0, false
}

func tcpCounter(name []byte) (f platform.Field, ok bool) {
	switch string(name) {
	case "ActiveOpens":
		return platform.HostTCPActiveOpens, true
	case "PassiveOpens":
		return platform.HostTCPPassiveOpens, true
	case "AttemptFails":
		return platform.HostTCPAttemptFails, true
	case "EstabResets":
		return platform.HostTCPResets, true
	case "InSegs":
		return platform.HostTCPSegmentsReceived, true
	case "OutSegs":
		return platform.HostTCPSegmentsSent, true
	case "RetransSegs":
		return platform.HostTCPRetransmits, true
	case "InErrs":
		return platform.HostTCPErrors, true
	}
	return 0, false
}

func udp4Counter(name []byte) (f platform.Field, ok bool) {
	switch string(name) {
	case "InDatagrams":
		return platform.HostUDP4Received, true
	case "OutDatagrams":
		return platform.HostUDP4Sent, true
	case "InErrors":
		return platform.HostUDP4Errors, true
	case "RcvbufErrors":
		return platform.HostUDP4ReceiveBufferErrors, true
	case "SndbufErrors":
		return platform.HostUDP4SendBufferErrors, true
	}
	return 0, false
}

func tcpExtCounter(name []byte) (f platform.Field, ok bool) {
	switch string(name) {
	case "ListenOverflows":
		return platform.HostTCPListenOverflows, true
	case "ListenDrops":
		return platform.HostTCPListenDrops, true
	}
	return 0, false
}

// decodeSNMP6 reads /proc/net/snmp6, one counter to a line (snmp6_seq_show in
// net/ipv6/proc.c).
//
//	Ip6InReceives                   	29
//	Udp6InDatagrams                 	0
func decodeSNMP6(b []byte, s *platform.Sample) {
	for line := range text.Lines(text.Whole(b)) {
		name, rest := text.Field(line)
		f, wanted := snmp6Counter(name)
		if !wanted {
			continue
		}
		if v, _, ok := text.UintField(rest); ok {
			s.Set(f, v)
		}
	}
}

func snmp6Counter(name []byte) (f platform.Field, ok bool) {
	switch string(name) {
	case "Ip6InReceives":
		return platform.HostIPv6Received, true
	case "Ip6OutRequests":
		return platform.HostIPv6Sent, true
	case "Udp6InDatagrams":
		return platform.HostUDP6Received, true
	case "Udp6OutDatagrams":
		return platform.HostUDP6Sent, true
	case "Udp6InErrors":
		return platform.HostUDP6Errors, true
	case "Udp6RcvbufErrors":
		return platform.HostUDP6ReceiveBufferErrors, true
	case "Udp6SndbufErrors":
		return platform.HostUDP6SendBufferErrors, true
	}
	return 0, false
}
