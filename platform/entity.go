package platform

// Entity is a kind of thing that the kernel accounts for.
type Entity uint8

// The entities. Each owns one contiguous block of [Field] and one of [Text].
const (
	Host       Entity = iota // the machine as a whole
	CPU                      // one logical CPU; Key.ID is its number, from 0
	Disk                     // one block device; Key.Name is the kernel's name
	Filesystem               // one mounted file system; Key.ID is its device number, Key.Name its mount point
	Network                  // one network interface; Key.Name is its name
	Swap                     // one swap area; Key.Name is its path
	Lock                     // the file locks held on one device; Key.Name names the device
	Pressure                 // how much tasks wait for one resource; Key.Name is cpu, memory, io or irq
	Node                     // one NUMA node, CPUs and the memory next to them; Key.ID is its number, from 0
	Container                // one container; Key.Name is its ID, Key.Start that of its first process if it is known
	Hardware                 // one sensor, fan, battery, power supply or the like; Key.Name tells it from the others of the machine
	Service                  // one service of a service manager; Key.Name is its name
	Process                  // one process; Key.ID is its PID, Key.Start its start time
	numEntities
)

// Entities is how many kinds of entity there are.
const Entities = int(numEntities)

var entityNames = [numEntities]string{
	"host", "cpu", "disk", "filesystem", "network", "swap", "lock",
	"pressure", "node", "container", "hardware", "service", "process",
}

// String returns the entity's name in lower case.
func (e Entity) String() string {
	if e >= numEntities {
		return "unknown"
	}
	return entityNames[e]
}

// Key tells one entity of a kind from all others, in raw kernel units. It is
// comparable. Which members are used depends on the [Entity]; the rest are zero.
type Key struct {
	ID    uint64 // PID, CPU number, device number
	Start uint64 // start time of a process in ticks since boot, or since [Boot.Epoch]
	Name  string // device, interface, mount point, sensor
}

// Self is the key that [Reader.Process] takes for the calling process, whatever
// root the backend looks at. The sample carries the process's real key.
var Self = Key{ID: ^uint64(0)}
