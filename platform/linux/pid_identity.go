package linux

import (
	"bytes"
	"math"
	"os"
	"time"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// Further columns of /proc/[pid]/stat.
const (
	statGroup       = 5
	statSession     = 6
	statTerminal    = 7
	statChildUser   = 16
	statChildSystem = 17
	statPriority    = 18
	statNice        = 19
	statLastCPU     = 39
	statRealtime    = 40
	statPolicy      = 41
)

// Identity reads stat and status.
func (p *inspection) Identity() (platform.Identity, error) {
	var id platform.Identity
	terminal, err := p.identify(&id)
	if err != nil {
		return platform.Identity{}, err
	}
	if terminal != nil {
		id.Terminal = p.terminal(uint32(*terminal))
	}
	if id.Users != nil {
		id.Owner = p.ownerName(id.Users.Effective)
	}
	return id, nil
}

// identify reads the process's own two files, which a zombie has too, and returns
// the number of the terminal.
func (p *inspection) identify(id *platform.Identity) (terminal *int, err error) {
	if err := p.usable(); err != nil {
		return nil, p.failed("status", err)
	}
	b, err := p.once(p.dir, p.join("status"))
	if err != nil {
		return nil, p.failed("status", p.absent(err))
	}
	var status statusDetail
	decodeStatusDetail(b, &status)
	status.set(id)
	if b, err = p.once(p.dir, p.join("stat")); err != nil {
		return nil, p.failed("stat", p.absent(err))
	}
	terminal, ok := decodeStatDetail(b, id)
	switch {
	case !ok:
		return nil, p.failed("stat", errContent)
	case isDead(id.Letter):
		return nil, p.failed("stat", os.ErrProcessDone)
	}
	id.Key = p.key
	return terminal, nil
}

// decodeStatDetail reads what describes a process in /proc/[pid]/stat, and returns
// the number of its terminal, which is 0 if it has none.
//
//	42 (a b) c) S 1 42 42 34816 -1 4194560 100 0 3 0 12 7 5 2 20 0 1 0 8123 3133440 415 ...
func decodeStatDetail(b []byte, id *platform.Identity) (terminal *int, ok bool) {
	var stat processStat
	if !decodePidStat(b, &stat) {
		return nil, false
	}
	id.Command = string(stat.comm)
	id.State, id.Letter = stateName(stat.state), stat.state
	id.Parent = stat.columns[statParent]
	id.Group, id.Session = positive(&stat, statGroup), positive(&stat, statSession)
	id.CPU = platform.CPUTimes{User: ticks(stat.columns[statUser]), System: ticks(stat.columns[statSystem])}
	id.Children = platform.CPUTimes{User: ticks(stat.columns[statChildUser]), System: ticks(stat.columns[statChildSystem])}
	id.LastCPU, id.Realtime = small(&stat, statLastCPU), small(&stat, statRealtime)
	if stat.has(statPolicy) {
		id.Policy = policyName(stat.columns[statPolicy])
	}
	columns := b[bytes.LastIndexByte(b, ')')+1:]
	id.Priority, id.Nice = signed(columns, statPriority), signed(columns, statNice)
	return signed(columns, statTerminal), true
}

// positive returns a column whose 0 and -1 mean none.
func positive(p *processStat, column int) *uint64 {
	if !p.has(column) || p.columns[column] == 0 {
		return nil
	}
	v := p.columns[column]
	return &v
}

func small(p *processStat, column int) *int {
	if !p.has(column) || p.columns[column] > math.MaxInt32 {
		return nil
	}
	v := int(p.columns[column])
	return &v
}

// signed returns a column that may be negative, from those behind the name. The
// first of them is the state, the third column of the file.
func signed(columns []byte, column int) *int {
	field, _ := text.Field(text.Skip(columns, column-3))
	digits, negative := bytes.CutPrefix(field, []byte("-"))
	if len(digits) == 0 || digits[0]-'0' > 9 {
		return nil
	}
	v, _, ok := text.UintField(digits)
	if !ok || v > math.MaxInt32 {
		return nil
	}
	n := int(v)
	if negative {
		n = -n
	}
	return &n
}

// ticks returns a time counted in ticks.
func ticks(v uint64) time.Duration {
	return time.Duration(min(v, uint64(math.MaxInt64/tick))) * tick
}

// isDead reports the state of a process on its very last way out.
func isDead(letter byte) bool { return (&processStat{state: letter}).dead() }

func stateName(letter byte) *platform.State {
	state, ok := stateOf(letter)
	if !ok {
		return nil
	}
	return &state
}

// policyName names a scheduling policy (include/uapi/linux/sched.h).
func policyName(n uint64) string {
	switch n {
	case 0:
		return "other"
	case 1:
		return "fifo"
	case 2:
		return "rr"
	case 3:
		return "batch"
	case 5:
		return "idle"
	case 6:
		return "deadline"
	case 7:
		return "ext"
	}
	return ""
}

// ownerName looks up a user in the root's own etc/passwd.
func (p *inspection) ownerName(user uint32) *string {
	b, err := p.file("etc/passwd")
	if err != nil {
		return nil
	}
	name, ok := decodePasswd(b)[uint64(user)]
	if !ok {
		return nil
	}
	owner := string(name)
	return &owner
}
