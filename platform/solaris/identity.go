package solaris

import (
	"errors"
	"time"

	"github.com/pidometer/pidometer/internal/layout"
	"github.com/pidometer/pidometer/platform"
)

// More offsets in psinfo_t.
const (
	groupAt          = 16 // pr_pgid
	sessionAt        = 20
	realUserAt       = 24
	realGroupAt      = 32
	effectiveGroupAt = 36
	terminalAt       = 72
	priorityAt       = 288 + 32

	noDevice = 1<<64 - 1 // PRNODEV
)

// Offsets in prcred_t (sys/procfs.h), which only the owner may read.
const (
	credEffectiveUser  = 0
	credRealUser       = 4
	credSavedUser      = 8
	credEffectiveGroup = 12
	credRealGroup      = 16
	credSavedGroup     = 20
	credCount          = 24
	credGroups         = 28
	mostGroups         = 1024 // NGROUPS_UMAX of sys/param.h
)

// Identity returns who the process is. Of a zombie the kernel tells little more than its IDs.
func (p *inspection) Identity() (platform.Identity, error) {
	key, err := p.find()
	if err != nil {
		return platform.Identity{}, err
	}
	b := p.info[:]
	group, session := uint64(layout.U32(b, groupAt)), uint64(layout.U32(b, sessionAt))
	id := platform.Identity{Key: key, Letter: b[letterAt], Parent: uint64(layout.U32(b, parentAt)), Group: &group, Session: &session}
	if state, ok := states[id.Letter]; ok {
		id.State = &state
	}
	id.Owner = p.ownerName(uint64(layout.U32(b, userAt)))
	id.Users = &platform.IDs{Real: layout.U32(b, realUserAt), Effective: layout.U32(b, userAt)}
	id.Groups = &platform.IDs{Real: layout.U32(b, realGroupAt), Effective: layout.U32(b, effectiveGroupAt)}
	if !p.isZombie() {
		p.describeLiving(&id)
	}
	_, err = p.find() // what was read may be of somebody else
	if err != nil {
		return platform.Identity{}, err
	}
	return id, nil
}

// describeLiving sets what a zombie does not have. What is refused is left out.
func (p *inspection) describeLiving(id *platform.Identity) {
	b := p.info[:]
	id.Command = string(p.command())
	priority := int(int32(layout.U32(b, priorityAt)))
	id.Priority = &priority
	class := string(cString(b[classAt : classAt+classLength]))
	if hasNice([]byte(class)) {
		nice := int(b[niceAt]) - niceZero
		id.Nice = &nice
	}
	if class == "TS" {
		id.Policy = "other" // SCHED_OTHER of sys/sched.h
	}
	if cpu := int(int32(layout.U32(b, cpuAt))); cpu >= 0 {
		id.LastCPU = &cpu
	}
	id.Terminal = p.terminal(layout.U64(b, terminalAt))
	if p.read(p.key.ID, "usage", p.usage[:]) == nil {
		id.CPU = cpuTimes(p.usage[:])
	}
	if p.read(p.key.ID, "status", p.status[:]) == nil {
		id.Children = platform.CPUTimes{User: duration(p.status[:], childUserAt), System: duration(p.status[:], childSysAt)}
	}
	if cred, err := p.readGrown("cred"); err == nil {
		decodeCred(cred, id)
	}
}

func duration(b []byte, at int) time.Duration { return time.Duration(timestruc(b, at)) }

// cpuTimes are those of a usage. Time in traps is spent in the kernel too.
func cpuTimes(b []byte) platform.CPUTimes {
	return platform.CPUTimes{User: duration(b, userTimeAt), System: duration(b, sysTimeAt) + duration(b, trapTimeAt)}
}

// decodeCred sets the IDs of a prcred_t, if it is whole.
func decodeCred(b []byte, id *platform.Identity) {
	if len(b) < credGroups {
		return
	}
	count := int(layout.U32(b, credCount))
	if count > mostGroups || len(b) < credGroups+4*count {
		return
	}
	id.Users = &platform.IDs{Real: layout.U32(b, credRealUser), Effective: layout.U32(b, credEffectiveUser), Saved: new(layout.U32(b, credSavedUser))}
	id.Groups = &platform.IDs{Real: layout.U32(b, credRealGroup), Effective: layout.U32(b, credEffectiveGroup), Saved: new(layout.U32(b, credSavedGroup))}
	id.Supplementary = []uint32{}
	for n := range count {
		id.Supplementary = append(id.Supplementary, layout.U32(b, credGroups+4*n))
	}
}

// ownerName returns the name of a user, nil for one that /etc/passwd does not tell.
func (p *inspection) ownerName(user uint64) *string {
	b, err := p.kernel.File("/etc/passwd")
	if err != nil {
		return nil
	}
	name, ok := decodeOwners(b)[user]
	if !ok {
		return nil
	}
	text := string(name)
	return &text
}

// terminalFolders are where terminals are: of windows and logins, of the console, of lines.
var terminalFolders = [...]string{"/dev/pts/", "/dev/", "/dev/term/", "/dev/vt/"}

// consoles are the terminals in /dev itself, which has much else.
var consoles = map[string]bool{"console": true, "syscon": true, "systty": true, "wscons": true}

// terminal returns the path of the terminal with a device number, "" for none, nil for one
// that is not found.
func (p *inspection) terminal(number uint64) *string {
	none := ""
	if number == noDevice {
		return &none
	}
	for _, folder := range terminalFolders {
		names, _ := p.kernel.Names(folder)
		for _, name := range names {
			if folder == "/dev/" && !consoles[name] {
				continue
			}
			path := folder + name
			if _, device, err := p.kernel.Status(path); err == nil && device == number {
				return &path
			}
		}
	}
	return nil
}

// affinity returns the CPU that the process is bound to, or all.
func (p *inspection) affinity() (a platform.Affinity, err error) {
	b := p.info[:]
	if set := int32(layout.U32(b, boundSetAt)); set >= 0 {
		return a, errors.Join(errProcessorSet, errors.ErrUnsupported)
	}
	if bound := int32(layout.U32(b, boundAt)); bound >= 0 {
		return platform.Affinity{CPUs: []int{int(bound)}}, nil
	}
	p.chain.asked = false
	p.sample.Reset(platform.Host, platform.Key{})
	if err := p.readCPUs(); err != nil {
		return a, err
	}
	a.CPUs = []int{}
	for _, c := range p.cpus {
		a.CPUs = append(a.CPUs, int(c.number))
	}
	return a, nil
}

// Where a process may run: pr_bindpro is a CPU, pr_bindpset a set of them; both are -1 for
// none. Who is in a set pset_info(2) tells.
const (
	boundAt    = 288 + 100
	boundSetAt = 288 + 104
)

var errProcessorSet = errors.New("it is bound to a set of processors, and no file tells which")
