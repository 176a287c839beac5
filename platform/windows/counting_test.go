package windows

import (
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// A kernel that ever told of a count other than 0 counts: what is 0 afterwards is told, since
// 32 bits were full, or nothing has happened yet.
func TestCountsThatAreZeroAgain(t *testing.T) {
	const set = 1<<fromProcesses | 1<<fromThreads | 1<<fromPerformance | 1<<fromProcessors
	w := newWorld(8)
	w.build = extensionBuild - 1
	b := opened(t, w)
	passOver(t, b, set)

	w.answers[classPerformance] = make([]byte, performanceSize)
	for i := range w.processors[0] {
		w.processors[0][i].interrupts = 0
	}
	for i := range w.tasks {
		clear(w.tasks[i].values)
		clear(w.tasks[i].threads)
	}
	w.tasks[3].threads[0].switches = 1<<32 - 1
	r := passOver(t, b, set)
	expect(t, "host", r.of[platform.Host][platform.Key{}], map[platform.Field]uint64{platform.HostContextSwitches: 0, platform.HostFaultsMinor: 0,
		platform.HostFaultsMajor: 0, platform.HostSwapIn: 0, platform.HostSwapOut: 0, platform.HostSystemCalls: 0, platform.HostInterrupts: 0})
	last, _ := r.process(4711)
	expect(t, "the last process", last, map[platform.Field]uint64{platform.ProcessFaultsMinor: 0, platform.ProcessFaultsMajor: 0})
	if len(r.misses) > 0 {
		t.Errorf("missed %v", r.misses)
	}
	w.tasks = append(w.tasks, task{pid: 5000, parent: 612, create: w.now, name: wide("new.exe"), threads: []thread{{id: 1}}})
	young, _ := passOver(t, b, set).process(5000)
	expect(t, "a process that has not run yet", young, map[platform.Field]uint64{platform.ProcessFaultsMinor: 0, platform.ProcessSwitches: 0})
}

// The first table proves it for all of its processes, whoever comes first in it, and a look at
// one process asks for a table of its own.
func TestOneProcessProvesForAll(t *testing.T) {
	w := newWorld(4)
	for _, i := range []int{1, 2, 3} {
		clear(w.tasks[i].values)
		clear(w.tasks[i].threads)
	}
	r := passOver(t, opened(t, w), 1<<fromProcesses|1<<fromThreads)
	for _, pid := range []uint64{systemPid, 612} {
		p, _ := r.process(pid)
		expect(t, "before the proof", p, map[platform.Field]uint64{platform.ProcessFaultsMinor: 0, platform.ProcessFaultsMajor: 0, platform.ProcessSwitches: 0})
	}
}

// Where no process ever has any, the kernel does not count them.
func TestNobodyHasAny(t *testing.T) {
	w := newWorld(4)
	for i := range w.tasks {
		clear(w.tasks[i].values)
		clear(w.tasks[i].threads)
	}
	p, _ := passOver(t, opened(t, w), 1<<fromProcesses|1<<fromThreads).process(612)
	expect(t, "nothing is counted", p, map[platform.Field]uint64{platform.ProcessFaultsMinor: absent, platform.ProcessFaultsMajor: absent, platform.ProcessSwitches: absent})
}
