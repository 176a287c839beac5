package linux

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Names of systemd on the bus (man 5 org.freedesktop.systemd1).
const (
	busName        = "org.freedesktop.DBus"
	busPath        = "/org/freedesktop/DBus"
	systemdName    = "org.freedesktop.systemd1"
	systemdPath    = "/org/freedesktop/systemd1"
	systemdUnits   = systemdPath + "/unit/"
	systemdManager = systemdName + ".Manager"
	propertiesName = busName + ".Properties"
)

const (
	serviceSuffix = ".service"
	// mostUnits bounds what is remembered. Linux distributions ship some 300 services.
	mostUnits    = 16_384
	unitInactive = "inactive"
	unitFailed   = "failed"
	// longestState bounds the name of a state; "deactivating" is the longest.
	longestState = 32
)

var errNoSystemd = fmt.Errorf("nobody on the bus is systemd: %w", errors.ErrUnsupported)

// systemdUnit is what is known of a service.
type systemdUnit struct {
	state, title string
	processes    serviceProcesses
	told         uint64 // time of the exit that was told
	current      bool   // in the list that is being compared
}

// serviceProcesses are what a service tells of its main process.
type serviceProcesses struct {
	main, last   uint32 // PID now, and of the last one that was started
	code, status int32  // how the last one ended: as of waitid, see exit
	ended        uint64 // when, in microseconds since 1970; 0 if it has not
}

// exit returns how the last main process ended. Codes are those of siginfo_t (man 2
// sigaction): exited, killed, dumped core.
func (p *serviceProcesses) exit() platform.Exit {
	switch p.code {
	case 1:
		return platform.Exit{Known: true, Code: int64(p.status)}
	case 2, 3:
		return platform.Exit{Known: true, Signal: int(p.status), Core: p.code == 3}
	}
	return platform.Exit{}
}

// systemdServices follows the services of systemd over D-Bus, without the socket.
type systemdServices struct {
	client dbusClient
	direct bool   // connected to systemd itself, and not to a bus
	owner  string // unique name of systemd on the bus
	failed error  // why nothing will come

	asked  struct{ owner, units uint32 } // serials
	plain  bool                          // systemd lists all units or none
	ready  bool                          // the states are those of this connection
	listed bool                          // and of one at all
	units  map[string]*systemdUnit
	since  uint64 // when the first connection was made, in microseconds since 1970

	yield func(*platform.Occurrence) // while messages are taken
	start func(pid uint64) uint64    // of a process; nil where PIDs are not those of the view, and not told
	// To lend.
	occurrence          platform.Occurrence
	name, before, title []byte
}

// connected begins anew on a fresh connection. The states known so far stay, so that
// what changed meanwhile is told.
func (w *systemdServices) connected(uid int, now time.Time) {
	w.client.start(uid)
	w.owner, w.failed, w.plain, w.ready = "", nil, false, false
	if w.units == nil {
		w.units = map[string]*systemdUnit{}
		w.since = uint64(now.UnixMicro())
	}
}

// take takes n bytes that were read to the client's room.
func (w *systemdServices) take(n int, yield func(*platform.Occurrence)) error {
	w.yield = yield
	defer func() { w.yield = nil }()
	if err := w.client.take(n, w.begin, w.handle); err != nil {
		return err
	}
	return w.failed
}

// begin asks for the signals first and for the states then, so that no change is
// between the two.
func (w *systemdServices) begin() {
	if w.direct {
		w.subscribe()
		return
	}
	w.client.call(busMethod("Hello"))
	for _, rule := range [...]string{
		"type='signal',sender='" + busName + "',interface='" + busName + "',member='NameOwnerChanged',arg0='" + systemdName + "'",
		unitRule + systemdName + ".Unit'",
		unitRule + systemdName + ".Service'",
		"type='signal',sender='" + systemdName + "',interface='" + systemdManager + "',member='UnitRemoved',path='" + systemdPath + "'",
	} {
		add := busMethod("AddMatch")
		add.signature, add.text = "s", rule
		w.client.call(add)
	}
	w.asked.owner = w.client.call(ownerOfSystemd())
}

func ownerOfSystemd() dbusMethod {
	m := busMethod("GetNameOwner")
	m.signature, m.text = "s", systemdName
	return m
}

const unitRule = "type='signal',sender='" + systemdName + "',interface='" + propertiesName +
	"',member='PropertiesChanged',path_namespace='" + systemdPath + "/unit',arg0='"

func busMethod(member string) dbusMethod {
	return dbusMethod{destination: busName, path: busPath, iface: busName, member: member}
}

// subscribe asks systemd to send signals, which it does while anybody is subscribed,
// and for the services.
func (w *systemdServices) subscribe() {
	w.client.call(managerMethod("Subscribe"))
	w.asked.units = w.client.call(listByPatterns())
}

// listByPatterns asks for the units in any state whose names end so.
func listByPatterns() dbusMethod {
	m := managerMethod("ListUnitsByPatterns")
	m.signature, m.lists[1] = "asas", []string{"*" + serviceSuffix}
	return m
}

func managerMethod(member string) dbusMethod {
	return dbusMethod{destination: systemdName, path: systemdPath, iface: systemdManager, member: member}
}

// handle takes a message. On a bus anybody may send a signal to this client alone, which
// no rule holds back: only those of systemd and of the bus itself count, by the sender
// that the bus has written into the header.
func (w *systemdServices) handle(m *dbusMessage) {
	ofBus := !w.direct && string(m.from) == busName
	ofSystemd := w.direct || w.owner != "" && string(m.from) == w.owner
	switch {
	case m.kind == dbusSignal && ofBus && string(m.member) == "NameOwnerChanged":
		w.ownerChanged(m)
	case m.kind == dbusSignal && ofSystemd:
		w.signal(m)
	case m.kind != dbusReturn && m.kind != dbusError:
	case ofBus && m.answers == w.asked.owner:
		w.ownerTold(m)
	case (ofBus || ofSystemd) && m.answers == w.asked.units:
		w.unitsTold(m)
	}
}

// ownerTold takes the answer to who systemd is on the bus.
func (w *systemdServices) ownerTold(m *dbusMessage) {
	r, ok := m.arguments("s")
	owner := r.text()
	if m.kind == dbusError || !ok || r.bad || len(owner) == 0 {
		w.failed = errNoSystemd
		return
	}
	w.owner = string(owner)
	w.subscribe()
}

// ownerChanged takes the news that systemd is somebody else, as after it executed itself
// anew.
func (w *systemdServices) ownerChanged(m *dbusMessage) {
	r, ok := m.arguments("sss")
	name, _, owner := r.text(), r.text(), r.text()
	if !ok || r.bad || string(name) != systemdName || string(owner) == w.owner {
		return
	}
	if w.owner = string(owner); w.owner != "" {
		w.subscribe()
	}
}

// unitsTold takes the list of services. systemd before 230 has no list by patterns; it
// lists all units.
func (w *systemdServices) unitsTold(m *dbusMessage) {
	switch {
	case m.kind == dbusReturn:
		w.list(m)
	case !w.plain && bytes.HasSuffix(m.failed, []byte(".UnknownMethod")):
		w.plain = true
		w.asked.units = w.client.call(managerMethod("ListUnits"))
	default:
		w.failed = fmt.Errorf("systemd does not list its units: %s", text.Escape(m.failed))
	}
}

// list compares the services with those that are known. The first list is what changes
// are told from.
func (w *systemdServices) list(m *dbusMessage) {
	first := !w.listed
	ok := decodeUnits(m, func(u *listedUnit) {
		if !bytes.HasSuffix(u.name, []byte(serviceSuffix)) {
			return
		}
		known := w.unit(u.name)
		known.title, known.current = string(u.title), true
		if first {
			known.state = string(u.active)
		}
		w.change(string(u.name), known, u.active, time.Time{})
	})
	if !ok {
		w.failed = errNotDBus
		return
	}
	for name, u := range w.units {
		if !u.current {
			w.remove(name, u)
		}
		u.current = false
	}
	w.ready, w.listed = true, true
}

// unit returns what is known of a service. A unit that systemd does not list is not
// loaded, and inactive. Beyond the bound nothing is known, and nothing kept.
func (w *systemdServices) unit(name []byte) *systemdUnit {
	if u := w.units[string(name)]; u != nil {
		return u
	}
	if len(w.units) >= mostUnits {
		return &systemdUnit{}
	}
	u := &systemdUnit{state: unitInactive}
	w.units[string(name)] = u
	return u
}

// remove tells that a unit is not loaded any more, if that is news.
func (w *systemdServices) remove(name string, u *systemdUnit) {
	delete(w.units, name)
	if u.state != unitFailed {
		w.change(name, u, []byte(unitInactive), time.Time{})
	}
}

// signal takes a signal of systemd. Those from before the list are older than it.
func (w *systemdServices) signal(m *dbusMessage) {
	if !w.ready {
		return
	}
	switch string(m.member) {
	case "UnitRemoved":
		r, ok := m.arguments("so")
		if name := r.text(); ok && !r.bad {
			if u := w.units[string(name)]; u != nil {
				w.remove(string(name), u)
			}
		}
	case "PropertiesChanged":
		var p unitProperties
		name, ok := decodeUnitPath(m.path, w.name[:0])
		w.name = name
		if ok && bytes.HasSuffix(name, []byte(serviceSuffix)) && decodeUnitProperties(m, &p) {
			w.properties(w.unit(name), &p)
		}
	}
}

// properties takes those of a unit. systemd tells those of the service first, then those
// that all units have (bus_unit_send_change_signal in src/core/dbus-unit.c).
func (w *systemdServices) properties(u *systemdUnit, p *unitProperties) {
	p.update(&u.processes)
	if p.active != nil {
		w.change(string(w.name), u, p.active, microseconds(p.changed))
	}
}

func microseconds(since1970 uint64) (t time.Time) {
	if since1970 > 0 && since1970 < 1<<62 {
		t = time.UnixMicro(int64(since1970))
	}
	return t
}

// change tells that a unit is in another state.
func (w *systemdServices) change(name string, u *systemdUnit, state []byte, at time.Time) {
	if string(state) == u.state || len(state) == 0 || len(state) > longestState {
		return
	}
	w.before = append(w.before[:0], u.state...)
	w.title = append(w.title[:0], u.title...)
	o := &w.occurrence
	*o = platform.Occurrence{
		Kind: platform.ServiceChanged, At: at, Key: platform.Key{Name: text.Escape([]byte(name)), ID: uint64(u.processes.main)},
		State: state, Before: w.before, Title: w.title,
	}
	rested := u.state == unitInactive || u.state == unitFailed
	if p := &u.processes; p.main == 0 && p.ended >= w.since && !(rested && p.ended == u.told) {
		o.Key.ID, o.Exit, u.told = uint64(p.last), p.exit(), p.ended
	}
	switch {
	case w.start == nil:
		o.Key.ID = 0
	case o.Key.ID != 0 && !o.Exit.Known:
		o.Key.Start = w.start(o.Key.ID)
	}
	u.state = string(state)
	w.yield(o)
}
