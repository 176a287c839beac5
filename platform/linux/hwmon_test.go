package linux

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

var onHwmon = sourcesOf(fromHwmon)

// sensors makes one pass over a tree of chips and zones.
func sensors(t *testing.T, files map[string]string) *collector {
	t.Helper()
	return readFiles(t, files, Options{}, onHwmon)
}

// chip puts a prefix before the names of files.
func under(folder string, files map[string]string) map[string]string {
	all := map[string]string{}
	for name, content := range files {
		all[folder+name] = content
	}
	return all
}

// byID returns the samples of hardware by their keys, and fails if two have one.
func (c *collector) byID(t *testing.T) map[string]given {
	t.Helper()
	all := map[string]given{}
	for _, g := range c.of(platform.Hardware) {
		if _, twice := all[g.key.Name]; twice {
			t.Errorf("%s is there twice", g.key.Name)
		}
		all[g.key.Name] = g
	}
	return all
}

func TestDecodeChannel(t *testing.T) {
	for name, want := range map[string]struct {
		channel     string
		kind, place int
	}{
		"temp1_input": {"temp1", channelTemperature, channelInput}, "temp12_crit_alarm": {"temp12", channelTemperature, channelCritAlarm},
		"fan2_label": {"fan2", channelFan, channelLabel}, "in0_lcrit": {"in0", channelVoltage, channelLcrit},
		"power1_average": {"power1", channelPower, channelAverage},
	} {
		channel, kind, place, ok := decodeChannel([]byte(name))
		if !ok || string(channel) != want.channel || kind != want.kind || place != want.place {
			t.Errorf("%s: %s %d %d %v", name, channel, kind, place, ok)
		}
	}
	for _, name := range []string{"", "name", "temp_input", "temp1", "temp1_", "temp1_crit_hyst", "curr1_input", "intrusion0_alarm",
		"1temp_input", "temp1x_input", "temp1_input_", "in_0_input", "device", "pwm1_enable"} {
		if channel, kind, place, ok := decodeChannel([]byte(name)); ok {
			t.Errorf("%s: %s %d %d", name, channel, kind, place)
		}
	}
}

// The machine of the example that psutil shows: two chips, one of them with labels,
// limits on some. What is not there is not 0.
func TestTemperatures(t *testing.T) {
	c := sensors(t, map[string]string{
		"sys/class/hwmon/hwmon0/name":         "acpitz\n",
		"sys/class/hwmon/hwmon0/temp1_input":  "47000\n",
		"sys/class/hwmon/hwmon0/temp1_crit":   "103000\n",
		"sys/class/hwmon/hwmon1/name":         "coretemp\n",
		"sys/class/hwmon/hwmon1/temp1_label":  "Physical id 0\n",
		"sys/class/hwmon/hwmon1/temp1_input":  "52000\n",
		"sys/class/hwmon/hwmon1/temp1_max":    "100000\n",
		"sys/class/hwmon/hwmon1/temp1_crit":   "100000\n",
		"sys/class/hwmon/hwmon1/temp2_label":  "Core 0\n",
		"sys/class/hwmon/hwmon1/temp2_input":  "45000\n",
		"sys/class/hwmon/hwmon1/temp10_input": "44500\n",
	})
	if want := []string{"acpitz/temp1", "coretemp/temp1", "coretemp/temp2", "coretemp/temp10"}; !slices.Equal(c.names(platform.Hardware), want) {
		t.Errorf("%q", c.names(platform.Hardware))
	}
	got := c.byID(t)
	for id, want := range map[string]map[platform.Field]uint64{
		"acpitz/temp1": {platform.HardwareTemperature: 47000, platform.HardwareTemperatureHighCritical: 103000},
		"coretemp/temp1": {platform.HardwareTemperature: 52000, platform.HardwareTemperatureHighDegraded: 100000,
			platform.HardwareTemperatureHighCritical: 100000},
		"coretemp/temp2":  {platform.HardwareTemperature: 45000},
		"coretemp/temp10": {platform.HardwareTemperature: 44500},
	} {
		if !maps.Equal(got[id].fields, want) {
			t.Errorf("%s: %v, want %v", id, got[id].fields, want)
		}
	}
	if texts := got["coretemp/temp2"].texts; texts[platform.HardwareLocation] != "Core 0" || texts[platform.HardwareName] != "coretemp Core 0" ||
		texts[platform.HardwareParent] != "coretemp" || texts[platform.HardwareType] != "temperature" {
		t.Errorf("%q", texts)
	}
	if texts := got["acpitz/temp1"].texts; texts[platform.HardwareName] != "acpitz temp1" {
		t.Errorf("%q", texts)
	} else if _, labelled := texts[platform.HardwareLocation]; labelled {
		t.Errorf("a label where there is none: %q", texts)
	}
	if len(c.misses) > 0 {
		t.Errorf("misses: %v", c.misses)
	}
}

// Limits that nobody set, and readings that are none.
func TestTemperaturesThatAreNone(t *testing.T) {
	files := under("sys/class/hwmon/hwmon0/", map[string]string{
		"name": "nvme\n", "temp1_input": "38850\n", "temp1_max": "65261850\n", "temp1_min": "-273150\n", "temp1_crit": "0\n",
		"temp2_input": "garbage\n", "temp2_max": "80000\n", "temp3_input": "", "temp4_input": "-300000\n", "temp5_label": "x\n",
	})
	got := sensors(t, files).byID(t)
	if len(got) != 1 || !maps.Equal(got["nvme/temp1"].fields, map[platform.Field]uint64{platform.HardwareTemperature: 38850}) {
		t.Errorf("%v", got)
	}
}

// A sensor that is there and not connected costs itself alone.
func TestTemperatureFails(t *testing.T) {
	for err, misses := range map[error]int{errors.New("no data available"): 0, syscall.EIO: 0, syscall.ENXIO: 0, fs.ErrPermission: 1} {
		b, k := hostTree(t, Options{})
		k.fail["sys/class/hwmon/hwmon0/temp1_input"] = err
		c := readTree(t, b, onHwmon)
		got := c.byID(t)
		if _, there := got["coretemp@coretemp.0/temp1"]; there || len(got) != 6 {
			t.Errorf("%v: %v", err, slices.Collect(maps.Keys(got)))
		}
		if len(c.misses[fromHwmon]) != misses {
			t.Errorf("%v: misses %v", err, c.misses)
		}
	}
	files := under("sys/class/hwmon/hwmon0/", map[string]string{"name": "x\n", "temp1_input": "1\n"})
	k := newTreeKernel(writeTree(t, files))
	k.fail["sys/class/hwmon/hwmon0/temp1_input"] = errors.New("input/output error")
	c := readTree(t, treeBackend(k, Options{}), onHwmon)
	if !slices.Equal(c.misses[fromHwmon], []platform.Reason{platform.Unknown}) || len(c.given) != 0 {
		t.Errorf("a chip that tells nothing at all: %v %v", c.given, c.misses)
	}
}

func TestChannelStates(t *testing.T) {
	states := []platform.Field{platform.HardwareOK, platform.HardwareDegraded, platform.HardwareFailed}
	for _, x := range []struct {
		why   string
		files map[string]string
		want  platform.Field // noField is none
	}{
		{"tells nothing", nil, noField},
		{"no alarm", map[string]string{"fan1_alarm": "0\n"}, platform.HardwareOK},
		{"no fault", map[string]string{"fan1_fault": "0\n"}, platform.HardwareOK},
		{"alarm", map[string]string{"fan1_fault": "0\n", "fan1_min_alarm": "1\n"}, platform.HardwareDegraded},
		{"fault and alarm", map[string]string{"fan1_fault": "1\n", "fan1_alarm": "1\n"}, platform.HardwareFailed},
		{"unreadable", map[string]string{"fan1_fault": "?\n"}, noField},
	} {
		files := map[string]string{"name": "chip\n", "fan1_input": "0\n"}
		maps.Copy(files, x.files)
		got := sensors(t, under("sys/class/hwmon/hwmon3/", files)).byID(t)["chip/fan1"].fields
		if v, ok := got[platform.HardwareFanSpeed]; !ok || v != 0 {
			t.Errorf("%s: a fan that stands still: %d, %v", x.why, v, ok)
		}
		for _, state := range states {
			v, ok := got[state]
			if ok != (x.want != noField) || ok && (v == 1) != (state == x.want) {
				t.Errorf("%s: %v is %d, %v", x.why, state, v, ok)
			}
		}
	}
}

// Where the files of a chip are: in its folder, in that of its device as older
// drivers have them, or, with the class folder hidden, under the processor's.
func TestChipFolders(t *testing.T) {
	for _, folder := range []string{"sys/class/hwmon/hwmon2/", "sys/class/hwmon/hwmon2/device/", "sys/devices/platform/coretemp.0/hwmon/hwmon2/"} {
		files := under(folder, map[string]string{"name": "coretemp\n", "temp2_label": "Core 0\n", "temp2_input": "45000\n"})
		for hidden := range 2 {
			if hidden == 1 {
				files["sys/class/hwmon/hwmon9/name"] = "empty\n"
			}
			c := sensors(t, files)
			g := c.of(platform.Hardware)
			if len(g) != 1 || g[0].fields[platform.HardwareTemperature] != 45000 || g[0].texts[platform.HardwareName] != "coretemp Core 0" || len(c.misses) > 0 {
				t.Errorf("%s: %v, misses %v", folder, g, c.misses)
			}
		}
	}
}

// Two chips of one kind are two, whatever their numbers, and the same after a boot
// that numbers them the other way round.
func TestChipNames(t *testing.T) {
	build := func(a, b string) map[string]given {
		files := under("sys/class/hwmon/"+a+"/", map[string]string{"name": "nvme\n", "device": "-> ../../nvme0", "temp1_input": "30000\n"})
		maps.Copy(files, under("sys/class/hwmon/"+b+"/", map[string]string{"name": "nvme\n", "device": "-> ../../nvme1", "temp1_input": "40000\n"}))
		return sensors(t, files).byID(t)
	}
	for _, got := range []map[string]given{build("hwmon0", "hwmon1"), build("hwmon1", "hwmon0")} {
		if got["nvme@nvme0/temp1"].fields[platform.HardwareTemperature] != 30000 || got["nvme@nvme1/temp1"].fields[platform.HardwareTemperature] != 40000 {
			t.Errorf("%v", got)
		}
	}
	// Without a device behind them the numbers are all there is.
	files := under("sys/class/hwmon/hwmon0/", map[string]string{"name": "fan\n", "fan1_input": "1\n"})
	maps.Copy(files, under("sys/class/hwmon/hwmon1/", map[string]string{"name": "fan\n", "fan1_input": "2\n"}))
	maps.Copy(files, under("sys/class/hwmon/hwmon2/", map[string]string{"fan1_input": "3\n"}))
	got := sensors(t, files).byID(t)
	if len(got) != 3 || got["fan/fan1"].fields[platform.HardwareFanSpeed] != 1 || got["fan#hwmon1/fan1"].fields[platform.HardwareFanSpeed] != 2 ||
		got["hwmon2/fan1"].fields[platform.HardwareFanSpeed] != 3 {
		t.Errorf("%v", got)
	}
}

// What a chip measures is reported where it is known what that is.
func TestPower(t *testing.T) {
	files := map[string]string{}
	for i, name := range []string{"amdgpu", "fam15h_power", "power_meter", "ina226"} {
		folder := "sys/class/hwmon/hwmon" + string(rune('0'+i)) + "/"
		files[folder+"name"], files[folder+"power1_average"] = name+"\n", "1500000\n"
	}
	files["sys/class/hwmon/hwmon0/power1_input"] = "2500000\n"
	got := sensors(t, files).byID(t)
	if len(got) != 3 || got["amdgpu/power1"].fields[platform.HardwarePower] != 2500000 || got["amdgpu/power1"].texts[platform.HardwareType] != "gpu" ||
		got["fam15h_power/power1"].fields[platform.HardwarePower] != 1500000 || got["power_meter/power1"].fields[platform.HardwareHostPower] != 1500000 {
		t.Errorf("%v", got)
	}
}

// A machine without sensors is a normal one: nothing is told, and nothing but that
// the kernel has none.
func TestNoSensors(t *testing.T) {
	for _, files := range []map[string]string{
		{"sys/class/hwmon": "/", "sys/class/thermal": "/", "sys/class/power_supply": "/", "sys/class/powercap": "/", "sys/devices/system/edac/mc": "/"},
		{"proc/stat": statText},
	} {
		c := readFiles(t, files, Options{}, hardwareSources)
		for source, why := range c.misses {
			if !slices.Equal(why, []platform.Reason{platform.Unsupported}) {
				t.Errorf("source %d: %v", source, why)
			}
		}
		if len(c.given) > 0 || len(files) > 1 && len(c.misses) > 0 {
			t.Errorf("%v, misses %v", c.given, c.misses)
		}
	}
}

func FuzzDecodeChannel(f *testing.F) {
	f.Add([]byte("temp12_crit_alarm"))
	f.Add([]byte("fan1_"))
	f.Fuzz(func(t *testing.T, b []byte) {
		channel, kind, place, ok := decodeChannel(b)
		wantKind, wantPlace, want := slowChannel(string(b))
		if ok != want || ok && (kind != wantKind || place != wantPlace || !strings.HasPrefix(string(b), string(channel)+"_")) {
			t.Fatalf("%s %d %d %v, want %d %d %v", channel, kind, place, ok, wantKind, wantPlace, want)
		}
	})
}

// slowChannel tries all names.
func slowChannel(s string) (kind, place int, ok bool) {
	for kind, letters := range channelKinds {
		rest, found := strings.CutPrefix(s, letters)
		if !found || rest == "" || rest[0] < '0' || rest[0] > '9' {
			continue
		}
		for place, file := range channelFiles {
			if strings.TrimLeft(rest, "0123456789") == "_"+file {
				return kind, place, true
			}
		}
	}
	return 0, 0, false
}
