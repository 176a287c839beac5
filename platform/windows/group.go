package windows

import (
	"encoding/binary"
	"math/bits"

	"github.com/pidometer/pidometer/internal/layout"
)

// relationGroup is RelationGroup of LOGICAL_PROCESSOR_RELATIONSHIP.
const relationGroup = 4

// Offsets in SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX of the groups (winnt.h): a
// relationship and a size, then GROUP_RELATIONSHIP of two counts and 20 reserved
// bytes, then for each group PROCESSOR_GROUP_INFO of two counts, 38 reserved bytes and
// the mask of the CPUs that are active.
const (
	groupsActive = 8 + 2
	groupsFirst  = 8 + 24
	groupMask    = 40
)

// decodeGroups reads the masks of the active CPUs of each processor group.
func decodeGroups(b []byte, word int) (masks []uint64, ok bool) {
	if len(b) < groupsFirst || layout.U32(b, 0) != relationGroup {
		return nil, false
	}
	count := int(layout.U16(b, groupsActive))
	size := groupMask + word
	b = b[groupsFirst:]
	if count == 0 || count > len(b)/size {
		return nil, false
	}
	for range count {
		masks = append(masks, layout.Word(b, groupMask, word))
		b = b[size:]
	}
	return masks, true
}

// groups returns the masks of the processor groups, asked for once: they are made at
// boot. A Windows that does not tell has one.
func (r *reader) groups() []uint64 {
	if r.masks != nil {
		return r.masks
	}
	r.masks = []uint64{0}
	input := binary.LittleEndian.AppendUint32(nil, relationGroup)
	answer, grown, err := layout.Grow(r.buf, func(buf []byte) (int, error) {
		return r.kernel.SystemEx(classLogicalProcessors, input, buf)
	})
	r.buf = grown
	if masks, ok := decodeGroups(answer, r.word); err == nil && ok {
		r.masks = masks
	}
	return r.masks
}

// decodeProcessGroups reads the numbers of the groups that a process is in
// (ProcessGroupInformation).
func decodeProcessGroups(b []byte) (groups []uint16) {
	for ; len(b) >= 2; b = b[2:] {
		groups = append(groups, layout.U16(b, 0))
	}
	return groups
}

// cpusOf returns the CPUs that the process that is visited may run on, by ascending
// numbers. Of one that is in several groups, as all are by default since Windows 11,
// those are all CPUs of these groups: a mask is of one group.
func (r *reader) cpusOf(v *visit) ([]int, error) {
	p, err := r.basic(v)
	if err != nil {
		return nil, err
	}
	masks := r.groups()
	if len(masks) == 1 {
		return appendCPUs([]int{}, 0, p.affinity), nil
	}
	answer, err := r.ask(v.handle, classGroups)
	if err != nil {
		return nil, err
	}
	groups := decodeProcessGroups(answer)
	if len(groups) == 1 && p.affinity != 0 {
		return appendCPUs([]int{}, groups[0], p.affinity), nil
	}
	cpus := []int{}
	for group, mask := range masks {
		for _, of := range groups {
			if int(of) == group {
				cpus = appendCPUs(cpus, of, mask)
			}
		}
	}
	return cpus, nil
}

func appendCPUs(cpus []int, group uint16, mask uint64) []int {
	for ; mask != 0; mask &= mask - 1 {
		cpus = append(cpus, int(group)*groupSize+bits.TrailingZeros64(mask))
	}
	return cpus
}
