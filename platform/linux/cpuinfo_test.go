package linux

import (
	"slices"
	"strings"
	"testing"
)

const cpuinfoText = `processor	: 0
vendor_id	: AuthenticAMD
model name	: AMD EPYC
cpu MHz		: 2596.096
physical id	: 0
siblings	: 2
core id		: 0

processor	: 1
cpu MHz		: 3100.5
physical id	: 0
core id		: 1

`

func TestDecodeCPUList(t *testing.T) {
	for text, want := range map[string][]uint64{
		"0-3\n": {0, 1, 2, 3}, "0,2,4-5\n": {0, 2, 4, 5}, "7": {7}, "\n": nil, "": nil, "x": nil,
		"3-1": nil, "0-99999999": nil, "0,": {0}, "1-": nil,
	} {
		if got := slices.Collect(decodeCPUList([]byte(text))); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestDecodeCPUInfo(t *testing.T) {
	got := decodeCPUInfo([]byte(cpuinfoText), nil)
	want := []cpuInfo{
		{hasHertz: true, hasSocket: true, hasCore: true, id: 0, hertz: 2596_096_000, socket: 0, core: 0},
		{hasHertz: true, hasSocket: true, hasCore: true, id: 1, hertz: 3100_500_000, socket: 0, core: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	// Linux 6.1 on arm64 tells neither.
	arm := decodeCPUInfo([]byte("processor\t: 0\nBogoMIPS\t: 50.00\nCPU part\t: 0xd0c\n\n"), nil)
	if len(arm) != 1 || arm[0] != (cpuInfo{}) {
		t.Errorf("%+v", arm)
	}
}

func TestDecodeCurFreq(t *testing.T) {
	if hz, ok := decodeCurFreq([]byte("2300000\n")); !ok || hz != 2_300_000_000 {
		t.Errorf("%d, %v", hz, ok)
	}
	for _, text := range []string{"<unknown>\n", "", "18446744073709551615\n"} {
		if hz, ok := decodeCurFreq([]byte(text)); ok {
			t.Errorf("%q: %d", text, hz)
		}
	}
}

func TestHostArch(t *testing.T) {
	for machine, want := range map[string]string{
		"x86_64": "amd64", "aarch64": "arm64", "i686": "x86", "i386": "x86", "armv7l": "arm32",
		"ppc64le": "ppc64", "ppc64": "ppc64", "s390x": "s390x", "riscv64": "riscv64", "": "",
	} {
		if got := hostArch(machine); got != want {
			t.Errorf("%s is %s, want %s", machine, got, want)
		}
	}
}

func FuzzDecodeCPUList(f *testing.F) {
	f.Add([]byte("0-3,8,10-11\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 40 {
			return // ranges of 65536, over and over, take their time
		}
		got := slices.Collect(decodeCPUList(b))
		if want := slowCPUList(string(b)); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func FuzzDecodeCPUInfo(f *testing.F) {
	f.Add([]byte(cpuinfoText))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := decodeCPUInfo(b, nil)
		if want := slowCPUInfo(string(b)); !slices.Equal(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

func FuzzDecodeCurFreq(f *testing.F) {
	f.Add([]byte("2300000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		hz, ok := decodeCurFreq(b)
		n := slowNumbers(slowFields(string(b)), 1)
		if want := len(n) == 1 && n[0] < 1<<54; ok != want || ok && hz != n[0]*1000 {
			t.Fatalf("%d, %v", hz, ok)
		}
	})
}

func FuzzDecodeCPUModels(f *testing.F) {
	f.Add([]byte(cpuinfoText))
	f.Add([]byte("vendor_id : IBM\nprocessor : 1\nmodel name :\nprocessor : 0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := decodeCPUModels(b)
		want := slowCPUModels(string(b))
		if len(got) != len(want) {
			t.Fatalf("%d, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i].id != want[i].id || string(got[i].model) != string(want[i].model) || string(got[i].vendor) != string(want[i].vendor) {
				t.Fatalf("%+v, want %+v", got[i], want[i])
			}
		}
	})
}

func slowCPUModels(s string) (models []cpuModel) {
	for _, line := range slowLines(s) {
		key, value, _ := strings.Cut(line, ":")
		n := slowNumbers(slowFields(value), 1)
		if key = slowTrim(key); key == "processor" && len(n) == 1 {
			if len(models) > 0 && n[0] <= models[len(models)-1].id {
				return models
			}
			models = append(models, cpuModel{id: n[0]})
		}
		if len(models) == 0 {
			continue
		}
		switch c := &models[len(models)-1]; key {
		case "model name":
			c.model = []byte(slowTrim(value))
		case "vendor_id":
			c.vendor = []byte(slowTrim(value))
		}
	}
	return models
}
