package semconv

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
)

// The attributes that a process may have beside its identity, if they are asked for.
const (
	ProcessCommand        attribute.Key = "process.command"
	ProcessCommandArgs    attribute.Key = "process.command_args"
	ProcessExecutablePath attribute.Key = "process.executable.path"
	ProcessCgroup         attribute.Key = "process.linux.cgroup"
	ProcessOwner          attribute.Key = "process.owner"
	ProcessParentPID      attribute.Key = "process.parent_pid"
	ProcessVPID           attribute.Key = "process.vpid"
	PodUID                attribute.Key = "k8s.pod.uid"
)

// ProcessUnit is ours: the service manager's name of what a process belongs to.
const ProcessUnit attribute.Key = "pidometer.process.unit"

// ProcessAttribute is one attribute of processes that is not theirs by default: each
// makes every point larger, and some begin new series in a process's life.
type ProcessAttribute struct {
	Key   attribute.Key
	Brief string

	text  platform.Text  // what it is made of,
	field platform.Field // unless number is true
	// number says that it shows a field.
	number bool
	spell  func(k attribute.Key, text string) attribute.KeyValue
}

var processAttributes = [...]ProcessAttribute{
	{Key: ContainerID, text: platform.ProcessContainer, spell: attribute.Key.String,
		Brief: "ID of the container that the process is in, by the path of its control group; the name, for LXC and systemd-nspawn."},
	{Key: PodUID, text: platform.ProcessPod, spell: attribute.Key.String,
		Brief: "UID of the Kubernetes pod that the process is in, by the path of its control group."},
	{Key: ProcessUnit, text: platform.ProcessUnit, spell: attribute.Key.String,
		Brief: "The unit of systemd that the process belongs to, of the innermost manager: a service of a user's session rather than the session."},
	{Key: ProcessCommand, text: platform.ProcessArguments, spell: first,
		Brief: "The first argument, by which the process was called."},
	{Key: ProcessCommandArgs, text: platform.ProcessArguments, spell: all,
		Brief: "All arguments, up to 4 KiB of them. They may hold secrets."},
	{Key: ProcessExecutablePath, text: platform.ProcessExecutable, spell: attribute.Key.String,
		Brief: "Path of the program file, in the process's own root."},
	{Key: ProcessCgroup, text: platform.ProcessCgroup, spell: attribute.Key.String,
		Brief: "Path of the control group: that of version 2, else that of the memory or CPU controller, else systemd's."},
	{Key: ProcessOwner, text: platform.ProcessOwner, spell: attribute.Key.String,
		Brief: "Name of the effective user."},
	{Key: ProcessParentPID, field: platform.ProcessParent, number: true,
		Brief: "PID of the parent."},
	{Key: ProcessVPID, field: platform.ProcessVPID, number: true,
		Brief: "The PID that the process has in the innermost PID namespace it is in, as a container sees it."},
}

// ProcessAttributes returns every attribute that [SelectProcessAttributes] takes,
// sorted by name. The slice is the caller's.
func ProcessAttributes() []ProcessAttribute { return slices.Clone(processAttributes[:]) }

// SelectProcessAttributes returns the attributes with the given names. An unknown
// name is an error.
func SelectProcessAttributes(names []string) (selected []ProcessAttribute, err error) {
	var errs []error
	for _, name := range names {
		i := slices.IndexFunc(processAttributes[:], func(a ProcessAttribute) bool { return string(a.Key) == name })
		switch {
		case i < 0:
			errs = append(errs, fmt.Errorf("no process attribute %q: there are %s", name, processNames()))
		case !slices.ContainsFunc(selected, func(a ProcessAttribute) bool { return a.Key == processAttributes[i].Key }):
			selected = append(selected, processAttributes[i])
		}
	}
	return selected, errors.Join(errs...)
}

func processNames() string {
	var names []string
	for _, a := range processAttributes {
		names = append(names, string(a.Key))
	}
	return strings.Join(names, ", ")
}

// Want returns what must be read for the attribute.
func (a *ProcessAttribute) Want() platform.Want {
	if a.number {
		return platform.Want{Fields: platform.Fields(a.field)}
	}
	return platform.Want{Texts: platform.Texts(a.text)}
}

// Number returns the field that the attribute shows, if it shows one.
func (a *ProcessAttribute) Number() (platform.Field, bool) { return a.field, a.number }

// Of returns the attribute of a process, given its texts, which are valid UTF-8, and
// the value of the field, and false if there is nothing to say.
func (a *ProcessAttribute) Of(texts map[platform.Text]string, value uint64, known bool) (attribute.KeyValue, bool) {
	if a.number {
		return a.Key.Int64(int64(value)), known
	}
	s := texts[a.text]
	if s == "" {
		return attribute.KeyValue{}, false
	}
	kv := a.spell(a.Key, s)
	return kv, kv.Value != attribute.StringValue("")
}

// first spells the first of several strings, each followed by a NUL byte.
func first(k attribute.Key, list string) attribute.KeyValue {
	one, _, _ := strings.Cut(list, "\x00")
	return k.String(one)
}

// all spells the whole list.
func all(k attribute.Key, list string) attribute.KeyValue {
	return k.StringSlice(strings.Split(strings.TrimSuffix(list, "\x00"), "\x00"))
}
