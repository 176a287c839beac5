package windows

import (
	"fmt"
	"os"

	"github.com/pidometer/pidometer/internal/layout"
)

// Rights to a process (winnt.h).
const (
	processVMRead       = 0x0010
	processDuplicate    = 0x0040
	processQuery        = 0x0400
	processQueryLimited = 0x1000
	processSynchronize  = 0x100000
)

// Information classes of NtQueryInformationProcess.
const (
	classBasic       = 0
	classTimes       = 4
	classPriority    = 18
	classWow64       = 26
	classIOPriority  = 33
	classImageWin32  = 43
	classGroups      = 47
	classCommandLine = 60
)

// open returns a handle of the process that is visited, which may be asked for
// everything but its memory.
func (r *reader) open(v *visit) (Handle, error) { return r.openFor(v, processQueryLimited) }

// openFor returns a handle of the process that is visited with the given rights. One
// that has less is closed, so that a visit has one handle at most; what everybody
// wants is asked for once.
func (r *reader) openFor(v *visit, rights uint32) (Handle, error) {
	switch {
	case v.rights != 0 && v.rights&rights == rights:
		return v.handle, nil
	case v.refused != nil && rights == processQueryLimited:
		return 0, v.refused
	}
	rights |= processQueryLimited
	h, err := r.openAs(v, rights)
	if err != nil {
		if rights == processQueryLimited {
			v.refused = err
		}
		return 0, err
	}
	r.release(v)
	v.handle, v.rights = h, rights
	return h, nil
}

// openAs opens a process and proves that it is the one that is visited: a PID may
// have gone to another one, and a process that has ended can be opened as long as
// anybody has it open.
func (r *reader) openAs(v *visit, access uint32) (Handle, error) {
	h, err := r.kernel.Open(v.key.ID, access)
	if err != nil {
		return 0, err
	}
	if err := r.prove(v, h); err != nil {
		r.kernel.Close(h)
		return 0, err
	}
	return h, nil
}

// The two ways in which a PID can be opened and the process be gone.
var (
	errEnded  = fmt.Errorf("it has ended, and somebody holds it open: %w", os.ErrProcessDone)
	errReused = fmt.Errorf("it has ended, and another has its PID: %w", os.ErrProcessDone)
)

func (r *reader) prove(v *visit, h Handle) error {
	answer, err := r.ask(h, classTimes)
	if err != nil {
		return err
	}
	create, exit, ok := decodeTimes(answer)
	switch {
	case !ok:
		return errContent
	case create >= unixEpoch && create-unixEpoch != v.key.Start:
		return errReused
	case exit != 0:
		return errEnded
	}
	return nil
}

// ask asks a process for one class of information. The answer is lent until the next
// question.
func (r *reader) ask(h Handle, class int32) (answer []byte, err error) {
	answer, r.buf, err = layout.Grow(r.buf, func(buf []byte) (int, error) { return r.kernel.Process(h, class, buf) })
	return answer, err
}

// release closes the handle of a visit.
func (r *reader) release(v *visit) {
	if v.rights != 0 {
		r.kernel.Close(v.handle)
		v.rights = 0
	}
}

// timesSize is the size of KERNEL_USER_TIMES: created, ended, kernel and user time.
const timesSize = 32

// decodeTimes reads KERNEL_USER_TIMES. A process that runs has ended at 0.
func decodeTimes(b []byte) (create, exit uint64, ok bool) {
	if len(b) < timesSize {
		return 0, 0, false
	}
	return layout.U64(b, 0), layout.U64(b, 8), true
}

// basic is what is read of PROCESS_BASIC_INFORMATION.
type basic struct {
	exit     uint32 // status that it ended with
	peb      uint64 // address of the process environment block
	affinity uint64 // a bit for each CPU of the group that it is in; 0 if it is in several
}

// decodeBasic reads PROCESS_BASIC_INFORMATION of six words.
func decodeBasic(b []byte, word int) (p basic, ok bool) {
	if len(b) < 6*word {
		return basic{}, false
	}
	return basic{exit: layout.U32(b, 0), peb: layout.Word(b, word, word), affinity: layout.Word(b, 2*word, word)}, true
}

// decodeUnicodeString returns what a UNICODE_STRING at the start of an answer leads
// to, in UTF-16. The characters lie within the answer, whose address is base.
func decodeUnicodeString(b []byte, base uint64, word int) (wide []byte, ok bool) {
	if len(b) < 2*word {
		return nil, false
	}
	length := uint64(layout.U16(b, 0))
	if length == 0 {
		return nil, true
	}
	return layout.Within(b, base, layout.Word(b, word, word), length)
}
