package openbsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/internal/simkernel/bsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// inspected opens a machine.
func inspected(t *testing.T) func(*simkernel.World) *simkernel.Inspected {
	return func(w *simkernel.World) *simkernel.Inspected {
		k := bsd.OpenBSD(w)
		b, err := New(Options{Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		return &simkernel.Inspected{World: w, Answers: &k.Answers, Inspector: b.(platform.Inspector)}
	}
}

func TestDetailFaults(t *testing.T)  { simkernel.DetailFaults(t, inspected(t)) }
func TestDetailRace(t *testing.T)    { simkernel.DetailRace(t, inspected(t)) }
func TestDetailLengths(t *testing.T) { simkernel.DetailLengths(t, 2500, inspected(t)) }

// The lists of the host are those of the world.
func TestHostDetails(t *testing.T) {
	simkernel.HostLists(t, inspected(t), simkernel.HostList{
		Mounts: 3, Mount: map[int]platform.Mount{1: {Device: 8, Root: "/", Point: "/ro", Type: "ffs", Source: "/dev/sd0", Options: "ro", ReadOnly: true}},
		Sessions: 2, Session: platform.Session{User: "ann", Terminal: "ttyp0", Host: "there.example", Started: bsd.Since},
	})
}

// A process of the kernel has no program; its threads are told.
func TestKernelProcess(t *testing.T) {
	k := bsd.OpenBSD(simkernel.New(1, 8))
	k.System = true
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	simkernel.KernelProcess(t, b.(platform.Inspector))
	if h, err := hear(k, false); err != nil || h.Texts[platform.ProcessArguments] != "" {
		t.Errorf("%v, %q", err, h.Texts[platform.ProcessArguments])
	}
}

// Who has the PID of a zombie that was opened, and lives, is another.
func TestAfterZombie(t *testing.T) { simkernel.AfterZombie(t, inspected(t)(simkernel.New(1, 8))) }

// Every detail that is told has a source.
func TestDetailSources(t *testing.T) {
	simkernel.DetailSources(t, Details(), append([]string{"IOPriority", "SocketStats"}, world.Details.Lacks...)...)
}

// answer is what the made-up kernel says.
func answer(f *testing.F, mib ...int32) []byte {
	buf := make([]byte, 64<<10)
	n, err := bsd.OpenBSD(simkernel.New(1, 8)).Sysctl(mib, buf)
	if err != nil {
		f.Fatal(err)
	}
	return buf[:n:n]
}

func FuzzDecodeThreads(f *testing.F) {
	f.Add(answer(f, ctlKern, kernProc, onePid|showThreads, 2, rowSize, 100))
	f.Add(make([]byte, rowSize-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeThreads(b)
		if whole != (len(b)%616 == 0) {
			t.Fatalf("%d bytes are %v", len(b), whole)
		}
		ids := map[uint64]int{}
		for at := 0; at+616 <= len(b); at += 616 {
			if id := uint64(b[at+608]) | uint64(b[at+609])<<8 | uint64(b[at+610])<<16 | uint64(b[at+611])<<24; id != 1<<32-1 {
				ids[id]++
			}
		}
		for _, thread := range all {
			ids[thread.Key.ID]--
		}
		for id, n := range ids {
			if n != 0 {
				t.Errorf("%d is told %d times too seldom", id, n)
			}
		}
	})
}

// FuzzDecodeFile takes what a process has open apart.
func FuzzDecodeFile(f *testing.F) {
	all := answer(f, ctlKern, kernFile, fileByPid, 2, fileSize, 100)
	for ; len(all) >= fileSize; all = all[fileSize:] {
		f.Add(all[:fileSize])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != fileSize {
			return
		}
		c, ok := connectionOf(sysctl.Row(b))
		family := uint32(b[292]) | uint32(b[293])<<8 | uint32(b[294])<<16 | uint32(b[295])<<24
		protocol := uint32(b[288]) | uint32(b[289])<<8 | uint32(b[290])<<16 | uint32(b[291])<<24
		ip := (family == 2 || family == 24) && (protocol == 6 || protocol == 17)
		if ok != (family == 1 || ip) {
			t.Fatalf("family %d, protocol %d: %+v, %v", family, protocol, c, ok)
		}
		if ip && c.Local.IsValid() && c.Local.Port() != uint16(b[304])<<8|uint16(b[305]) {
			t.Errorf("%+v", c)
		}
		if file := fileOf(sysctl.Row(b)); *file.Position != u64(b[56:]) || (file.Mode == "") != (b[8]&3 == 0) {
			t.Errorf("%+v", file)
		}
	})
}

// u64 is the slow way to a number.
func u64(b []byte) (v uint64) {
	for i := 7; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}
