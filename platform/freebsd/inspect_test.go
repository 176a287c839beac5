package freebsd

import (
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/freebsd"
	"github.com/pidometer/pidometer/internal/sysctl"
	"github.com/pidometer/pidometer/platform"
)

// inspected opens a machine.
func inspected(t *testing.T) func(*simkernel.World) *simkernel.Inspected {
	return func(w *simkernel.World) *simkernel.Inspected {
		k := sim.New(w)
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
		Mounts: 3, Mount: map[int]platform.Mount{1: {Device: 8, Root: "/", Point: "/ro", Type: "zfs", Source: "/dev/ada0p2", Options: "ro", ReadOnly: true}},
		Sessions: 1, Session: platform.Session{User: "root", Terminal: "pts/1", Host: "there.example", PID: 77, Started: sim.Since},
	})
}

// A process of the kernel has no program; its threads are told.
func TestKernelProcess(t *testing.T) {
	k := sim.New(simkernel.New(1, 8))
	k.System = true
	b, err := New(Options{Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	simkernel.KernelProcess(t, b.(platform.Inspector))
}

// Every detail that is told has a source.
func TestDetailSources(t *testing.T) {
	simkernel.DetailSources(t, Details(), "IOPriority", "SocketStats")
}

// twin reads the records of a list the slow way, or nil if they do not add up.
func twin(b []byte, least int) (records [][]byte, whole bool) {
	at := 0
	for at < len(b) {
		if len(b)-at < 4 {
			return records, false
		}
		n := int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16 | int(b[at+3])<<24
		if n < least || n < 0 || n > len(b)-at {
			return records, false
		}
		records = append(records, b[at:at+n])
		at += n
	}
	return records, true
}

// seeds are answers of the made-up kernel.
func seeds(f *testing.F, op int32) {
	w := simkernel.New(1, 8)
	k := sim.New(w)
	buf := make([]byte, 64<<10)
	n, err := k.Sysctl([]int32{1, 14, op, int32(w.Self)}, buf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(buf[:n:n])
	f.Add(buf[: n-1 : n-1])
	f.Add([]byte{})
}

func FuzzDecodeThreads(f *testing.F) {
	seeds(f, 0x11)
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeThreads(b)
		records, ok := twin(b, rowSize)
		if whole != ok || len(all) != len(records) {
			t.Fatalf("%d threads, %v, want %d, %v", len(all), whole, len(records), ok)
		}
		ids := map[uint64]int{}
		for _, r := range records {
			ids[u64(append(append([]byte{}, r[600:604]...), 0, 0, 0, 0), 0)]++
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

func FuzzDecodeMaps(f *testing.F) {
	seeds(f, 32)
	f.Fuzz(func(t *testing.T, b []byte) {
		all, whole := decodeMaps(b, 4096)
		records, ok := twin(b, 136)
		if whole != ok || len(all) != len(records) {
			t.Fatalf("%d mappings, %v, want %d, %v", len(all), whole, len(records), ok)
		}
		for i, r := range records {
			m := all[i]
			if m.Start != u64(r, 8) || m.End != u64(r, 16) || m.Offset != u64(r, 24) || m.Inode != u64(r, 32) || m.Device != u64(r, 88) {
				t.Errorf("%d is %+v", i, m)
			}
		}
	})
}

// FuzzDecodeDescriptor takes what a process has open apart.
func FuzzDecodeDescriptor(f *testing.F) {
	seeds(f, 33)
	f.Fuzz(func(t *testing.T, b []byte) {
		records, _ := twin(b, openSize)
		for _, r := range records {
			file, isFile := fileOf(sysctl.Row(r))
			socket, isSocket := connectionOf(sysctl.Row(r), nil)
			kind, fd := r[4], int32(uint32(u64(r, 8)))
			if isFile && isSocket || isFile && (kind != 1 || file.FD != int(fd)) || isSocket && (kind != 2 || socket.FD != int(fd)) || (isFile || isSocket) && fd < 0 {
				t.Errorf("%+v, %+v of kind %d, descriptor %d", file, socket, kind, fd)
			}
		}
	})
}

func FuzzDecodeSessions(f *testing.F) {
	b, err := sim.New(simkernel.New(1, 4)).File(loginPath)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := uint64(len(decodeSessions(b))), decodeLogins(b); got != want {
			t.Errorf("%d, and %d are counted", got, want)
		}
	})
}
