package windows

// counting is what this kernel was seen to count. Wine fills in 0 for what it does not, in
// every answer of its life, so that a count other than 0 is proof for all time: counters of
// 32 bits are 0 again each time that they wrap, and those of a process that is new may be.
type counting struct {
	system      bool // SYSTEM_PERFORMANCE_INFORMATION
	systemCalls bool
	interrupts  bool
	faults      bool // of processes
	switches    bool // of threads
}

// proves notes a count, and reports whether it or one before was other than 0.
func proves(seen *bool, count uint32) bool {
	*seen = *seen || count != 0
	return *seen
}

// countingOf looks through a table of processes for what is not proven yet. It stops where
// all is, which on a kernel that counts is at the first process or two.
func (r *reader) countingOf(entries []entry) {
	t, c := &r.pass.table, &r.counting
	for _, e := range entries {
		if c.faults && c.switches {
			return
		}
		proves(&c.faults, uint32(t.u32(e, t.proc.faults)))
		for i := 0; i < e.count && !c.switches; i++ {
			proves(&c.switches, t.thread(e, i).switches)
		}
	}
}
