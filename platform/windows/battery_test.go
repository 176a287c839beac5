package windows

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

func TestBattery(t *testing.T) {
	const charging, discharging, resting, full = platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull
	for what, c := range map[string]struct {
		status  []byte
		want    map[platform.Field]uint64
		samples int
	}{
		"discharged":       {[]byte{0, 1, 80, 0, 0x10, 0x0e, 0, 0}, map[platform.Field]uint64{platform.HardwareCharge: 800_000, discharging: 1, charging: 0, platform.HardwareTimeDischarging: 3600e9}, 2},
		"charged":          {[]byte{1, 8 | 2, 5, 0, 0xff, 0xff, 0xff, 0xff}, map[platform.Field]uint64{platform.HardwareCharge: 50_000, charging: 1, platform.HardwareTimeDischarging: absent}, 2},
		"full":             {[]byte{1, 1, 100, 0, 0xff, 0xff, 0xff, 0xff}, map[platform.Field]uint64{platform.HardwareCharge: 1_000_000, full: 1, resting: 0}, 2},
		"kept at a level":  {[]byte{1, 1, 80, 0, 0xff, 0xff, 0xff, 0xff}, map[platform.Field]uint64{resting: 1}, 2},
		"time not known":   {[]byte{0, 0, 255, 0, 0xff, 0xff, 0xff, 0xff}, map[platform.Field]uint64{platform.HardwareCharge: absent, discharging: 1, platform.HardwareTimeDischarging: absent}, 2},
		"line not known":   {[]byte{255, 0, 50, 0, 1, 0, 0, 0}, map[platform.Field]uint64{platform.HardwareCharge: 500_000, discharging: absent, platform.HardwareTimeDischarging: absent}, 1},
		"no battery":       {[]byte{1, 128, 255, 0, 0xff, 0xff, 0xff, 0xff}, nil, 0},
		"nobody can tell":  {[]byte{1, 255, 255, 0, 0xff, 0xff, 0xff, 0xff}, nil, 0},
		"low and critical": {[]byte{0, 2 | 4, 3, 0, 60, 0, 0, 0}, map[platform.Field]uint64{platform.HardwareCharge: 30_000, discharging: 1, platform.HardwareTimeDischarging: 60e9}, 2},
	} {
		w := newWorld(8)
		w.power = c.status
		r := passOver(t, opened(t, w), 1<<fromBattery)
		if len(r.of[platform.Hardware]) != c.samples || (r.misses[fromBattery][platform.Unsupported] == 1) != (what == "nobody can tell") {
			t.Errorf("%s: %v, missed %v", what, r.of[platform.Hardware], r.misses)
		}
		expect(t, what, r.of[platform.Hardware][platform.Key{Name: batteryName}], c.want)
		if c.samples == 2 {
			expect(t, what, r.of[platform.Hardware][platform.Key{Name: supplyName}], map[platform.Field]uint64{platform.HardwareOnline: uint64(c.status[0])})
		}
	}
}
