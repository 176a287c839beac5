package linux

import "github.com/pidometer/pidometer/internal/text"

// decodeCurFreq reads scaling_cur_freq, in kilohertz; it may say "<unknown>"
// (show_scaling_cur_freq in drivers/cpufreq/cpufreq.c).
func decodeCurFreq(b []byte) (hertz uint64, ok bool) {
	v, _, ok := text.UintField(b)
	return v * 1000, ok && v < 1<<54
}
