package openbsd

import (
	"context"
	"errors"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// mapsOf asks a kernel for the mappings of the observer.
func mapsOf(t *testing.T, k Kernel) ([]platform.MemoryMap, error) {
	t.Helper()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Self)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return p.MemoryMaps()
}

// A map is whole, however many pieces it takes, and cut off in the middle of none.
func TestMapsInPieces(t *testing.T) {
	const perPiece = mapRoom / mapSize
	for _, further := range []int{0, perPiece - 6, perPiece - 5, perPiece - 4, 2*perPiece - 5, 5000} {
		k := bsd.OpenBSD(simkernel.New(1, 8))
		k.Further = further
		all, err := mapsOf(t, k)
		if err != nil || len(all) != further+3 {
			t.Fatalf("%d mappings, %v, want %d", len(all), err, further+3)
		}
		for i := range further {
			if want := bsd.FurtherAt + 2*bsd.Page*uint64(i); all[2+i].Start != want || all[2+i].End != want+bsd.Page || all[2+i].Permissions != "rw-s" {
				t.Fatalf("%d of %d is %+v", i, further, all[2+i])
			}
		}
		if pieces := (further+5+perPiece-1)/perPiece + 1; k.Calls["vmmap"] != pieces {
			t.Errorf("%d calls for %d mappings, want %d", k.Calls["vmmap"], len(all), pieces)
		}
	}
}

// stuck is a kernel that does not look where it is to begin.
type stuck struct {
	*bsd.Kernel
	grown int // what it says beyond what there is room for
}

func (k *stuck) Sysctl(mib []int32, buf []byte) (int, error) {
	if mib[1] != kernProcMaps {
		return k.Kernel.Sysctl(mib, buf)
	}
	clear(buf[:8])
	n, err := k.Kernel.Sysctl(mib, buf)
	if k.grown > 0 {
		n = len(buf) + k.grown
	}
	return n, err
}

// The same piece again, and more than there is room for, are errors.
func TestMapsEnd(t *testing.T) {
	for _, grown := range []int{0, 1} {
		if all, err := mapsOf(t, &stuck{bsd.OpenBSD(simkernel.New(1, 8)), grown}); !errors.Is(err, sysctl.ErrContent) {
			t.Errorf("%d mappings, %v", len(all), err)
		}
	}
}

func FuzzDecodeMaps(f *testing.F) {
	k := bsd.OpenBSD(simkernel.New(1, 8))
	k.Further = 3
	buf := make([]byte, 10*80)
	n, err := k.Sysctl([]int32{1, 80, 2}, buf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(buf[:n:n], uint64(0))
	f.Add(buf[:n:n], uint64(1<<40))
	f.Add(buf[:79:79], uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, from uint64) {
		all, next, whole := decodeMaps(b, from)
		last, ok := from, len(b)%80 == 0
		for at := 0; at+80 <= len(b); at += 80 {
			start, end, kind, bits := u64(b[at:]), u64(b[at+8:]), b[at+52], b[at+56]
			ok = ok && start >= last && end >= start
			last = end
			if kind&16 != 0 || end <= start {
				continue
			}
			if len(all) == 0 {
				t.Fatalf("the mapping at %d is left out", at)
			}
			m := all[0]
			all = all[1:]
			shown := map[byte]string{0: "---", 1: "r--", 2: "-w-", 3: "rw-", 4: "--x", 5: "r-x", 6: "-wx", 7: "rwx"}[bits&7] + map[bool]string{true: "p", false: "s"}[kind&4 != 0]
			if m.Start != start || m.End != end || m.Permissions != shown || (m.Offset != 0 && m.Offset != u64(b[at+40:])) || (m.Path == "[object]") != (kind&1 != 0) {
				t.Fatalf("%+v of %x", m, b[at:at+80])
			}
		}
		if len(all) > 0 || next != last || whole != (ok && last > from) {
			t.Errorf("%d more, to %d, %v, want to %d, %v", len(all), next, whole, last, ok && last > from)
		}
	})
}
