package linux

import (
	"encoding/binary"
	"strings"
)

// The wire format of D-Bus is that of the D-Bus Specification 0.43, "Message Format"
// and "Type System".

// Kinds of messages.
const (
	dbusCall   = 1
	dbusReturn = 2
	dbusError  = 3
	dbusSignal = 4
)

// Fields of a header.
const (
	dbusPath        = 1
	dbusInterface   = 2
	dbusMember      = 3
	dbusErrorName   = 4
	dbusReplySerial = 5
	dbusDestination = 6
	dbusSender      = 7
	dbusSignature   = 8
)

const (
	dbusPrefix  = 16      // bytes that tell how long a message is
	dbusLongest = 1 << 27 // bytes of a message, as the specification has it
	dbusFields  = 1 << 26 // bytes of an array
	dbusDepth   = 64      // of containers in containers
)

// dbusMessage is a message. Its texts are parts of the buffer that it was read from.
type dbusMessage struct {
	kind                                    byte
	serial, answers                         uint32 // answers is the serial of the call
	path, iface, member, failed, from, body []byte
	signature                               []byte
	order                                   binary.ByteOrder
}

// arguments returns a reader of the body if that has a signature.
func (m *dbusMessage) arguments(signature string) (dbusReader, bool) {
	return dbusReader{b: m.body, order: m.order}, string(m.signature) == signature
}

// decodeDBusSize returns how many bytes the message has that begins with b: those of
// the header, padded to a multiple of eight, and those of the body.
//
//	'l' type flags version | length of the body | serial | length of the fields
func decodeDBusSize(b []byte) (size int, ok bool) {
	order, ok := dbusOrder(b)
	if !ok {
		return 0, false
	}
	body, fields := order.Uint32(b[4:]), order.Uint32(b[12:])
	if body > dbusLongest || fields > dbusFields {
		return 0, false
	}
	size = dbusPrefix + (int(fields)+7)&^7 + int(body)
	return size, size <= dbusLongest
}

// dbusOrder returns the order of bytes of a message of version 1.
func dbusOrder(b []byte) (binary.ByteOrder, bool) {
	if len(b) < dbusPrefix || b[3] != 1 {
		return nil, false
	}
	switch b[0] {
	case 'l':
		return binary.LittleEndian, true
	case 'B':
		return binary.BigEndian, true
	}
	return nil, false
}

// decodeDBus reads a whole message. It is not ok unless header and lengths fit; the
// body is looked at by whom it is for.
func decodeDBus(b []byte, m *dbusMessage) (ok bool) {
	size, ok := decodeDBusSize(b)
	if !ok || size != len(b) {
		return false
	}
	order, _ := dbusOrder(b)
	*m = dbusMessage{kind: b[1], serial: order.Uint32(b[8:]), order: order}
	r := dbusReader{b: b, at: 12, order: order}
	end := r.array(8)
	for r.at < end && !r.bad {
		r.align(8)
		m.field(r.octet(), &r)
	}
	if r.bad || r.at != end || m.serial == 0 {
		return false
	}
	r.align(8)
	m.body = b[r.at:]
	return !r.bad
}

// field takes a field of the header; others than the known are passed over.
func (m *dbusMessage) field(code byte, r *dbusReader) {
	signature := r.signature()
	to := m.place(code)
	switch {
	case code == dbusReplySerial && string(signature) == "u":
		m.answers = r.uint32()
	case code == dbusSignature && string(signature) == "g":
		m.signature = r.signature()
	case to != nil && (string(signature) == "s" || string(signature) == "o"):
		*to = r.text()
	default:
		r.skipOne(signature)
	}
}

// place returns where the text of a field goes; nil for those that are not kept.
func (m *dbusMessage) place(code byte) *[]byte {
	switch code {
	case dbusPath:
		return &m.path
	case dbusInterface:
		return &m.iface
	case dbusMember:
		return &m.member
	case dbusErrorName:
		return &m.failed
	case dbusSender:
		return &m.from
	}
	return nil
}

// dbusReader reads values one after the other. Once something does not fit it is bad,
// and all that it reads is empty. Values are aligned from the beginning of b.
type dbusReader struct {
	b     []byte
	at    int
	order binary.ByteOrder
	bad   bool
}

// spoil makes the reader bad.
func (r *dbusReader) spoil() { r.bad, r.at = true, len(r.b) }

// take returns the next n bytes.
func (r *dbusReader) take(n int) []byte {
	if n < 0 || n > len(r.b)-r.at {
		r.spoil()
		return nil
	}
	b := r.b[r.at : r.at+n]
	r.at += n
	return b
}

// align passes over padding, which has to be zero.
func (r *dbusReader) align(to int) {
	for _, c := range r.take(-r.at & (to - 1)) {
		if c != 0 {
			r.spoil()
		}
	}
}

func (r *dbusReader) octet() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *dbusReader) uint32() uint32 {
	r.align(4)
	if b := r.take(4); b != nil {
		return r.order.Uint32(b)
	}
	return 0
}

func (r *dbusReader) uint64() uint64 {
	r.align(8)
	if b := r.take(8); b != nil {
		return r.order.Uint64(b)
	}
	return 0
}

// text reads a string or an object path, which end in a NUL byte that is not counted.
func (r *dbusReader) text() []byte { return r.ended(r.uint32()) }

// signature reads types.
func (r *dbusReader) signature() []byte { return r.ended(uint32(r.octet())) }

func (r *dbusReader) ended(n uint32) []byte {
	if n >= dbusLongest {
		r.spoil()
		return nil
	}
	b := r.take(int(n) + 1)
	if b == nil || b[n] != 0 {
		r.spoil()
		return nil
	}
	return b[:n]
}

// array returns where the array ends that begins here, whose elements are aligned so.
func (r *dbusReader) array(alignment int) (end int) {
	n := r.uint32()
	r.align(alignment)
	if n > dbusFields || int(n) > len(r.b)-r.at {
		r.spoil()
		return r.at
	}
	return r.at + int(n)
}

// dbusSizes are the types of fixed size.
var dbusSizes = map[byte]int{'y': 1, 'b': 4, 'n': 2, 'q': 2, 'i': 4, 'u': 4, 'h': 4, 'x': 8, 't': 8, 'd': 8}

// dbusAlignment returns to what a type is aligned.
func dbusAlignment(kind byte) int {
	switch kind {
	case 's', 'o', 'a':
		return 4
	case '(', '{':
		return 8
	case 'g', 'v':
		return 1
	}
	return max(dbusSizes[kind], 1)
}

// skipOne passes over the value of a signature that has to be of one type.
func (r *dbusReader) skipOne(signature []byte) {
	if rest := r.skip(signature, dbusDepth); len(rest) > 0 {
		r.spoil()
	}
}

// skip passes over a value of the first type of a signature, and returns the rest of
// that. Arrays are passed over as a whole.
func (r *dbusReader) skip(signature []byte, depth int) (rest []byte) {
	if len(signature) == 0 || depth == 0 {
		r.spoil()
		return nil
	}
	kind, rest := signature[0], signature[1:]
	switch kind {
	case 's', 'o':
		r.text()
	case 'g':
		r.signature()
	case 'v':
		if inner := r.signature(); len(r.skip(inner, depth-1)) > 0 {
			r.spoil()
		}
	case '(':
		return r.skipStruct(rest, depth-1)
	case 'a':
		n := dbusArray(signature, depth-1)
		if n == 0 {
			r.spoil()
			return nil
		}
		r.at = r.array(dbusAlignment(rest[0]))
		return signature[n:]
	default:
		size := dbusSizes[kind]
		if size == 0 {
			r.spoil()
			return nil
		}
		r.align(size)
		r.take(size)
	}
	return rest
}

// skipStruct passes over the values of a struct, and returns what follows its end.
func (r *dbusReader) skipStruct(types []byte, depth int) (rest []byte) {
	if r.align(8); len(types) == 0 || types[0] == ')' {
		r.spoil()
	}
	for !r.bad && len(types) > 0 && types[0] != ')' {
		types = r.skip(types, depth)
	}
	if r.bad || len(types) == 0 {
		r.spoil()
		return nil
	}
	return types[1:]
}

// dbusType returns how long the first type of a signature is; 0 if it is none.
func dbusType(b []byte, depth int) int {
	if len(b) == 0 || depth == 0 {
		return 0
	}
	switch b[0] {
	case 'a':
		return dbusArray(b, depth-1)
	case '(':
		return dbusGroup(b, depth-1)
	}
	if strings.IndexByte("sogv", b[0]) >= 0 || dbusSizes[b[0]] > 0 {
		return 1
	}
	return 0
}

// dbusArray is dbusType of an array, the one place for the entries of a dictionary.
func dbusArray(b []byte, depth int) (n int) {
	if len(b) > 1 && b[1] == '{' {
		n = dbusGroup(b[1:], depth)
	} else {
		n = dbusType(b[1:], depth)
	}
	if n == 0 {
		return 0
	}
	return 1 + n
}

// dbusGroup is dbusType of a struct, or of an entry of a dictionary, which has a key
// and a value.
func dbusGroup(b []byte, depth int) int {
	end, at, members := byte(')'), 1, 0
	if b[0] == '{' {
		end = '}'
	}
	for at < len(b) && b[at] != end {
		n := dbusType(b[at:], depth)
		if n == 0 {
			return 0
		}
		at, members = at+n, members+1
	}
	if at == len(b) || members == 0 || b[0] == '{' && members != 2 {
		return 0
	}
	return at + 1
}

// dbusWriter builds messages, least significant byte first.
type dbusWriter struct {
	b     []byte
	start int // of the message being built, from where values are aligned
}

func (w *dbusWriter) align(to int) {
	for (len(w.b)-w.start)%to != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *dbusWriter) uint32(v uint32) {
	w.align(4)
	w.b = binary.LittleEndian.AppendUint32(w.b, v)
}

func (w *dbusWriter) text(s string) {
	w.uint32(uint32(len(s)))
	w.b = append(append(w.b, s...), 0)
}

func (w *dbusWriter) signature(s string) {
	w.b = append(append(append(w.b, byte(len(s))), s...), 0)
}

// strings writes an array of strings.
func (w *dbusWriter) strings(list []string) {
	w.uint32(0)
	from := len(w.b)
	for _, s := range list {
		w.text(s)
	}
	binary.LittleEndian.PutUint32(w.b[from-4:], uint32(len(w.b)-from))
}

// dbusMethod is a call.
type dbusMethod struct {
	destination, path, iface, member string
	signature                        string // of the arguments: "", s or asas
	text                             string
	lists                            [2][]string
}

// call writes a call.
func (w *dbusWriter) call(serial uint32, m dbusMethod) {
	w.start = len(w.b)
	w.b = append(w.b, 'l', dbusCall, 0, 1)
	w.uint32(0)
	w.uint32(serial)
	w.uint32(0)
	from := len(w.b)
	for _, field := range []struct {
		code  byte
		kind  string
		value string
	}{
		{dbusPath, "o", m.path}, {dbusInterface, "s", m.iface}, {dbusMember, "s", m.member},
		{dbusDestination, "s", m.destination}, {dbusSignature, "g", m.signature},
	} {
		w.field(field.code, field.kind, field.value)
	}
	binary.LittleEndian.PutUint32(w.b[from-4:], uint32(len(w.b)-from))
	w.align(8)
	body := len(w.b)
	switch m.signature {
	case "s":
		w.text(m.text)
	case "asas":
		w.strings(m.lists[0])
		w.strings(m.lists[1])
	}
	binary.LittleEndian.PutUint32(w.b[w.start+4:], uint32(len(w.b)-body))
}

// field writes a field of a header; an empty one is left out.
func (w *dbusWriter) field(code byte, kind, value string) {
	if value == "" {
		return
	}
	w.align(8)
	w.b = append(w.b, code)
	if w.signature(kind); kind == "g" {
		w.signature(value)
	} else {
		w.text(value)
	}
}
