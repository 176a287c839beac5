package semconv

import (
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// The attributes of the metrics, by what they tell.
const (
	ConnectionState   attribute.Key = "network.connection.state"
	ContextSwitchType attribute.Key = "process.context_switch.type"
	CPUMode           attribute.Key = "cpu.mode"
	DiskDirection     attribute.Key = "disk.io.direction"
	FaultType         attribute.Key = "system.paging.fault.type"
	FilesystemState   attribute.Key = "system.filesystem.state"
	HugePageState     attribute.Key = "system.memory.linux.hugepages.state"
	LockMechanism     attribute.Key = "file.lock.mechanism"
	LockType          attribute.Key = "file.lock.type"
	MemoryState       attribute.Key = "system.memory.state"
	NetworkDirection  attribute.Key = "network.io.direction"
	NetworkTransport  attribute.Key = "network.transport"
	NetworkType       attribute.Key = "network.type"
	PagingDirection   attribute.Key = "system.paging.direction"
	PagingState       attribute.Key = "system.paging.state"
	ProcessState      attribute.Key = "process.state"
	SlabState         attribute.Key = "system.memory.linux.slab.state"
)

// The attributes that identify an entity.
const (
	ContainerID          attribute.Key = "container.id"
	ContainerRuntime     attribute.Key = "container.runtime.name"
	CPULogicalNumber     attribute.Key = "cpu.logical_number"
	Device               attribute.Key = "system.device"
	FilesystemMode       attribute.Key = "system.filesystem.mode"
	FilesystemMountpoint attribute.Key = "system.filesystem.mountpoint"
	FilesystemType       attribute.Key = "system.filesystem.type"
	NetworkInterface     attribute.Key = "network.interface.name"
	ProcessCreation      attribute.Key = "process.creation.time"
	ProcessExecutable    attribute.Key = "process.executable.name"
	ProcessPID           attribute.Key = "process.pid"
)

// ProcessGroup is ours: it tells the remainder, which stands for all processes
// without series of their own, and is never on a point that tells a PID.
const ProcessGroup attribute.Key = "pidometer.process.group"

// groupOther is the one value of [ProcessGroup].
const groupOther = "other"

// creationLayout is RFC 3339 with exactly milliseconds. The conventions say ISO
// 8601 and no more; a fixed number of digits makes equal times equal strings.
const creationLayout = "2006-01-02T15:04:05.000Z07:00"

// Subject is who a point is about, in strings that are valid UTF-8 already.
type Subject struct {
	Entity  platform.Entity
	Key     platform.Key
	Created time.Time // of a process

	Executable         string // name of a process's program
	Device, Type, Mode string // of a file system

	Texts map[platform.Text]string // of a container, a disk, an interface, a CPU, other hardware
	Extra []attribute.KeyValue     // of a process, beside its identity
	Self  bool                     // the process that reports itself alone, whom the Resource tells
	Other bool                     // the remainder: all processes without series of their own
}

// Attributes returns the attributes of a point of m about s: the identity of s as
// this metric spells it, and what tells the point from others of the metric. What
// is not known, an empty string or a zero time, is left out.
func (m *Metric) Attributes(s Subject, p Point) attribute.Set {
	return attribute.NewSet(append(m.identity(s), p.Attrs...)...)
}

// identity has room for the attributes of any point behind its own.
func (m *Metric) identity(s Subject) []attribute.KeyValue {
	id := make([]attribute.KeyValue, 0, 12)
	if m.Device == HardwareID {
		return m.component(id, &s)
	}
	switch s.Entity {
	case platform.CPU:
		return append(id, CPULogicalNumber.Int64(int64(s.Key.ID)))
	case platform.Node:
		return append(id, NUMANode.Int64(int64(s.Key.ID)))
	case platform.Disk, platform.Network, platform.Swap, platform.Lock, platform.Pressure:
		return known(id, m.Device, s.Key.Name)
	case platform.Filesystem:
		id = known(id, m.Device, s.Device)
		id = known(id, FilesystemType, s.Type)
		id = known(id, FilesystemMode, s.Mode)
		return known(id, FilesystemMountpoint, s.Key.Name)
	case platform.Container:
		id = known(id, ContainerID, s.Key.Name)
		id = known(id, ContainerRuntime, s.Texts[platform.ContainerRuntime])
		return known(id, PodUID, s.Texts[platform.ContainerPod])
	case platform.Service:
		id = known(id, ServiceName, s.Key.Name)
		return known(id, ServiceDisplayName, s.Texts[platform.ServiceDisplayName])
	case platform.Process:
		return s.process(id)
	}
	return id
}

func (s *Subject) process(id []attribute.KeyValue) []attribute.KeyValue {
	if s.Other {
		return append(id, ProcessGroup.String(groupOther))
	}
	if s.Self {
		return append(id, s.Extra...)
	}
	id = append(id, ProcessPID.Int64(int64(s.Key.ID)))
	if !s.Created.IsZero() {
		id = append(id, ProcessCreation.String(FormatTime(s.Created)))
	}
	return append(known(id, ProcessExecutable, s.Executable), s.Extra...)
}

// known adds an attribute unless there is nothing to say: absent is not empty.
func known(to []attribute.KeyValue, k attribute.Key, v string) []attribute.KeyValue {
	if k == "" || v == "" {
		return to
	}
	return append(to, k.String(v))
}

// hostKeys spells the texts of the host and of its operating system.
var hostKeys = [...]struct {
	text platform.Text
	key  attribute.Key
}{
	{platform.HostID, "host.id"},
	{platform.HostName, "host.name"},
	{platform.HostArch, "host.arch"},
	{platform.OSType, "os.type"},
	{platform.OSName, "os.name"},
	{platform.OSVersion, "os.version"},
	{platform.OSDescription, "os.description"},
	{platform.OSBuild, "os.build_id"},
}

// Host returns the attributes that identify and describe the machine, for a
// Resource. The strings that get returns are valid UTF-8 already; what it does
// not know is left out.
func Host(get func(platform.Text) (string, bool)) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, len(hostKeys))
	for _, h := range hostKeys {
		if v, ok := get(h.text); ok {
			attrs = known(attrs, h.key, v)
		}
	}
	return attrs
}

// FormatTime spells a time as [ProcessCreation] has it: UTC, to the millisecond.
func FormatTime(t time.Time) string { return t.UTC().Format(creationLayout) }

// formatPID spells a PID where only strings are allowed.
func formatPID(pid uint64) string { return strconv.FormatUint(pid, 10) }
