package linux

import (
	"encoding/binary"
	"errors"
	"math/big"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// statsRecord is a record of a thread: numbers by their offset in struct taskstats.
func statsRecord(version uint16, size int, last bool, tgid uint32, numbers map[int]uint64) []byte {
	s := make([]byte, size)
	binary.NativeEndian.PutUint16(s, version)
	for at, v := range numbers {
		if at+8 <= size {
			binary.NativeEndian.PutUint64(s[at:], v)
		}
	}
	if last {
		s[statsFlags] |= flagGroup
	}
	if size >= statsTgid+4 {
		binary.NativeEndian.PutUint32(s[statsTgid:], tgid)
	}
	copy(s[statsCommand:], "worker")
	nested := append(netlinkAttribute(1, []byte{7, 0, 0, 0}), netlinkAttribute(taskstatsStats, s)...)
	return append([]byte{taskstatsNew, 1, 0, 0}, netlinkAttribute(taskstatsThread, nested)...)
}

func netlinkAttribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(attributeHeader+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// The sums of a process are those of its threads, and told once with the last one.
func TestThreadsAddUp(t *testing.T) {
	source := &taskstats{groups: map[uint64]*threadUse{}}
	var told []platform.Sample
	tell := func(o *platform.Occurrence) { told = append(told, *o.Usage) }
	for i, last := range []bool{false, false, true} {
		r, ok := decodeTaskstats(statsRecord(15, 400, last, 42, map[int]uint64{
			statsRunVirtual: 100e6, statsUser: 60000, statsSystem: 20000, statsFaultsMinor: 5, statsPeakRSS: uint64(10 * (i + 1)), statsReadBytes: 512}))
		if !ok {
			t.Fatal("not read")
		}
		source.add(&r, tell)
	}
	if len(told) != 1 || told[0].Key.ID != 42 || len(source.groups) != 0 {
		t.Fatalf("%v, %d groups", told, len(source.groups))
	}
	for f, want := range map[platform.Field]uint64{platform.ProcessCPUUser: 225e6, platform.ProcessCPUSystem: 75e6, platform.ProcessFaultsMinor: 15,
		platform.ProcessMemoryPeak: 30 * 1024, platform.ProcessDiskReadBytes: 1536} {
		if have, ok := told[0].Get(f); !ok || have != want {
			t.Errorf("field %d: %d, %v, want %d", f, have, ok, want)
		}
	}
	if _, ok := told[0].Get(platform.ProcessVirtualPeak); ok {
		t.Error("an unknown peak was told")
	}
}

// CPU time is parted as the kernel parts it.
func TestPartedTime(t *testing.T) {
	for _, c := range []struct{ ran, user, system, wantUser, wantSystem uint64 }{
		{50e6, 0, 0, 50e6, 0},
		{50e6, 4000, 0, 50e6, 0},
		{50e6, 0, 4000, 0, 50e6},
		{50e6, 30000, 10000, 37.5e6, 12.5e6},
		{0, 30000, 10000, 30e6, 10e6},
		{1 << 62, 1 << 40, 1 << 40, 1 << 61, 1 << 61},
	} {
		var s platform.Sample
		s.Reset(platform.Process, platform.Key{})
		(&threadUse{ran: c.ran, user: c.user, system: c.system}).fill(&s)
		user, _ := s.Get(platform.ProcessCPUUser)
		system, _ := s.Get(platform.ProcessCPUSystem)
		if user != c.wantUser || system != c.wantSystem {
			t.Errorf("%+v: %d and %d", c, user, system)
		}
		if c.user > 0 && c.system > 0 && c.ran > 0 {
			exact := new(big.Int).Mul(new(big.Int).SetUint64(c.ran), new(big.Int).SetUint64(c.system))
			if exact.Div(exact, new(big.Int).SetUint64(c.user+c.system)); exact.Uint64() != system {
				t.Errorf("%+v: %d, exactly %d", c, system, exact)
			}
		}
	}
}

// A record of a kernel that does not say whose thread it was is none, and one that is
// longer than ours is.
func TestVersionsOfTaskstats(t *testing.T) {
	for _, c := range []struct {
		version uint16
		size    int
		ok      bool
	}{{11, 368, false}, {11, 400, false}, {12, 375, false}, {12, 376, true}, {99, 2000, true}} {
		if _, ok := decodeTaskstats(statsRecord(c.version, c.size, true, 5, nil)); ok != c.ok {
			t.Errorf("version %d of %d bytes: %v", c.version, c.size, ok)
		}
	}
	k := newLifeKernel(t)
	k.version = leastVersion - 1
	w, err := watchLives(k, platform.ProcessAccounted)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Tiers()[0].Err; !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("an older kernel: %v", err)
	}
}

// Threads that nobody heard of are in the sum of the process: their CPU time is told,
// and nothing that would lack theirs.
func TestThreadsUnheard(t *testing.T) {
	for _, whole := range []uint64{100e6, 400e6} {
		b := statsRecord(15, 400, true, 42, map[int]uint64{statsRunVirtual: 100e6, statsUser: 60000, statsSystem: 20000, statsFaultsMinor: 5, statsPeakRSS: 10})
		of := make([]byte, 400)
		binary.NativeEndian.PutUint64(of[statsRunVirtual:], whole)
		b = append(b, netlinkAttribute(taskstatsProcess, append(netlinkAttribute(2, []byte{42, 0, 0, 0}), netlinkAttribute(taskstatsStats, of)...))...)
		r, ok := decodeTaskstats(b)
		if !ok {
			t.Fatal("not read")
		}
		var s platform.Sample
		s.Reset(platform.Process, platform.Key{})
		r.fill(&s)
		user, _ := s.Get(platform.ProcessCPUUser)
		system, _ := s.Get(platform.ProcessCPUSystem)
		_, faults := s.Get(platform.ProcessFaultsMinor)
		peak, _ := s.Get(platform.ProcessMemoryPeak)
		if user != whole/4*3 || system != whole/4 || faults != (whole == 100e6) || peak != 10*1024 {
			t.Errorf("%d: %d, %d, faults %v, peak %d", whole, user, system, faults, peak)
		}
	}
}

// slowTaskstats reads the whole structure.
func slowTaskstats(b []byte) (r threadUse, ok bool) {
	if len(b) < 4 || b[0] != 2 {
		return r, false
	}
	type stats struct {
		Version                                                      uint16
		_                                                            [2]byte
		ExitCode                                                     uint32
		Flag, Nice                                                   uint8
		_                                                            [6]byte
		CPUCount, CPUDelay, BlkCount, BlkDelay, SwapCount, SwapDelay uint64
		Real, Virtual                                                uint64
		Command                                                      [32]byte
		Sched                                                        uint8
		_                                                            [7]byte
		UID, GID, PID, Parent, Birth                                 uint32
		_                                                            [4]byte
		Elapsed, User, System, Minor, Major, Core, Virt, RSS, VM     uint64
		ReadChar, WriteChar, ReadCalls, WriteCalls                   uint64
		ReadBytes, WriteBytes, Cancelled, Voluntary, Involuntary     uint64
		UserScaled, SystemScaled, RealScaled, Free, FreeDelay        uint64
		Thrash, ThrashDelay, Birth64, Compact, CompactDelay          uint64
		Tgid                                                         uint32
		_                                                            [4]byte
	}
	whole := uint64(0)
	for _, outer := range slowAttributes(b[4:]) {
		for _, inner := range slowAttributes([]byte(outer.value)) {
			if run := inner.value; outer.kind == 5 && inner.kind == 3 && len(run) >= 80 {
				whole = binary.NativeEndian.Uint64([]byte(run[72:80]))
			}
			if outer.kind != 4 || inner.kind != 3 || ok {
				continue
			}
			s, _, whole := slowStruct[stats]([]byte(inner.value))
			if !whole || s.Version < 12 {
				continue
			}
			ok = true
			r = threadUse{process: uint64(s.Tgid), parent: uint64(s.Parent), last: s.Flag&32 != 0, command: s.Command,
				user: s.User, system: s.System, ran: s.Virtual,
				sums:  [8]uint64{s.Minor, s.Major, s.Voluntary, s.Involuntary, s.ReadBytes, s.WriteBytes, s.ReadChar, s.WriteChar},
				peaks: [2]uint64{s.RSS, s.VM}}
		}
	}
	r.whole = whole
	return r, ok
}

func FuzzDecodeTaskstats(f *testing.F) {
	f.Add(statsRecord(15, 400, true, 42, map[int]uint64{statsRunVirtual: 1, statsUser: 2, statsInvoluntary: 3}))
	f.Add(statsRecord(12, statsLeast, false, 42, nil))
	f.Add(append(append([]byte{taskstatsNew, 1, 0, 0}, netlinkAttribute(controlFamilyID, []byte{30, 0})...), netlinkAttribute(taskstatsThread, nil)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := decodeTaskstats(b)
		want, wantOK := slowTaskstats(b)
		alike(t, r, ok, want, wantOK)
		id := uint16(0)
		if len(b) >= 4 {
			for _, a := range slowAttributes(b[4:]) {
				if a.kind == 1 && len(a.value) >= 2 {
					id = binary.NativeEndian.Uint16([]byte(a.value))
				}
			}
		}
		if have := decodeFamily(b); have != id {
			t.Fatalf("family %d, want %d", have, id)
		}
	})
}

func FuzzDecodeProcessInfo(f *testing.F) {
	f.Add(append([]byte{8, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 56)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		exit, ended := decodeProcessInfo(b)
		s, _, whole := slowStruct[struct {
			Mask uint64
			Rest [52]byte
			Code int32
		}](b)
		alike(t, exit, ended, exitStatus(uint32(s.Code)), whole && s.Mask&8 != 0)
	})
}
