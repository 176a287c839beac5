package linux

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// wire is a message to be written.
type wire struct {
	kind                                  byte
	serial, answers                       uint32
	path, iface, member, failed, from, to string
	signature                             types
	body                                  []any
}

func (m wire) bytes(order binary.AppendByteOrder) []byte {
	var fields []any
	add := func(code byte, kind types, value string) {
		if value != "" {
			fields = append(fields, header(code, kind, value))
		}
	}
	add(dbusPath, "o", m.path)
	add(dbusInterface, "s", m.iface)
	add(dbusMember, "s", m.member)
	add(dbusErrorName, "s", m.failed)
	add(dbusSender, "s", m.from)
	add(dbusDestination, "s", m.to)
	if m.answers != 0 {
		fields = append(fields, header(dbusReplySerial, "u", m.answers))
	}
	if m.signature != "" {
		fields = append(fields, header(dbusSignature, "g", m.signature))
	}
	return wireMessage(order, m.kind, max(m.serial, 1), fields, m.body...)
}

func little(m wire) []byte { return m.bytes(binary.LittleEndian) }

// changed is the signal that properties of a unit have changed.
func changed(path, iface string, properties map[string]variant) wire {
	var entries []any
	for name, v := range properties {
		entries = append(entries, tuple{name, v})
	}
	return wire{kind: dbusSignal, path: systemdUnits + path, iface: propertiesName, member: "PropertiesChanged",
		signature: "sa{sv}as", body: []any{systemdName + "." + iface, list{8, entries}, list{4, []any{"Invalid"}}}}
}

// unitsListed answers with units, each a name, a state and a title.
func unitsListed(answers uint32, units ...string) wire {
	var all []any
	for _, u := range units {
		f := append(strings.SplitN(u, " ", 3), "")
		all = append(all, tuple{f[0], f[2], "loaded", f[1], "sub", "", objectPath("/x"), uint32(0), "", objectPath("/")})
	}
	return wire{kind: dbusReturn, answers: answers, signature: "a(ssssssouso)", body: []any{list{8, all}}}
}

func removed(unit string) wire {
	return wire{kind: dbusSignal, path: systemdPath, iface: systemdManager, member: "UnitRemoved",
		signature: "so", body: []any{unit, objectPath("/x")}}
}

func failedCall(answers uint32, name string) wire {
	return wire{kind: dbusError, answers: answers, failed: name, signature: "s", body: []any{"why"}}
}

// systemdMessages are messages as systemd 252 sends them, in both orders of bytes, and
// calls as they are sent to it.
func systemdMessages() (all [][]byte) {
	messages := []wire{
		changed("a_2eservice", "Service", map[string]variant{
			"MainPID": {"u", uint32(0)}, "ExecMainPID": {"u", uint32(36)}, "ExecMainCode": {"i", int32(1)},
			"ExecMainStatus": {"i", int32(3)}, "ExecMainExitTimestamp": {"t", uint64(1795419337875923)},
		}),
		changed("a_2eservice", "Unit", map[string]variant{
			"ActiveState": {"s", "failed"}, "SubState": {"s", "failed"}, "StateChangeTimestamp": {"t", uint64(1795419337875923)},
			"Job":        {"(uo)", tuple{uint32(0), objectPath("/")}},
			"Conditions": {"a(sbbsi)", list{8, []any{tuple{"ConditionPathExists", uint32(0), uint32(1), "/x", int32(-1)}}}},
			"Deep":       {"v", variant{"v", variant{"a{sv}", list{8, []any{tuple{"k", variant{"y", byte(1)}}}}}}},
		}),
		unitsListed(7, "a.service active A service", "b.service failed"),
		removed("a.service"), failedCall(7, "org.freedesktop.DBus.Error.UnknownMethod"),
	}
	for _, m := range messages {
		all = append(all, m.bytes(binary.LittleEndian), m.bytes(binary.BigEndian))
	}
	for _, m := range []dbusMethod{busMethod("Hello"), listByPatterns(), ownerOfSystemd()} {
		var w dbusWriter
		w.call(1, m)
		all = append(all, w.b)
	}
	return all
}

// What this writer writes is read by the plain reader, and by the fast one.
func TestDecodeDBus(t *testing.T) {
	for _, b := range systemdMessages() {
		var m dbusMessage
		if !decodeDBus(b, &m) {
			t.Errorf("%q is no message", b)
		}
		if size, ok := decodeDBusSize(b[:dbusPrefix]); !ok || size != len(b) {
			t.Errorf("%d bytes, %v, of %d", size, ok, len(b))
		}
		for n := range b {
			if decodeDBus(b[:n], &m) {
				t.Errorf("%d of %d bytes of %q are a message", n, len(b), b)
			}
		}
	}
	call, ok := slowDBus(string(systemdMessages()[11]))
	args := call.arguments()
	if !ok || call.kind != dbusCall || call.member != "ListUnitsByPatterns" || call.signature != "asas" || call.path != systemdPath ||
		!slowly(func() { fit(args.array(4) == args.at && args.array(4) == len(args.b) && args.text() == "*.service") }) {
		t.Errorf("%+v, %v", call, ok)
	}
}

func TestDBusTooLong(t *testing.T) {
	b := little(removed("a"))
	for _, at := range []int{4, 12} {
		long := slices.Clone(b)
		binary.LittleEndian.PutUint32(long[at:], 1<<28)
		if size, ok := decodeDBusSize(long); ok {
			t.Errorf("a message of %d bytes", size)
		}
	}
}

func FuzzDecodeDBus(f *testing.F) {
	for _, b := range systemdMessages() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m dbusMessage
		ok := decodeDBus(b, &m)
		want, wanted := slowDBus(string(b))
		if ok != wanted {
			t.Fatalf("%v, want %v", ok, wanted)
		}
		if !ok {
			return
		}
		got := slowMessage{m.kind, m.serial, m.answers, string(m.path), string(m.iface), string(m.member), string(m.failed),
			string(m.from), string(m.signature), string(m.body), m.order == binary.BigEndian}
		if got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
		sameUnits(t, &m, &want)
		sameProperties(t, &m, &want)
	})
}

func sameUnits(t *testing.T, m *dbusMessage, plain *slowMessage) {
	var got, want []string
	ok := decodeUnits(m, func(u *listedUnit) { got = append(got, string(u.name), string(u.title), string(u.active)) })
	wanted := plain.signature == "a(ssssssouso)" && slowly(func() {
		w := plain.arguments()
		for end := w.array(8); w.at < end; {
			var of [9]string
			w.align(8)
			for i := range 7 {
				of[i] = w.text()
			}
			w.number(4)
			of[7], of[8] = w.text(), w.text()
			fit(w.at <= end)
			want = append(want, of[0], of[1], of[3])
		}
	})
	if ok != wanted || !slices.Equal(got, want) {
		t.Fatalf("%q, %v, want %q, %v", got, ok, want, wanted)
	}
}

func sameProperties(t *testing.T, m *dbusMessage, plain *slowMessage) {
	var p unitProperties
	ok := decodeUnitProperties(m, &p)
	state, numbers := "", map[string]uint64{}
	wanted := plain.signature == "sa{sv}as" && slowly(func() {
		w := plain.arguments()
		w.text()
		end := w.array(8)
		for w.at < end {
			w.align(8)
			name, kind := w.text(), w.signature()
			switch want := map[string]string{"MainPID": "u", "ExecMainPID": "u", "ExecMainCode": "i", "ExecMainStatus": "i",
				"ExecMainExitTimestamp": "t", "StateChangeTimestamp": "t", "ActiveState": "s"}[name]; {
			case want != kind || kind == "":
				w.skip(kind, 64)
			case kind == "s":
				state = w.text()
			default:
				numbers[name] = w.number(map[string]int{"u": 4, "i": 4, "t": 8}[kind])
			}
		}
		fit(w.at == end)
	})
	if ok != wanted {
		t.Fatalf("%v, want %v", ok, wanted)
	}
	if !ok {
		return
	}
	of := p.processes
	for i, have := range []uint64{uint64(of.main), uint64(of.last), uint64(uint32(of.code)), uint64(uint32(of.status)), of.ended, p.changed} {
		name := []string{"MainPID", "ExecMainPID", "ExecMainCode", "ExecMainStatus", "ExecMainExitTimestamp", "StateChangeTimestamp"}[i]
		if want, told := numbers[name]; have != want || i < int(numUnitProperties) && p.told[i] != told {
			t.Fatalf("%s is %d, %v, want %d", name, have, p.told, want)
		}
	}
	if string(p.active) != state {
		t.Fatalf("%q, want %q", p.active, state)
	}
}

func FuzzDecodeUnitPath(f *testing.F) {
	for _, path := range []string{"a_2eservice", "dbus_2dorg_2efreedesktop_2elogin1_2eservice", "_", "_2", "_zz", "a__2e", "_ 2"} {
		f.Add([]byte(systemdUnits + path))
	}
	f.Fuzz(func(t *testing.T, path []byte) {
		name, ok := decodeUnitPath(path, nil)
		label, wanted := strings.CutPrefix(string(path), systemdUnits)
		if wanted = wanted && label != ""; ok != wanted {
			t.Fatalf("%v, want %v", ok, wanted)
		}
		if want := unlabel(label); ok && string(name) != want {
			t.Fatalf("%q, want %q", name, want)
		}
	})
}

// unlabel undoes the escapes of a label of an object path.
func unlabel(s string) string {
	const digits = "0123456789abcdef"
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '_' && i+2 < len(s) {
			lower := strings.ToLower(s[i+1 : i+3])
			if high, low := strings.IndexByte(digits, lower[0]), strings.IndexByte(digits, lower[1]); len(lower) == 2 && high >= 0 && low >= 0 {
				b = append(b, byte(high<<4|low))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
