package netbsd

import (
	"context"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// affinityOf asks a kernel for the affinity of a process.
func affinityOf(t *testing.T, k Kernel, pid uint64) (platform.Affinity, error) {
	t.Helper()
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := b.(platform.Inspector).Inspect(context.Background(), platform.Key{ID: pid})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return p.Affinity()
}

// Where the first thread ends while it is asked for, any other one answers.
func TestAffinityOfAnyThread(t *testing.T) {
	k := bsd.NetBSD(simkernel.New(1, 8))
	asked := 0
	k.Fail = func(call string) error {
		if call == "_sched_getaffinity" {
			if asked++; asked == 1 {
				return os.ErrProcessDone
			}
		}
		return nil
	}
	a, err := affinityOf(t, k, 2)
	if want := []int{0, 1}; err != nil || asked != 2 || !reflect.DeepEqual(a.CPUs, want) {
		t.Errorf("%v, %v in %d calls, want %v", a, err, asked, want)
	}
}

// manyCPUs is a machine with more CPUs than a word has bits.
type manyCPUs struct {
	*bsd.Kernel
	count uint32
	room  int
}

func (k *manyCPUs) Sysctl(mib []int32, buf []byte) (int, error) {
	if mib[0] == ctlHW && mib[1] == hwCPUs {
		return k.Write(simkernel.Words32(k.count), buf, nil)
	}
	return k.Kernel.Sysctl(mib, buf)
}

func (k *manyCPUs) Affinity(pid, thread uint64, buf []byte) (int, error) {
	k.room = len(buf)
	return k.Kernel.Affinity(pid, thread, buf)
}

// The room is a bit for each CPU in whole words. A number that no machine has is refused.
func TestAffinityRoom(t *testing.T) {
	for count, want := range map[uint32]int{1: 4, 32: 4, 33: 8, 48: 8, 256: 32} {
		k := &manyCPUs{Kernel: bsd.NetBSD(simkernel.New(1, 8)), count: count}
		if a, err := affinityOf(t, k, 2); err != nil || len(a.CPUs) != int(count) || k.room != want {
			t.Errorf("%d CPUs: %d in %d bytes, %v", count, len(a.CPUs), k.room, err)
		}
	}
	for _, count := range []uint32{0, 4097} {
		if a, err := affinityOf(t, &manyCPUs{Kernel: bsd.NetBSD(simkernel.New(1, 8)), count: count}, 2); !errors.Is(err, sysctl.ErrContent) {
			t.Errorf("%d CPUs: %v, %v", count, a, err)
		}
	}
}
