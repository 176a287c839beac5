package linux

import (
	"errors"
	"testing"
)

// endless is a kernel with a folder that grows as fast as it is read, by one name.
type endless struct {
	Kernel
	entry []byte
	calls int
}

func (k *endless) ReadDir(_ int, buf []byte) (n int, err error) {
	k.calls++
	for n+len(k.entry) <= len(buf) {
		n += copy(buf[n:], k.entry)
	}
	return n, nil
}

func (k *endless) Open(int, []byte) (int, error)       { return 3, nil }
func (k *endless) Stat(int, []byte) (Stat, error)      { return Stat{Links: 1}, nil }
func (k *endless) Close(int) error                     { return nil }
func (k *endless) Read(_ int, buf []byte) (int, error) { k.calls++; return len(buf), nil }

func TestEndlessFolder(t *testing.T) {
	for _, name := range []string{"1234", "no number"} {
		k := &endless{entry: dirents(name)}
		b := &backend{kernel: k, dirents: make([]byte, direntSize)}
		if numbers, err := b.list(3, nil); !errors.Is(err, errEndless) || numbers != nil {
			t.Errorf("%q: %d numbers, %v", name, len(numbers), err)
		}
		if most := mostDirents/(direntSize-len(k.entry)) + 1; k.calls > most {
			t.Errorf("%q: %d calls, want at most %d", name, k.calls, most)
		}
	}
	// Names that are no folders' cost nothing to keep.
	k := &endless{entry: dirents(".")}
	b := &backend{kernel: k, dirents: make([]byte, direntSize)}
	if err := b.descend(&hierarchy{}, &groupWalk{}); !errors.Is(err, errEndless) {
		t.Errorf("control groups: %v", err)
	}
}

// The same of sysfs, whose folders are kept to be compared with.
func TestEndlessClass(t *testing.T) {
	k := &endless{entry: dirents("hwmon0")}
	b := &backend{kernel: k, dirents: make([]byte, direntSize)}
	p := &hostPass{reader: &reader{b, t.Context()}, host: &host{}}
	if got, err := p.entries("sys/class/hwmon/"); !errors.Is(err, errEndless) || got != nil || p.host.entries != nil {
		t.Errorf("%d bytes are held, %v", len(got), err)
	}
}

// Neither of the two ways to read a file to its end goes on for ever, and the memory is
// given back.
func TestEndlessRead(t *testing.T) {
	k := &endless{}
	b := &backend{kernel: k, buf: make([]byte, readSize)}
	if _, err := b.slurp(3, "x"); !errors.Is(err, errEndless) || len(b.buf) != readSize {
		t.Errorf("slurp: %v, %d bytes are held", err, len(b.buf))
	}
	if _, err := b.once(3, []byte("x\x00")); !errors.Is(err, errEndless) || len(b.buf) != readSize {
		t.Errorf("once: %v, %d bytes are held", err, len(b.buf))
	}
	if got, err := readFile(k, 3, []byte("x\x00"), nil); !errors.Is(err, errEndless) || got != nil {
		t.Errorf("readFile: %v, %d bytes are held", err, len(got))
	}
}
