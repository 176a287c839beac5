package oneshot

import "github.com/pidometer/pidometer/platform"

// Processes says which processes a pass reports.
type Processes uint8

// The choices.
const (
	None Processes = iota
	Self           // the calling process
	Top            // the largest by CPU and by memory, and one remainder
	All            // every one
)

// Plan is what one pass reads.
type Plan struct {
	First   platform.SourceSet // of every entity
	Wide    platform.SourceSet // of the processes that pass the cheap conditions of a filter
	Second  platform.SourceSet // of the selected processes only
	Missing platform.Want      // what this kernel does not give
}

// counted are the host fields that no kernel gives and every walk over the
// processes can: how many there are in each state.
var counted = [...]platform.Field{
	platform.StateRunning:  platform.HostProcessesRunning,
	platform.StateSleeping: platform.HostProcessesSleeping,
	platform.StateStopped:  platform.HostProcessesStopped,
	platform.StateDefunct:  platform.HostProcessesDefunct,
}

// ranked are the fields that the choice of the top processes rests on.
var ranked = platform.Fields(platform.ProcessCPUUser, platform.ProcessCPUSystem)

// NewPlan chooses the fewest sources for what is wanted: each is read at most
// once per entity in a pass, and what nobody wants is never read.
func NewPlan(sources []platform.Source, want platform.Want, processes Processes) Plan {
	host, process := split(want)
	states := counts(&host)
	first, missing := platform.Choose(sources, host)
	if states {
		walk, _ := platform.Choose(sources, platform.Want{Fields: platform.Fields(platform.ProcessState)})
		first |= walk
	}
	p := Plan{First: first, Missing: missing}
	if processes == None {
		return p
	}
	if processes == Top {
		process.Fields = process.Fields.Union(ranked)
	}
	chosen, lacking := platform.Choose(sources, process)
	p.Missing.Fields = p.Missing.Fields.Union(lacking.Fields)
	p.Missing.Texts |= lacking.Texts
	p.share(sources, chosen, processes)
	return p
}

// share deals the sources of processes out to the two stages.
func (p *Plan) share(sources []platform.Source, chosen platform.SourceSet, processes Processes) {
	switch processes {
	case Self:
		p.Second = chosen
	case All:
		p.First |= chosen
	case Top:
		for i := range chosen.All() {
			if sources[i].Dear {
				p.Second = p.Second.With(i)
			} else {
				p.First = p.First.With(i)
			}
		}
		p.rankMemory(sources)
	}
}

// rankMemory makes sure that the first stage knows sizes, approximate ones at
// least: they choose the processes, they are not reported.
func (p *Plan) rankMemory(sources []platform.Source) {
	given := gives(sources, p.First)
	if given.Has(platform.ProcessMemoryRSS) {
		return
	}
	set, _ := platform.Choose(sources, platform.Want{Fields: platform.Fields(platform.ProcessMemoryRSS)})
	p.First |= set
}

// gives returns all fields that the sources of a set give.
func gives(sources []platform.Source, set platform.SourceSet) (fields platform.FieldSet) {
	for i := range set.All() {
		for _, g := range sources[i].Gives {
			fields.Add(g.Field)
		}
	}
	return fields
}

// exactly returns the fields that the sources of a set give exactly.
func exactly(sources []platform.Source, set platform.SourceSet) (fields platform.FieldSet) {
	for i := range set.All() {
		for _, g := range sources[i].Gives {
			if !g.Approximate {
				fields.Add(g.Field)
			}
		}
	}
	return fields
}

// split parts what is wanted of processes from what is wanted of the rest.
func split(want platform.Want) (host, process platform.Want) {
	for f := range want.Fields.All() {
		if f.Info().Entity == platform.Process {
			process.Fields.Add(f)
		} else {
			host.Fields.Add(f)
		}
	}
	for t := range platform.Text(platform.TextCount) {
		switch {
		case !want.Texts.Has(t):
		case t.Entity() == platform.Process:
			process.Texts |= platform.Texts(t)
		default:
			host.Texts |= platform.Texts(t)
		}
	}
	return host, process
}

// counts takes the counted fields out of what is wanted of the host and reports
// whether there were any.
func counts(host *platform.Want) bool {
	all := platform.Fields(counted[:]...)
	rest := host.Fields.Minus(all)
	found := rest != host.Fields
	host.Fields = rest
	return found
}

// Counted returns the fields that a pass counts itself, given what the sources
// give.
func Counted(given platform.FieldSet) platform.FieldSet {
	if !given.Has(platform.ProcessState) {
		return platform.FieldSet{}
	}
	return platform.Fields(counted[:]...)
}
