package linux

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Zones stand in where no chip has a temperature, and only there.
func TestThermalZones(t *testing.T) {
	zone := under("sys/class/thermal/thermal_zone0/", map[string]string{
		"temp": "30585\n", "type": "x86_pkg_temp\n",
		"trip_point_0_type": "critical\n", "trip_point_0_temp": "105000\n",
		"trip_point_1_type": "hot\n", "trip_point_1_temp": "95000\n",
		"trip_point_2_type": "hot\n", "trip_point_2_temp": "90000\n",
		"trip_point_3_type": "passive\n", "trip_point_3_temp": "80000\n",
		"trip_point_4_type": "critical\n", "trip_point_4_temp": "-274000\n",
		"trip_point_5_type": "hot\n", "trip_point_5_temp": "0\n",
		"trip_point_0_hyst": "1000\n",
	})
	zone["sys/class/thermal/cooling_device0/type"] = "Fan\n"
	fan := under("sys/class/hwmon/hwmon0/", map[string]string{"name": "thinkpad\n", "fan1_input": "2000\n"})
	chip := under("sys/class/hwmon/hwmon1/", map[string]string{"name": "acpitz\n", "temp1_input": "45000\n"})
	want := map[platform.Field]uint64{platform.HardwareTemperature: 30585,
		platform.HardwareTemperatureHighDegraded: 90000, platform.HardwareTemperatureHighCritical: 105000}
	for _, x := range []struct {
		why   string
		files []map[string]string
		names []string
	}{
		{"zones alone", []map[string]string{zone}, []string{"thermal_zone0"}},
		{"beside a fan", []map[string]string{zone, fan}, []string{"thinkpad/fan1", "thermal_zone0"}},
		{"a chip measures", []map[string]string{zone, fan, chip}, []string{"thinkpad/fan1", "acpitz/temp1"}},
	} {
		files := map[string]string{}
		for _, f := range x.files {
			maps.Copy(files, f)
		}
		c := sensors(t, files)
		if !slices.Equal(c.names(platform.Hardware), x.names) || len(c.misses) > 0 {
			t.Errorf("%s: %q, misses %v", x.why, c.names(platform.Hardware), c.misses)
		}
		got, there := c.byID(t)["thermal_zone0"]
		if there && (!maps.Equal(got.fields, want) || got.texts[platform.HardwareName] != "x86_pkg_temp") {
			t.Errorf("%s: %v", x.why, got)
		}
	}
}

// A zone that is turned off, or has no type.
func TestThermalZoneWithout(t *testing.T) {
	c := sensors(t, map[string]string{"sys/class/thermal/thermal_zone1/temp": "20000\n", "sys/class/thermal/thermal_zone2/type": "off\n"})
	g := c.of(platform.Hardware)
	if len(g) != 1 || g[0].texts[platform.HardwareName] != "thermal_zone1" || len(g[0].fields) != 1 {
		t.Errorf("%v", g)
	}
}

func TestDecodeTrip(t *testing.T) {
	for name, want := range map[string]int{"trip_point_0_temp": 0, "trip_point_11_type": 11} {
		if trip, value, ok := decodeTrip([]byte(name)); !ok || trip != want || value != strings.HasSuffix(name, "temp") {
			t.Errorf("%s: %d %v %v", name, trip, value, ok)
		}
	}
	for _, name := range []string{"", "trip_point_", "trip_point_12_temp", "trip_point_-1_temp", "trip_point_0_hyst", "trip_point_x_temp", "temp"} {
		if trip, _, ok := decodeTrip([]byte(name)); ok {
			t.Errorf("%s: %d", name, trip)
		}
	}
}

func FuzzDecodeTrip(f *testing.F) {
	f.Add([]byte("trip_point_2_temp"))
	f.Fuzz(func(t *testing.T, b []byte) {
		trip, value, ok := decodeTrip(b)
		parts := strings.SplitN(string(b), "_", 4)
		n, err := 0, strconv.ErrSyntax
		if len(parts) == 4 {
			n, err = strconv.Atoi(slowTrim(parts[2]))
			if strings.HasPrefix(slowTrim(parts[2]), "+") {
				err = strconv.ErrSyntax
			}
		}
		want := err == nil && parts[0] == "trip" && parts[1] == "point" && n >= 0 && n < mostTrips && (parts[3] == "temp" || parts[3] == "type")
		if ok != want || ok && (trip != n || value != (parts[3] == "temp")) {
			t.Fatalf("%d %v %v, want %d %v", trip, value, ok, n, want)
		}
	})
}
