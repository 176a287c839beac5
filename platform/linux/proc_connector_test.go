package linux

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// connectorRecord is a netlink message with a record: words from the data's
// beginning on.
func connectorRecord(what uint32, time uint64, words ...uint32) []byte {
	b := make([]byte, netlinkHeader+leastOfEvent+24)
	binary.NativeEndian.PutUint32(b[netlinkLength:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[netlinkType:], netlinkDone)
	m := b[netlinkHeader:]
	binary.NativeEndian.PutUint32(m[connectorIndex:], connectorProc)
	binary.NativeEndian.PutUint32(m[connectorValue:], connectorProc)
	binary.NativeEndian.PutUint32(m[eventWhat:], what)
	binary.NativeEndian.PutUint64(m[eventTime:], time)
	for i, w := range words {
		binary.NativeEndian.PutUint32(m[eventData+4*i:], w)
	}
	return b
}

func TestDecodeConnector(t *testing.T) {
	for _, c := range []struct {
		message []byte
		want    connectorEvent
		ok      bool
	}{
		{connectorRecord(eventFork, 9, 1, 2, 7, 7), connectorEvent{what: eventFork, time: 9, pid: 7, parent: 2}, true},
		{connectorRecord(eventFork, 9, 1, 2, 8, 7), connectorEvent{}, false}, // a thread
		{connectorRecord(eventExec, 9, 7, 7), connectorEvent{what: eventExec, time: 9, pid: 7}, true},
		{connectorRecord(0x200, 9, 7, 7), connectorEvent{}, false}, // PROC_EVENT_COMM
		{connectorRecord(eventExit, 9, 7, 7, 3<<8, 17, 1, 2), connectorEvent{what: eventExit, time: 9, pid: 7, parent: 2, code: 3 << 8}, true},
		{connectorRecord(eventExit, 9, 8, 7, 0, 0), connectorEvent{}, false},
		{connectorRecord(4, 9, 7, 7), connectorEvent{}, false}, // PROC_EVENT_UID
	} {
		e, ok := decodeConnector(c.message[netlinkHeader:])
		if ok != c.ok || ok && e != c.want {
			t.Errorf("%+v, %v, want %+v, %v", e, ok, c.want, c.ok)
		}
		if have := filtered(connectorFilter(), c.message); have != c.ok {
			t.Errorf("the filter says %v to what the decoder says %v: %x", have, c.ok, c.message)
		}
	}
	if !filtered(connectorFilter(), connectorRecord(eventNone, 0, 0)) {
		t.Error("the filter drops the kernel's answer")
	}
}

func TestExitStatus(t *testing.T) {
	for status, want := range map[uint32]platform.Exit{
		0:         {Known: true},
		3 << 8:    {Known: true, Code: 3},
		255 << 8:  {Known: true, Code: 255},
		9:         {Known: true, Signal: 9},
		11 | 0x80: {Known: true, Signal: 11, Core: true},
	} {
		if have := exitStatus(status); have != want {
			t.Errorf("%#x: %+v, want %+v", status, have, want)
		}
	}
}

// filtered runs a program of classic BPF over a packet, as sk_filter does: a load
// beyond the packet drops it.
func filtered(program []Instruction, packet []byte) bool {
	var a, x uint32
	for at := 0; ; at++ {
		i := program[at]
		jump := func(yes bool) {
			if yes {
				at += int(i.JumpTrue)
			} else {
				at += int(i.JumpNo)
			}
		}
		switch i.Code {
		case bpfLoad:
			if int(i.K)+4 > len(packet) {
				return false
			}
			a = binary.BigEndian.Uint32(packet[i.K:])
		case bpfToX:
			x = a
		case bpfEqual:
			jump(a == i.K)
		case bpfEqualX:
			jump(a == x)
		case bpfReturn:
			return i.K > 0
		default:
			panic(i.Code)
		}
	}
}

// slowConnector reads the structures one after the other.
func slowConnector(b []byte) (e connectorEvent, ok bool) {
	type head struct {
		Index, Value, Seq, Ack uint32
		Length, Flags          uint16
		What, CPU              uint32
		Time                   uint64
		First, Second          uint32
	}
	h, rest, ok := slowStruct[head](b)
	if !ok {
		if len(b) < 36 {
			return e, false
		}
		h, rest, _ = slowStruct[head](append(bytes.Clone(b), make([]byte, 8)...)) // an exec without its data is cut
		rest = rest[:0]
	}
	if h.Index != 1 || h.Value != 1 {
		return e, false
	}
	e.what, e.time = h.What, h.Time
	pid, tgid := h.First, h.Second
	switch h.What {
	case 0:
		e.code = h.First
		return e, true
	case 1:
		child, _, whole := slowStruct[struct{ PID, TGID uint32 }](rest)
		if !whole {
			return e, false
		}
		e.parent, pid, tgid = uint64(h.Second), child.PID, child.TGID
	case 2:
	case 0x80000000:
		exit, _, whole := slowStruct[struct{ Code, Signal uint32 }](rest)
		if !whole {
			return e, false
		}
		e.code = exit.Code
		if parent, _, whole := slowStruct[struct{ Code, Signal, PID, TGID uint32 }](rest); whole {
			e.parent = uint64(parent.TGID)
		}
	default:
		return e, false
	}
	e.pid = uint64(tgid)
	return e, pid == tgid
}

func FuzzDecodeConnector(f *testing.F) {
	for _, m := range [][]byte{connectorRecord(eventFork, 9, 1, 2, 7, 7), connectorRecord(eventExec, 9, 7, 7),
		connectorRecord(eventExit, 9, 7, 7, 11, 17, 1, 2), connectorRecord(eventNone, 9, 1)} {
		f.Add(m)
		f.Add(m[:len(m)-8])
		f.Add(m[:netlinkHeader+leastOfEvent+8])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		type message struct {
			kind    uint16
			payload []byte
		}
		var all []message
		err := decodeDatagram(b, func(kind uint16, payload []byte) { all = append(all, message{kind, payload}) })
		var slow []message
		rest := b
		for len(rest) >= 16 {
			length := binary.NativeEndian.Uint32(rest)
			if length < 16 || int64(length) > int64(len(rest)) {
				break
			}
			slow = append(slow, message{binary.NativeEndian.Uint16(rest[4:]), rest[16:length]})
			for length%4 != 0 && int(length) < len(rest) {
				length++
			}
			rest = rest[length:]
		}
		alike(t, all, true, slow, true)
		if (err == nil) != (len(rest) == 0) {
			t.Fatalf("%v with %d bytes left", err, len(rest))
		}
		for _, m := range all {
			e, ok := decodeConnector(m.payload)
			want, wantOK := slowConnector(m.payload)
			alike(t, e, ok, want, wantOK)
		}
	})
}
