//go:build !windows

// The layouts are the same wherever they are compared, and Wine has no go command.

package headers

import (
	"strings"
	"testing"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// The declarations, laid out by the rules of the C ABI, agree with the types that
// golang.org/x/sys/windows has of the same structures: what is called alike is at the same
// place, and at least so many members are.
func TestDeclarationsAgreeWithXSys(t *testing.T) {
	for arch, h := range map[string]*Of{"amd64": Wide, "arm64": Wide, "386": Narrow} {
		p := simkernel.XSysWindows(t, arch)
		for _, c := range []struct {
			s     *simkernel.Struct
			name  string
			least int
			wide  bool // Go has 64 bits at multiples of 4 bytes on 386, or x/sys has it as it is elsewhere
		}{
			{h.UnicodeString, "NTUnicodeString", 3, false}, {h.Process, "SYSTEM_PROCESS_INFORMATION", 34, false},
			{h.Basic, "PROCESS_BASIC_INFORMATION", 6, false}, {h.Region, "MemoryBasicInformation", 8, true},
			{h.Page, "PSAPI_WORKING_SET_EX_INFORMATION", 2, true}, {h.Interface, "MibIfRow2", 39, true}, {h.Interfaces, "MibIfTable2", 2, true},
			{h.ServiceStatus, "SERVICE_STATUS_PROCESS", 9, false}, {h.Service, "ENUM_SERVICE_STATUS_PROCESS", 3, false},
		} {
			if c.wide && h == Narrow {
				continue
			}
			have := simkernel.OffsetsIn(t, p, c.name, arch)
			if c.s.Size != have[""] {
				t.Errorf("%s: %s has %d bytes, in x/sys %d", arch, c.name, c.s.Size, have[""])
			}
			compare(t, arch, c.s, have, c.least)
		}
		compare(t, arch, h.Environment, simkernel.OffsetsIn(t, p, "PEB", arch), 3)
		compare(t, arch, h.Parameters, simkernel.OffsetsIn(t, p, "RTL_USER_PROCESS_PARAMETERS", arch), 14)
	}
}

// What x/sys lacks has the size that its members and what fills up between them add up to by
// hand.
func TestSizes(t *testing.T) {
	for h, sizes := range map[*Of]map[*simkernel.Struct]int{
		Wide: {Wide.Thread: 0x50, Wide.Performance: 344, Wide.Processor: 48, Wide.TimeOfDay: 48, Wide.Interrupts: 24, Wide.Memory: 104,
			Wide.PageFile: 32, Wide.Handle: 40, Wide.Core: 48, Wide.Group: 48, Wide.Groups: 80, Wide.Disk: 88, Wide.TCP6: 56, Wide.UDP6: 28},
		Narrow: {Narrow.Thread: 0x40, Narrow.Performance: 344, Narrow.Processor: 48, Narrow.Memory: 56, Narrow.PageFile: 24, Narrow.Handle: 28,
			Narrow.Group: 44, Narrow.Region: 28, Narrow.Disk: 88, Narrow.Interface: 1352},
	} {
		for s, size := range sizes {
			if s.Size != size {
				t.Errorf("%d-bit %s has %d bytes, want %d", 8*h.Word, s.Name, s.Size, size)
			}
		}
	}
}

func compare(t *testing.T, arch string, s *simkernel.Struct, have map[string]int, least int) {
	t.Helper()
	compared := 0
	for _, member := range s.Members() {
		for name, at := range have {
			if !strings.EqualFold(name, strings.TrimPrefix(strings.TrimPrefix(member, "dw"), "lp")) {
				continue
			}
			compared++
			if got := s.Offset(member); got != at {
				t.Errorf("%s: %s.%s is at %#x, in x/sys at %#x", arch, s.Name, member, got, at)
			}
		}
	}
	if compared < least {
		t.Errorf("%s: %s has %d members that x/sys has, want %d", arch, s.Name, compared, least)
	}
}
