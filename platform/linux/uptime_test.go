package linux

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestDecodeUptimeAndLoad(t *testing.T) {
	s := sample(platform.Host)
	decodeUptime([]byte("1473.48 2899.09\n"), s)
	decodeLoadavg([]byte("0.09 12.03 100.01 2/87 4717\n"), s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostUptime: 1473_480_000_000,
		platform.HostLoad1:  9, platform.HostLoad5: 1203, platform.HostLoad15: 10001,
	})
	s = sample(platform.Host)
	decodeUptime([]byte("soon\n"), s)
	decodeLoadavg([]byte("0.09 x"), s)
	wantFields(t, s, map[platform.Field]uint64{platform.HostLoad1: 9})
}

func FuzzDecodeUptime(f *testing.F) {
	f.Add([]byte("1473.48 2899.09\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeUptime(b, fast)
		slowUptime(string(b), slow)
		same(t, fast, slow)
	})
}

func FuzzDecodeLoadavg(f *testing.F) {
	f.Add([]byte("0.09 0.03 0.01 2/87 4717\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeLoadavg(b, fast)
		slowLoadavg(string(b), slow)
		same(t, fast, slow)
	})
}
