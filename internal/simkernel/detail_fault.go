package simkernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"reflect"
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
