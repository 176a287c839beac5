package linux

import (
	"bytes"
	"slices"

	"github.com/pidometer/pidometer/internal/text"
	"github.com/pidometer/pidometer/platform"
)

// statusDetail is what describes a process in /proc/[pid]/status.
type statusDetail struct {
	process       uint64 // PID of the process that a thread belongs to; 0 unknown
	users, groups *platform.IDs
	supplementary []uint32
	namespaces    []uint64
	eligible      []int
	capabilities  [numCapabilities]uint64
	hasSet        [numCapabilities]bool
}

// The capability sets, in the order of their lines.
const (
	capInheritable = iota
	capPermitted
	capEffective
	capBounding
	capAmbient
	numCapabilities
)

// decodeStatusDetail reads /proc/[pid]/status (man 5 proc_pid_status) line by line:
// a process may call itself "Uid:\t0\t0\t0", which psutil 5.9 takes for root's.
//
//	Tgid:	6113
//	Uid:	1000	1000	1000	1000
//	Gid:	1000	1000	1000	1000
//	Groups:	4 24 27
//	NSpid:	6113	1
//	CapEff:	000001ffffffffff
//	Cpus_allowed_list:	0-1,4
func decodeStatusDetail(b []byte, s *statusDetail) {
	*s = statusDetail{}
	for line := range text.Lines(text.Whole(b)) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		s.line(key, value)
	}
}

func (s *statusDetail) line(key, value []byte) {
	switch string(key) {
	case "Tgid":
		s.process, _, _ = text.UintField(value)
	case "Uid":
		s.users = decodeIDs(value)
	case "Gid":
		s.groups = decodeIDs(value)
	case "Groups":
		s.supplementary = numbers[uint32](value)
	case "NSpid":
		s.namespaces = numbers[uint64](value)
	case "Cpus_allowed_list":
		s.eligible = decodeEligible(value)
	case "CapInh":
		s.capability(capInheritable, value)
	case "CapPrm":
		s.capability(capPermitted, value)
	case "CapEff":
		s.capability(capEffective, value)
	case "CapBnd":
		s.capability(capBounding, value)
	case "CapAmb":
		s.capability(capAmbient, value)
	}
}

func (s *statusDetail) capability(i int, value []byte) {
	s.capabilities[i], _, s.hasSet[i] = text.HexField(value)
}

// decodeIDs reads four IDs: real, effective, saved, and for files.
func decodeIDs(value []byte) *platform.IDs {
	all := numbers[uint32](value)
	if len(all) != 4 {
		return nil
	}
	return &platform.IDs{Real: all[0], Effective: all[1], Saved: &all[2], Filesystem: &all[3]}
}

// numbers reads numbers with blanks between them: an empty list if there are none,
// nil if there is anything else.
func numbers[N uint32 | uint64](value []byte) []N {
	list := []N{}
	for {
		field, rest := text.Field(value)
		if len(field) == 0 {
			return list
		}
		v, _, ok := text.UintField(field)
		if !ok || uint64(N(v)) != v {
			return nil
		}
		list = append(list, N(v))
		value = rest
	}
}

// decodeEligible reads a list of CPUs.
func decodeEligible(value []byte) []int {
	list := []int{}
	for cpu := range decodeCPUList(text.Trim(value)) {
		list = append(list, int(cpu))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// set tells what status told.
func (s *statusDetail) set(id *platform.Identity) {
	id.Users, id.Groups = s.users, s.groups
	id.Supplementary = s.supplementary
	id.Namespaces = s.namespaces
	has := s.hasSet
	if !has[capInheritable] || !has[capPermitted] || !has[capEffective] || !has[capBounding] {
		return
	}
	c := s.capabilities
	id.Capabilities = &platform.Capabilities{
		Inheritable: c[capInheritable], Permitted: c[capPermitted], Effective: c[capEffective], Bounding: c[capBounding],
	}
	if has[capAmbient] {
		id.Capabilities.Ambient = &c[capAmbient]
	}
}
