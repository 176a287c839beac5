package semconv_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/semconv"
)

// conventions is what testdata/semconv.json holds of the semantic conventions.
type conventions struct {
	Release    string
	SchemaURL  string `json:"schema_url"`
	Metrics    map[string]definition
	Attributes map[string]struct {
		Type    string
		Members []struct {
			Value      string
			Deprecated any
		}
	}
	Deprecated struct {
		Metrics, Attributes map[string]any
	}
	Renames struct{ Metrics map[string]string }
}

type definition struct {
	Instrument, Unit, Stability, Requirement, Brief string

	ValueType  string `json:"value_type"`
	Attributes []struct{ Ref, Requirement, Type string }
	Entities   []string
}

// requirement returns the level of an attribute, or "" if the metric has none.
func (d *definition) requirement(k attribute.Key) string {
	for _, a := range d.Attributes {
		if a.Ref == string(k) {
			return a.Requirement
		}
	}
	return ""
}

func load(t testing.TB) (c conventions) {
	t.Helper()
	text, err := os.ReadFile("testdata/semconv.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// notOurs are the metrics of the conventions that have no row, and why.
var notOurs = map[string]string{
	"container.filesystem.available": "of a runtime's store, which the kernel knows nothing of",
	"container.filesystem.capacity":  "likewise",
	"container.filesystem.usage":     "likewise",
	"container.network.io":           "of a network namespace, which the containers of a pod share",
	"process.network.io":             "no kernel tells it cheaply",

	"hw.gpu.io":                              "a driver's own interface tells it, each another one",
	"hw.gpu.memory.limit":                    "likewise",
	"hw.gpu.memory.usage":                    "likewise",
	"hw.gpu.memory.utilization":              "likewise",
	"hw.gpu.utilization":                     "likewise",
	"hw.host.ambient_temperature":            "no sensor says that it is outside",
	"hw.host.heating_margin":                 "follows from hw.temperature and its limits",
	"hw.logical_disk.limit":                  "of RAID controllers, whose own tools tell it",
	"hw.logical_disk.usage":                  "likewise",
	"hw.logical_disk.utilization":            "likewise",
	"hw.memory.size":                         "of each module, which takes the firmware's tables",
	"hw.network.bandwidth.utilization":       "follows from hw.network.io and hw.network.bandwidth.limit",
	"hw.physical_disk.endurance_utilization": "takes a command to the disk",
	"hw.physical_disk.smart":                 "likewise",
	"hw.power_supply.limit":                  "plugs do not tell it",
	"hw.power_supply.usage":                  "likewise",
	"hw.power_supply.utilization":            "likewise",
	"hw.tape_drive.operations":               "rare",
	"hw.voltage.nominal":                     "chips do not tell it",
}

// lacking is what a row leaves out of its definition, attributes and members of
// enumerations, and why.
var lacking = map[string]string{
	"container.cpu.time cpu.mode=nice":       "not told of a container",
	"container.cpu.time cpu.mode=idle":       "a container has none",
	"container.cpu.time cpu.mode=iowait":     "not told of a container",
	"container.cpu.time cpu.mode=interrupt":  "not told of a container",
	"container.cpu.time cpu.mode=steal":      "not told of a container",
	"container.cpu.usage cpu.mode=nice":      "as container.cpu.time",
	"container.cpu.usage cpu.mode=idle":      "as container.cpu.time",
	"container.cpu.usage cpu.mode=iowait":    "as container.cpu.time",
	"container.cpu.usage cpu.mode=interrupt": "as container.cpu.time",
	"container.cpu.usage cpu.mode=steal":     "as container.cpu.time",
	"container.disk.io system.device":        "the sum of all disks, as the note of the conventions says",

	"hw.battery.charge hw.parent":                             "it is a part of nothing but the machine",
	"hw.battery.charge.limit hw.parent":                       "likewise",
	"hw.battery.time_left hw.parent":                          "likewise",
	"hw.cpu.speed hw.parent":                                  "a package, which has no component",
	"hw.cpu.speed.limit hw.parent":                            "likewise",
	"hw.errors hw.parent":                                     "a memory controller is a part of a processor without a name",
	"hw.errors error.type=_OTHER":                             "all are one or the other",
	"hw.network.bandwidth.limit hw.parent":                    "an adapter stands for itself",
	"hw.network.bandwidth.limit hw.model":                     "a number of the bus, whose names are in a database",
	"hw.network.bandwidth.limit hw.vendor":                    "likewise",
	"hw.network.bandwidth.limit hw.serial_number":             "sysfs does not tell it",
	"hw.network.bandwidth.limit hw.network.logical_addresses": "they change, and would begin new series",
	"hw.network.io hw.parent":                                 "as hw.network.bandwidth.limit",
	"hw.network.io hw.model":                                  "as hw.network.bandwidth.limit",
	"hw.network.io hw.vendor":                                 "as hw.network.bandwidth.limit",
	"hw.network.io hw.serial_number":                          "as hw.network.bandwidth.limit",
	"hw.network.io hw.network.logical_addresses":              "as hw.network.bandwidth.limit",
	"hw.network.packets hw.parent":                            "as hw.network.bandwidth.limit",
	"hw.network.packets hw.model":                             "as hw.network.bandwidth.limit",
	"hw.network.packets hw.vendor":                            "as hw.network.bandwidth.limit",
	"hw.network.packets hw.serial_number":                     "as hw.network.bandwidth.limit",
	"hw.network.packets hw.network.logical_addresses":         "as hw.network.bandwidth.limit",
	"hw.network.up hw.parent":                                 "as hw.network.bandwidth.limit",
	"hw.network.up hw.model":                                  "as hw.network.bandwidth.limit",
	"hw.network.up hw.vendor":                                 "as hw.network.bandwidth.limit",
	"hw.network.up hw.serial_number":                          "as hw.network.bandwidth.limit",
	"hw.network.up hw.network.logical_addresses":              "as hw.network.bandwidth.limit",
	"hw.physical_disk.size hw.parent":                         "a controller, which has no component",

	"process.cpu.time cpu.mode=nice":             "not told of a process",
	"process.cpu.time cpu.mode=idle":             "a process has none",
	"process.cpu.time cpu.mode=interrupt":        "not told of a process",
	"process.cpu.time cpu.mode=steal":            "not told of a process",
	"process.cpu.utilization cpu.mode=nice":      "as process.cpu.time",
	"process.cpu.utilization cpu.mode=idle":      "as process.cpu.time",
	"process.cpu.utilization cpu.mode=interrupt": "as process.cpu.time",
	"process.cpu.utilization cpu.mode=steal":     "as process.cpu.time",

	"system.filesystem.lock.count file.lock.mode": "all locks are advisory since Linux 5.15",

	"system.network.connection.count network.interface.name":   "a connection belongs to none",
	"system.network.connection.count network.connection.state": "of TCP alone",
	"system.network.connection.count network.transport=pipe":   "not counted",
	"system.network.connection.count network.transport=unix":   "not counted",
	"system.network.connection.count network.transport=quic":   "QUIC is UDP to the kernel",

	"system.paging.operations system.paging.fault.type=minor": "swap is a device",
}

// ours are the attributes of a process's identity. The conventions put the first
// two on a Resource; an instrument cannot.
var ours = []attribute.Key{
	semconv.ProcessPID, semconv.ProcessCreation, semconv.ProcessExecutable, semconv.ProcessGroup,
}

// container are the attributes of a container's identity, which the conventions put
// on a Resource too. The registry of semconv.json leaves out all of Kubernetes.
var container = []attribute.Key{semconv.ContainerID, semconv.ContainerRuntime, semconv.PodUID}

// cautious are the metrics that are off by default whatever the conventions say, by
// the first part of their names, and why.
var cautious = map[string]string{
	"container": "a walk over every control group of the host",
	"hw":        "drivers, which may take long to answer",
}

// catalogues are the attributes with members that no machine has all of. The custom
// ones are ours, as the conventions allow where none of theirs fits.
var catalogues = map[string][]string{
	"hw.battery.state": nil,
	"hw.limit_type":    {"min", "policy.max", "policy.min"},
	"hw.state":         nil,
	"hw.type":          nil,
	"error.type":       {"corrected", "uncorrected"},
}

// proposed are the attributes that no convention has, and their types.
var proposed = map[attribute.Key]string{
	semconv.ConnectionOpen:     "string",
	semconv.IOPriorityClass:    "string",
	semconv.LimitType:          "string",
	semconv.NUMANode:           "int",
	semconv.NUMAPlacement:      "string",
	semconv.PodUID:             "string",
	semconv.ServiceDisplayName: "string",
	semconv.ServiceName:        "string",
	semconv.ServiceState:       "string",
	semconv.PoolType:           "string",
	semconv.PressureResource:   "string",
	semconv.PressureType:       "string",
	semconv.ResidentType:       "string",
}

// subjects holds one subject of each entity that says all there is to say.
var subjects = [platform.Entities]semconv.Subject{
	platform.Host: {Entity: platform.Host},
	platform.CPU: {Entity: platform.CPU, Key: platform.Key{ID: 3},
		Texts: map[platform.Text]string{platform.CPUModel: "EPYC 7B13", platform.CPUVendor: "AuthenticAMD"}},
	platform.Disk: {Entity: platform.Disk, Key: platform.Key{Name: "sda"},
		Texts: map[platform.Text]string{platform.DiskModel: "SSD 970", platform.DiskVendor: "ATA", platform.DiskSerial: "S4EW",
			platform.DiskFirmware: "2B2Q", platform.DiskKind: "SSD"}},
	platform.Filesystem: {Entity: platform.Filesystem, Key: platform.Key{ID: 2049, Name: "/srv"}, Device: "/dev/sda1", Type: "ext4", Mode: "rw"},
	platform.Network: {Entity: platform.Network, Key: platform.Key{Name: "eth0"},
		Texts: map[platform.Text]string{platform.NetworkAddress: "02-FC-00-00-00-0A"}},
	platform.Swap:     {Entity: platform.Swap, Key: platform.Key{Name: "/swapfile"}},
	platform.Lock:     {Entity: platform.Lock, Key: platform.Key{Name: "08:01"}},
	platform.Pressure: {Entity: platform.Pressure, Key: platform.Key{Name: "io"}},
	platform.Container: {Entity: platform.Container, Key: platform.Key{Name: "4fa6e0f0c678"},
		Texts: map[platform.Text]string{platform.ContainerRuntime: "docker", platform.ContainerPod: "0b2c9f3e-8a1d"}},
	platform.Hardware: {Entity: platform.Hardware, Key: platform.Key{Name: "coretemp/temp1"},
		Texts: map[platform.Text]string{platform.HardwareName: "coretemp Core 0", platform.HardwareType: "temperature",
			platform.HardwareParent: "coretemp", platform.HardwareLocation: "Core 0", platform.HardwareModel: "X", platform.HardwareVendor: "Y",
			platform.HardwareSerial: "Z", platform.HardwareState: "ok", platform.HardwareCapacity: "50Wh", platform.HardwareChemistry: "Li-ion"}},
	platform.Node: {Entity: platform.Node, Key: platform.Key{ID: 1}},
	platform.Service: {Entity: platform.Service, Key: platform.Key{Name: "EventLog"},
		Texts: map[platform.Text]string{platform.ServiceDisplayName: "Windows Event Log"}},
	platform.Process: {Entity: platform.Process, Key: platform.Key{ID: 42, Start: 1007}, Created: created, Executable: "sshd"},
}

// form is one of the ways in which a metric is shown: whole, or per part.
type form struct {
	entity platform.Entity
	points []semconv.Point
	ratio  platform.Field
}

func forms(m *semconv.Metric) []form {
	all := []form{{m.Entity, m.Points, m.Ratio}}
	if m.Split != nil {
		all = append(all, form{m.SplitEntity, m.Split, m.SplitRatio})
	}
	return all
}

func TestRelease(t *testing.T) {
	c := load(t)
	if semconv.Version != c.Release || semconv.SchemaURL != c.SchemaURL {
		t.Errorf("version %s, %s; testdata is of %s, %s", semconv.Version, semconv.SchemaURL, c.Release, c.SchemaURL)
	}
}

func TestDefinitions(t *testing.T) {
	c := load(t)
	for _, m := range semconv.Metrics() {
		d, known := c.Metrics[m.Name]
		if known == m.Extension {
			t.Errorf("%s: extension %v, in the conventions %v", m.Name, m.Extension, known)
		}
		if known {
			t.Run(m.Name, func(t *testing.T) { checkDefinition(t, &m, &d) })
		} else if !m.OptIn || m.Status() != "extension" {
			t.Errorf("%s: an extension must be opt-in, and say that it is one", m.Name)
		}
	}
}

func checkDefinition(t *testing.T, m *semconv.Metric, d *definition) {
	number := map[bool]string{true: "double", false: "int"}[m.Float()]
	entity := "host"
	if m.Entity == platform.Process || m.Entity == platform.Container {
		entity = m.Entity.String()
	}
	if strings.HasPrefix(m.Name, "hw.") {
		entity = ""
	}
	for _, x := range []struct{ what, have, want string }{
		{"unit", m.Unit, d.Unit},
		{"instrument", m.Kind.String(), d.Instrument},
		{"value type", number, d.ValueType},
		{"brief", m.Brief, strings.Join(strings.Fields(d.Brief), " ")},
		{"entity", entity, strings.Join(d.Entities, " ")},
		{"status", m.Status(), d.Stability},
	} {
		if x.have != x.want {
			t.Errorf("%s is %q, want %q", x.what, x.have, x.want)
		}
	}
	area, _, _ := strings.Cut(m.Name, ".")
	if want := d.Requirement == "opt_in" || cautious[area] != ""; m.OptIn != want {
		t.Errorf("opt-in is %v, want %v", m.OptIn, want)
	}
}

func TestComplete(t *testing.T) {
	rows := map[string]bool{}
	for _, m := range semconv.Metrics() {
		rows[m.Name] = true
	}
	for name := range load(t).Metrics {
		if !strings.HasPrefix(name, "container.") && !strings.HasPrefix(name, "hw.") && !strings.HasPrefix(name, "process.") && !strings.HasPrefix(name, "system.") {
			continue
		}
		if why, left := notOurs[name]; rows[name] == left {
			t.Errorf("%s: row %v, left out %q", name, rows[name], why)
		}
	}
	for name := range notOurs {
		if _, ok := load(t).Metrics[name]; !ok {
			t.Errorf("%s is left out, but the conventions do not have it", name)
		}
	}
}

func TestNotDeprecated(t *testing.T) {
	c := load(t)
	for _, m := range semconv.Metrics() {
		if now, old := c.Renames.Metrics[m.Name]; old {
			t.Errorf("%s was renamed to %s", m.Name, now)
		}
		if _, old := c.Deprecated.Metrics[m.Name]; old {
			t.Errorf("%s is deprecated", m.Name)
		}
		for kv := range attributes(&m) {
			if _, old := c.Deprecated.Attributes[string(kv.Key)]; old {
				t.Errorf("%s: %s is deprecated", m.Name, kv.Key)
			}
		}
	}
}

// attributes returns every attribute that any point of m has, of a full subject.
func attributes(m *semconv.Metric) map[attribute.KeyValue]bool {
	all := map[attribute.KeyValue]bool{}
	for _, f := range forms(m) {
		for _, p := range f.points {
			set := m.Attributes(subjects[f.entity], p)
			for _, kv := range set.ToSlice() {
				all[kv] = true
			}
		}
	}
	return all
}

func TestAttributesAreDefined(t *testing.T) {
	c := load(t)
	for _, m := range semconv.Metrics() {
		d := c.Metrics[m.Name]
		for kv := range attributes(&m) {
			level := d.requirement(kv.Key)
			if m.Entity == platform.Process && slices.Contains(ours, kv.Key) {
				level = "required"
			}
			if m.Entity == platform.Container && slices.Contains(container, kv.Key) {
				level = "required"
			}
			want, ownWord := proposed[kv.Key]
			if !ownWord {
				want = c.Attributes[string(kv.Key)].Type
			}
			if m.Extension && want != "" { // free to take what there is, and of what is not
				level = "required"
			}
			if level == "" {
				t.Errorf("%s: %s is not an attribute of it", m.Name, kv.Key)
			}
			if spell(kv.Value.Type()) != want {
				t.Errorf("%s: %s is %s, want %s", m.Name, kv.Key, spell(kv.Value.Type()), want)
			}
		}
	}
}

func spell(t attribute.Type) string {
	return map[attribute.Type]string{attribute.INT64: "int", attribute.STRING: "string"}[t]
}

// Every attribute of the definition is on every point, but for those that are
// opt-in and those that [lacking] excuses.
func TestAttributesArePresent(t *testing.T) {
	c := load(t)
	for _, m := range semconv.Metrics() {
		for _, a := range c.Metrics[m.Name].Attributes {
			_, excused := lacking[m.Name+" "+a.Ref]
			for _, f := range forms(&m) {
				for _, p := range f.points {
					set := m.Attributes(subjects[f.entity], p)
					has := set.HasValue(attribute.Key(a.Ref))
					if !has && a.Requirement != "opt_in" && (!excused || a.Requirement == "required") {
						t.Errorf("%s: %s has no %s", m.Name, p.Field, a.Ref)
					}
					if has && a.Requirement == "opt_in" && f.entity == m.Entity {
						t.Errorf("%s: %s has %s without being asked for it", m.Name, p.Field, a.Ref)
					}
				}
			}
		}
	}
}

// Enumerations: no value but a member, and every member but the excused ones. The
// type of a file system is open ("otherwise, a custom value MAY be used").
func TestMembers(t *testing.T) {
	c := load(t)
	for _, m := range semconv.Metrics() {
		have := attributes(&m)
		for _, a := range c.Metrics[m.Name].Attributes {
			members := c.Attributes[a.Ref].Members
			if len(members) == 0 || a.Ref == string(semconv.FilesystemType) {
				continue
			}
			custom, catalogue := catalogues[a.Ref]
			for _, value := range custom {
				delete(have, attribute.String(a.Ref, value))
			}
			for _, member := range members {
				kv := attribute.String(a.Ref, member.Value)
				_, excused := lacking[m.Name+" "+a.Ref+"="+member.Value]
				if want := !excused && member.Deprecated == nil; have[kv] != want && !catalogue {
					t.Errorf("%s: %s=%s present %v, want %v", m.Name, a.Ref, member.Value, have[kv], want)
				}
				delete(have, kv)
			}
			for kv := range have {
				if string(kv.Key) == a.Ref {
					t.Errorf("%s: %s=%s is no member", m.Name, kv.Key, kv.Value.AsString())
				}
			}
		}
	}
}

// An excuse that nothing needs is out of date.
func TestLackingIsUsed(t *testing.T) {
	c := load(t)
	for what := range lacking {
		name, rest, _ := strings.Cut(what, " ")
		key, value, member := strings.Cut(rest, "=")
		d, ok := c.Metrics[name]
		if !ok || d.requirement(attribute.Key(key)) == "" {
			t.Errorf("%s: not in the conventions", what)
		}
		known := !member
		for _, m := range c.Attributes[key].Members {
			known = known || m.Value == value
		}
		if !known {
			t.Errorf("%s: no such member", what)
		}
	}
}
