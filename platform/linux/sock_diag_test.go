package linux

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// diagMessage is a message of sock_diag with size bytes of struct tcp_info.
func diagMessage(size int) []byte {
	b := make([]byte, diagSize)
	b[diagFamily], b[diagState] = familyInet, 1
	copy(b[diagLocalPort:], []byte{0x1f, 0x90, 0, 80})
	copy(b[diagLocal:], []byte{127, 0, 0, 1})
	copy(b[diagPeer:], []byte{192, 0, 2, 1})
	binary.NativeEndian.PutUint32(b[diagReceive:], 11)
	binary.NativeEndian.PutUint32(b[diagSend:], 12)
	binary.NativeEndian.PutUint32(b[diagInode:], 13)
	info := make([]byte, size)
	for at := 8; at+4 <= size; at += 4 {
		binary.NativeEndian.PutUint32(info[at:], uint32(at))
	}
	for _, at := range []int{tcpBytesAcknowledged, tcpBytesReceived, tcpBytesSent, tcpBytesRetransmitted} {
		if at+8 <= size {
			binary.NativeEndian.PutUint64(info[at:], uint64(at)<<32)
		}
	}
	b = binary.NativeEndian.AppendUint16(b, uint16(attributeHeader+size))
	b = binary.NativeEndian.AppendUint16(b, diagInfo)
	return append(b, info...)
}

func TestDecodeSocketStats(t *testing.T) {
	s, ok := decodeSocketStats(diagMessage(216))
	number := func(v uint64) *uint64 { return &v }
	want := platform.SocketStats{
		Inode: 13, Local: netip.MustParseAddrPort("127.0.0.1:8080"), Peer: netip.MustParseAddrPort("192.0.2.1:80"),
		State: platform.TCPEstablished, RTT: 68 * time.Microsecond, RTTVariance: 72 * time.Microsecond, MSS: 16, Window: 80,
		Unacknowledged: 24, Lost: 32, Retransmitting: 36, Retransmits: 100, SendQueue: 12, ReceiveQueue: 11,
		BytesAcknowledged: number(120 << 32), BytesReceived: number(128 << 32), BytesSent: number(200 << 32), BytesRetransmitted: number(208 << 32),
	}
	if !ok || !reflect.DeepEqual(s, want) {
		t.Errorf("%v %+v, want %+v", ok, s, want)
	}
	if s, ok := decodeSocketStats(diagMessage(104)); !ok || s.BytesAcknowledged != nil || s.BytesSent != nil || s.Retransmits != 100 {
		t.Errorf("of Linux 3.2: %v %+v", ok, s)
	}
	if _, ok := decodeSocketStats(diagMessage(100)); ok {
		t.Error("a cut structure was taken")
	}
}

func FuzzDecodeSocketStats(f *testing.F) {
	f.Add(diagMessage(216))
	f.Add(diagMessage(104))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := decodeSocketStats(b)
		want, wantOK := slowSocketStats(b)
		alike(t, s, ok, want, wantOK)
	})
}

func FuzzDecodeDiagState(f *testing.F) {
	f.Add(diagMessage(0))
	f.Fuzz(func(t *testing.T, b []byte) {
		state, ok := decodeDiagState(b)
		m, _, wantOK := slowStruct[struct {
			Family, State byte
			Rest          [70]byte
		}](b)
		alike(t, state, ok, m.State, wantOK)
	})
}

func FuzzDecodeTCPInfo(f *testing.F) {
	f.Add(make([]byte, 232))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, want platform.SocketStats
		ok := decodeTCPInfo(b, &s)
		wantOK := slowInfo(b, &want)
		alike(t, s, ok, want, wantOK)
	})
}

// slowTCPInfo is struct tcp_info.
type slowTCPInfo struct {
	State, CAState, Retransmits, Probes, Backoff, Options, Scale, Limited        uint8
	RTO, ATO, MSS, ReceiveMSS, Unacked, Sacked, Lost, Retrans, Fackets           uint32
	LastSent, LastAckSent, LastReceived, LastAckReceived, PMTU, ReceiveThreshold uint32
	RTT, RTTVar, SendThreshold, Window, AdvMSS, Reordering, ReceiveRTT, Space    uint32
	TotalRetrans                                                                 uint32
}

type slowTCPInfoBytes struct{ Pacing, MostPacing, Acked, Received uint64 }

type slowTCPInfoSent struct {
	SegmentsOut, SegmentsIn, NotSent, LeastRTT, DataIn, DataOut uint32
	Rate, Busy, Limited, SendLimited                            uint64
	Delivered, DeliveredCE                                      uint32
	Sent, Retransmitted                                         uint64
}

func slowSocketStats(b []byte) (s platform.SocketStats, ok bool) {
	m, rest, ok := slowStruct[struct {
		Family, State, Timer, Retransmits     uint8
		LocalPort, PeerPort                   [2]byte
		Local, Peer                           [16]byte
		Interface, Cookie1, Cookie2, Expires  uint32
		ReceiveQueue, SendQueue, User, Socket uint32
	}](b)
	if !ok {
		return s, false
	}
	endpoint := func(addr [16]byte, port [2]byte) netip.AddrPort {
		a := netip.AddrFrom4([4]byte(addr[:4]))
		if m.Family == 10 {
			a = netip.AddrFrom16(addr)
		}
		return netip.AddrPortFrom(a, uint16(port[0])<<8|uint16(port[1]))
	}
	s.Local, s.Peer = endpoint(m.Local, m.LocalPort), endpoint(m.Peer, m.PeerPort)
	if m.State < 12 {
		s.State = platform.TCPState(m.State)
	}
	if m.State == 12 {
		s.State = platform.TCPSynReceived
	}
	s.ReceiveQueue, s.SendQueue, s.Inode = m.ReceiveQueue, m.SendQueue, uint64(m.Socket)
	told := false
	for _, a := range slowAttributes(rest) {
		if a.kind == 2 {
			told = slowInfo([]byte(a.value), &s)
		}
	}
	return s, told
}

func slowInfo(b []byte, s *platform.SocketStats) bool {
	info, rest, ok := slowStruct[slowTCPInfo](b)
	if !ok {
		return false
	}
	s.MSS, s.Unacknowledged, s.Lost, s.Retransmitting = info.MSS, info.Unacked, info.Lost, info.Retrans
	s.RTT, s.RTTVariance = time.Duration(info.RTT)*1000, time.Duration(info.RTTVar)*1000
	s.Window, s.Retransmits = info.Window, info.TotalRetrans
	s.BytesAcknowledged, s.BytesReceived, s.BytesSent, s.BytesRetransmitted = nil, nil, nil, nil
	number := func(at int) *uint64 {
		if len(rest) < at+8 {
			return nil
		}
		v := binary.NativeEndian.Uint64(rest[at:])
		return &v
	}
	early, late := binary.Size(slowTCPInfoBytes{}), binary.Size(slowTCPInfoSent{})
	s.BytesAcknowledged, s.BytesReceived = number(early-16), number(early-8)
	s.BytesSent, s.BytesRetransmitted = number(early+late-16), number(early+late-8)
	return true
}
