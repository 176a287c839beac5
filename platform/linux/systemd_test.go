package linux

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// fakeBus is a bus with systemd on it, or systemd itself, as bytes: what a client writes
// it answers, and a test makes it say more.
type fakeBus struct {
	services systemdServices
	owner    string            // unique name of systemd; "" for none
	listed   []string          // units, each a name, a state and a title
	refused  map[string]string // methods, and the error that they are answered with
	called   []string
	heard    []heard
	err      error
}

// newFakeBus connects the services to a bus.
func newFakeBus(listed ...string) *fakeBus {
	f := &fakeBus{owner: ":1.2", listed: listed, refused: map[string]string{}}
	f.services.start = func(pid uint64) uint64 { return 1000 + pid }
	return f
}

func (f *fakeBus) connect() *fakeBus {
	f.services.connected(0, time.UnixMicro(1000))
	f.pump()
	return f
}

// pump answers what the client has written, until it has no more to say.
func (f *fakeBus) pump() {
	out := &f.services.client.out
	for len(out.b) > 0 && f.err == nil {
		said := slices.Clone(out.b)
		out.b = out.b[:0]
		if string(said) == "\x00AUTH EXTERNAL 30\r\n" {
			f.feed([]byte("OK 0123\r\n"))
			continue
		}
		for _, m := range f.answers(bytes.TrimPrefix(said, []byte("BEGIN\r\n"))) {
			f.feed(little(m))
		}
	}
}

// answers returns the answers to calls.
func (f *fakeBus) answers(calls []byte) (all []wire) {
	for len(calls) > 0 {
		size, _ := decodeDBusSize(calls)
		call, ok := slowDBus(string(calls[:size]))
		if !ok {
			panic(fmt.Sprintf("%q is no call", calls))
		}
		calls = calls[size:]
		f.called = append(f.called, call.member)
		all = append(all, f.answer(call.member, call.serial))
	}
	return all
}

func (f *fakeBus) answer(member string, serial uint32) wire {
	from := f.owner
	if slices.Contains([]string{"Hello", "AddMatch", "GetNameOwner"}, member) {
		from = busName
	}
	m := wire{kind: dbusReturn, answers: serial}
	switch {
	case f.refused[member] != "":
		m = failedCall(serial, f.refused[member])
	case member == "GetNameOwner" && f.owner == "":
		m = failedCall(serial, busName+".Error.NameHasNoOwner")
	case member == "Hello":
		m.signature, m.body = "s", []any{":1.9"}
	case member == "GetNameOwner":
		m.signature, m.body = "s", []any{f.owner}
	case strings.HasPrefix(member, "ListUnits"):
		m = unitsListed(serial, f.listed...)
	}
	m.from = from
	if f.services.direct {
		m.from = ""
	}
	return m
}

// say makes systemd, or whoever m is from, say something.
func (f *fakeBus) say(messages ...wire) []heard {
	f.heard = nil
	for _, m := range messages {
		if m.from == "" && !f.services.direct {
			m.from = f.owner
		}
		f.feed(little(m))
	}
	f.pump()
	return f.heard
}

func (f *fakeBus) feed(b []byte) {
	for len(b) > 0 && f.err == nil {
		n := copy(f.services.client.room(), b)
		b = b[n:]
		f.err = f.services.take(n, func(o *platform.Occurrence) { f.heard = append(f.heard, keep(o)) })
	}
}

// state is the signal of a state, and process that of the processes of a service.
func state(path, active string, at uint64) wire {
	return changed(path, "Unit", map[string]variant{"ActiveState": {"s", active}, "StateChangeTimestamp": {"t", at}})
}

func process(path string, p serviceProcesses) wire {
	return changed(path, "Service", map[string]variant{
		"MainPID": {"u", p.main}, "ExecMainPID": {"u", p.last}, "ExecMainCode": {"i", p.code},
		"ExecMainStatus": {"i", p.status}, "ExecMainExitTimestamp": {"t", p.ended},
	})
}

// brief is what an occurrence tells of a service, in short.
func brief(all []heard) (s []string) {
	for _, h := range all {
		line := fmt.Sprintf("%s %s<-%s", h.Key.Name, h.state, h.before)
		if h.Key.ID != 0 {
			line += fmt.Sprintf(" %d/%d", h.Key.ID, h.Key.Start)
		}
		if h.Exit.Known {
			line += fmt.Sprintf(" code %d signal %d core %v", h.Exit.Code, h.Exit.Signal, h.Exit.Core)
		}
		s = append(s, line)
	}
	return s
}

func wantBrief(t *testing.T, what string, all []heard, want ...string) {
	t.Helper()
	if got := brief(all); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// The life of a service, by what systemd tells of it.
func TestServiceStates(t *testing.T) {
	f := newFakeBus("a.service inactive The title", "x.socket active").connect()
	if !f.services.ready || f.err != nil || len(f.heard) != 0 {
		t.Fatalf("ready %v, %v, %v", f.services.ready, f.err, f.heard)
	}
	if want := []string{"Hello", "AddMatch", "AddMatch", "AddMatch", "AddMatch", "GetNameOwner", "Subscribe", "ListUnitsByPatterns"}; !slices.Equal(f.called, want) {
		t.Errorf("called %q", f.called)
	}
	const unit = "a_2eservice"
	for _, step := range []struct {
		what      string
		processes serviceProcesses
		state     string
		want      []string
	}{
		{"it starts, and an end of before is none of this run", serviceProcesses{0, 3, 1, 0, 999}, "activating", []string{"a.service activating<-inactive"}},
		{"it runs", serviceProcesses{5, 5, 0, 0, 0}, "active", []string{"a.service active<-activating 5/1005"}},
		{"nothing changes", serviceProcesses{5, 5, 0, 0, 0}, "active", nil},
		{"it is about to be started again after an end", serviceProcesses{0, 5, 1, 7, 2000}, "activating", []string{"a.service activating<-active 5/0 code 7 signal 0 core false"}},
		{"it runs again", serviceProcesses{6, 6, 0, 0, 0}, "active", []string{"a.service active<-activating 6/1006"}},
		{"it is stopped", serviceProcesses{6, 6, 0, 0, 0}, "deactivating", []string{"a.service deactivating<-active 6/1006"}},
		{"it dumps core", serviceProcesses{0, 6, 3, 6, 3000}, "failed", []string{"a.service failed<-deactivating 6/0 code 0 signal 6 core true"}},
		{"it is started, and the end is known", serviceProcesses{0, 6, 3, 6, 3000}, "activating", []string{"a.service activating<-failed"}},
		{"it fails at once", serviceProcesses{0, 8, 2, 9, 4000}, "failed", []string{"a.service failed<-activating 8/0 code 0 signal 9 core false"}},
		{"it is reset", serviceProcesses{0, 8, 2, 9, 4000}, "inactive", []string{"a.service inactive<-failed"}},
		{"start and end in one", serviceProcesses{0, 9, 1, 0, 5000}, "failed", []string{"a.service failed<-inactive 9/0 code 0 signal 0 core false"}},
		{"a state of no use", serviceProcesses{}, strings.Repeat("x", longestState+1), nil},
	} {
		all := f.say(process(unit, step.processes), state(unit, step.state, 1795419337875923))
		wantBrief(t, step.what, all, step.want...)
		for _, h := range all {
			if !h.At.Equal(time.UnixMicro(1795419337875923)) || h.title != "The title" || h.Kind != platform.ServiceChanged {
				t.Errorf("%s: %+v", step.what, h)
			}
		}
	}
	wantBrief(t, "a socket", f.say(state("x_2esocket", "failed", 1)))
	wantBrief(t, "a unit that was not loaded", f.say(state("n_2dew_2eservice", "active", 0)), "n-ew.service active<-inactive")
	if !f.heard[0].At.IsZero() {
		t.Errorf("it was at %v", f.heard[0].At)
	}
	wantBrief(t, "a unit that is gone", f.say(removed("n-ew.service"), removed("n-ew.service"), removed("a.service")), "n-ew.service inactive<-active")
}

// On a bus anybody may send a signal, or what looks like an answer, to anybody.
func TestServicesOfLiars(t *testing.T) {
	f := newFakeBus("a.service active").connect()
	moved := func(from, owner string) wire {
		return wire{kind: dbusSignal, from: from, path: busPath, iface: busName, member: "NameOwnerChanged", signature: "sss", body: []any{systemdName, ":1.2", owner}}
	}
	lies := []wire{state("a_2eservice", "failed", 1), removed("a.service"), unitsListed(f.services.asked.units, "a.service failed"), moved("", ":1.66")}
	for i := range lies {
		lies[i].from = ":1.66"
	}
	wantBrief(t, "another process", f.say(lies...))
	bus := unitsListed(1, "a.service failed")
	bus.from = busName
	wantBrief(t, "an answer to another call", f.say(bus))
	for _, m := range []wire{
		{kind: dbusSignal, path: systemdUnits + "a_2eservice", member: "PropertiesChanged", signature: "s", body: []any{"x"}},
		{kind: dbusSignal, path: systemdUnits, member: "PropertiesChanged"},
		{kind: dbusSignal, path: systemdPath, member: "UnitRemoved"},
		{kind: dbusSignal, path: systemdPath, member: "JobNew"},
		{kind: dbusCall, path: "/", member: "Ping"},
	} {
		wantBrief(t, "nothing of it", f.say(m))
	}
	f.listed = []string{"a.service failed"}
	wantBrief(t, "the bus says who systemd is now", f.say(moved(busName, ":1.7")))
	f.owner = ":1.7"
	wantBrief(t, "and that it is gone", f.say(moved(busName, "")))
	if f.err != nil {
		t.Error(f.err)
	}
}

// systemd is somebody else once it has executed itself anew: it is asked again, and what
// changed meanwhile is told.
func TestServicesOfAnotherSystemd(t *testing.T) {
	f := newFakeBus("a.service active", "b.service active", "c.service inactive", "d.service failed").connect()
	f.listed = []string{"a.service failed", "c.service inactive", "e.service activating"}
	f.owner = ":1.7"
	all := f.say(wire{kind: dbusSignal, from: busName, path: busPath, iface: busName, member: "NameOwnerChanged",
		signature: "sss", body: []any{systemdName, ":1.2", ":1.7"}})
	slices.SortFunc(all, func(a, b heard) int { return strings.Compare(a.Key.Name, b.Key.Name) })
	want := []string{"a.service failed<-active", "b.service inactive<-active", "e.service activating<-inactive"}
	wantBrief(t, "another systemd", all, want...)

	f = newFakeBus("a.service active", "b.service active", "c.service inactive", "d.service failed")
	f.services.direct = true
	f.connect()
	if !slices.Equal(f.called, []string{"Subscribe", "ListUnitsByPatterns"}) {
		t.Errorf("systemd itself was asked %q", f.called)
	}
	f.listed = []string{"a.service failed", "c.service inactive", "e.service activating"}
	f.heard = nil
	f.connect()
	slices.SortFunc(f.heard, func(a, b heard) int { return strings.Compare(a.Key.Name, b.Key.Name) })
	wantBrief(t, "another connection", f.heard, want...)
}

func TestServicesOfOldSystemd(t *testing.T) {
	f := newFakeBus("a.service active", "x.mount active")
	f.refused["ListUnitsByPatterns"] = "org.freedesktop.DBus.Error.UnknownMethod"
	f.connect()
	if !f.services.ready || len(f.services.units) != 1 || f.called[len(f.called)-1] != "ListUnits" {
		t.Errorf("%v, %v, %q", f.services.ready, f.services.units, f.called)
	}
	f = newFakeBus()
	f.refused["ListUnitsByPatterns"], f.refused["ListUnits"] = "org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownMethod"
	if f.connect(); f.err == nil || f.services.ready {
		t.Error("units were listed by nobody")
	}
	f = newFakeBus()
	f.refused["ListUnitsByPatterns"] = "org.freedesktop.DBus.Error.AccessDenied"
	if f.connect(); f.err == nil || !strings.Contains(f.err.Error(), "AccessDenied") {
		t.Error(f.err)
	}
	f = newFakeBus()
	f.owner = ""
	if f.connect(); !errors.Is(f.err, errors.ErrUnsupported) {
		t.Errorf("a bus without systemd: %v", f.err)
	}
}

// PIDs of another namespace are not told.
func TestServicesOfAnotherNamespace(t *testing.T) {
	f := newFakeBus("a.service inactive")
	f.services.start = nil
	f.connect()
	wantBrief(t, "running", f.say(process("a_2eservice", serviceProcesses{5, 5, 0, 0, 0}), state("a_2eservice", "active", 1)), "a.service active<-inactive")
	wantBrief(t, "ended", f.say(process("a_2eservice", serviceProcesses{0, 5, 1, 2, 2000}), state("a_2eservice", "failed", 1)),
		"a.service failed<-active code 2 signal 0 core false")
}

// What is remembered has a bound. Beyond it a state is told without the one before.
func TestServicesAreBounded(t *testing.T) {
	var listed []string
	for i := range mostUnits + 10 {
		listed = append(listed, fmt.Sprintf("u%d.service active", i))
	}
	f := newFakeBus(listed...).connect()
	if !f.services.ready || len(f.services.units) != mostUnits || f.err != nil {
		t.Fatalf("%v, %d units, %v", f.services.ready, len(f.services.units), f.err)
	}
	wantBrief(t, "one too many", f.say(state("z_2eservice", "failed", 1)), "z.service failed<-")
}

// Anything at all that a bus may send is taken without a panic, and remembered within
// bounds.
func FuzzSystemdServices(f *testing.F) {
	for _, b := range systemdMessages() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		bus := newFakeBus("a.service active")
		bus.services.direct = true
		bus.connect()
		bus.feed(b)
		for _, h := range bus.heard {
			if h.Kind != platform.ServiceChanged || h.state == h.before || h.state == "" || !strings.HasSuffix(h.Key.Name, serviceSuffix) {
				t.Fatalf("%+v", h)
			}
		}
		if len(bus.services.units) > 1000 || len(bus.services.client.in) > len(b) {
			t.Fatalf("%d units and %d bytes are kept", len(bus.services.units), len(bus.services.client.in))
		}
	})
}
