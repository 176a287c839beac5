package windows

import (
	"encoding/binary"
	"errors"

	"github.com/pidometer/pidometer/internal/simkernel"
)

// The classes of NtQuerySystemInformation that are answered (SYSTEM_INFORMATION_CLASS of
// winternl.h, and of ntexapi.h of phnt).
const (
	systemPerformance          = 2
	systemTimeOfDay            = 3
	systemProcess              = 5
	systemDevice               = 7
	systemProcessorPerformance = 8
	systemPageFile             = 18
	systemInterrupt            = 23
	systemExtendedHandle       = 64
	systemLogicalProcessorEx   = 107
)

// System answers for the whole machine.
func (k *Kernel) System(class int32, buf []byte) (int, error) {
	if err := k.call("System"); err != nil {
		return 0, err
	}
	switch class {
	case systemProcess:
		return answer(k.processes(into(buf)))
	case systemPerformance:
		return answer(k.performance(into(buf)))
	case systemTimeOfDay:
		return k.timeOfDay(buf)
	case systemDevice:
		b, row := zeros(into(buf), k.headers.Devices.Size)
		k.headers.Devices.Put(row, "NumberOfDisks", uint64(len(k.Disks)))
		return answer(b)
	case systemProcessorPerformance:
		return answer(k.processors(into(buf)))
	case systemPageFile:
		return answer(k.pageFile(into(buf)))
	case systemExtendedHandle:
		return answer(k.handles(into(buf)))
	}
	return 0, errors.ErrUnsupported
}

// SystemEx answers for processor group 0, which is the only one, and of the processors'
// relations.
func (k *Kernel) SystemEx(class int32, input, buf []byte) (int, error) {
	if err := k.call("SystemEx"); err != nil {
		return 0, err
	}
	of := binary.LittleEndian.Uint16(input)
	switch {
	case class == systemProcessorPerformance && of == 0:
		return answer(k.processors(into(buf)))
	case class == systemInterrupt && of == 0:
		return answer(k.interrupts(into(buf)))
	case class == systemLogicalProcessorEx && of == 0: // RelationProcessorCore
		b, row := zeros(into(buf), k.headers.Core.Size)
		k.headers.Core.Put(row, "Size", uint64(len(row)))
		k.headers.Core.Put(row, "GroupCount", 1)
		return answer(b)
	case class == systemLogicalProcessorEx && of == 4: // RelationGroup
		return answer(k.groups(into(buf)))
	}
	return 0, errors.ErrUnsupported
}

// performance is SYSTEM_PERFORMANCE_INFORMATION: of what it counts a world knows context
// switches.
func (k *Kernel) performance(b []byte) []byte {
	s := k.headers.Performance
	b, row := zeros(b, s.Size)
	s.Put(row, "PageFaultCount", 900)
	s.Put(row, "PageReadCount", 80)
	s.Put(row, "PageReadIoCount", 60)
	s.Put(row, "DirtyPagesWriteCount", 40)
	s.Put(row, "ContextSwitches", k.Switches)
	s.Put(row, "SystemCalls", 54321)
	return b
}

// timeOfDay answers the front of SYSTEM_TIMEOFDAY_INFORMATION, as Windows does, and refuses
// what is larger.
func (k *Kernel) timeOfDay(buf []byte) (int, error) {
	s := k.headers.TimeOfDay
	if len(buf) > s.Size {
		return 0, errors.New("STATUS_INFO_LENGTH_MISMATCH")
	}
	row := make([]byte, s.Size)
	s.Put(row, "BootTime", filetime(k.Since(0)))
	s.Put(row, "CurrentTime", filetime(k.Since(k.Now)))
	return copy(buf, row), nil
}

// processors is SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION of each CPU. The kernel's time has
// those of the idle loop and of interrupts in it.
func (k *Kernel) processors(b []byte) []byte {
	for i := range k.CPUs {
		c := &k.CPUs[i]
		var row []byte
		b, row = zeros(b, k.headers.Processor.Size)
		k.processor.Put(row, units(c.Idle), units(c.Idle+c.System+c.Interrupt), units(c.User), units(c.Interrupt), 1000)
	}
	return b
}

func (k *Kernel) interrupts(b []byte) []byte {
	for range k.CPUs {
		var row []byte
		b, row = zeros(b, k.headers.Interrupts.Size)
		k.headers.Interrupts.Put(row, "DpcCount", 1<<31+7)
	}
	return b
}

// groups is one with all CPUs.
func (k *Kernel) groups(b []byte) []byte {
	s := k.headers.Groups
	b, row := zeros(b, s.Size)
	s.Put(row, "Relationship", 4)
	s.Put(row, "Size", uint64(len(row)))
	s.Put(row, "MaximumGroupCount", 1)
	s.Put(row, "ActiveGroupCount", 1)
	s.PutIn(row, "GroupInfo", k.headers.Group, "ActiveProcessorMask", k.affinity())
	return b
}

// affinity is the mask of all CPUs.
func (k *Kernel) affinity() uint64 { return 1<<len(k.CPUs) - 1 }

// pageFile is one page file.
func (k *Kernel) pageFile(b []byte) []byte {
	s := k.headers.PageFile
	at := len(b)
	b, _ = zeros(b, s.Size)
	s.Put(b[at:], "TotalSize", 1000)
	s.Put(b[at:], "TotalInUse", 250)
	return k.text(b, at+s.Offset("PageFileName"), `\??\C:\pagefile.sys`)
}

// text appends UTF-16 to an answer, and lets a UNICODE_STRING in it lead there. What a world
// names things by is ASCII.
func (k *Kernel) text(b []byte, at int, s string) []byte {
	k.headers.UnicodeString.Put(b[at:], "Length", uint64(2*len(s)))
	k.headers.UnicodeString.Put(b[at:], "MaximumLength", uint64(2*len(s)+2))
	k.headers.UnicodeString.Put(b[at:], "Buffer", base+uint64(len(b)))
	return wide(b, s)
}

// wide appends UTF-16 and a NUL.
func wide(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, s[i], 0)
	}
	return append(b, 0, 0)
}

// handles are those of everybody: one of a file.
func (k *Kernel) handles(b []byte) []byte {
	s := k.headers.Handle
	b, _ = zeros(b, k.headers.Handles.Offset("Handles"))
	count := uint64(0)
	for _, p := range k.Processes {
		if p.State == simkernel.Zombie {
			continue
		}
		var row []byte
		b, row = zeros(b, s.Size)
		s.Put(row, "UniqueProcessId", p.PID)
		s.Put(row, "HandleValue", 8)
		count++
	}
	k.headers.Handles.Put(b, "NumberOfHandles", count)
	return b
}

// Performance is PERFORMANCE_INFORMATION: pages that there are, and that are free.
func (k *Kernel) Performance(buf []byte) error {
	s := k.headers.Memory
	row := buf[:s.Size]
	clear(row)
	s.Put(row, "cb", uint64(s.Size))
	s.Put(row, "PhysicalTotal", k.World.Memory/Page)
	s.Put(row, "PhysicalAvailable", k.Free/Page)
	s.Put(row, "PageSize", Page)
	return k.call("Performance")
}

// Power is PROCESSOR_POWER_INFORMATION of each CPU.
func (k *Kernel) Power(_ int32, buf []byte) error {
	s := k.headers.ProcessorPower
	for i := range k.CPUs {
		row := buf[i*s.Size:]
		s.Put(row, "Number", uint64(i))
		s.Put(row, "MaxMhz", 3600)
		s.Put(row, "CurrentMhz", 2400)
	}
	return k.call("Power")
}

// PowerStatus is a battery that is used.
func (k *Kernel) PowerStatus(buf []byte) error {
	s := k.headers.PowerStatus
	s.Put(buf, "ACLineStatus", 0)
	s.Put(buf, "BatteryFlag", 1)
	s.Put(buf, "BatteryLifePercent", 80)
	s.Put(buf, "BatteryLifeTime", 3600)
	return k.call("PowerStatus")
}
