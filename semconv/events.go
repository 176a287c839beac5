package semconv

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// The attributes of events that the specification of OpenTelemetry gives to entities,
// and its semantic conventions to processes and failures.
const (
	EntityType           attribute.Key = "entity.type"
	EntityID             attribute.Key = "entity.id"
	EntityDescription    attribute.Key = "entity.description"
	EntityRelationships  attribute.Key = "entity.relationships"
	EntityReportInterval attribute.Key = "entity.report.interval"
	EntityDeleteReason   attribute.Key = "entity.delete.reason"
	RelationshipType     attribute.Key = "relationship.type"

	ProcessExitCode attribute.Key = "process.exit.code"
	ProcessExitTime attribute.Key = "process.exit.time"
)

// The attributes of events that are ours: no convention has them.
const (
	BootID             attribute.Key = "system.boot.id"
	ClockStep          attribute.Key = "system.clock.step"
	OOMKills           attribute.Key = "system.memory.linux.oom_kills"
	PressureThreshold  attribute.Key = "system.pressure.linux.threshold"
	PressureWindow     attribute.Key = "system.pressure.linux.window"
	ProcessExitCore    attribute.Key = "process.exit.core_dumped"
	ProcessExitSignal  attribute.Key = "process.exit.signal"
	ProcessExitUser    attribute.Key = "process.exit.cpu.user_time"
	ProcessExitSystem  attribute.Key = "process.exit.cpu.system_time"
	ProcessExitPeak    attribute.Key = "process.exit.memory.peak"
	ProcessMemoryUsage attribute.Key = "process.memory.usage"
	RestartMetric      attribute.Key = "pidometer.counter.metric"
	RestartAttributes  attribute.Key = "pidometer.counter.attributes"
	RestartPrevious    attribute.Key = "pidometer.counter.previous"
	RestartValue       attribute.Key = "pidometer.counter.value"
	LimitedEvent       attribute.Key = "pidometer.event.name"
	LimitedCount       attribute.Key = "pidometer.event.count"
	ServiceBefore      attribute.Key = "windows.service.state.previous"
	UnitName           attribute.Key = "systemd.unit.name"
	UnitDescription    attribute.Key = "systemd.unit.description"
	UnitState          attribute.Key = "systemd.unit.active_state"
	UnitBefore         attribute.Key = "systemd.unit.active_state.previous"
)

// Severity is a severity number of the log data model. There is no text beside it.
type Severity uint8

// The severities of our events.
const (
	Info  Severity = 9
	Warn  Severity = 13
	Error Severity = 17
)

// EventAttribute is an attribute that the records of an event carry.
type EventAttribute struct {
	Key      attribute.Key
	Required bool // on every record; the others where they are known
	Brief    string
}

// Event is one kind of log record: a name, and what its records tell.
type Event struct {
	Name, Brief string
	// Severity is that of a record, Failed that of one that tells of a failure; 0 if
	// there is none.
	Severity, Failed Severity
	Default          bool // sent by default; the others with all
	Extension        bool // not in the specification: proposed by this project
	// Kinds are the occurrences that a kernel tells it by.
	Kinds platform.OccurrenceKindSet
	// Passes is what a pass tells it by, where it does: the difference to the pass
	// before, unless it says otherwise.
	Passes     string
	Attributes []EventAttribute
	Note       string
}

// The names of the events.
const (
	EventEntityState    = "entity.state"
	EventEntityDelete   = "entity.delete"
	EventProcessStart   = "process.start"
	EventProcessExit    = "process.exit"
	EventOOMKill        = "process.oom_kill"
	EventService        = "windows.service.state_change"
	EventUnit           = "systemd.unit.state_change"
	EventPressure       = "system.linux.pressure"
	EventBoot           = "system.boot"
	EventClockStep      = "system.clock.step"
	EventCounterRestart = "pidometer.counter.restart"
	EventLimited        = "pidometer.event.limited"
	EventDrain          = "pidometer.drain"
)

// subject are the attributes of a process that an event is about. The reporter is
// somebody else, so they are on the record.
func subject(more ...EventAttribute) []EventAttribute {
	return append([]EventAttribute{
		{ProcessPID, true, "PID."},
		{ProcessCreation, false, "When it was created. With the PID it identifies the process."},
		{ProcessExecutable, false, "Base name of its program file, else the kernel's short name."},
	}, more...)
}

var events = [...]Event{
	{
		Name: EventEntityState, Severity: Info, Default: true,
		Brief:  "A process is there: sent once it is first seen, when its description changes, and each report interval.",
		Passes: "every process that it sees",
		Attributes: []EventAttribute{
			{EntityType, true, "process."},
			{EntityID, true, "process.pid and process.creation.time, both as strings."},
			{EntityDescription, false, "process.executable.name, process.executable.path, process.owner and process.parent_pid."},
			{EntityRelationships, false, "runs_on the host of this host.id."},
			{EntityReportInterval, true, "Seconds until the next one at most. Longer than was asked for where there are too many processes."},
		},
		Note: "As the specification has it (Entity Events, in development). The first ones of many processes are spread over time, and so are all later ones: never more than a thousand in a minute.",
	},
	{
		Name: EventEntityDelete, Severity: Info, Default: true,
		Brief: "A process is gone that a state was sent of.",
		Kinds: platform.KindsOf(platform.ProcessExited), Passes: "a process that it sees no more",
		Attributes: []EventAttribute{
			{EntityType, true, "process."},
			{EntityID, true, "process.pid and process.creation.time, both as strings."},
			{EntityDeleteReason, true, "terminated."},
		},
		Note: "Its time is that of the end where something tells it, else that of the pass that missed the process.",
	},
	{
		Name: EventProcessStart, Severity: Info, Extension: true,
		Brief: "A process began.",
		Kinds: platform.KindsOf(platform.ProcessStarted, platform.ProcessExecuted), Passes: "a process that it did not see before",
		Attributes: subject(
			EventAttribute{ProcessParentPID, false, "PID of the parent."},
			EventAttribute{ProcessOwner, false, "Name of the effective user."},
		),
		Note: "Its time is that of the creation. Owner and program file are read for a hundred processes in a second at most, while they live; of the others the name is the kernel's short one.",
	},
	{
		Name: EventProcessExit, Severity: Info, Failed: Warn, Extension: true,
		Brief: "A process ended.",
		Kinds: platform.KindsOf(platform.ProcessExited, platform.ProcessAccounted), Passes: "a process that it sees no more",
		Attributes: subject(
			EventAttribute{ProcessParentPID, false, "PID of the parent."},
			EventAttribute{ProcessExitTime, false, "When it ended, where something tells it."},
			EventAttribute{ProcessExitCode, false, "What it returned; absent if a signal ended it, and where only its parent is told."},
			EventAttribute{ProcessExitSignal, false, "The signal that ended it, such as SIGSEGV."},
			EventAttribute{ProcessExitCore, false, "true if the kernel wrote a core file, or tried to."},
			EventAttribute{ProcessExitUser, false, "Seconds of CPU time in its own code, over its life."},
			EventAttribute{ProcessExitSystem, false, "Seconds of CPU time in the kernel, over its life."},
			EventAttribute{ProcessExitPeak, false, "The most bytes of memory that were resident at once."},
			EventAttribute{ErrorType, false, "The signal or the code of an end that is a failure: any but 0."},
		),
	},
	{
		Name: EventOOMKill, Severity: Error, Default: true, Extension: true,
		Brief: "The kernel killed a process for want of memory.",
		Kinds: platform.KindsOf(platform.ProcessOOMKilled),
		Attributes: []EventAttribute{
			{ErrorType, true, "oom."},
			{ProcessPID, false, "PID; unknown where only the count of kills can be read."},
			{ProcessCreation, false, "When it was created. With the PID it identifies the process."},
			{ProcessExecutable, false, "The kernel's short name."},
			{ProcessCgroup, false, "Its control group."},
			{ProcessMemoryUsage, false, "Bytes that were resident."},
			{OOMKills, false, "How many kills this record stands for, where it is not one."},
		},
	},
	{
		Name: EventService, Severity: Info, Failed: Error, Default: true, Extension: true,
		Brief: "A service of Windows is in another state.",
		Kinds: platform.KindsOf(platform.ServiceChanged),
		Attributes: []EventAttribute{
			{ServiceName, true, "Name of the service."},
			{ServiceState, true, "The state now, as in windows.service.status."},
			{ServiceBefore, false, "The state before."},
			{ServiceDisplayName, false, "Its name for people."},
			{ProcessPID, false, "PID of its process."},
			{ProcessExitCode, false, "What it returned as it stopped."},
			{ErrorType, false, "The code of a stop that is a failure."},
		},
	},
	{
		Name: EventUnit, Severity: Info, Failed: Error, Default: true, Extension: true,
		Brief: "A service unit of systemd is in another state.",
		Kinds: platform.KindsOf(platform.ServiceChanged),
		Attributes: []EventAttribute{
			{UnitName, true, "Name of the unit."},
			{UnitState, true, "systemd's ActiveState now."},
			{UnitBefore, false, "ActiveState before."},
			{UnitDescription, false, "Its name for people."},
			{ProcessPID, false, "PID of its main process."},
			{ProcessExitCode, false, "What that returned."},
			{ProcessExitSignal, false, "The signal that ended it."},
			{ErrorType, false, "failed, for a unit that failed."},
		},
	},
	{
		Name: EventPressure, Severity: Warn, Extension: true,
		Brief: "Tasks waited for a resource longer than the threshold within a window.",
		Kinds: platform.KindsOf(platform.PressureCrossed),
		Attributes: []EventAttribute{
			{PressureResource, true, "cpu, memory or io."},
			{PressureType, true, "some, or full where all tasks that are not idle waited."},
			{PressureThreshold, true, "Seconds that they waited at least."},
			{PressureWindow, true, "Seconds of the window."},
		},
		Note: "The kernel tells it once in a window at most.",
	},
	{
		Name: EventBoot, Severity: Info, Default: true, Extension: true,
		Brief:  "The host booted a moment ago: pidometer began within ten minutes of it.",
		Passes: "the uptime of the host in the first pass",
		Attributes: []EventAttribute{
			{BootID, false, "The kernel's ID of this boot."},
		},
		Note: "Its time is that of the boot. A pidometer that is started twice in that time tells it twice, with the same time and ID.",
	},
	{
		Name: EventClockStep, Severity: Warn, Default: true, Extension: true,
		Brief:  "The clock was set: it went at least a second further, or less far, than the uptime of the host.",
		Passes: "clock and uptime of the host",
		Attributes: []EventAttribute{
			{ClockStep, true, "Seconds that it was set forward; below zero if back."},
		},
		Note: "No identity and no counter changes by it.",
	},
	{
		Name: EventCounterRestart, Severity: Warn, Default: true, Extension: true,
		Brief:  "A counter of the kernel began anew. The metric goes on from where it was.",
		Passes: "readings that fall",
		Attributes: []EventAttribute{
			{RestartMetric, true, "Name of the metric."},
			{RestartAttributes, false, "Attributes of the point."},
			{RestartPrevious, true, "The reading before, in the kernel's base unit: bytes, nanoseconds or a count."},
			{RestartValue, true, "The reading now."},
		},
	},
	{
		Name: EventLimited, Severity: Warn, Default: true, Extension: true,
		Brief: "Events of one name were too many in a second, and the rest of them was not sent.",
		Attributes: []EventAttribute{
			{LimitedEvent, true, "Name of the events."},
			{LimitedCount, true, "How many were not sent."},
		},
		Note: "At most one in ten seconds for a name.",
	},
	{
		Name: EventDrain, Severity: Info, Failed: Warn, Default: true, Extension: true,
		Brief: "The last record of a program that ends: how the last pass and the waiting events were delivered.",
		Attributes: []EventAttribute{
			{"pidometer.drain.points", true, "Points of the last pass that the receiver took."},
			{"pidometer.drain.points_lost", true, "Points of it that it did not."},
			{"pidometer.drain.events", true, "Events that were delivered meanwhile."},
			{"pidometer.drain.events_lost", true, "Events that were given up meanwhile."},
			{"pidometer.drain.milliseconds", true, "From the beginning until the metrics were done."},
		},
		Note: "Sent by package exporter, in its own scope.",
	},
}

// Events returns every kind of event. The slice is the caller's.
func Events() []Event { return slices.Clone(events[:]) }

// EventNamed returns the event of a name, and false if there is none.
func EventNamed(name string) (Event, bool) {
	i := slices.IndexFunc(events[:], func(e Event) bool { return e.Name == name })
	if i < 0 {
		return Event{}, false
	}
	return events[i], true
}

// Identity returns the attributes that identify a process on a record of its own:
// the PID as a number. What is not known is left out.
func (s *Subject) Identity() []attribute.KeyValue {
	plain := Subject{Entity: platform.Process, Key: s.Key, Created: s.Created, Executable: s.Executable}
	return plain.process(make([]attribute.KeyValue, 0, 12))
}

// EntityIDOf returns the value of [EntityID] for a process. The specification allows
// strings only there.
func (s *Subject) EntityIDOf() attribute.Value {
	return attribute.MapValue(ProcessPID.String(formatPID(s.Key.ID)), ProcessCreation.String(FormatTime(s.Created)))
}
