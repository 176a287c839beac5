package linux

import (
	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// decodeUptime reads /proc/uptime: seconds since boot, suspended time included,
// and idle time (man 5 proc_uptime).
//
//	1473.48 2899.09
func decodeUptime(b []byte, s *platform.Sample) {
	if ns, _, ok := text.DecimalField(b, 9); ok {
		s.Set(platform.HostUptime, ns)
	}
}
