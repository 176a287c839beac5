package linux

import (
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const netDevText = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0: 34453406    2514    1    2    3     4          5         6   208990    1931    7    8    9    10      11          12
`

func TestDecodeInterface(t *testing.T) {
	want := map[platform.Field]uint64{
		platform.NetworkReceiveBytes: 34453406, platform.NetworkReceivePackets: 2514,
		platform.NetworkReceiveErrors: 1, platform.NetworkReceiveDropped: 2,
		platform.NetworkTransmitBytes: 208990, platform.NetworkTransmitPackets: 1931,
		platform.NetworkTransmitErrors: 7, platform.NetworkTransmitDropped: 8,
	}
	const columns = "34453406 2514 1 2 3 4 5 6 208990 1931 7 8 9 10 11 12"
	for line, name := range map[string]string{
		"  eth0: " + columns:    "eth0",
		"eth0:" + columns:       "eth0",
		"eth0:1:" + columns:     "eth0:1",
		" eth0:av1: " + columns: "eth0:av1",
	} {
		s := sample(platform.Network)
		if got, ok := decodeInterface([]byte(line), s); !ok || string(got) != name {
			t.Errorf("%q: name %q, %v", line, got, ok)
		}
		wantFields(t, s, want)
	}
	for _, line := range strings.Split(netDevText, "\n")[:2] {
		if name, ok := decodeInterface([]byte(line), sample(platform.Network)); ok {
			t.Errorf("headline gave %q", name)
		}
	}
}

func FuzzDecodeInterface(f *testing.F) {
	for line := range strings.Lines(netDevText) {
		f.Add([]byte(line))
	}
	f.Add([]byte("eth0:1:34453406 2514"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Network), sample(platform.Network)
		name, ok := decodeInterface(b, fast)
		want, wantOK := slowInterface(string(b), slow)
		if string(name) != want || ok != wantOK {
			t.Fatalf("%q, %v, want %q, %v", name, ok, want, wantOK)
		}
		same(t, fast, slow)
	})
}
