package solaris

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// number is the slow way to one of so many bytes.
func number(b []byte, at, size int) (v uint64) {
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[at+i])
	}
	return v
}

// upTo is the slow way to a text of at most so many bytes.
func upTo(b []byte, at, most int) string {
	var s []byte
	for i := at; i < at+most && b[i] != 0; i++ {
		s = append(s, b[i])
	}
	return string(s)
}

func FuzzTimestruc(f *testing.F) {
	f.Add(uint64(2), uint64(677181461))
	f.Add(^uint64(0), ^uint64(0))
	f.Fuzz(func(t *testing.T, seconds, nanos uint64) {
		b := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64([]byte{9}, seconds), nanos)
		want := new(big.Int).SetUint64(seconds)
		want.Mul(want, big.NewInt(1e9)).Add(want, new(big.Int).SetUint64(nanos)).And(want, new(big.Int).SetUint64(^uint64(0)))
		if got := timestruc(b, 1); got != want.Uint64() {
			t.Errorf("%d + %d is %d", seconds, nanos, got)
		}
	})
}

func FuzzDecodeChain(f *testing.F) {
	head := make([]byte, 184)
	copy(head[20:], "cpu_info")
	copy(head[56:], strings.Repeat("n", 31))
	f.Add(append(head, head...))
	f.Add(head[:183])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var want []statistic
		for at := 0; at+184 <= len(b); at += 184 {
			size := number(b, at+136, 8)
			if size > 1<<20 {
				size = 1 << 20
			}
			want = append(want, statistic{uint32(number(b, at+16, 4)), upTo(b, at+20, 31), number(b, at+52, 4), upTo(b, at+56, 31), upTo(b, at+88, 31), b[at+87], int(size)})
		}
		got, err := decodeChain(nil, b)
		if whole := len(b) > 0 && len(b)%184 == 0; whole != (err == nil) || whole && !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		if len(want) > 0 && decodeHead(b) != want[0] {
			t.Errorf("%v, want %v", decodeHead(b), want[0])
		}
	})
}

func FuzzNamed(f *testing.F) {
	value := make([]byte, 48)
	copy(value, "maj_fault")
	for kind := range byte(10) {
		value[31] = kind
		value[35] = 0x80
		f.Add(append([]byte{}, append(make([]byte, 48), value...)...), "maj_fault")
	}
	f.Add(value[:47], "maj_fault")
	f.Add(value, "maj_faul")
	f.Add(value, strings.Repeat("x", 31))
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		if strings.IndexByte(name, 0) >= 0 {
			return
		}
		got, ok := named(b).get(name)
		for at := 0; at+48 <= len(b); at += 48 {
			if upTo(b, at, 31) != name || len(name) > 30 {
				continue
			}
			var want uint64
			switch b[at+31] {
			case 1:
				want = number(b, at+32, 4)
				if want >= 1<<31 {
					want -= 1 << 32
				}
			case 2:
				want = number(b, at+32, 4)
			case 3, 4:
				want = number(b, at+32, 8)
			default:
				if ok {
					t.Errorf("what is no number is %d", got)
				}
				return
			}
			if !ok || got != want {
				t.Errorf("%d, %v, want %d", got, ok, want)
			}
			return
		}
		if ok {
			t.Errorf("%q is not there, and is %d", name, got)
		}
	})
}

func FuzzDecodeLogins(f *testing.F) {
	user := make([]byte, 372)
	user[0], user[72] = 'a', 7
	f.Add(append(user, make([]byte, 400)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want uint64
		for at := 0; at+372 <= len(b); at += 372 {
			if number(b, at+72, 2) == 7 && b[at] != 0 {
				want++
			}
		}
		if got := decodeLogins(b); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	})
}

func FuzzDecodeOwners(f *testing.F) {
	f.Add([]byte("# root:x:0:\nroot:x:0:0::/:\nagain:x:0:0::/:\nbad:x:-1:0:\nbig:x:4294967296:0:\nshort:x:1\n:x:5:0:\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		want := map[uint64]string{}
		for _, line := range strings.Split(string(b), "\n") {
			w := strings.Split(line, ":")
			if len(w) < 4 || w[0] == "" || w[0][0] == '#' || w[2] == "" || strings.Trim(w[2], "0123456789") != "" {
				continue
			}
			id, ok := new(big.Int).SetString(w[2], 10)
			if !ok || !id.IsUint64() || id.Uint64() > 1<<32-1 {
				continue
			}
			if _, twice := want[id.Uint64()]; !twice {
				want[id.Uint64()] = w[0]
			}
		}
		got := decodeOwners(b)
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for id, name := range want {
			if string(got[id]) != name {
				t.Errorf("%d is %q, want %q", id, got[id], name)
			}
		}
	})
}

func FuzzDecodeMount(f *testing.F) {
	f.Add([]byte("rpool/ROOT/a\t/\tzfs\trw,devices,dev=4410002\t0\n"))
	f.Add([]byte("a\tb\tc\tro\n"))
	f.Add([]byte("a\tb\tc\tdev=zz,dev=10\t1"))
	f.Add([]byte("-\tb\tc\tdev=7fffffff\t1"))
	f.Fuzz(func(t *testing.T, line []byte) {
		rest, words := line, []string{}
		if bytes.HasSuffix(rest, []byte{'\n'}) {
			rest = rest[:len(rest)-1]
		}
		for {
			word, more, found := bytes.Cut(rest, []byte{'\t'})
			words = append(words, string(word))
			if rest = more; !found {
				break
			}
		}
		m, ok := decodeMount(line)
		if want := len(words) >= 5 && words[0] != "" && words[1] != ""; ok != want {
			t.Fatalf("%q: %v, want %v", line, ok, want)
		}
		if !ok {
			return
		}
		if m.device != words[0] || m.point != words[1] || m.kind != words[2] || strings.Join(m.options, ",") != words[3] {
			t.Errorf("%q: %v", line, m)
		}
		want := uint64(77)
		for _, o := range strings.Split(words[3], ",") {
			if n, err := strconv.ParseUint(strings.TrimPrefix(o, "dev="), 16, 64); strings.HasPrefix(o, "dev=") && err == nil && n != 1<<31-1 {
				want = n
				break
			}
		}
		if got := m.number(77); got != want {
			t.Errorf("%q has the number %d, want %d", line, got, want)
		}
	})
}

// The letters of states, and one that nobody knows.
func TestStates(t *testing.T) {
	for letter, want := range map[byte]platform.State{'S': platform.StateSleeping, 'R': platform.StateRunning, 'O': platform.StateRunning,
		'Z': platform.StateDefunct, 'T': platform.StateStopped, 'I': platform.StateSleeping, 'W': platform.StateSleeping} {
		if got, ok := states[letter]; !ok || got != want {
			t.Errorf("%c is %v, %v", letter, got, ok)
		}
	}
	if _, ok := states['?']; ok {
		t.Error("? is a state")
	}
	for class, nice := range map[string]bool{"TS": true, "IA": true, "FSS": true, "FX": true, "RT": false, "SYS": false, "SDC": false, "": false} {
		if hasNice([]byte(class)) != nice {
			t.Errorf("%s: %v", class, !nice)
		}
	}
}

// shelf is the memory of a process, from an address on.
type shelf struct {
	Kernel
	at   uint64
	all  []byte
	most int // that one read gives
}

func (s *shelf) Read(_ string, offset uint64, buf []byte) (int, error) {
	if offset < s.at || offset >= s.at+uint64(len(s.all)) {
		return 0, errContent
	}
	b := s.all[offset-s.at:]
	return copy(buf, b[:min(len(b), s.most)]), nil
}

// Vectors of pointers lead anywhere, and reads give little at once.
func FuzzVector(f *testing.F) {
	f.Add([]byte("\x18\x10\x00\x00\x00\x00\x00\x00\x1a\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00a\x00bc\x00"), 2, 8, 3)
	f.Add([]byte("\x08\x10\x00\x00\x00\x00\x00\x00abc\x00"), 9, 4, 100)
	f.Add([]byte("\x08\x10\x00\x00\x00\x00\x00\x00abc"), 9, 4, 100)
	f.Fuzz(func(t *testing.T, all []byte, count, width, most int) {
		width = 4 + width&1*4
		count = count & 0xff
		most = max(most&0xfff, width)
		const base = 0x1000
		k := &shelf{at: base, all: all, most: most}
		p := &backend{}
		p.vectors.open(k, "as")
		p.strings.open(k, "as")
		got, err := p.vector(nil, base, count, width)
		want, ok := slowVector(all, base, count, width)
		if ok != (err == nil) || ok && !bytes.Equal(got, want) {
			t.Errorf("%q, %v, want %q, %v", got, err, want, ok)
		}
	})
}

// slowVector reads byte by byte.
func slowVector(all []byte, base uint64, count, width int) (texts []byte, ok bool) {
	for i := range count {
		if (i+1)*width > len(all) {
			return nil, false
		}
		pointer := number(all, i*width, width)
		if pointer == 0 {
			break
		}
		if pointer < base {
			return nil, false
		}
		for at := pointer - base; ; at++ {
			if at >= uint64(len(all)) || len(texts) >= mostBytes {
				return nil, false
			}
			texts = append(texts, all[at])
			if all[at] == 0 {
				break
			}
		}
	}
	return texts, true
}
