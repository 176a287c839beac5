package linux

import (
	"bytes"

	"github.com/pidometer/pidometer/internal/text"
)

// listedUnit is a unit as systemd lists it. Its texts are parts of the message.
type listedUnit struct{ name, title, active []byte }

// decodeUnits reads the answer to ListUnits (man 5 org.freedesktop.systemd1): name,
// description, load state, active state, sub state, followed unit, path, and number,
// type and path of a job.
func decodeUnits(m *dbusMessage, yield func(*listedUnit)) (ok bool) {
	r, ok := m.arguments("a(ssssssouso)")
	if !ok {
		return false
	}
	end := r.array(8)
	var u listedUnit
	for r.at < end && !r.bad {
		r.align(8)
		u.name, u.title, _, u.active = r.text(), r.text(), r.text(), r.text()
		for range 3 {
			r.text()
		}
		r.uint32()
		r.text()
		r.text()
		if !r.bad && r.at <= end {
			yield(&u)
		}
	}
	return !r.bad && r.at == end
}

// unitProperties are those properties of a unit that are looked at, as far as they were
// told.
type unitProperties struct {
	active    []byte
	changed   uint64 // when it was that the state changed, in microseconds since 1970
	processes serviceProcesses
	told      [numUnitProperties]bool
}

// unitProperty is one of them.
type unitProperty uint8

const (
	unitMain unitProperty = iota
	unitLast
	unitCode
	unitStatus
	unitEnded
	numUnitProperties
)

// unitNumbers are the names and types of the numbers.
var unitNumbers = map[string]struct {
	property unitProperty
	kind     byte
}{
	"MainPID": {unitMain, 'u'}, "ExecMainPID": {unitLast, 'u'}, "ExecMainCode": {unitCode, 'i'},
	"ExecMainStatus": {unitStatus, 'i'}, "ExecMainExitTimestamp": {unitEnded, 't'},
}

// decodeUnitProperties reads the arguments of PropertiesChanged: the interface, what has
// changed, and the names of what else has.
func decodeUnitProperties(m *dbusMessage, p *unitProperties) (ok bool) {
	*p = unitProperties{}
	r, ok := m.arguments("sa{sv}as")
	if !ok {
		return false
	}
	r.text()
	end := r.array(8)
	for r.at < end && !r.bad {
		r.align(8)
		p.property(r.text(), r.signature(), &r)
	}
	return !r.bad && r.at == end
}

// property takes one of them.
func (p *unitProperties) property(name, kind []byte, r *dbusReader) {
	number, known := unitNumbers[string(name)]
	switch {
	case string(name) == "ActiveState" && string(kind) == "s":
		p.active = r.text()
	case string(name) == "StateChangeTimestamp" && string(kind) == "t":
		p.changed = r.uint64()
	case known && len(kind) == 1 && kind[0] == number.kind:
		p.number(number.property, r)
	default:
		r.skipOne(kind)
	}
}

func (p *unitProperties) number(property unitProperty, r *dbusReader) {
	p.told[property] = true
	switch property {
	case unitMain:
		p.processes.main = r.uint32()
	case unitLast:
		p.processes.last = r.uint32()
	case unitCode:
		p.processes.code = int32(r.uint32())
	case unitStatus:
		p.processes.status = int32(r.uint32())
	case unitEnded:
		p.processes.ended = r.uint64()
	}
}

// update brings what is known of a service up to date.
func (p *unitProperties) update(known *serviceProcesses) {
	told, now := &p.told, &p.processes
	if told[unitMain] {
		known.main = now.main
	}
	if told[unitLast] {
		known.last = now.last
	}
	if told[unitCode] {
		known.code = now.code
	}
	if told[unitStatus] {
		known.status = now.status
	}
	if told[unitEnded] {
		known.ended = now.ended
	}
}

// decodeUnitPath appends to name the unit that an object path is of: letters and digits
// as they are, other bytes as _2e (bus_label_escape in src/basic/bus-label.c of systemd).
func decodeUnitPath(path, name []byte) ([]byte, bool) {
	b, ok := bytes.CutPrefix(path, []byte(systemdUnits))
	if !ok || len(b) == 0 {
		return name, false
	}
	for len(b) > 0 {
		if len(b) >= 3 && b[0] == '_' && b[1] > ' ' && b[2] > ' ' {
			if v, rest, hex := text.Hex(b[1:3]); hex && len(rest) == 0 {
				name, b = append(name, byte(v)), b[3:]
				continue
			}
		}
		name, b = append(name, b[0]), b[1:]
	}
	return name, true
}
