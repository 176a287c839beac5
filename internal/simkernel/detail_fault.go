package simkernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pidometer/pidometer/platform"
)

// Inspected is a machine whose processes are inspected: what answers for it can be told to
// fail.
type Inspected struct {
	World *World
	*Answers
	platform.Inspector
	Spare map[string]bool // calls that answers do without where they fail
}

// questions are all details of a process and of the host.
func questions() (names []string) {
	of := reflect.TypeFor[Story]()
	for i := range of.NumField() {
		names = append(names, of.Field(i).Name)
	}
	return append(names, "IOPriority", "SocketStats", "Interfaces", "Mounts", "Sessions")
}

// Ask asks one question, of a process or of the host.
func (m *Inspected) Ask(p platform.Inspection, question string) (any, error) {
	of, arguments := reflect.ValueOf(p).MethodByName(question), []reflect.Value(nil)
	if host := reflect.ValueOf(m.Inspector).MethodByName(question); host.IsValid() {
		of, arguments = host, []reflect.Value{reflect.ValueOf(context.Background())}
	}
	answer := of.Call(arguments)
	err, _ := answer[1].Interface().(error)
	return answer[0].Interface(), err
}

// each opens a machine of its own for each question, whose process lives and denies nothing,
// and asks it after before.
func eachQuestion(t *testing.T, open func(*World) *Inspected, ask func(m *Inspected, i platform.Inspection, question string)) {
	t.Helper()
	for _, question := range questions() {
		m := open(New(3, 8))
		i, err := m.Inspect(context.Background(), platform.Key{ID: m.World.Self})
		if err != nil {
			t.Fatal(err)
		}
		ask(m, i, question)
		if err := errors.Join(i.Close(), m.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// DetailFaults lets every call that an answer takes fail in several ways: the answer says so,
// or does without.
func DetailFaults(t *testing.T, open func(*World) *Inspected) {
	t.Helper()
	faults := []error{fs.ErrPermission, os.ErrProcessDone, errors.New("fault")}
	told := 0
	eachQuestion(t, open, func(m *Inspected, i platform.Inspection, question string) {
		clear(m.Calls)
		whole, err := m.Ask(i, question)
		if err != nil {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s: %v", question, err)
			}
			return
		}
		calls := m.Answers.Calls
		m.Answers.Calls = map[string]int{}
		for call := range calls {
			for _, fault := range faults {
				m.Fail = func(name string) error {
					if name == call {
						return fault
					}
					return nil
				}
				switch answer, err := m.Ask(i, question); {
				case errors.Is(err, fault):
					told++
				case err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, errors.ErrUnsupported):
					t.Errorf("%s: %s fails with %v: %v", question, call, fault, err)
				case m.Spare[call]:
				case question == "Identity", question == "Threads" && fault == os.ErrProcessDone: // does without; a thread has ended
				case err == nil && !reflect.DeepEqual(answer, whole):
					t.Errorf("%s: %s fails with %v, and the answer is %s", question, call, fault, show(answer))
				}
				m.Fail = nil
			}
		}
	})
	if told < len(questions()) {
		t.Errorf("%d faults were told", told)
	}
}

// DetailLengths cuts every answer to every length: what is told is whole, or an error.
func DetailLengths(t *testing.T, most int, open func(*World) *Inspected) {
	t.Helper()
	refused := 0
	eachQuestion(t, open, func(m *Inspected, i platform.Inspection, question string) {
		for m.Cut = 1; m.Cut <= most; m.Cut++ {
			if _, err := m.Ask(i, question); err != nil {
				refused++
			}
		}
	})
	if refused < len(questions()) {
		t.Errorf("%d answers were refused", refused)
	}
}

// DetailRace lets the process end, and another one get its PID, while each call is made: what
// is told is of the process that was opened, or that it has ended.
func DetailRace(t *testing.T, open func(*World) *Inspected) {
	t.Helper()
	ended := 0
	eachQuestion(t, open, func(m *Inspected, i platform.Inspection, question string) {
		clear(m.Calls)
		before, err := m.Ask(i, question)
		if err != nil {
			return
		}
		calls := m.Answers.Calls
		m.Answers.Calls = map[string]int{}
		for call := range calls {
			p := m.World.Find(m.World.Self)
			was := *p
			m.Fail = func(name string) error {
				if name == call {
					*p = was
					p.Born, p.Clock, p.Name, p.Threads = was.Born+time.Second, was.Clock+time.Second, "another", 4
				}
				return nil
			}
			answer, err := m.Ask(i, question)
			m.Fail = nil
			*p = was
			switch {
			case errors.Is(err, os.ErrProcessDone):
				ended++
			case err != nil:
				t.Errorf("%s, while %s: %v", question, call, err)
			case !reflect.DeepEqual(answer, before):
				t.Errorf("%s, while %s: %s", question, call, show(answer))
			}
		}
	})
	if ended < 10 {
		t.Errorf("%d times the process had ended", ended)
	}
}

// CheckInterfaces compares the interfaces with what is so: the loopback "lo0" and those of
// the world.
func CheckInterfaces(w *World, i platform.Inspector) error {
	list, err := i.Interfaces(context.Background())
	if err != nil {
		return err
	}
	lo := &Interface{Name: "lo0", Index: 99, Up: true, MTU: 16384}
	want := append([]*Interface{lo}, w.Interfaces...)
	if len(list) != len(want) {
		return fmt.Errorf("%d interfaces, want %d", len(list), len(want))
	}
	for n, truth := range want {
		if err := compareInterface(&list[n], truth, truth == lo); err != nil {
			return err
		}
	}
	return nil
}

func compareInterface(got *platform.Interface, truth *Interface, loopback bool) error {
	state := "down"
	if truth.Up {
		state = "up"
	}
	prefixes := truth.Addresses()
	v4 := platform.Address{IP: prefixes[0].Addr(), Bits: prefixes[0].Bits()}
	if !loopback {
		v4.Broadcast = truth.Broadcast()
	}
	addresses := []platform.Address{v4, {IP: prefixes[1].Addr().WithZone(truth.Name), Bits: prefixes[1].Bits()}}
	if got.Name != truth.Name || got.Index != truth.Index || got.State != state || got.MTU == nil || *got.MTU != truth.MTU ||
		!reflect.DeepEqual(got.Addresses, addresses) || slices.Contains(got.Flags, "loopback") != loopback || !slices.Contains(got.Flags, "up") {
		return fmt.Errorf("told %s, want %s with %s", show(got), show(truth), show(addresses))
	}
	if wantHardware := !loopback; (len(got.Hardware) == 6) != wantHardware || (got.Hardware != nil && got.Hardware[5] != byte(truth.Index)) {
		return fmt.Errorf("%s has the address %x", got.Name, got.Hardware)
	}
	return nil
}
