package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// laptop is a machine with sensors, as far as they and the table go.
var laptop = map[string]string{
	"proc/stat":                     "cpu 1 2 3 4\ncpu0 1 2 3 4\nbtime 1700000000\n",
	"sys/devices/system/cpu/online": "0-1\n",
	"sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "800000\n",
	"sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "3100000\n",
	"sys/class/power_supply/BAT0/type":                     "Battery\n",
	"sys/class/power_supply/BAT0/status":                   "Discharging\n",
	"sys/class/power_supply/BAT0/energy_now":               "46500000\n",
	"sys/class/power_supply/BAT0/energy_full":              "50000000\n",
	"sys/class/power_supply/BAT0/power_now":                "10067356\n",
	"sys/class/power_supply/BAT1/type":                     "Battery\n",
	"sys/class/power_supply/BAT1/status":                   "Not charging\n",
	"sys/class/power_supply/BAT1/capacity":                 "100\n",
	"sys/class/hwmon/hwmon0/name":                          "coretemp\n",
	"sys/class/hwmon/hwmon0/temp1_label":                   "Package id 0\n",
	"sys/class/hwmon/hwmon0/temp1_input":                   "101000\n",
	"sys/class/hwmon/hwmon0/temp1_crit":                    "100000\n",
	"sys/class/hwmon/hwmon0/temp2_label":                   "Core\x1b[2J 0\n",
	"sys/class/hwmon/hwmon0/temp2_input":                   "-5500\n",
	"sys/class/hwmon/hwmon1/name":                          "thinkpad\n",
	"sys/class/hwmon/hwmon1/fan1_input":                    "2100\n",
	"sys/class/hwmon/hwmon1/temp1_input":                   "85000\n",
	"sys/class/hwmon/hwmon1/temp1_max":                     "80000\n",
	"sys/class/hwmon/hwmon1/temp1_crit":                    "0\n",
}

func plant(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for path, content := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// titled are those of the table that begin with one of the titles, with single blanks.
func titled(table string, titles ...string) (lines []string) {
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 0 && slices.Contains(titles, f[0]) {
			lines = append(lines, strings.Join(f, " "))
		}
	}
	return lines
}

func TestHardwareInTheTable(t *testing.T) {
	out, log, code := run(t, "once", "--root", plant(t, laptop))
	want := []string{
		"battery BAT0 93 %, 4:37:08 discharging",
		"battery BAT1 100 % not charging",
		`temperature coretemp Package id 0 101.0 °C (critical is 100.0) Core\x1b[2J 0 -5.5 °C`,
		"temperature thinkpad temp1 85.0 °C (high is 80.0)",
		"fan thinkpad fan1 2100 rpm",
	}
	if got := titled(out, "battery", "temperature", "fan"); code != 0 || log != "" || !slices.Equal(got, want) {
		t.Errorf("status %d, log %q\n%s\nwant\n%s", code, log, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if cpu := strings.Join(titled(out, "cpu"), ""); !strings.Contains(cpu, " 0.80 to 3.10 GHz") || strings.Contains(cpu, "nominal") {
		t.Errorf("%s", cpu)
	}
}

// A machine without sensors says nothing of them, and a frequency that nobody
// measures is nominal.
func TestNoHardwareInTheTable(t *testing.T) {
	root := plant(t, map[string]string{"proc/stat": laptop["proc/stat"], "proc/cpuinfo": "processor : 0\ncpu MHz : 2596.096\nflags : fpu\n"})
	out, log, code := run(t, "once", "--root", root)
	if got := titled(out, "battery", "temperature", "fan"); code != 0 || log != "" || len(got) > 0 {
		t.Errorf("status %d, log %q, %q", code, log, got)
	}
	if cpu := strings.Join(titled(out, "cpu"), ""); !strings.Contains(cpu, " 2.60 GHz nominal") {
		t.Errorf("%s", out)
	}
}
