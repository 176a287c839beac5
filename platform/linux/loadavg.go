package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeLoadavg reads the three averages of /proc/loadavg, which have two decimal
// places (man 5 proc_loadavg).
//
//	0.09 0.03 0.01 2/87 4717
func decodeLoadavg(b []byte, s *platform.Sample) {
	for _, f := range [...]platform.Field{platform.HostLoad1, platform.HostLoad5, platform.HostLoad15} {
		v, rest, ok := text.DecimalField(b, 2)
		if !ok {
			return
		}
		s.Set(f, v)
		b = rest
	}
}
