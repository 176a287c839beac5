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
	FilesystemDevice               // what is mounted
	FilesystemType                 // ext4, nfs4 ...
	FilesystemMode                 // ro or rw
	ProcessCommand                 // the kernel's short name (comm), which the process may change
	ProcessExecutable              // path of the program file
	ProcessArguments               // the argument vector, each argument followed by a NUL byte
	ProcessOwner                   // name of the effective user
	ProcessEnvironment             // NAME=VALUE as given at exec, each followed by a NUL byte
	ProcessCgroup                  // path of the control group
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
	FilesystemDevice:   {"filesystem.device", Filesystem},
	FilesystemType:     {"filesystem.type", Filesystem},
	FilesystemMode:     {"filesystem.mode", Filesystem},
	ProcessCommand:     {"process.command", Process},
	ProcessExecutable:  {"process.executable", Process},
	ProcessArguments:   {"process.arguments", Process},
	ProcessOwner:       {"process.owner", Process},
	ProcessEnvironment: {"process.environment", Process},
	ProcessCgroup:      {"process.cgroup", Process},
	ProcessUnit:        {"process.unit", Process},
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
