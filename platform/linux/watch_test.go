package linux

import "github.com/pidometer/pidometer/platform"

// heard is an occurrence that was kept.
type heard struct {
	platform.Occurrence
	command, cgroup, state, before, title string
	usage                                 map[platform.Field]uint64
}

func keep(o *platform.Occurrence) heard {
	h := heard{Occurrence: *o, command: string(o.Command), cgroup: string(o.Cgroup), state: string(o.State),
		before: string(o.Before), title: string(o.Title), usage: map[platform.Field]uint64{}}
	if o.Usage != nil {
		for _, f := range []platform.Field{platform.ProcessMemoryRSS, platform.ProcessMemoryVirtual} {
			if v, ok := o.Usage.Get(f); ok {
				h.usage[f] = v
			}
		}
	}
	h.Command, h.Cgroup, h.State, h.Before, h.Title, h.Usage = nil, nil, nil, nil, nil, nil
	return h
}
