// Package inspect lays one process, or the host, open: everything that package
// platform knows of it, as a listing for people or as JSON.
package inspect

import "time"

// Process is everything about one process. A pointer that is nil, or a list that
// is nil, is unknown and left out; an empty list is known to be empty.
type Process struct {
	PID              uint64             `json:"pid"`
	ParentPID        *uint64            `json:"parent_pid,omitempty"`
	ExecutableName   *string            `json:"executable_name,omitempty"`
	ExecutablePath   *string            `json:"executable_path,omitempty"`
	WorkingDirectory *string            `json:"working_directory,omitempty"`
	Arguments        *[]string          `json:"command_args,omitempty"`
	CreationTime     time.Time          `json:"creation_time"`
	CPU              *cpu               `json:"cpu,omitempty"`
	Affinity         *[]int             `json:"cpu_affinity,omitempty"`
	CPUNumber        *int               `json:"cpu_number,omitempty"`
	Memory           map[string]uint64  `json:"memory,omitempty"`
	Share            map[string]float64 `json:"memory_utilization,omitempty"`
	Owner            *string            `json:"owner,omitempty"`
	Users            *ids               `json:"user_ids,omitempty"`
	Groups           *ids               `json:"group_ids,omitempty"`
	Terminal         *string            `json:"terminal,omitempty"`
	State            *string            `json:"state,omitempty"`
	Nice             *int               `json:"nice,omitempty"`
	PriorityClass    *string            `json:"priority_class,omitempty"`
	IOPriority       *ioPriority        `json:"io_priority,omitempty"`
	Threads          *uint64            `json:"thread_count,omitempty"`
	FileDescriptors  *uint64            `json:"file_descriptor_count,omitempty"`
	Disk             map[string]uint64  `json:"disk,omitempty"`
	Switches         map[string]uint64  `json:"context_switches,omitempty"`
	Faults           map[string]uint64  `json:"page_faults,omitempty"`
	Children         *[]relative        `json:"children,omitempty"`
	OpenFiles        *[]openFile        `json:"open_files,omitempty"`
	Connections      *[]connection      `json:"connections,omitempty"`
	ThreadList       *[]thread          `json:"threads,omitempty"`
	Limits           *[]limit           `json:"limits,omitempty"`
	Maps             *[]mapGroup        `json:"memory_maps,omitempty"`
	Environment      *[]string          `json:"environment,omitempty"`
	Missing          map[string]string  `json:"missing,omitempty"` // member: why it is not there
	parent           string             // name of the parent
}

type cpu struct {
	User        float64 `json:"user"`
	System      float64 `json:"system"`
	ChildUser   float64 `json:"child_user"`
	ChildSystem float64 `json:"child_system"`
}

type ids struct {
	Real      uint32  `json:"real"`
	Effective uint32  `json:"effective"`
	Saved     *uint32 `json:"saved,omitempty"`
}

type ioPriority struct {
	Class string `json:"class"`
	Level int    `json:"level"`
}

type relative struct {
	PID  uint64 `json:"pid"`
	Name string `json:"name"`
}

type openFile struct {
	FD       int     `json:"fd"`
	Path     string  `json:"path"`
	Position *uint64 `json:"position,omitempty"`
	Mode     string  `json:"mode,omitempty"`
	Flags    *uint32 `json:"flags,omitempty"`
}

type connection struct {
	FD        int    `json:"fd"`
	Family    string `json:"family"`
	Type      string `json:"type"`
	Transport string `json:"transport"`
	Local     string `json:"local_address,omitempty"`
	Peer      string `json:"peer_address,omitempty"`
	State     string `json:"state,omitempty"`
}

type thread struct {
	ID     uint64  `json:"id"`
	Name   string  `json:"name"`
	User   float64 `json:"user"`
	System float64 `json:"system"`
}

// limit has no value for a bound that is infinite.
type limit struct {
	Name string  `json:"name"`
	Soft *uint64 `json:"soft"`
	Hard *uint64 `json:"hard"`
}

type mapGroup struct {
	Path  string  `json:"path"`
	Count int     `json:"count"`
	Size  uint64  `json:"size"`
	RSS   *uint64 `json:"rss,omitempty"`
	PSS   *uint64 `json:"pss,omitempty"`
	USS   *uint64 `json:"uss,omitempty"`
	Swap  *uint64 `json:"swap,omitempty"`
}
