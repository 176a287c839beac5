package platform

// Text is one string that an entity carries. Its bytes are the kernel's own and
// may be anything: they are not valid UTF-8 for certain, and not trusted.
type Text uint8

// The texts.
const (
	HostID             Text = iota // stable identity of the installation, from the machine ID
	HostName                       // the node name
	HostArch                       // OpenTelemetry's host.arch: amd64, arm64, x86 ...
	OSType                         // OpenTelemetry's os.type: linux, windows ...
	OSName                         // the distribution or product
	OSVersion                      // its version
	OSDescription                  // name and version for people
	OSBuild                        // the kernel's release
	CPUModel                       // what the maker calls it
	CPUVendor                      // its maker
	DiskID                         // worldwide name, the same in every machine and after every boot
	DiskModel                      // what the maker calls it
	DiskVendor                     // its maker
	DiskSerial                     // serial number
	DiskFirmware                   // version of the firmware
	DiskKind                       // HDD or SSD
	FilesystemDevice               // what is mounted
	FilesystemType                 // ext4, nfs4 ...
	FilesystemMode                 // ro or rw
	NetworkAddress                 // MAC address, as in AC-DE-48-23-45-67
	ContainerRuntime               // what runs it: docker, containerd ...
	ContainerPod                   // UID of the Kubernetes pod that it is in
	HardwareName                   // an easily recognised name
	HardwareType                   // OpenTelemetry's hw.type: fan, battery, temperature ...
	HardwareParent                 // Key.Name of what it is a part of, or the like of it
	HardwareLocation               // where a sensor sits, in its maker's words
	HardwareModel                  // what the maker calls it
	HardwareVendor                 // its maker
	HardwareSerial                 // serial number
	HardwareState                  // OpenTelemetry's hw.state of a battery: ok, degraded, failed
	HardwareCapacity               // of a battery when it was new, such as 50Wh or 9.3Ah
	HardwareChemistry              // of a battery
	ServiceDisplayName             // what people call it
	ProcessCommand                 // the kernel's short name (comm), which the process may change
	ProcessExecutable              // path of the program file
	ProcessArguments               // the argument vector, each argument followed by a NUL byte
	ProcessOwner                   // name of the effective user
	ProcessEnvironment             // NAME=VALUE as given at exec, each followed by a NUL byte
	ProcessCgroup                  // path of the control group
	ProcessContainer               // ID of the container that it is in, empty for none
	ProcessPod                     // UID of the Kubernetes pod that it is in, empty for none
	ProcessUnit                    // the service manager's name of what the process belongs to
	numTexts
)

// TextCount is how many texts there are.
const TextCount = int(numTexts)

var textTable = [numTexts]struct {
	name   string
	entity Entity
}{
	HostID:             {"host.id", Host},
	HostName:           {"host.name", Host},
	HostArch:           {"host.arch", Host},
	OSType:             {"os.type", Host},
	OSName:             {"os.name", Host},
	OSVersion:          {"os.version", Host},
	OSDescription:      {"os.description", Host},
	OSBuild:            {"os.build", Host},
	CPUModel:           {"cpu.model", CPU},
	CPUVendor:          {"cpu.vendor", CPU},
	DiskID:             {"disk.id", Disk},
	DiskModel:          {"disk.model", Disk},
	DiskVendor:         {"disk.vendor", Disk},
	DiskSerial:         {"disk.serial", Disk},
	DiskFirmware:       {"disk.firmware", Disk},
	DiskKind:           {"disk.kind", Disk},
	FilesystemDevice:   {"filesystem.device", Filesystem},
	FilesystemType:     {"filesystem.type", Filesystem},
	FilesystemMode:     {"filesystem.mode", Filesystem},
	NetworkAddress:     {"network.address", Network},
	ContainerRuntime:   {"container.runtime", Container},
	ContainerPod:       {"container.pod", Container},
	HardwareName:       {"hardware.name", Hardware},
	HardwareType:       {"hardware.type", Hardware},
	HardwareParent:     {"hardware.parent", Hardware},
	HardwareLocation:   {"hardware.location", Hardware},
	HardwareModel:      {"hardware.model", Hardware},
	HardwareVendor:     {"hardware.vendor", Hardware},
	HardwareSerial:     {"hardware.serial", Hardware},
	HardwareState:      {"hardware.state", Hardware},
	HardwareCapacity:   {"hardware.capacity", Hardware},
	HardwareChemistry:  {"hardware.chemistry", Hardware},
	ServiceDisplayName: {"service.display_name", Service},
	ProcessCommand:     {"process.command", Process},
	ProcessExecutable:  {"process.executable", Process},
	ProcessArguments:   {"process.arguments", Process},
	ProcessOwner:       {"process.owner", Process},
	ProcessEnvironment: {"process.environment", Process},
	ProcessCgroup:      {"process.cgroup", Process},
	ProcessContainer:   {"process.container", Process},
	ProcessPod:         {"process.pod", Process},
	ProcessUnit:        {"process.unit", Process},
}

// textBlocks holds the first text of each entity, and how many it has.
var textBlocks = func() (blocks [numEntities]struct{ first, count Text }) {
	for t := numTexts; t > 0; t-- {
		b := &blocks[textTable[t-1].entity]
		b.first = t - 1
		b.count++
	}
	return blocks
}()

// Texts returns the first text of e and how many e has.
func (e Entity) Texts() (first, count Text) {
	return textBlocks[e].first, textBlocks[e].count
}

// Entity returns the kind of entity that carries t.
func (t Text) Entity() Entity { return textTable[t].entity }

// String returns the text's name.
func (t Text) String() string {
	if t >= numTexts {
		return "unknown"
	}
	return textTable[t].name
}
