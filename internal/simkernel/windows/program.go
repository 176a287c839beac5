package windows

import (
	"errors"
	"io"
	"os"

	"github.com/pidometer/pidometer/internal/simkernel"
	"github.com/pidometer/pidometer/platform/windows"
)

// The classes of NtQueryInformationProcess that are answered (PROCESSINFOCLASS of winternl.h,
// and of ntpsapi.h of phnt).
const (
	processBasic       = 0
	processTimes       = 4
	processWow64       = 26
	processImageWin32  = 43
	processGroup       = 47
	processCommandLine = 60
)

// Process answers what a process may be asked that is open.
func (k *Kernel) Process(h windows.Handle, class int32, buf []byte) (int, error) {
	if err := k.call("Process"); err != nil {
		return 0, err
	}
	p, b := k.of(h).process, into(buf)
	switch class {
	case processBasic:
		return answer(k.basic(b, p))
	case processTimes:
		b, row := zeros(b, k.headers.Times.Size)
		k.times.Put(row, filetime(p.Clock), units(p.User), units(p.System))
		return answer(b)
	case processWow64: // the address of a PEB of 32 bits: there is none
		b, _ = zeros(b, k.Word())
		return answer(b)
	case processImageWin32:
		return answer(k.string(b, program(p)))
	case processGroup:
		return answer(append(b, 0, 0))
	case processCommandLine:
		return answer(k.string(b, p.Name+` -x ""`))
	}
	return 0, errors.ErrUnsupported
}

// program is the path of a process's program, as programs name it.
func program(p *simkernel.Process) string { return `C:\bin\` + p.Name }

// string is a UNICODE_STRING and what it leads to.
func (k *Kernel) string(b []byte, s string) []byte {
	at := len(b)
	b, _ = zeros(b, k.headers.UnicodeString.Size)
	return k.text(b, at, s)
}

func (k *Kernel) basic(b []byte, p *simkernel.Process) []byte {
	s := k.headers.Basic
	b, row := zeros(b, s.Size)
	s.Put(row, "PebBaseAddress", environmentBlock)
	s.Put(row, "AffinityMask", k.affinity())
	s.Put(row, "UniqueProcessId", p.PID)
	s.Put(row, "InheritedFromUniqueProcessId", p.Parent)
	return b
}

// Owner is the account of a process.
func (k *Kernel) Owner(windows.Handle) (string, error) { return `BOX\user`, k.call("Owner") }

// Image is the kernel's path of a program, in UTF-16 without the NUL.
func (k *Kernel) Image(pid uint64, buf []byte) (int, error) {
	if err := k.call("Image"); err != nil {
		return 0, err
	}
	p := k.Find(pid)
	if p == nil {
		return 0, os.ErrProcessDone
	}
	return len(wide(into(buf), device+`\bin\`+p.Name)) - len("\x00\x00"), nil
}

// Where in a process's memory is what it was started with.
const (
	parameters       = 0x10_0000
	environment      = 0x20_0f80 // shortly before the end of a page
	environmentBlock = 0x30_0000 // PEB
)

// Memory reads what a process was started with, whole or not at all.
func (k *Kernel) Memory(h windows.Handle, address uint64, buf []byte) error {
	if err := k.call("Memory"); err != nil {
		return err
	}
	var room [160]byte // enough for the parameters
	content, from := room[:], uint64(0)
	switch address >> 20 {
	case parameters >> 20:
		from = parameters
		k.headers.Parameters.Put(content, "Environment", environment)
	case environment >> 20:
		from = environment
		putEnvironment(content, k.of(h).process)
	case environmentBlock >> 20:
		from = environmentBlock
		k.headers.Environment.Put(content, "ProcessParameters", parameters)
	}
	if address < from || address-from+uint64(len(buf)) > uint64(len(content)) {
		return windows.ErrPartial
	}
	copy(buf, content[address-from:])
	return nil
}

// putEnvironment writes strings, each with a NUL behind it, and an empty one.
func putEnvironment(content []byte, p *simkernel.Process) {
	b := content[:0]
	for _, s := range p.Environment() {
		b = wide(b, s)
	}
}

// stretch is a region of memory (winnt.h).
type stretch struct {
	from, to                uint64
	state, protection, kind uint64
	bits                    uint64 // of its pages
}

// What pages are and what may be done with them (winnt.h), and the bits of
// PSAPI_WORKING_SET_EX_BLOCK (psapi.h).
const (
	memCommit, memReserve, memFree = 0x1000, 0x2000, 0x1_0000
	memPrivate, memImage           = 0x2_0000, 0x100_0000
	pageReadWrite, pageExecuteRead = 0x04, 0x20
	valid, sharedByFive, shareable = 1, 5 << 1, 1 << 15
)

// stretches are those of every process: a program that others run too, memory of its own, and
// some that is only reserved.
var stretches = [...]stretch{
	{0, simkernel.MapStart, memFree, 0, 0, 0},
	{simkernel.MapStart, simkernel.MapStart + 2*Page, memCommit, pageExecuteRead, memImage, valid | sharedByFive | shareable},
	{simkernel.MapStart + 2*Page, simkernel.MapStart + 4*Page, memCommit, pageReadWrite, memPrivate, valid},
	{simkernel.MapStart + 4*Page, simkernel.MapStart + 5*Page, memReserve, 0, memPrivate, 0},
}

func stretchAt(address uint64) *stretch {
	for i := range stretches {
		if address < stretches[i].to {
			return &stretches[i]
		}
	}
	return nil
}

// Region is MEMORY_BASIC_INFORMATION of the region at an address.
func (k *Kernel) Region(_ windows.Handle, address uint64, buf []byte) (int, error) {
	if err := k.call("Region"); err != nil {
		return 0, err
	}
	x := stretchAt(address)
	if x == nil {
		return 0, io.EOF
	}
	b, row := zeros(into(buf), k.headers.Region.Size)
	k.region.Put(row, x.from, x.from, x.to-x.from, x.state, x.protection, x.kind)
	return answer(b)
}

// WorkingSet is PSAPI_WORKING_SET_EX_INFORMATION of pages.
func (k *Kernel) WorkingSet(_ windows.Handle, buf []byte) error {
	for at := 0; at < len(buf); at += k.headers.Page.Size {
		row := buf[at:]
		if x := stretchAt(k.headers.Page.Get(row, "VirtualAddress")); x != nil {
			k.page.Put(row, x.bits)
		}
	}
	return k.call("WorkingSet")
}
