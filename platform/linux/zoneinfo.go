package linux

import "github.com/pidometer/pidometer/internal/text"

// decodeZoneinfo sums the low watermarks of all zones of /proc/zoneinfo, in
// pages (man 5 proc; zoneinfo_show_print in mm/vmstat.c).
//
//	Node 0, zone    DMA32
//	  pages free     760374
//	        min      1943
//	        low      2701
func decodeZoneinfo(b []byte) (low uint64, ok bool) {
	for line := range text.Lines(text.Whole(b)) {
		key, rest := text.Field(line)
		if string(key) != "low" {
			continue
		}
		if v, _, isCount := text.UintField(rest); isCount && v < 1<<40 {
			low, ok = low+v, true
		}
	}
	return low, ok
}
