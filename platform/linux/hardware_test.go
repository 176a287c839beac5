package linux

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// hardwareFiles are a machine with all kinds of hardware: a processor, a board, a
// card, a supply and two batteries, one of which is charged.
var hardwareFiles = map[string]string{
	"sys/class/hwmon/hwmon0/name":         "coretemp\n",
	"sys/class/hwmon/hwmon0/device":       "-> ../../../coretemp.0",
	"sys/class/hwmon/hwmon0/temp1_label":  "Package id 0\n",
	"sys/class/hwmon/hwmon0/temp1_input":  "45000\n",
	"sys/class/hwmon/hwmon0/temp1_max":    "80000\n",
	"sys/class/hwmon/hwmon0/temp1_crit":   "100000\n",
	"sys/class/hwmon/hwmon0/temp2_label":  "Core 0\n",
	"sys/class/hwmon/hwmon0/temp2_input":  "43000\n",
	"sys/class/hwmon/hwmon1/name":         "nct6775\n",
	"sys/class/hwmon/hwmon1/device":       "-> ../../../nct6775.656",
	"sys/class/hwmon/hwmon1/temp1_input":  "-5500\n",
	"sys/class/hwmon/hwmon1/temp1_min":    "-10000\n",
	"sys/class/hwmon/hwmon1/temp1_lcrit":  "-20000\n",
	"sys/class/hwmon/hwmon1/temp1_alarm":  "0\n",
	"sys/class/hwmon/hwmon1/fan1_input":   "1200\n",
	"sys/class/hwmon/hwmon1/fan1_min":     "300\n",
	"sys/class/hwmon/hwmon1/fan1_max":     "3000\n",
	"sys/class/hwmon/hwmon1/fan1_fault":   "0\n",
	"sys/class/hwmon/hwmon1/in0_input":    "1824\n",
	"sys/class/hwmon/hwmon1/in0_min":      "1700\n",
	"sys/class/hwmon/hwmon1/in0_max":      "1900\n",
	"sys/class/hwmon/hwmon1/in0_lcrit":    "1600\n",
	"sys/class/hwmon/hwmon1/in0_crit":     "2000\n",
	"sys/class/hwmon/hwmon2/name":         "amdgpu\n",
	"sys/class/hwmon/hwmon2/power1_input": "35000000\n",
	"sys/class/hwmon/hwmon3/name":         "power_meter\n",
	"sys/class/hwmon/hwmon3/device":       "-> ../../../ACPI000D:00",

	"sys/class/hwmon/hwmon3/power1_average": "221000000\n",

	"sys/class/power_supply/AC/type":                 "Mains\n",
	"sys/class/power_supply/AC/online":               "1\n",
	"sys/class/power_supply/BAT0/type":               "Battery\n",
	"sys/class/power_supply/BAT0/status":             "Discharging\n",
	"sys/class/power_supply/BAT0/energy_now":         "46500000\n",
	"sys/class/power_supply/BAT0/energy_full":        "50000000\n",
	"sys/class/power_supply/BAT0/energy_full_design": "57020000\n",
	"sys/class/power_supply/BAT0/alarm":              "2500000\n",
	"sys/class/power_supply/BAT0/power_now":          "10067356\n",
	"sys/class/power_supply/BAT0/health":             "Good\n",
	"sys/class/power_supply/BAT0/technology":         "Li-ion\n",
	"sys/class/power_supply/BAT0/model_name":         "LNV-45N1\n",
	"sys/class/power_supply/BAT0/manufacturer":       "SANYO\n",
	"sys/class/power_supply/BAT0/serial_number":      " 4711\n",
	"sys/class/power_supply/BAT1/type":               "Battery\n",
	"sys/class/power_supply/BAT1/status":             "Charging\n",
	"sys/class/power_supply/BAT1/charge_now":         "1000000\n",
	"sys/class/power_supply/BAT1/charge_full":        "4000000\n",
	"sys/class/power_supply/BAT1/current_now":        "1500000\n",

	"sys/class/powercap/intel-rapl/enabled":               "1\n",
	"sys/class/powercap/intel-rapl:0/name":                "package-0\n",
	"sys/class/powercap/intel-rapl:0/energy_uj":           "1000000\n",
	"sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850\n",
	"sys/class/powercap/intel-rapl:0:0/name":              "core\n",
	"sys/class/powercap/intel-rapl:0:0/energy_uj":         "600000\n",
	"sys/class/powercap/intel-rapl:0:2/name":              "dram\n",
	"sys/class/powercap/intel-rapl:0:2/energy_uj":         "300000\n",
	"sys/class/powercap/intel-rapl:1/name":                "psys\n",
	"sys/class/powercap/intel-rapl:1/energy_uj":           "7999999\n",

	"sys/devices/system/edac/mc/mc0/mc_name":  "Skylake Socket#0 IMC#0\n",
	"sys/devices/system/edac/mc/mc0/ce_count": "3\n",
	"sys/devices/system/edac/mc/mc0/ue_count": "0\n",
	"sys/devices/system/edac/mc/power":        "/",

	"sys/block/vda/wwid":               "eui.0025388b71b2d1f2\n",
	"sys/block/vda/device/model":       "Samsung SSD 970\n",
	"sys/block/vda/device/vendor":      "Samsung\n",
	"sys/block/vda/device/serial":      "S4EW\n",
	"sys/block/vda/device/rev":         "2B2Q\n",
	"sys/block/vda/queue/rotational":   "0\n",
	"sys/class/net/eth0/operstate":     "up\n",
	"sys/class/net/eth0/carrier":       "1\n",
	"sys/class/net/eth0/speed":         "1000\n",
	"sys/class/net/eth0/address":       "02:fc:00:00:00:0a\n",
	"sys/class/net/eth0/device/vendor": "0x8086\n",
}

// One chip hangs: it is stuck, costs one budget once, and takes no other with it.
func TestStuckChip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, k := hostTree(t, Options{Budget: 2 * time.Second})
		const dead = "sys/class/hwmon/hwmon0/temp1_input"
		k.block[dead] = make(chan struct{})
		all := len(hardwareFiles) // more than there are
		for pass, cost := range []time.Duration{2 * time.Second, 0, 0} {
			start := time.Now()
			c := readTree(t, b, hardwareSources)
			if took := time.Since(start); took != cost {
				t.Errorf("pass %d took %v, want %v", pass, took, cost)
			}
			if got := c.misses[fromHwmon]; !slices.Equal(got, []platform.Reason{platform.Stuck}) || len(c.misses) != 1 {
				t.Errorf("pass %d: misses %v", pass, c.misses)
			}
			got := c.byID(t)
			if _, there := got["coretemp@coretemp.0/temp2"]; there || len(got) != 12 || len(got) > all {
				t.Errorf("pass %d: %v", pass, slices.Sorted(maps.Keys(got)))
			}
		}
		synctest.Wait()
		if alive := b.hostState().guard.alive; alive != 1 || k.times(dead) != 1 {
			t.Errorf("%d goroutines wait, asked %d times", alive, k.times(dead))
		}
		close(k.block[dead])
		synctest.Wait()
		if c := readTree(t, b, hardwareSources); len(c.byID(t)) != 14 || len(c.misses) > 0 {
			t.Errorf("after it came back: %q, misses %v", c.names(platform.Hardware), c.misses)
		}
		if alive := b.hostState().guard.alive; alive != 0 {
			t.Errorf("%d goroutines are left", alive)
		}
	})
}

// Whatever hangs, the pass takes one budget.
func TestEverythingHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, k := hostTree(t, Options{Budget: time.Second})
		never := make(chan struct{})
		for path := range hardwareFiles {
			if !strings.HasSuffix(path, "/name") || strings.Contains(path, "powercap") {
				k.block[path] = never
			}
		}
		k.block["sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq"] = never
		start := time.Now()
		c := readTree(t, b, everything)
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
		if got := c.names(platform.Hardware); len(got) > 0 {
			t.Errorf("%q", got)
		}
		for source, n := range map[int]int{fromHwmon: 4, fromPowerSupply: 3, fromPowercap: 4, fromEDAC: 1, fromLink: 1, fromDiskIdentity: 1, fromCPULimits: 1} {
			if got := c.misses[source]; len(got) != n || slices.ContainsFunc(got, func(r platform.Reason) bool { return r != platform.Stuck }) {
				t.Errorf("source %d: %v, want %d times stuck", source, got, n)
			}
		}
		close(never)
	})
}

// Devices come and go, and another one may come in the place of the first.
func TestHardwareComesAndGoes(t *testing.T) {
	const folder = "sys/class/hwmon/hwmon0/"
	b := treeBackend(newTreeKernel(writeTree(t, under(folder, map[string]string{"name": "nvme\n", "temp1_input": "30000\n"}))), Options{})
	k := b.kernel.(*treeKernel)
	names := func() []string { return readTree(t, b, onHwmon).names(platform.Hardware) }
	if got := names(); !slices.Equal(got, []string{"nvme/temp1"}) {
		t.Errorf("%q", got)
	}
	if err := os.RemoveAll(filepath.Join(k.root, folder)); err != nil {
		t.Fatal(err)
	}
	if got := names(); len(got) > 0 || len(b.hostState().hwmon.known) > 0 {
		t.Errorf("gone: %q", got)
	}
	for path, content := range under(folder, map[string]string{"name": "acpitz\n", "temp2_input": "31000\n"}) {
		if err := writeEntry(filepath.Join(k.root, path), content); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(); !slices.Equal(got, []string{"acpitz/temp2"}) {
		t.Errorf("another: %q", got)
	}
	if err := os.WriteFile(filepath.Join(k.root, folder, "fan1_input"), []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := names(); !slices.Equal(got, []string{"acpitz/temp2", "acpitz/fan1"}) {
		t.Errorf("with a fan: %q", got)
	}
}

// The files of a device are read once in a pass, and not at all for another source.
func TestHardwareReadsOnlyWhatIsChosen(t *testing.T) {
	b, k := hostTree(t, Options{})
	readTree(t, b, onSupplies)
	for path, n := range k.asked {
		if strings.HasPrefix(path, "sys/") && !strings.HasPrefix(path, "sys/class/power_supply") {
			t.Errorf("%s was read for the supplies", path)
		}
		if strings.Contains(path, "/BAT0/") && n != 1 {
			t.Errorf("%s was read %d times", path, n)
		}
	}
}

// The energy of a processor starts anew behind a number that is no power of two.
func TestEnergyWraps(t *testing.T) {
	const folder = "sys/class/powercap/intel-rapl:0/"
	k := newTreeKernel(writeTree(t, under(folder, map[string]string{"name": "package-0\n", "energy_uj": "900\n", "max_energy_range_uj": "1000\n"})))
	b := treeBackend(k, Options{})
	for _, x := range []struct{ raw, want string }{{"900", "900"}, {"950", "950"}, {"40", "1040"}, {"40", "1040"}, {"30", "2030"}} {
		replace(t, k, folder+"energy_uj", x.raw+"\n")
		got := readTree(t, b, sourcesOf(fromPowercap)).of(platform.Hardware)
		if len(got) != 1 || strconv.FormatUint(got[0].fields[platform.HardwareEnergy], 10) != x.want {
			t.Errorf("%s: %v, want %s", x.raw, got, x.want)
		}
	}
	k.fail[folder+"energy_uj"] = fs.ErrPermission
	if c := readTree(t, b, sourcesOf(fromPowercap)); len(c.given) != 0 || !slices.Equal(c.misses[fromPowercap], []platform.Reason{platform.Denied}) {
		t.Errorf("not root: %v, misses %v", c.given, c.misses)
	}
}

// What each zone is of: what is counted in another is left out.
func TestPowerZones(t *testing.T) {
	got := readFiles(t, hardwareFiles, Options{}, sourcesOf(fromPowercap)).byID(t)
	for id, want := range map[string]struct {
		field        platform.Field
		value        uint64
		kind, parent string
	}{
		"intel-rapl:0":   {platform.HardwareEnergy, 1_000_000, "cpu", ""},
		"intel-rapl:0:2": {platform.HardwareEnergy, 300_000, "memory", "intel-rapl:0"},
		"intel-rapl:1":   {platform.HardwareHostEnergy, 7, "", ""},
	} {
		g := got[id]
		if g.fields[want.field] != want.value || g.texts[platform.HardwareType] != want.kind || g.texts[platform.HardwareParent] != want.parent {
			t.Errorf("%s: %v", id, g)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d zones", len(got))
	}
}

func TestMemoryErrors(t *testing.T) {
	got := readFiles(t, hardwareFiles, Options{}, sourcesOf(fromEDAC)).byID(t)
	g := got["mc0"]
	if len(got) != 1 || g.fields[platform.HardwareErrorsCorrected] != 3 || g.texts[platform.HardwareName] != "Skylake Socket#0 IMC#0" || g.texts[platform.HardwareType] != "memory" {
		t.Errorf("%v", got)
	}
	if v, ok := g.fields[platform.HardwareErrorsUncorrected]; !ok || v != 0 {
		t.Errorf("no uncorrected error is one that is known: %d, %v", v, ok)
	}
}

func TestLinks(t *testing.T) {
	for _, x := range []struct {
		why                   string
		state, carrier, speed string
		up, bytes             int64 // -1 is not told
	}{
		{"up", "up", "1", "1000", 1, 125_000_000},
		{"down", "down", "", "-1", 0, -1},
		{"no carrier", "lowerlayerdown", "0", "4294967295", 0, -1},
		{"old kernel", "up", "1", "65535", 1, -1},
		{"virtual", "unknown", "1", "-1", 1, -1},
		{"virtual, down", "unknown", "", "", 0, -1},
		{"fast", "up", "1", "400000", 1, 50_000_000_000},
		{"nothing", "", "", "", -1, -1},
	} {
		files := map[string]string{"proc/net/dev": interfaceLines("lo", "eth0"), "sys/class/net/eth0/device": "/",
			"sys/class/net/eth0/address": "02:fc:00:00:00:0a\n"}
		for name, content := range map[string]string{"operstate": x.state, "carrier": x.carrier, "speed": x.speed} {
			if content != "" {
				files["sys/class/net/eth0/"+name] = content + "\n"
			}
		}
		c := readFiles(t, files, Options{}, sourcesOf(fromLink))
		g := c.of(platform.Network)
		if len(g) != 1 || len(c.misses) > 0 {
			t.Fatalf("%s: %v, misses %v", x.why, g, c.misses)
		}
		for f, want := range map[platform.Field]int64{platform.NetworkUp: x.up, platform.NetworkSpeed: x.bytes} {
			if v, ok := g[0].fields[f]; ok != (want >= 0) || ok && int64(v) != want {
				t.Errorf("%s: %v is %d, %v", x.why, f, v, ok)
			}
		}
		if a := g[0].texts[platform.NetworkAddress]; a != "02-FC-00-00-00-0A" {
			t.Errorf("%s: address %q", x.why, a)
		}
	}
}

// Who a disk is does not change while it is there, and is asked once.
func TestDiskIdentity(t *testing.T) {
	b, k := hostTree(t, Options{})
	set := sourcesOf(fromDiskIdentity)
	want := map[platform.Text]string{platform.DiskID: "eui.0025388b71b2d1f2", platform.DiskModel: "Samsung SSD 970", platform.DiskVendor: "Samsung",
		platform.DiskSerial: "S4EW", platform.DiskFirmware: "2B2Q", platform.DiskKind: "SSD"}
	for range 3 {
		g := readTree(t, b, set).of(platform.Disk)
		if len(g) != 1 || !maps.Equal(g[0].texts, want) {
			t.Errorf("%v", g)
		}
	}
	if n := k.times("sys/block/vda/device/model"); n != 1 {
		t.Errorf("asked %d times", n)
	}
	bare := map[string]string{"proc/diskstats": diskLines("vda"), "sys/block/vda/device/vendor": "0x1af4\n", "sys/block/vda/queue/rotational": "1\n"}
	if g := readFiles(t, bare, Options{}, set).of(platform.Disk); len(g) != 1 || !maps.Equal(g[0].texts, map[platform.Text]string{platform.DiskKind: "HDD"}) {
		t.Errorf("a virtual disk: %v", g)
	}
}
