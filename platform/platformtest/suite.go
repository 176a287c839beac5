// Package platformtest holds the conformance suite that every backend passes, and
// [Bulk], a small backend of scripted processes.
package platformtest

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// testCase is one promise of package platform.
type testCase struct {
	name        string
	explanation string // what a backend should do
	check       func(platform.Backend) error
}

// TestBackend checks every promise that package platform makes in a backend's
// name, each on a backend that open opens for it.
func TestBackend(t *testing.T, open func() (platform.Backend, error)) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			if err := run(c, open); err != nil {
				t.Errorf("a backend should %s:\n%v", c.explanation, err)
			}
		})
	}
	t.Logf("%d cases", len(cases()))
}

// run checks one case.
func run(c testCase, open func() (platform.Backend, error)) error {
	b, err := open()
	if err != nil {
		return err
	}
	if err := c.check(b); err != nil {
		b.Close()
		return err
	}
	return b.Close()
}

// cases returns the promises.
func cases() []testCase {
	return []testCase{
		{"sources", "list at most 64 sources, always the same, with distinct names and each field once", checkSources},
		{"clock", "tell who a process is by a source that is a clock, and when the kernel started in whole seconds", checkClock},
		{"choice", "offer for each field and text that it declares a source that can be chosen", checkChoice},
		{"declared", "set, with one source alone, only what this source declares", checkDeclared},
		{"entity", "set in a sample only fields and texts of the sample's entity", checkEntity},
		{"misses", "report only chosen sources and those that tell who a process is, with a known reason", checkMisses},
		{"keys", "give no two samples with one key in a pass", checkKeys},
		{"counters", "never let a cumulative field fall from pass to pass", checkCounters},
		{"cpus", "tell the same CPU time by CPU and for the host", checkCPUs},
		{"memory", "tell resident and virtual memory of every live process that runs a program", checkMemory},
		{"one", "read by key what a walk over all found under that key", checkOne},
		{"anyone", "read whoever has a PID if the key has no start", checkAnyone},
		{"self", "read the calling process by platform.Self", checkSelf},
		{"gone", "answer os.ErrProcessDone and give no sample for a PID that nobody has", checkGone},
		{"reused", "answer os.ErrProcessDone and give no sample for a PID that another process has now", checkReused},
		{"stop", "stop when the sink returns false", checkStop},
		{"nothing", "read nothing and say nothing if no source is chosen", checkNothing},
		{"again", "begin another pass after one was closed, even twice", checkAgain},
		{"cancelled", "end soon, with its error, when the context has ended", checkCancelled},
	}
}
