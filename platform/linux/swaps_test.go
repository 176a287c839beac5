package linux

import (
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const swapsText = `Filename				Type		Size		Used		Priority
/dev/dm-2                               partition	8388604		1048576		-2
/swap\040file\040(deleted)              file		1024		0		-3
`

func TestDecodeSwap(t *testing.T) {
	lines := strings.Split(swapsText, "\n")
	if _, ok := decodeSwap([]byte(lines[0]), sample(platform.Swap), nil); ok {
		t.Error("the headline was taken")
	}
	s := sample(platform.Swap)
	if path, ok := decodeSwap([]byte(lines[1]), s, nil); !ok || string(path) != "/dev/dm-2" {
		t.Errorf("path %q, %v", path, ok)
	}
	wantFields(t, s, map[platform.Field]uint64{
		platform.SwapTotal: 8388604 << 10, platform.SwapUsed: 1048576 << 10, platform.SwapFree: (8388604 - 1048576) << 10,
	})
	if path, ok := decodeSwap([]byte(lines[2]), sample(platform.Swap), nil); !ok || string(path) != "/swap file" {
		t.Errorf("path %q, %v", path, ok)
	}
	s = sample(platform.Swap)
	decodeSwap([]byte("/a file 10 11 -2"), s, nil)
	wantFields(t, s, map[platform.Field]uint64{platform.SwapTotal: 10 << 10})
}

func FuzzDecodeSwap(f *testing.F) {
	for line := range strings.Lines(swapsText) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Swap), sample(platform.Swap)
		path, ok := decodeSwap(b, fast, nil)
		want, wantOK := slowSwap(string(b), slow)
		if ok != wantOK || string(path) != want {
			t.Fatalf("%q, %v, want %q, %v", path, ok, want, wantOK)
		}
		same(t, fast, slow)
	})
}
