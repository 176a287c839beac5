package linux

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

const pressureText = `some avg10=14.23 avg60=44.53 avg300=50.22 total=1303188888
full avg10=0.00 avg60=0.06 avg300=0.19 total=11024174
`

func TestDecodeStalls(t *testing.T) {
	some := map[platform.Field]uint64{
		platform.PressureSome: 1303188888_000, platform.PressureSome10: 1423,
		platform.PressureSome60: 4453, platform.PressureSome300: 5022,
	}
	s := sample(platform.Pressure)
	decodeStalls([]byte(pressureText), someStalls, fullStallsOf("cpu"), s)
	wantFields(t, s, some)
	some[platform.PressureFull], some[platform.PressureFull10] = 11024174_000, 0
	some[platform.PressureFull60], some[platform.PressureFull300] = 6, 19
	s = sample(platform.Pressure)
	decodeStalls([]byte(pressureText), someStalls, fullStallsOf("io"), s)
	wantFields(t, s, some)
	s = sample(platform.Pressure)
	decodeStalls([]byte("some avg10= avg60=x avg300 total=1x\nmost avg10=1.00 total=1\nfull total=7"), someStalls, fullStalls, s)
	wantFields(t, s, nil)
}

func FuzzDecodeStalls(f *testing.F) {
	f.Add([]byte(pressureText))
	f.Add([]byte("some avg10=1 avg60=1.5 avg300=184467440737095516.15 total=18446744073709551615\nfull\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := sample(platform.Pressure), sample(platform.Pressure)
		decodeStalls(b, someStalls, fullStalls, fast)
		slowStalls(string(b), someStalls, fullStalls, slow)
		same(t, fast, slow)
	})
}

func slowStalls(s string, some, full stall, to *platform.Sample) {
	shares := map[string]platform.Field{
		"some avg10": some.in10, "some avg60": some.in60, "some avg300": some.in300,
		"full avg10": full.in10, "full avg60": full.in60, "full avg300": full.in300,
	}
	sums := map[string]platform.Field{"some total": some.total, "full total": full.total}
	for _, line := range slowLines(s) {
		f := slowFields(line)
		for i := 1; i < len(f); i++ {
			key, value, found := strings.Cut(f[i], "=")
			if !found {
				continue
			}
			key = f[0] + " " + key
			if field := shares[key]; field != noField {
				if v, ok := slowDecimal(value, 2); ok {
					to.Set(field, v)
				}
			}
			if field := sums[key]; field != noField {
				if v, err := strconv.ParseUint(value, 10, 64); err == nil && value[0] != '+' {
					slowScaled(to, field, v, 1000)
				}
			}
		}
	}
}

// The CPU has no full, since somebody runs; a resource that this kernel does not
// tell of is not there.
func TestPressure(t *testing.T) {
	files := map[string]string{"proc/pressure/cpu": pressureText, "proc/pressure/irq": "full avg10=0.00 avg60=0.06 avg300=0.19 total=7\n"}
	k := newTreeKernel(writeTree(t, files))
	c := readTree(t, treeBackend(k, Options{}), sourcesOf(fromPressure))
	if got := c.names(platform.Pressure); !slices.Equal(got, []string{"cpu", "irq"}) || len(c.misses) > 0 {
		t.Fatalf("%q, misses %v", got, c.misses)
	}
	cpu, irq := c.of(platform.Pressure)[0].fields, c.of(platform.Pressure)[1].fields
	if _, ok := cpu[platform.PressureFull]; ok || len(cpu) != 4 || len(irq) != 4 || irq[platform.PressureFull] != 7000 {
		t.Errorf("cpu %v, irq %v", cpu, irq)
	}
	k.fail["proc/pressure/irq"] = errors.ErrUnsupported
	k.fail["proc/pressure/cpu"] = fs.ErrPermission
	c = readTree(t, treeBackend(k, Options{}), sourcesOf(fromPressure))
	if got := c.misses[fromPressure]; !slices.Equal(got, []platform.Reason{platform.Denied, platform.Unsupported}) {
		t.Errorf("misses %v", got)
	}
	c = readFiles(t, nil, Options{}, sourcesOf(fromPressure))
	if got := c.misses[fromPressure]; !slices.Equal(got, []platform.Reason{platform.Unsupported}) {
		t.Errorf("without any: misses %v", got)
	}
}
