package simkernel

import (
	"encoding/binary"
	"io/fs"
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

// Terminal is the path of the terminal whose device has the number [TerminalDevice].
const (
	Terminal       = "/dev/pts/1"
	TerminalDevice = 0x501
)

// Folder lists /dev and what is in it: two terminals, and what is none.
func (a *Answers) Folder(path string) ([]string, error) {
	if err := a.Call("folder"); err != nil {
		return nil, err
	}
	switch path {
	case "/dev/":
		return []string{"console", "null", "pts", "ttyv0"}, nil
	case "/dev/pts/":
		return []string{"0", "1"}, nil
	}
	return nil, fs.ErrNotExist
}

// Device is the number of one of these.
func (a *Answers) Device(path string) (uint64, error) {
	if err := a.Call("device"); err != nil {
		return 0, err
	}
	if path == Terminal {
		return TerminalDevice, nil
	}
	return uint64(len(path)), nil
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

// SingleReads prints how many kernel calls a pass makes for all that is not dear of so many
// processes, and a pass for each of its fields alone: what is saved by asking once, beside the
// figure that psutil's changes of version 5.0.0 name for the system.
func SingleReads(t *testing.T, processes int, psutil string, open func(*World) (platform.Backend, map[string]int)) {
	t.Helper()
	w := New(5, processes)
	for len(w.Processes) < processes {
		w.Step()
	}
	b, calls := open(w)
	defer b.Close()
	if err := NewHeard().Read(b, All(b)); err != nil {
		t.Fatal(err)
	}
	count := func(set platform.SourceSet) (sum int) {
		clear(calls)
		if err := NewHeard().Read(b, set); err != nil {
			t.Fatal(err)
		}
		for _, n := range calls {
			sum += n
		}
		return sum
	}
	var bulk platform.SourceSet
	fields, single := 0, 0
	for i, s := range b.Sources() {
		if s.Entity == platform.Process && !s.Dear {
			n := max(len(s.Gives), len(s.Texts))
			bulk, fields, single = bulk.With(i), fields+n, single+n*count(platform.SourceSet(0).With(i))
		}
	}
	once := count(bulk)
	t.Logf("%d processes: %d calls for %d fields at once, %d for one after the other: %.2fx (psutil: %s)", processes, once, fields, single, float64(single)/float64(once), psutil)
	if single <= once {
		t.Errorf("%d calls for single reads, %d for all", single, once)
	}
}
