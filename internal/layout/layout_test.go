package layout

import (
	"errors"
	"testing"
)

func TestNumbers(t *testing.T) {
	b := []byte{0xff, 1, 2, 3, 4, 5, 6, 7, 8}
	if got := U16(b, 1); got != 0x0201 {
		t.Errorf("16 bits: %x", got)
	}
	if got := U32(b, 1); got != 0x04030201 {
		t.Errorf("32 bits: %x", got)
	}
	if got := U64(b, 1); got != 0x0807060504030201 {
		t.Errorf("64 bits: %x", got)
	}
	if Word(b, 1, 8) != U64(b, 1) || Word(b, 1, 4) != uint64(U32(b, 1)) {
		t.Errorf("words: %x, %x", Word(b, 1, 8), Word(b, 1, 4))
	}
}

func TestPutWord(t *testing.T) {
	for _, bytes := range []int{8, 4} {
		b := make([]byte, 10)
		PutWord(b, 1, bytes, 0x04030201)
		if Word(b, 1, bytes) != 0x04030201 || b[0] != 0 || b[9] != 0 {
			t.Errorf("%d bytes: %x", bytes, b)
		}
	}
}

// within is [Within] by a loop over every byte.
func within(b []byte, base, pointer, n uint64) ([]byte, bool) {
	var found []byte
	for i := range n {
		at := pointer + i - base
		if pointer+i < pointer || at >= uint64(len(b)) {
			return nil, false
		}
		found = append(found, b[at])
	}
	return found, pointer-base <= uint64(len(b))
}

func FuzzWithin(f *testing.F) {
	f.Add([]byte("abcd"), uint64(0x1000), uint64(0x1001), uint16(3))
	f.Add([]byte("abcd"), uint64(0x1000), uint64(0x1001), uint16(4))
	f.Add([]byte("abcd"), uint64(0x1000), uint64(0xfff), uint16(1))
	f.Add([]byte(""), uint64(0), uint64(0), uint16(0))
	f.Add([]byte("ab"), ^uint64(0), uint64(0), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, base, pointer uint64, n uint16) {
		got, ok := Within(b, base, pointer, uint64(n))
		want, wantOK := within(b, base, pointer, uint64(n))
		if ok != wantOK || string(got) != string(want) {
			t.Errorf("%q %v, want %q %v", got, ok, want, wantOK)
		}
	})
}

func TestGrow(t *testing.T) {
	size, calls := 10, 0
	call := func(buf []byte) (int, error) {
		calls++
		n := size
		if len(buf) >= n {
			buf[n-1] = 7
		} else {
			size += 2 // what was asked for grows meanwhile
		}
		return n, nil
	}
	answer, buf, err := Grow(make([]byte, 1), call)
	if err != nil || len(answer) != 12 || answer[11] != 7 || calls != 2 || len(buf) < 12 {
		t.Errorf("%d bytes after %d calls, %v", len(answer), calls, err)
	}
	if _, again, _ := Grow(buf, call); calls != 3 || &again[0] != &buf[0] {
		t.Errorf("a buffer that is large enough was not kept: %d calls", calls)
	}
}

func TestGrowGivesUp(t *testing.T) {
	calls := 0
	_, _, err := Grow(nil, func(buf []byte) (int, error) {
		calls++
		return len(buf)*2 + 1, nil
	})
	if !errors.Is(err, errGrowing) || calls != 5 {
		t.Errorf("an answer that always grows: %v after %d calls", err, calls)
	}
	refused := errors.New("refused")
	if _, _, err := Grow(nil, func([]byte) (int, error) { return 0, refused }); !errors.Is(err, refused) {
		t.Errorf("an error of the call: %v", err)
	}
	for _, n := range []int{-1, mostBytes + 1} {
		if _, _, err := Grow(nil, func([]byte) (int, error) { return n, nil }); err == nil {
			t.Errorf("an answer of %d bytes was believed", n)
		}
	}
}
