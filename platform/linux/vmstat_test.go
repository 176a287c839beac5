package linux

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const vmstatText = `nr_free_pages 6038457
pswpin 12
pswpout 34
pgfault 31141643
pgmajfault 3729
pgrefill 0
oom_kill 2
`

func TestDecodeVmstat(t *testing.T) {
	s := sample(platform.Host)
	decodeVmstat([]byte(vmstatText), 64, s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostSwapIn: 12, platform.HostSwapOut: 34,
		platform.HostFaultsMajor: 3729, platform.HostFaultsMinor: 31141643 - 3729,
		platform.HostOOMKills: 2,
	})
	s = sample(platform.Host)
	decodeVmstat([]byte("pgfault 5\npgmajfault 10\n"), 32, s)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostFaultsMajor: 10, platform.HostFaultsMinor: 1<<32 - 5,
	})
	s = sample(platform.Host)
	decodeVmstat([]byte("pgfault 5\npgmajfault 10\n"), 64, s)
	wantFields(t, s, map[platform.Field]uint64{platform.HostFaultsMajor: 10})
}

func TestSwapBytes(t *testing.T) {
	s := sample(platform.Host)
	setSwapBytes(s, 4096)
	wantFields(t, s, nil)
	s.Set(platform.HostSwapIn, 3)
	s.Set(platform.HostSwapOut, 1<<60)
	setSwapBytes(s, 4096)
	wantFields(t, s, map[platform.Field]uint64{
		platform.HostSwapIn: 3, platform.HostSwapInBytes: 3 * 4096, platform.HostSwapOut: 1 << 60,
	})
}

func FuzzDecodeVmstat(f *testing.F) {
	f.Add([]byte(vmstatText), false)
	f.Add([]byte("pgfault 5\npgmajfault 10\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, narrow bool) {
		word := uint8(64)
		if narrow {
			word = 32
		}
		fast, slow := sample(platform.Host), sample(platform.Host)
		decodeVmstat(b, word, fast)
		slowVmstat(string(b), word, slow)
		same(t, fast, slow)
	})
}
