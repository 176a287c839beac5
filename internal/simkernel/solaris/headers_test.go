package solaris

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// The sizes are those that others measured: recorded values of psinfo and usage on illumos
// have 416 and 504 bytes (github.com/snltd/illumos-telegraf-plugins), a record of utmpx has
// 372, and libkstat's structures have these on machines of 64 bits.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		s    *simkernel.Struct
		size int
	}{{psinfo, 416}, {lwpsinfo, 128}, {prusage, 504}, {kstat, 184}, {kstatNamed, 48}, {kstatIO, 80}, {futmpx, 372}} {
		if c.s.Size != c.size {
			t.Errorf("%s has %d bytes, want %d", c.s.Name, c.s.Size, c.size)
		}
	}
}
