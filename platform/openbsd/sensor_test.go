package openbsd

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/platform"
)

// bench is a machine with sensors of a test's choice: one device, and by type and number
// what a sensor answers.
type bench struct {
	*bsd.Kernel
	device  []byte
	answers map[[2]int32]reading
}

type reading struct {
	value         int64
	status, flags uint32
	err           error
	size          int // 0 for a whole answer
}

func newBench(name string, counts map[int]uint32, answers map[[2]int32]reading) *bench {
	b := make([]byte, deviceSize+32)
	copy(b[deviceName:], name)
	for kind, n := range counts {
		binary.LittleEndian.PutUint32(b[deviceCount+4*kind:], n)
	}
	return &bench{bsd.OpenBSD(simkernel.New(1, 8)), b, answers}
}

func (k *bench) Sysctl(mib []int32, buf []byte) (int, error) {
	switch {
	case mib[0] != ctlHW || mib[1] != hwSensors:
		return k.Kernel.Sysctl(mib, buf)
	case mib[2] != 0:
		return 0, fs.ErrNotExist
	case len(mib) == 3:
		return copy(buf, k.device), nil
	}
	a, ok := k.answers[[2]int32{mib[3], mib[4]}]
	if !ok {
		return 0, fs.ErrNotExist
	}
	b := make([]byte, sensorSize)
	binary.LittleEndian.PutUint64(b[sensorValue:], uint64(a.value))
	binary.LittleEndian.PutUint32(b[sensorState:], a.status)
	binary.LittleEndian.PutUint32(b[sensorFlags:], a.flags)
	if a.size != 0 {
		b = b[:a.size]
	}
	return copy(buf, b), a.err
}

// sensed are the components that are told, and why there are none.
type sensed struct {
	Hard   map[string]string
	Misses map[platform.Reason]int
}

// Sample implements [platform.Sink].
func (c *sensed) Sample(s *platform.Sample) bool {
	line := ""
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			line += fmt.Sprint(f, "=", int64(v), " ")
		}
	}
	c.Hard[s.Key.Name] = line
	return true
}

// Miss implements [platform.Sink].
func (c *sensed) Miss(_ int, why platform.Reason) { c.Misses[why]++ }

// sense reads the sensors.
func (k *bench) sense(t *testing.T) (*sensed, error) {
	t.Helper()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := &sensed{map[string]string{}, map[platform.Reason]int{}}
	pass, err := b.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer pass.Close()
	var set platform.SourceSet
	for i, s := range b.Sources() {
		if s.Name == "hw.sensors" {
			set = set.With(i)
		}
	}
	return c, pass.Read(set, c)
}

// Sensors that are unknown or gone are left out, and none is told with a guess.
func TestSensors(t *testing.T) {
	for name, c := range map[string]struct {
		device string
		counts map[int]uint32
		read   map[[2]int32]reading
		want   map[string]string
		missed map[platform.Reason]int
	}{
		"states": {"cpu0", map[int]uint32{0: 3, 1: 1}, map[[2]int32]reading{
			{0, 0}: {value: 273_150_000, status: 2}, {0, 1}: {value: 263_150_000, status: 3}, {0, 2}: {flags: 2}, {1, 0}: {value: -5, status: 4},
		}, map[string]string{
			"cpu0.temp0": "hardware.temperature=0 hardware.state.ok=0 hardware.state.degraded=1 hardware.state.failed=0 ",
			"cpu0.temp1": "hardware.temperature=-10000 hardware.state.ok=0 hardware.state.degraded=0 hardware.state.failed=1 ",
			"cpu0.fan0":  "hardware.fan.speed=0 ",
		}, nil},
		"battery in ampere hours": {"acpibat0", map[int]uint32{8: 4}, map[[2]int32]reading{{8, 0}: {value: 200}, {8, 3}: {value: 50}},
			map[string]string{"acpibat0": "hardware.charge=250000 "}, nil},
		"battery above full":      {"acpibat0", map[int]uint32{7: 4}, map[[2]int32]reading{{7, 0}: {value: 200}, {7, 3}: {value: 300}}, map[string]string{"acpibat0": "hardware.charge=1000000 "}, nil},
		"battery below empty":     {"acpibat0", map[int]uint32{7: 4}, map[[2]int32]reading{{7, 0}: {value: 200}, {7, 3}: {value: -3}}, map[string]string{"acpibat0": "hardware.charge=0 "}, nil},
		"battery that holds none": {"acpibat0", map[int]uint32{7: 4}, map[[2]int32]reading{{7, 0}: {}, {7, 3}: {value: 3}}, nil, nil},
		"battery that was pulled": {"acpibat0", map[int]uint32{7: 4}, map[[2]int32]reading{{7, 0}: {value: 200}}, nil, nil},
		"supply that is off":      {"acpiac0", map[int]uint32{9: 1}, map[[2]int32]reading{{9, 0}: {}}, map[string]string{"acpiac0": "hardware.online=0 "}, nil},
		"supply that is unknown":  {"acpiac0", map[int]uint32{9: 1}, map[[2]int32]reading{{9, 0}: {flags: 1}}, nil, nil},
		"short answer":            {"cpu0", map[int]uint32{0: 1}, map[[2]int32]reading{{0, 0}: {size: sensorSize - 1}}, nil, map[platform.Reason]int{platform.Unknown: 1}},
		"short battery":           {"acpibat0", map[int]uint32{7: 4}, map[[2]int32]reading{{7, 0}: {size: 1}}, nil, map[platform.Reason]int{platform.Unknown: 1}},
		"denied":                  {"cpu0", map[int]uint32{0: 1}, map[[2]int32]reading{{0, 0}: {err: fs.ErrPermission}}, nil, map[platform.Reason]int{platform.Denied: 1}},
		"denied supply":           {"acpiac0", map[int]uint32{9: 1}, map[[2]int32]reading{{9, 0}: {err: fs.ErrPermission}}, nil, map[platform.Reason]int{platform.Denied: 1}},
		"a count that is none":    {"cpu0", map[int]uint32{0: 1 << 31}, nil, nil, nil},
		"nothing":                 {"cpu0", nil, nil, nil, nil},
	} {
		got, err := newBench(c.device, c.counts, c.read).sense(t)
		if err != nil || !maps.Equal(got.Hard, c.want) || !maps.Equal(got.Misses, c.missed) {
			t.Errorf("%s: %v, %q, %v, want %q, %v", name, err, got.Hard, got.Misses, c.want, c.missed)
		}
	}
}

// A device whose answer is short tells of none.
func TestShortDevice(t *testing.T) {
	k := newBench("cpu0", nil, nil)
	k.device = k.device[:deviceSize-1]
	if got, err := k.sense(t); err != nil || got.Misses[platform.Unknown] != 1 || len(got.Hard) != 0 {
		t.Errorf("%v, %v", err, got.Misses)
	}
}

// The strings of a process: what is refused.
func TestVectorRefused(t *testing.T) {
	pointers := func(text string, p ...uint64) (b []byte) {
		for _, at := range append(p, 0) {
			b = binary.LittleEndian.AppendUint64(b, at)
		}
		return append(b, text...)
	}
	for name, b := range map[string][]byte{
		"no end":              pointers("sh", 100),
		"no pointers' end":    {1, 0, 0, 0, 0, 0, 0, 0},
		"less than nothing":   {},
		"pointers that fall":  pointers("a\x00b\x00", 100, 90),
		"pointers too far":    pointers("a\x00b\x00", 100, 200),
		"text among pointers": pointers("b\x00", 100, 110),
	} {
		if got, ok := decodeVector(b); ok {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got, ok := decodeVector(pointers("")); !ok || len(got) != 0 {
		t.Errorf("no strings: %q, %v", got, ok)
	}
}
