package darwin

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Plist writes a value as a binary property list, each object once for each mention, as the
// registry's values are small. It takes what the decoder gives.
func Plist(value any) []byte {
	w := writer{b: []byte("bplist00")}
	w.reserve(value)
	table := len(w.b)
	for _, at := range w.at {
		w.b = binary.BigEndian.AppendUint32(w.b, uint32(at))
	}
	w.b = append(w.b, 0, 0, 0, 0, 0, 0, 4, 2) // widths of offsets and references
	w.b = binary.BigEndian.AppendUint64(w.b, uint64(len(w.at)))
	w.b = binary.BigEndian.AppendUint64(w.b, 0)
	return binary.BigEndian.AppendUint64(w.b, uint64(table))
}

type writer struct {
	b  []byte
	at []int
}

// reserve gives a value its number before those of what is in it, and writes it behind them.
func (w *writer) reserve(value any) int {
	n := len(w.at)
	w.at = append(w.at, 0)
	var refs []int
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			refs = append(refs, w.reserve(e))
		}
	case map[string]any:
		var keys []string
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			refs = append(refs, w.reserve(k))
		}
		for _, k := range keys {
			refs = append(refs, w.reserve(v[k]))
		}
	}
	w.at[n] = len(w.b)
	w.put(value, refs)
	return n
}

func (w *writer) put(value any, refs []int) {
	switch v := value.(type) {
	case nil:
		w.b = append(w.b, 0)
	case bool:
		w.b = append(w.b, 8+map[bool]byte{true: 1}[v])
	case uint64:
		w.number(v)
	case int64:
		w.b = binary.BigEndian.AppendUint64(append(w.b, 0x13), uint64(v))
	case []byte:
		w.head(4, len(v))
		w.b = append(w.b, v...)
	case string:
		w.text(v)
	case []any:
		w.head(0xa, len(v))
	case map[string]any:
		w.head(0xd, len(v))
	}
	for _, r := range refs {
		w.b = binary.BigEndian.AppendUint16(w.b, uint16(r))
	}
}

// number writes it as short as it can be: what takes all 64 bits has 16 bytes, since 8 have
// a sign.
func (w *writer) number(v uint64) {
	switch {
	case v < 1<<8:
		w.b = append(w.b, 0x10, byte(v))
	case v < 1<<16:
		w.b = binary.BigEndian.AppendUint16(append(w.b, 0x11), uint16(v))
	case v < 1<<32:
		w.b = binary.BigEndian.AppendUint32(append(w.b, 0x12), uint32(v))
	case v < 1<<63:
		w.b = binary.BigEndian.AppendUint64(append(w.b, 0x13), v)
	default:
		w.b = binary.BigEndian.AppendUint64(append(w.b, 0x14, 0, 0, 0, 0, 0, 0, 0, 0), v)
	}
}

func (w *writer) text(s string) {
	if strings.IndexFunc(s, func(r rune) bool { return r > 0x7f }) < 0 {
		w.head(5, len(s))
		w.b = append(w.b, s...)
		return
	}
	units := []rune(s)
	w.head(6, len(units))
	for _, r := range units {
		w.b = binary.BigEndian.AppendUint16(w.b, uint16(r))
	}
}

func (w *writer) head(kind byte, n int) {
	if n < 0xf {
		w.b = append(w.b, kind<<4|byte(n))
		return
	}
	w.b = append(w.b, kind<<4|0xf)
	w.number(uint64(n))
}
