package linux

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

var onSupplies = sourcesOf(fromPowerSupply)

// supply makes the files of one supply.
func supply(name string, files map[string]string) map[string]string {
	return under("sys/class/power_supply/"+name+"/", files)
}

// readSupplies makes one pass over some supplies.
func readSupplies(t *testing.T, o Options, supplies ...map[string]string) map[string]given {
	t.Helper()
	files := map[string]string{}
	for _, s := range supplies {
		maps.Copy(files, s)
	}
	c := readFiles(t, files, o, onSupplies)
	if len(c.misses) > 0 {
		t.Errorf("misses: %v", c.misses)
	}
	return c.byID(t)
}

const second = 1_000_000_000

// What the battery of the machine says, and what follows: the state, the charge in
// millionths and the seconds left, -1 for what is not to be told.
func TestBattery(t *testing.T) {
	const charging, discharging, idle, full = platform.HardwareCharging, platform.HardwareDischarging, platform.HardwareNotCharging, platform.HardwareFull
	energy := map[string]string{"energy_now": "46500000", "energy_full": "50000000", "power_now": "10067356"}
	charge := map[string]string{"charge_now": "1000000", "charge_full": "4000000", "current_now": "-500000"}
	for _, x := range []struct {
		why    string
		files  []map[string]string
		state  platform.Field
		charge int64
		left   int64
	}{
		{"energy", []map[string]string{energy, {"status": "Discharging"}}, discharging, 930000, 16628},
		{"energy, charging", []map[string]string{energy, {"status": "Charging"}}, charging, 930000, 1251},
		{"charge, its current below zero", []map[string]string{charge, {"status": "Discharging"}}, discharging, 250000, 7200},
		{"charge, charging", []map[string]string{charge, {"status": "Charging"}}, charging, 250000, 21600},
		{"energy, flow told in amperes", []map[string]string{energy, {"status": "Discharging", "power_now": "", "current_now": "1000000", "voltage_now": "12000000"}}, discharging, 930000, 13950},
		{"charge, flow told in watts", []map[string]string{charge, {"status": "Discharging", "current_now": "", "power_now": "6000000", "voltage_now": "12000000"}}, discharging, 250000, 7200},
		{"nothing flows", []map[string]string{energy, {"status": "Discharging", "power_now": "0"}}, discharging, 930000, -1},
		{"nothing flows, and it guesses", []map[string]string{energy, {"status": "Discharging", "power_now": "0", "time_to_empty_now": "600"}}, discharging, 930000, 600},
		{"next to nothing flows", []map[string]string{energy, {"status": "Discharging", "power_now": "1"}}, discharging, 930000, -1},
		{"not told what flows", []map[string]string{{"status": "Discharging", "energy_now": "1", "energy_full": "2"}}, discharging, 500000, -1},
		{"percent alone", []map[string]string{{"status": "Discharging", "capacity": "42"}}, discharging, 420000, -1},
		{"percent, and the full one unknown", []map[string]string{{"status": "Discharging", "capacity": "42", "energy_now": "9", "energy_full": "0"}}, discharging, 420000, -1},
		{"percent and a guess", []map[string]string{{"status": "Charging", "capacity": "42", "time_to_full_now": "60"}}, charging, 420000, 60},
		{"no percent", []map[string]string{{"status": "Discharging", "capacity": "-1"}}, discharging, -1, -1},
		{"fuller than full", []map[string]string{{"status": "Full", "energy_now": "51", "energy_full": "50", "power_now": "0"}}, full, 1000000, -1},
		{"full, and still fed", []map[string]string{energy, {"status": "Full", "energy_now": "50000000"}}, full, 1000000, -1},
		{"kept below full", []map[string]string{energy, {"status": "Not charging"}}, idle, 930000, -1},
		{"what it does is unknown", []map[string]string{energy, {"status": "Unknown"}}, noField, 930000, -1},
		{"empty", []map[string]string{energy, {"status": "Discharging", "energy_now": "0"}}, discharging, 0, 0},
		{"charging, fuller than full", []map[string]string{energy, {"status": "Charging", "energy_now": "51000000"}}, charging, 1000000, -1},
		{"not told", nil, noField, -1, -1},
	} {
		files := map[string]string{"type": "Battery"}
		for _, f := range x.files {
			maps.Copy(files, f)
		}
		got := readSupplies(t, Options{}, supply("BAT0", files))["BAT0"].fields
		for _, f := range batteryStates {
			v, ok := got[f]
			if ok != (x.state != noField) || ok && (v == 1) != (f == x.state) {
				t.Errorf("%s: %v is %d, %v", x.why, f, v, ok)
			}
		}
		left := map[platform.Field]int64{platform.HardwareTimeCharging: -1, platform.HardwareTimeDischarging: -1}
		if x.state == charging {
			left[platform.HardwareTimeCharging] = x.left
		} else {
			left[platform.HardwareTimeDischarging] = x.left
		}
		left[platform.HardwareCharge] = x.charge
		for f, want := range left {
			v, ok := got[f]
			if f != platform.HardwareCharge {
				v /= second
			}
			if ok != (want >= 0) || ok && int64(v) != want {
				t.Errorf("%s: %v is %d, %v, want %d", x.why, f, v, ok, want)
			}
		}
	}
}

// A battery that says nothing of what it does is discharged if nothing feeds the
// machine, as psutil has it; if something does, it may be full.
func TestBatteryWithoutStatus(t *testing.T) {
	battery := supply("BAT0", map[string]string{"energy_now": "30\n", "energy_full": "60\n", "power_now": "10\n"})
	for _, x := range []struct {
		why      string
		supplies []map[string]string
		left     bool
	}{
		{"plugged in", []map[string]string{supply("AC0", map[string]string{"online": "1"})}, false},
		{"unplugged", []map[string]string{supply("AC0", map[string]string{"online": "0"})}, true},
		{"another name", []map[string]string{supply("AC", map[string]string{"online": "0", "type": "Mains"})}, true},
		{"one of two", []map[string]string{supply("AC", map[string]string{"online": "0"}), supply("ucsi-source-1", map[string]string{"online": "1", "type": "USB"})}, false},
		{"a plug that says nothing", []map[string]string{supply("AC0", map[string]string{"type": "Mains"})}, false},
		{"no plug", nil, false},
	} {
		got := readSupplies(t, Options{}, append(x.supplies, battery)...)
		left, ok := got["BAT0"].fields[platform.HardwareTimeDischarging]
		if ok != x.left || ok && left != 3*3600*second {
			t.Errorf("%s: %d, %v", x.why, left, ok)
		}
		if c := got["BAT0"].fields[platform.HardwareCharge]; c != 500000 {
			t.Errorf("%s: charge %d", x.why, c)
		}
	}
}

func TestMains(t *testing.T) {
	got := readSupplies(t, Options{}, supply("AC", map[string]string{"type": "Mains\n", "online": "0\n"}),
		supply("ADP1", map[string]string{"online": "1\n"}), supply("usb", map[string]string{"type": "USB\n", "online": "2\n"}),
		supply("dead", map[string]string{"type": "Mains\n"}), supply("odd", map[string]string{"type": "Thing\n", "online": "1\n"}))
	for id, want := range map[string]uint64{"AC": 0, "ADP1": 1, "usb": 1} {
		v, ok := got[id].fields[platform.HardwareOnline]
		if !ok || v != want || got[id].texts[platform.HardwareType] != "power_supply" {
			t.Errorf("%s: %v", id, got[id])
		}
	}
	if len(got) != 3 {
		t.Errorf("%v", slices.Collect(maps.Keys(got)))
	}
}

// An empty slot is no battery, and that of a mouse is not this machine's.
func TestBatteriesOfOthers(t *testing.T) {
	slot := supply("BAT1", map[string]string{"type": "Battery", "present": "0", "capacity": "0"})
	mouse := supply("hidpp_battery_0", map[string]string{"type": "Battery", "scope": "Device", "capacity": "55", "status": "Discharging"})
	system := supply("BAT0", map[string]string{"type": "Battery", "scope": "System", "present": "1", "capacity": "80"})
	if got := readSupplies(t, Options{}, slot, mouse, system); len(got) != 1 || got["BAT0"].fields[platform.HardwareCharge] != 800000 {
		t.Errorf("%v", got)
	}
	if got := readSupplies(t, Options{AllDevices: true}, slot, mouse, system); len(got) != 2 || got["hidpp_battery_0"].fields[platform.HardwareCharge] != 550000 {
		t.Errorf("all devices: %v", got)
	}
}

func TestBatteryTexts(t *testing.T) {
	got := readFiles(t, hardwareFiles, Options{}, onSupplies).byID(t)["BAT0"]
	want := map[platform.Text]string{
		platform.HardwareName: "BAT0", platform.HardwareType: "battery", platform.HardwareModel: "LNV-45N1",
		platform.HardwareVendor: "SANYO", platform.HardwareSerial: "4711", platform.HardwareCapacity: "57.02Wh",
		platform.HardwareChemistry: "Li-ion", platform.HardwareState: "ok",
	}
	if !maps.Equal(got.texts, want) {
		t.Errorf("%q", got.texts)
	}
	if got.fields[platform.HardwareChargeLowDegraded] != 50000 || got.fields[platform.HardwareOK] != 1 {
		t.Errorf("%v", got.fields)
	}
	got = readSupplies(t, Options{}, supply("BAT0", map[string]string{"capacity": "1", "capacity_alert_min": "7", "alarm": "0",
		"charge_full_design": "9300000", "technology": "Unknown", "health": "Dead"}))["BAT0"]
	if got.texts[platform.HardwareCapacity] != "9.3Ah" || got.texts[platform.HardwareChemistry] != "" || got.texts[platform.HardwareState] != "failed" ||
		got.fields[platform.HardwareFailed] != 1 || got.fields[platform.HardwareOK] != 0 || got.fields[platform.HardwareChargeLowDegraded] != 70000 {
		t.Errorf("%v", got)
	}
}

// The sums of a battery against arithmetic without bounds.
func FuzzBattery(f *testing.F) {
	f.Add(int64(46500000), int64(50000000), int64(10067356), int64(0), int64(0), true, false)
	f.Add(int64(1000), int64(4000), int64(-500), int64(12000000), int64(7), false, true)
	f.Fuzz(func(t *testing.T, now, full, rate, voltage, guess int64, energy, charging bool) {
		if rate == -1<<63 {
			return // no file says so
		}
		c := &part{device: &sysDevice{id: []byte("BAT0")}}
		put := func(place int, v int64) { c.values[place], c.has = v, c.has|1<<place }
		places := [3]int{supplyChargeNow, supplyChargeFull, supplyCurrentNow}
		if energy {
			places = [3]int{supplyEnergyNow, supplyEnergyFull, supplyPowerNow}
		}
		put(places[0], now)
		put(places[1], full)
		put(places[2], rate)
		put(supplyVoltageNow, voltage)
		put(supplyTimeToEmpty, guess)
		put(supplyTimeToFull, guess)
		c.words[supplyStatus], c.has = []byte("Discharging\n"), c.has|1<<supplyStatus
		if charging {
			c.words[supplyStatus] = []byte("Charging\n")
		}
		b := c.battery(false, false)
		charge, left := slowBattery(now, full, rate, guess, charging)
		if b.chargeKnown != (charge != nil) || b.chargeKnown && charge.Cmp(new(big.Int).SetUint64(b.charge)) != 0 {
			t.Fatalf("charge %d %v, want %v", b.charge, b.chargeKnown, charge)
		}
		if b.timeKnown != (left != nil) || b.timeKnown && new(big.Int).Mul(left, big.NewInt(second)).Cmp(new(big.Int).SetUint64(b.time)) != 0 {
			t.Fatalf("time %d %v, want %v", b.time, b.timeKnown, left)
		}
	})
}

// slowBattery returns the charge in millionths and the seconds left; nil is none.
func slowBattery(now, full, rate, guess int64, charging bool) (charge, left *big.Int) {
	amount, flow := big.NewInt(now), new(big.Int).Abs(big.NewInt(rate))
	if now >= 0 && full > 0 {
		charge = new(big.Int).Div(new(big.Int).Mul(amount, big.NewInt(1_000_000)), big.NewInt(full))
		if charge.Cmp(big.NewInt(1_000_000)) > 0 {
			charge = big.NewInt(1_000_000)
		}
	}
	known := now >= 0
	if charging {
		amount = new(big.Int).Sub(big.NewInt(full), amount)
		known = known && full > 0 && amount.Sign() >= 0
	}
	left = big.NewInt(guess)
	if known && flow.Sign() > 0 {
		left = new(big.Int).Div(new(big.Int).Mul(amount, big.NewInt(3600)), flow)
	}
	if left.Sign() < 0 || left.Cmp(big.NewInt(longest)) >= 0 {
		return charge, nil
	}
	return charge, left
}

func TestSupplyKinds(t *testing.T) {
	for name, want := range map[string]int{"BAT0": supplyBattery, "CMB_battery": supplyBattery, "sbs-Battery": supplyBattery,
		"AC": supplyMains, "ACAD": supplyMains, "ADP0": supplyMains, "wireless": supplyUnknown, "": supplyUnknown} {
		if got := supplyKindOf([]byte(name)); got != want {
			t.Errorf("%s: %s", name, strconv.Itoa(got))
		}
	}
}
