package windows

import "github.com/pidometer/pidometer/internal/layout"

// priorityClasses are those of PROCESS_PRIORITY_CLASS (ntpsapi.h of the System
// Informer project), and the priority that threads begin with in each ("Scheduling
// Priorities" in Microsoft's documentation).
var priorityClasses = [...]struct {
	name string
	base int
}{
	1: {"idle", 4}, {"normal", 8}, {"high", 13}, {"realtime", 24}, {"below_normal", 6}, {"above_normal", 10},
}

// decodePriority reads PROCESS_PRIORITY_CLASS: whether it is in the foreground, and
// the class.
func decodePriority(b []byte) (class string, ok bool) {
	if len(b) < 2 || b[1] == 0 || int(b[1]) >= len(priorityClasses) {
		return "", false
	}
	return priorityClasses[b[1]].name, true
}

// classOfBase returns the class that a base priority is of, "" for one of none. It
// takes no right.
func classOfBase(base int) string {
	for _, c := range priorityClasses {
		if c.name != "" && c.base == base {
			return c.name
		}
	}
	return ""
}

// priorityClass returns the class of the process that is visited: as the kernel says,
// else as its base priority does.
func (r *reader) priorityClass(v *visit) string {
	t := &r.pass.table
	base := classOfBase(int(int32(t.u32(v.entry, t.proc.basePriority))))
	if v.ended {
		return base
	}
	h, err := r.open(v)
	if err != nil {
		return base
	}
	answer, err := r.ask(h, classPriority)
	if class, ok := decodePriority(answer); err == nil && ok {
		return class
	}
	return base
}

// ioClasses are those of IO_PRIORITY_HINT.
var ioClasses = [...]string{"very_low", "low", "normal", "high", "critical"}

// decodeIOPriority reads an IO_PRIORITY_HINT.
func decodeIOPriority(b []byte) (class string, ok bool) {
	if len(b) < 4 || uint64(layout.U32(b, 0)) >= uint64(len(ioClasses)) {
		return "", false
	}
	return ioClasses[layout.U32(b, 0)], true
}
