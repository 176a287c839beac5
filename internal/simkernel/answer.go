package simkernel

import (
	"encoding/binary"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// Answers is how a made-up kernel answers calls: it counts them, lets them fail, and cuts
// what it tells.
type Answers struct {
	Calls map[string]int          // how often each was made
	Fail  func(name string) error // what a call fails with, nil for none
	Cut   int                     // answers are cut to so many bytes, unless 0
}

// Call counts a call, and returns what it fails with.
func (a *Answers) Call(name string) error {
	if a.Calls == nil {
		a.Calls = map[string]int{}
	}
	a.Calls[name]++
	if a.Fail != nil {
		return a.Fail(name)
	}
	return nil
}

// Write answers where a caller learns how much there is.
func (a *Answers) Write(answer, buf []byte, err error) (int, error) {
	if a.Cut != 0 && len(answer) > a.Cut {
		answer = answer[:a.Cut]
	}
	copy(buf, answer)
	return len(answer), err
}

// Words32 and Words64 are numbers one behind the other.
func Words32(v ...uint32) (b []byte) {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// Words64 is likewise of 64 bits.
func Words64(v ...uint64) (b []byte) {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

// CallsPerPass counts the calls that a pass over so many processes makes for all that is not
// dear, once its buffers have grown. Everybody lives and denies nothing.
func CallsPerPass(t *testing.T, processes int, open func(*World) (platform.Backend, map[string]int)) (sum int) {
	t.Helper()
	w := New(5, processes)
	for len(w.Processes) < processes {
		w.Step()
	}
	for _, p := range w.Processes {
		p.State, p.Denied = Sleeping, false
	}
	b, calls := open(w)
	defer b.Close()
	var bulk platform.SourceSet
	for i, s := range b.Sources() {
		if s.Entity == platform.Process && !s.Dear {
			bulk = bulk.With(i)
		}
	}
	if err := NewHeard().Read(b, All(b)); err != nil {
		t.Fatal(err)
	}
	clear(calls)
	h := NewHeard()
	if err := h.Read(b, bulk); err != nil || h.Samples[platform.Process] != processes {
		t.Fatal(err, h.Samples)
	}
	for _, n := range calls {
		sum += n
	}
	t.Logf("%d processes: %v", processes, calls)
	return sum
}
