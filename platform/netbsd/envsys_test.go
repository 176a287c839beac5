package netbsd

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/platform"
)

// bench is a machine whose envsys(4) answers what a test chooses.
type bench struct {
	*bsd.Kernel
	answer []byte
	err    error
}

func newBench(answer string) *bench {
	return &bench{bsd.NetBSD(simkernel.New(1, 8)), []byte(answer), nil}
}

func (k *bench) Envsys(buf []byte) (int, error) {
	copy(buf, k.answer)
	return len(k.answer), k.err
}

// sense reads the sensors: a line for each component, its texts in front, and why there are none.
func (k *bench) sense(t *testing.T) (lines map[string]string, missed map[platform.Reason]int) {
	t.Helper()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	h := simkernel.NewHeard()
	lines = map[string]string{}
	h.Each = func(s *platform.Sample) { lines[s.Key.Name] = line(s) }
	if err := h.Read(b, sensorSet(b)); err != nil {
		t.Fatal(err)
	}
	return lines, h.Missed
}

// sensorSet is the source of sensors alone.
func sensorSet(b platform.Backend) (set platform.SourceSet) {
	for i, s := range b.Sources() {
		if s.Entity == platform.Hardware {
			set = set.With(i)
		}
	}
	return set
}

// line is all that a sample has.
func line(s *platform.Sample) string {
	var b strings.Builder
	for _, x := range []platform.Text{platform.HardwareName, platform.HardwareType, platform.HardwareParent, platform.HardwareCapacity} {
		if text, ok := s.Text(x); ok {
			fmt.Fprintf(&b, "%s|", text)
		}
	}
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			fmt.Fprintf(&b, " %s=%d", strings.TrimPrefix(f.String(), "hardware."), int64(v))
		}
	}
	return b.String()
}

// head and foot are what every list begins and ends with.
const (
	head = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`
	foot = "</plist>\n"
)

// A list as "envstat -x" of NetBSD 10 prints one, of a laptop on its battery.
const printed = head + `<dict>
	<key>acpiacad0</key>
	<array>
		<dict>
			<key>cur-value</key>
			<integer>0</integer>
			<key>description</key>
			<string>connected</string>
			<key>index</key>
			<string>sensor0</string>
			<key>monitoring-supported</key>
			<false/>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Indicator</string>
		</dict>
		<dict>
			<key>device-properties</key>
			<dict>
				<key>device-class</key>
				<string>ac-adapter</string>
				<key>refresh-timeout</key>
				<integer>0x1e</integer>
			</dict>
		</dict>
	</array>
	<key>acpibat0</key>
	<array>
		<dict>
			<key>cur-value</key>
			<integer>1</integer>
			<key>description</key>
			<string>present</string>
			<key>index</key>
			<string>sensor0</string>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Indicator</string>
		</dict>
		<dict>
			<key>allow-rfact</key>
			<false/>
			<key>cur-value</key>
			<integer>11100000</integer>
			<key>description</key>
			<string>design voltage</string>
			<key>index</key>
			<string>sensor1</string>
			<key>rfact</key>
			<integer>0</integer>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Voltage DC</string>
		</dict>
		<dict>
			<key>cur-value</key>
			<integer>11742000</integer>
			<key>description</key>
			<string>voltage</string>
			<key>index</key>
			<string>sensor2</string>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Voltage DC</string>
		</dict>
		<dict>
			<key>cur-value</key>
			<integer>62160000</integer>
			<key>description</key>
			<string>design cap</string>
			<key>index</key>
			<string>sensor3</string>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Watt hour</string>
		</dict>
		<dict>
			<key>critical-capacity</key>
			<integer>200000</integer>
			<key>cur-value</key>
			<integer>30000000</integer>
			<key>description</key>
			<string>charge</string>
			<key>index</key>
			<string>sensor5</string>
			<key>max-value</key>
			<integer>40000000</integer>
			<key>monitoring-state-hw-range-limit</key>
			<true/>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Watt hour</string>
			<key>want-percentage</key>
			<true/>
			<key>warning-capacity</key>
			<integer>2000000</integer>
		</dict>
		<dict>
			<key>cur-value</key>
			<integer>12000000</integer>
			<key>description</key>
			<string>discharge rate</string>
			<key>index</key>
			<string>sensor7</string>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Watts</string>
		</dict>
		<dict>
			<key>cur-value</key>
			<integer>0</integer>
			<key>description</key>
			<string>charging</string>
			<key>index</key>
			<string>sensor8</string>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Battery charge</string>
		</dict>
		<dict>
			<key>device-properties</key>
			<dict>
				<key>device-class</key>
				<string>battery</string>
				<key>refresh-timeout</key>
				<integer>0x1e</integer>
			</dict>
		</dict>
	</array>
	<key>coretemp0</key>
	<array>
		<dict>
			<key>cur-value</key>
			<integer>336150000</integer>
			<key>description</key>
			<string>cpu0 temperature</string>
			<key>index</key>
			<string>sensor0</string>
			<key>monitoring-state-critical</key>
			<true/>
			<key>state</key>
			<string>valid</string>
			<key>type</key>
			<string>Temperature</string>
		</dict>
		<dict>
			<key>device-properties</key>
			<dict>
				<key>device-class</key>
				<string>other</string>
				<key>refresh-timeout</key>
				<integer>0x1e</integer>
			</dict>
		</dict>
	</array>
</dict>
` + foot + "\x00"

func TestPrinted(t *testing.T) {
	got, missed := newBench(printed).sense(t)
	want := map[string]string{
		"acpiacad0":         "acpiacad0|power_supply|acpiacad0| online=0",
		"acpibat0.sensor2":  "voltage|voltage|acpibat0| voltage=11742",
		"acpibat0":          "acpibat0|battery|acpibat0|62.16Wh| charge=750000 charge.low.degraded=50000 time_left.discharging=9000000000000 battery.charging=0 battery.discharging=1 battery.not_charging=0 battery.full=0",
		"coretemp0.sensor0": "cpu0 temperature|temperature|coretemp0| temperature=63000 state.ok=1 state.degraded=0 state.failed=0",
	}
	if !maps.Equal(got, want) || len(missed) != 0 {
		t.Errorf("%q, %v, want %q", got, missed, want)
	}
}

// A list that breaks off anywhere is noticed, and what is told until there is as it is.
func TestPrintedCut(t *testing.T) {
	whole, _ := newBench(printed).sense(t)
	for cut := range strings.LastIndex(printed, ">") + 1 {
		got, missed := newBench(printed[:cut]).sense(t)
		if missed[platform.Unknown] != 1 {
			t.Fatalf("cut to %d bytes: %v", cut, missed)
		}
		for name, line := range got {
			if whole[name] != line {
				t.Fatalf("cut to %d bytes: %s is %q, want %q", cut, name, line, whole[name])
			}
		}
	}
}

// gauge is a sensor of a device.
func gauge(state, kind, name string, value int64, more map[string]any) map[string]any {
	s := map[string]any{"index": "sensor0", "state": state, "type": kind, "description": name, "cur-value": value}
	maps.Copy(s, more)
	return s
}

// list is a list of one device.
func list(name, class string, sensors ...any) string {
	return bsd.Plist(map[string]any{name: append(sensors, map[string]any{"device-properties": map[string]any{"device-class": class}})})
}

// What sensors tell, and what is no value of one.
func TestSensors(t *testing.T) {
	const failed, degraded, fine = " state.ok=0 state.degraded=0 state.failed=1", " state.ok=0 state.degraded=1 state.failed=0", " state.ok=1 state.degraded=0 state.failed=0"
	for name, c := range map[string]struct {
		sensor map[string]any
		want   string
	}{
		"nobody judges":    {gauge("valid", "Temperature", "t", 273_150_000, nil), "t|temperature|x0| temperature=0"},
		"below zero":       {gauge("valid", "Temperature", "t", 263_149_000, nil), "t|temperature|x0| temperature=-10001"},
		"0 kelvin":         {gauge("valid", "Temperature", "t", 0, nil), ""},
		"invalid":          {gauge("invalid", "Temperature", "t", 300_000_000, nil), ""},
		"unknown":          {gauge("unknown", "Temperature", "t", 300_000_000, nil), ""},
		"of a later state": {gauge("asleep", "Temperature", "t", 300_000_000, nil), ""},
		"too large":        {gauge("valid", "Temperature", "t", 1<<31, nil), ""},
		"no value":         {map[string]any{"index": "sensor0", "state": "valid", "type": "Temperature"}, ""},
		"a word for one":   {gauge("valid", "Temperature", "t", 0, map[string]any{"cur-value": "hot"}), ""},
		"a list for one":   {gauge("valid", "Temperature", "t", 0, map[string]any{"cur-value": []any{int64(1)}}), ""},
		"no name":          {gauge("valid", "Temperature", "", 273_150_000, nil), "x0.sensor0|temperature|x0| temperature=0"},
		"odd name":         {gauge("valid", "Temperature", `<"a"&'b'>`, 273_150_000, nil), `<"a"&'b'>|temperature|x0| temperature=0`},
		"the driver's":     {gauge("critical", "Temperature", "t", 273_150_000, nil), "t|temperature|x0| temperature=0" + failed},
		"warned":           {gauge("warning-over", "Temperature", "t", 273_150_000, nil), "t|temperature|x0| temperature=0" + degraded},
		"watched":          {gauge("valid", "Temperature", "t", 273_150_000, map[string]any{"monitoring-state-critical": true}), "t|temperature|x0| temperature=0" + fine},
		"not watched":      {gauge("valid", "Temperature", "t", 273_150_000, map[string]any{"monitoring-state-critical": false}), "t|temperature|x0| temperature=0"},
		"limits": {gauge("valid", "Temperature", "t", 274_150_000, map[string]any{"critical-min": int64(0), "warning-min": int64(273_150_000), "warning-max": int64(274_000_000), "critical-max": int64(275_150_000)}),
			"t|temperature|x0| temperature=1000 temperature.low.degraded=0 temperature.high.degraded=850 temperature.high.critical=2000" + degraded},
		"beyond what limits": {gauge("valid", "Voltage DC", "v", -5_500_000, map[string]any{"critical-min": int64(-5_000_000), "warning-max": int64(-4_000_000)}),
			"v|voltage|x0| voltage=-5500 voltage.low.critical=-5000 voltage.high.degraded=-4000" + failed},
		"alternating":      {gauge("valid", "Voltage AC", "v", 230_000_000, nil), "v|voltage|x0| voltage=230000"},
		"a fan":            {gauge("valid", "Fan", "f", 0, map[string]any{"max-value": int64(900), "warning-min": uint64(100), "warning-max": int64(800)}), "f|fan|x0| fan.speed=0 fan.speed.low.degraded=100 fan.speed.max=900" + degraded},
		"fan below 0":      {gauge("valid", "Fan", "f", -1, nil), ""},
		"of another type":  {gauge("valid", "Illuminance", "l", 7, nil), ""},
		"without a number": {map[string]any{"state": "valid", "type": "Temperature", "cur-value": int64(300_000_000)}, ""},
	} {
		got, missed := newBench(list("x0", "other", c.sensor)).sense(t)
		if got["x0.sensor0"] != c.want || len(missed) != 0 || c.want == "" && len(got) != 0 {
			t.Errorf("%s: %q, %v, want %q", name, got, missed, c.want)
		}
	}
}

// Batteries of several drivers, and what they do.
func TestBatteries(t *testing.T) {
	with := func(more ...any) []any {
		return append([]any{gauge("valid", "Watt hour", "charge", 1_000_000, map[string]any{"max-value": int64(4_000_000), "want-percentage": true})}, more...)
	}
	states := func(is string) string {
		line := ""
		for _, s := range []string{"charging", "discharging", "not_charging", "full"} {
			line += fmt.Sprintf(" battery.%s=%d", s, map[bool]int{true: 1}[s == is])
		}
		return line
	}
	still, out := gauge("valid", "Battery charge", "charging", 0, nil), gauge("invalid", "Watts", "discharge rate", 0, nil)
	flows := func(v int64) any { return gauge("valid", "Watts", "discharge rate", v, nil) }
	for name, c := range map[string]struct {
		sensors []any
		want    string
	}{
		"charge alone":        {with(), " charge=250000"},
		"gone":                {with(gauge("valid", "Indicator", "present", 0, nil)), "none"},
		"there":               {with(gauge("valid", "Indicator", "battery present", 1, nil)), " charge=250000"},
		"resting":             {with(still, out), " charge=250000" + states("not_charging")},
		"charging":            {with(gauge("valid", "Battery charge", "charging", 1, nil), gauge("valid", "Watts", "charge rate", 6_000_000, nil)), " charge=250000 time_left.charging=1800000000000" + states("charging")},
		"charging who knows":  {with(gauge("invalid", "Battery charge", "charging", 1, nil), out), " charge=250000"},
		"renamed":             {with(still, gauge("valid", "Watts", "whatever", 5, nil)), " charge=250000"},
		"discharging":         {with(still, flows(2_000_000)), " charge=250000 time_left.discharging=1800000000000" + states("discharging")},
		"for years":           {with(still, flows(1)), " charge=250000" + states("discharging")},
		"at what rate":        {with(still, flows(-1000)), " charge=250000" + states("discharging")},
		"in other units":      {with(still, gauge("valid", "Ampere", "discharge current", 5, nil)), " charge=250000" + states("discharging")},
		"measures nothing":    {with(still, flows(0)), " charge=250000"},
		"design":              {with(gauge("valid", "Ampere hour", "design cap", 9_300_000, nil)), "9.3Ah| charge=250000"},
		"unknown design":      {with(gauge("invalid", "Ampere hour", "design cap", 9_300_000, nil)), " charge=250000"},
		"holds nothing":       {[]any{gauge("valid", "Watt hour", "charge", 5, map[string]any{"max-value": int64(-1000), "want-percentage": true, "warning-capacity": int64(5)}), still}, "none"},
		"no charge, but does": {[]any{gauge("valid", "Battery charge", "charging", 1, nil)}, states("charging")},
		"idle, charge hidden": {[]any{still, out}, "none"},
		"above full":          {[]any{gauge("critical-under", "Integer", "battery percent", 101, map[string]any{"max-value": int64(100), "want-percentage": true}), still, out}, " charge=1000000" + states("full")},
		"in percent":          {[]any{gauge("valid", "Integer", "battery percent", 42, map[string]any{"want-percentage": true})}, " charge=420000"},
		"of who knows what":   {[]any{gauge("valid", "Watt hour", "charge", 42, map[string]any{"want-percentage": true}), gauge("valid", "Battery charge", "charging", 1, nil)}, states("charging")},
		"of too much":         {[]any{gauge("valid", "Watt hour", "charge", 42, map[string]any{"want-percentage": true, "max-value": int64(1 << 40)}), gauge("valid", "Battery charge", "charging", 1, nil)}, states("charging")},
		"charge unknown":      {[]any{gauge("invalid", "Watt hour", "charge", 42, map[string]any{"want-percentage": true, "max-value": int64(100), "warning-capacity": int64(5)}), still, flows(7)}, states("discharging")},
		"below empty":         {[]any{gauge("valid", "Integer", "battery percent", -1, map[string]any{"max-value": int64(100), "want-percentage": true}), still, out}, "none"},
		"nothing":             {nil, "none"},
	} {
		got, missed := newBench(list("b0", "battery", c.sensors...)).sense(t)
		want := map[string]string{"b0": "b0|battery|b0|" + c.want}
		if c.want == "none" {
			want = nil
		}
		if !maps.Equal(got, want) || len(missed) != 0 {
			t.Errorf("%s: %q, %v, want %q", name, got, missed, want)
		}
	}
}

// Where no supply gives power a battery that rests is not kept from being charged.
func TestSupplies(t *testing.T) {
	rests := []any{gauge("valid", "Watt hour", "charge", 1, map[string]any{"max-value": int64(1), "want-percentage": true}),
		gauge("valid", "Battery charge", "charging", 0, nil), gauge("invalid", "Watts", "discharge rate", 0, nil),
		map[string]any{"device-properties": map[string]any{"device-class": "battery"}}}
	adapter := func(state string, v int64) []any {
		return []any{gauge("valid", "Temperature", "t", 0, nil), gauge(state, "Indicator", "connected", v, nil),
			map[string]any{"device-properties": map[string]any{"device-class": "ac-adapter", "more": []any{"words"}}}}
	}
	for name, c := range map[string]struct {
		adapters []any
		full     bool
		lines    int
	}{
		"off":         {[]any{adapter("valid", 0)}, false, 2},
		"on":          {[]any{adapter("valid", 1)}, true, 2},
		"one of two":  {[]any{adapter("valid", 1), adapter("valid", 0)}, true, 3},
		"other":       {[]any{adapter("valid", 0), adapter("valid", -1)}, true, 3},
		"who knows":   {[]any{adapter("invalid", 0)}, true, 1},
		"none at all": {nil, true, 1},
	} {
		all := map[string]any{"z0": rests}
		for i, a := range c.adapters {
			all[fmt.Sprintf("a%d", i)] = a
		}
		got, _ := newBench(bsd.Plist(all)).sense(t)
		if strings.Contains(got["z0"], "battery.full=1") != c.full || len(got) != c.lines {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Why there are no sensors.
func TestNoSensors(t *testing.T) {
	odd := errors.New("odd")
	for name, c := range map[string]struct {
		answer string
		err    error
		want   platform.Reason
	}{
		"no device in the kernel": {"", fs.ErrNotExist, platform.Unsupported},
		"no driver":               {"", errors.ErrUnsupported, platform.Unsupported},
		"denied":                  {"", fs.ErrPermission, platform.Denied},
		"odd":                     {"", odd, platform.Unknown},
		"no devices":              {bsd.Plist(map[string]any{}), nil, platform.Unsupported},
		"no devices, short":       {"<plist><dict/></plist>", nil, platform.Unsupported},
		"nothing":                 {"", nil, platform.Unknown},
		"no dictionary":           {bsd.Plist([]any{}), nil, platform.Unknown},
		"no list":                 {"<dict></dict>", nil, platform.Unknown},
		"more behind":             {bsd.Plist(map[string]any{}) + "more", nil, platform.Unknown},
	} {
		k := newBench(c.answer)
		k.err = c.err
		if got, missed := k.sense(t); len(got) != 0 || missed[c.want] != 1 {
			t.Errorf("%s: %q, %v, want %v", name, got, missed, c.want)
		}
	}
	if got, missed := newBench(bsd.Plist(map[string]any{"odd": "a word", "other": []any{"words", []any{}}})).sense(t); len(got) != 0 || len(missed) != 0 {
		t.Errorf("devices that are none: %q, %v", got, missed)
	}
}

// More sensors than any device has, and more names than any machine has, cost no more memory.
func TestManySensors(t *testing.T) {
	var many []any
	for i := range mostEnvSensors + 10 {
		many = append(many, gauge("valid", "Temperature", "t", 300_000_000, map[string]any{"index": fmt.Sprintf("sensor%d", i)}))
	}
	if got, missed := newBench(list("x0", "other", many...)).sense(t); len(got) != mostEnvSensors || len(missed) != 0 {
		t.Errorf("%d of %d sensors, %v", len(got), len(many), missed)
	}
	r := &envReader{names: map[string]string{}}
	for i := range 3 * mostNames {
		if name := fmt.Sprintf("%d", i); r.key([]byte(name), nil) != name || len(r.names) > mostNames {
			t.Fatal(name, len(r.names))
		}
	}
}

// Reading makes no new memory once its buffers have grown.
func TestSensorsSteady(t *testing.T) {
	r := &envReader{names: map[string]string{}}
	text := make([]byte, len(printed))
	sensors := 0
	read := func() {
		copy(text, printed)
		sensors = 0
		if !r.decode(text, func(d *envDevice) bool {
			sensors += len(d.sensors)
			for i := range d.sensors {
				r.key(d.name, d.sensors[i].words[wordIndex])
			}
			return true
		}) {
			t.Error("not read")
		}
	}
	if n := testing.AllocsPerRun(100, read); n != 0 || sensors != 9 {
		t.Errorf("%v allocations for %d sensors", n, sensors)
	}
}

func BenchmarkSensors(b *testing.B) {
	r := &envReader{names: map[string]string{}}
	text := make([]byte, len(printed))
	b.SetBytes(int64(len(printed)))
	b.ReportAllocs()
	for b.Loop() {
		copy(text, printed)
		r.decode(text, func(*envDevice) bool { return true })
	}
}
