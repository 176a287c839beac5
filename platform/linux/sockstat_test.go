package linux

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const sockstatText = `sockets: used 14
TCP: inuse 1 orphan 4 tw 69 alloc 3 mem 218
UDP: inuse 5 mem 2
UDPLITE: inuse 9
RAW: inuse 9
FRAG: inuse 9 memory 9
`

func TestDecodeSockstat(t *testing.T) {
	stat := decodeSockstat([]byte(sockstatText))
	stat.add6([]byte("TCP6: inuse 10\nUDP6: inuse 20\nRAW6: inuse 1\nTCP6: mem 7\n"))
	s := sample(platform.Host)
	stat.set(s, 4096)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostSockets: 14, platform.HostTCPInUse: 11, platform.HostTCPOrphaned: 4,
		platform.HostTCPTimeWaiting: 69, platform.HostTCPAllocated: 3, platform.HostTCPMemory: 218 * 4096,
		platform.HostUDPInUse: 25, platform.HostUDPMemory: 2 * 4096,
	})
	for _, text := range []string{"", "TCP:\n", "TCP: inuse\n", "TCP: inuse x orphan 1\n", "sockets: used 14"} {
		s := sample(platform.Host)
		stat := decodeSockstat([]byte(text))
		stat.set(s, 4096)
		wantFields(t, s, nil)
	}
}

func FuzzDecodeSockstat(f *testing.F) {
	f.Add([]byte(sockstatText), []byte("TCP6: inuse 0\nUDP6: inuse 1\n"))
	f.Add([]byte("TCP: mem 18446744073709551615 inuse 1 orphan -1 tw 4\n"), []byte("TCP6: inuse\nTCP6: inuse 7x\n"))
	f.Fuzz(func(t *testing.T, b, b6 []byte) {
		stat := decodeSockstat(b)
		stat.add6(b6)
		fast, slow := sample(platform.Host), sample(platform.Host)
		stat.set(fast, 4096)
		slowSockstat(string(b), string(b6), slow)
		same(t, fast, slow)
	})
}

func slowSockstat(s, s6 string, to *platform.Sample) {
	fields := map[string]platform.Field{
		"sockets: used": platform.HostSockets, "TCP: inuse": platform.HostTCPInUse, "TCP: orphan": platform.HostTCPOrphaned,
		"TCP: tw": platform.HostTCPTimeWaiting, "TCP: alloc": platform.HostTCPAllocated,
		"UDP: inuse": platform.HostUDPInUse,
	}
	values := map[string]uint64{}
	for _, line := range slowLines(s) {
		f := slowFields(line)
		for i := 1; i+1 < len(f); i += 2 {
			n := slowNumbers(f[i+1:], 1)
			if len(n) == 0 {
				break
			}
			values[f[0]+" "+f[i]] = n[0]
		}
	}
	more := map[string]uint64{}
	for _, line := range slowLines(s6) {
		if f := append(slowFields(line), "", ""); f[1] == "inuse" && len(slowNumbers(f[2:], 1)) > 0 {
			more[f[0]] += slowNumbers(f[2:], 1)[0]
		}
	}
	for key, f := range fields {
		if v, ok := values[key]; ok {
			to.Set(f, v+map[string]uint64{"TCP: inuse": more["TCP6:"], "UDP: inuse": more["UDP6:"]}[key])
		}
	}
	for key, f := range map[string]platform.Field{"TCP: mem": platform.HostTCPMemory, "UDP: mem": platform.HostUDPMemory} {
		if v, ok := values[key]; ok {
			slowScaled(to, f, v, 4096)
		}
	}
}
