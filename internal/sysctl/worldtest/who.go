package worldtest

import (
	"errors"
	"os"
	"testing"

	"github.com/pidometer/pidometer/internal/sysctl"
)

// Who looks everybody up by the PID, those that are not there too, and lets the kernel's
// answers break off at every length.
func Who(t *testing.T, k *Kernel, who func(pid uint64) (sysctl.Known, error)) {
	t.Helper()
	for _, p := range k.World.Processes {
		known, err := who(p.PID)
		switch {
		case p.State == Zombie:
			if !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("a zombie: %+v, %v", known, err)
			}
		case err != nil || known.Key.ID != p.PID || known.Key.Start != k.start(p) || known.Parent != p.Parent || string(known.Command) != p.Command:
			t.Errorf("%+v, %v, want %+v", known, err, p)
		}
	}
	if _, err := who(4711); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("of nobody: %v", err)
	}
	for cut := 1; cut < 600; cut++ {
		k.Cut = cut
		if known, err := who(1); err == nil {
			t.Errorf("an answer of %d bytes tells %+v", cut, known)
		}
	}
	k.Cut = 0
	fault := errors.New("fault")
	for _, table := range []string{"proc", "boottime"} {
		k.Fail = func(call string) error {
			if call == table {
				return fault
			}
			return nil
		}
		if _, err := who(1); !errors.Is(err, fault) && (k.open || table == "proc") {
			t.Errorf("%s: %v", table, err)
		}
	}
}
