package solaris

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
	sim "github.com/pidometer/pidometer/internal/simkernel/solaris"
	"github.com/pidometer/pidometer/platform"
)

// The states of all sockets are those of the world, and areas of swap and the number of the
// machine are told.
func TestSocketsAndSwap(t *testing.T) {
	k := machine()
	var tcp platform.TCPCounts
	var udp uint64
	for _, p := range k.Processes {
		switch {
		case p.State == simkernel.Zombie:
		case p.IsTCP():
			tcp.Add(p.TCPState())
		default:
			udp++
		}
	}
	h, areas := simkernel.NewHeard(), []string{}
	h.Each = func(s *platform.Sample) {
		value := func(f platform.Field) uint64 { v, _ := s.Get(f); return v }
		switch s.Entity {
		case platform.Host:
			for state := platform.TCPEstablished; state <= platform.TCPClosing; state++ {
				if got := value(platform.HostTCPEstablished + platform.Field(state-platform.TCPEstablished)); got != tcp[state] {
					t.Errorf("%d are %v, want %d", got, state, tcp[state])
				}
			}
			if got := value(platform.HostUDP); got != udp || udp == 0 {
				t.Errorf("%d of UDP, want %d", got, udp)
			}
			if id, _ := s.Text(platform.HostID); string(id) != "3735928559" {
				t.Errorf("%q", id)
			}
		case platform.Swap:
			areas = append(areas, fmt.Sprint(s.Key.Name, " ", value(platform.SwapTotal)/page, " ", value(platform.SwapUsed)/page, " ", value(platform.SwapFree)/page))
		}
	}
	if err := h.Read(open(t, k), simkernel.All(open(t, k))); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/dev/zvol/dsk/rpool/swap 1000 100 900", "/swapfile 2000 1100 900"}; !slices.Equal(areas, want) {
		t.Errorf("%q, want %q", areas, want)
	}
}

// odd is a kernel that answers what no other does.
type odd struct {
	*sim.Kernel
	swap   []int // what its calls return
	serial string
	length int
	answer [][]byte // control parts
}

func (o *odd) Swap(command int, table []byte) (int, error) {
	if len(o.swap) == 0 {
		return o.Kernel.Swap(command, table)
	}
	n := o.swap[0]
	o.swap = o.swap[1:]
	return n, nil
}

func (o *odd) Info(_ int, text []byte) (int, error) { copy(text, o.serial); return o.length, nil }

func (o *odd) Messages(_ []byte, next func([]byte) []byte) error {
	for _, control := range o.answer {
		if next(control) == nil {
			break
		}
	}
	return nil
}

// Counts that cannot be, numbers of no machine and answers without an end are no answers.
func TestOddAnswers(t *testing.T) {
	for _, counts := range [][]int{{-1}, {1 << 20}, {2, -1}, {2, 7}} {
		p := &pass{backend: &backend{kernel: &odd{swap: counts}}}
		if err := p.sendSwaps(); !errors.Is(err, errContent) {
			t.Errorf("%v: %v", counts, err)
		}
	}
	for serial, length := range map[string]int{"0\x00": 2, "": 0, "\x00": 1} {
		p := &pass{backend: &backend{kernel: &odd{serial: serial, length: length}}}
		p.sample.Reset(platform.Host, platform.Key{})
		if err := p.readSerial(); err != nil {
			t.Error(err)
		}
		if id, ok := p.sample.Text(platform.HostID); ok {
			t.Errorf("%q is a machine", id)
		}
	}
	for _, length := range []int{-1, 258} {
		p := &pass{backend: &backend{kernel: &odd{length: length}}}
		if err := p.readSerial(); !errors.Is(err, errContent) {
			t.Errorf("%d: %v", length, err)
		}
	}
	whole := ackOf(tableTCP, 68)
	for name, c := range map[string]struct {
		answer [][]byte
		want   error
	}{
		"no end":  {[][]byte{whole}, errContent},
		"nothing": {nil, errContent},
		"error":   {[][]byte{{18, 0, 0, 0}}, errRefused},
		"cut":     {[][]byte{ackOf(tableTCP, 67), ackOf(table{}, 0)}, errContent},
		"empty":   {[][]byte{ackOf(tableTCP, 0), ackOf(table{}, 0)}, nil},
		"one":     {[][]byte{whole, ackOf(table{}, 0)}, nil},
	} {
		b := &backend{kernel: &odd{answer: c.answer}}
		if _, err := b.sockets(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// ackOf is the control part of an answer.
func ackOf(t table, length uint32) []byte {
	return simkernel.Words32(22, 12, 16, 0x20, t.level, t.name, length)
}

func FuzzDecodeAck(f *testing.F) {
	f.Add(ackOf(tableTCP, 68))
	f.Add(ackOf(table{}, 0))
	f.Add(simkernel.Words32(22, 12, 20, 0x20, 0, 262, 13, 1<<31))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, length, ok := decodeAck(b)
		if len(b) < 16 || number(b, 0, 4) != 22 || number(b, 12, 4) != 32 || number(b, 8, 4)+12 > uint64(len(b)) {
			if ok {
				t.Errorf("%v is one", got)
			}
			return
		}
		at := int(number(b, 8, 4))
		size := number(b, at+8, 4)
		if ok != (size <= 64<<20) || ok && (uint64(length) != size || uint64(got.level) != number(b, at, 4) || uint64(got.name) != number(b, at+4, 4)) {
			t.Errorf("%v, %d, %v", got, length, ok)
		}
	})
}

func FuzzDecodeSockets(f *testing.F) {
	b := make([]byte, 96)
	b[0], b[44], b[8] = 5, 2, 22
	f.Add(uint32(262), uint32(13), b[:68:68])
	f.Add(uint32(270), uint32(14), b)
	f.Add(uint32(263), uint32(5), b[:36])
	f.Add(uint32(271), uint32(6), b[:65])
	f.Add(uint32(260), uint32(20), b)
	f.Fuzz(func(t *testing.T, level, name uint32, b []byte) {
		got, whole := decodeSockets(table{level, name}, b)
		sizes := map[[2]uint32]int{{262, 13}: 68, {270, 14}: 96, {263, 5}: 36, {271, 6}: 64}
		size := sizes[[2]uint32{level, name}]
		if size == 0 {
			if len(got) != 0 || !whole {
				t.Errorf("%v, %v", got, whole)
			}
			return
		}
		if whole != (len(b)%size == 0) || len(got) != len(b)/size {
			t.Fatalf("%d, %v of %d bytes", len(got), whole, len(b))
		}
		for i, s := range got {
			checkSocket(t, s, level, b[i*size:])
		}
	})
}

// checkSocket compares a socket with what is read of it byte by byte.
func checkSocket(t *testing.T, s socket, level uint32, b []byte) {
	t.Helper()
	if s.tcp != (level == 262 || level == 270) {
		t.Errorf("%+v of level %d", s, level)
	}
	if !s.tcp {
		return
	}
	state, local, peer, ports := 0, b[4:8], b[12:16], [2]int{8, 16}
	if level == 270 {
		state, local, peer, ports = 44, b[:16], b[20:36], [2]int{16, 36}
	}
	words := " closed listen syn_sent syn_received established fin_wait_1 fin_wait_2 close_wait last_ack closing time_wait"
	want := ""
	if n := number(b, state, 4); n < 12 {
		want = strings.Split(words, " ")[n]
	}
	if s.state.String() != want {
		t.Errorf("%v, want %s", s.state, want)
	}
	for i, end := range []netip.AddrPort{s.local, s.peer} {
		address, port := [][]byte{local, peer}[i], uint16(number(b, ports[i], 2))
		ip, _ := netip.AddrFromSlice(address)
		if none := port == 0 && strings.Trim(string(address), "\x00") == ""; none == end.IsValid() || !none && (end.Addr() != ip || end.Port() != port) {
			t.Errorf("%v, want %v and %d", end, ip, port)
		}
	}
}

func FuzzDecodeAreas(f *testing.F) {
	f.Add([]byte("/swapfile\x00"), uint64(1000), uint64(900))
	f.Fuzz(func(t *testing.T, path []byte, pages, free uint64) {
		table := make([]byte, 8+2*48)
		binary.LittleEndian.PutUint64(table[8+48+24:], pages)
		binary.LittleEndian.PutUint64(table[8+48+32:], free)
		paths := make([]byte, 2048)
		n := copy(paths[1024:2047], path)
		want := upTo(append(slices.Clone(path[:n]), 0), 0, n+1)
		if got := decodeAreas(table, paths, 2); len(got) != 2 || got[0] != (area{}) || got[1] != (area{want, pages, free}) {
			t.Errorf("%+v, want %q", got, want)
		}
	})
}

// What a statistic's call answers: busy, larger than there is room for, gone, refused.
func TestReadStatistic(t *testing.T) {
	head, data := make([]byte, headSize), make([]byte, 100)
	for _, c := range []struct {
		answers []error
		size    uint64
		n       int
		want    error
	}{
		{[]error{nil}, 48, 48, nil},
		{[]error{syscall.EAGAIN, syscall.EINTR, nil}, 48, 48, nil},
		{[]error{syscall.ENOMEM}, 500, 500, nil},
		{[]error{syscall.ENOMEM}, 0, 200, nil},
		{[]error{syscall.ENXIO}, 48, 0, os.ErrProcessDone},
		{[]error{syscall.EAGAIN, syscall.EAGAIN, syscall.EAGAIN, syscall.EAGAIN, syscall.EAGAIN}, 48, 0, syscall.EAGAIN},
	} {
		calls := 0
		n, err := readStatistic(head, data, func() error {
			if number(head, dataSizeAt, 8) != 100 || number(head, dataAt, 8) != address(data) {
				t.Errorf("asked with %d bytes", number(head, dataSizeAt, 8))
			}
			binary.LittleEndian.PutUint64(head[dataSizeAt:], c.size)
			calls++
			return c.answers[calls-1]
		})
		if n != c.n || !errors.Is(err, c.want) || calls != len(c.answers) {
			t.Errorf("%v: %d, %v after %d calls", c.answers, n, err, calls)
		}
	}
	if _, err := readStatistic(head[:1], data, nil); !errors.Is(err, io.ErrShortBuffer) {
		t.Error(err)
	}
}

// What the thin calls return, and how errors are told.
func TestErrors(t *testing.T) {
	for _, number := range []error{syscall.EINVAL, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		if err := unknown(number); !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, number) {
			t.Error(err)
		}
	}
	for _, number := range []error{syscall.ESRCH, syscall.ENXIO} {
		if err := unknown(number); !errors.Is(err, os.ErrProcessDone) || !errors.Is(err, number) {
			t.Error(err)
		}
	}
	if err := unknown(nil); err != nil {
		t.Error(err)
	}
	if n, err := result(7, 0); n != 7 || err != nil {
		t.Error(n, err)
	}
	if n, err := result(^uintptr(0), syscall.ESRCH); n != 0 || !errors.Is(err, os.ErrProcessDone) {
		t.Error(n, err)
	}
	calls := 0
	if n, err := again(func() (int, error) { calls++; return -1, syscall.EINTR }); n != 0 || !errors.Is(err, syscall.EINTR) || calls != repeats {
		t.Error(n, err, calls)
	}
	if k, err := opened(nil, syscall.EACCES); k != nil || !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "/dev/kstat") {
		t.Error(k, err)
	}
	if k, err := opened(&sim.Kernel{}, nil); k == nil || err != nil {
		t.Error(k, err)
	}
}

// The calls of the standard library: folders, files, links.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	var k files
	if names, err := k.Names(dir); err != nil || !slices.Equal(names, []string{"file"}) {
		t.Error(names, err)
	}
	if _, err := k.Names(dir + "/none"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if b, err := k.File(dir + "/file"); err != nil || string(b) != "text" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := k.Link(dir + "/file"); err == nil {
		t.Error("a file is a link")
	}
	if k.Pid() != uint64(os.Getpid()) {
		t.Error(k.Pid())
	}
}
