package inspect

import (
	"context"

	"github.com/pidometer/pidometer/platform"
)

// keep is a sink that keeps the fields of what it is given.
type keep map[platform.Field]uint64

// Sample keeps every field.
func (k keep) Sample(s *platform.Sample) bool {
	first, n := s.Entity.Block()
	for f := first; f < first+platform.Field(n); f++ {
		if v, ok := s.Get(f); ok {
			k[f] = v
		}
	}
	return true
}

// Miss takes no note: what is not there is not there.
func (keep) Miss(int, platform.Reason) {}

// sample reads the fields that are metrics too.
func (g *gatherer) sample(ctx context.Context, b platform.Backend) {
	g.Memory = map[string]uint64{}
	read := keep{}
	reader, err := b.Begin(ctx)
	if err != nil {
		g.miss("memory", err)
		return
	}
	defer reader.Close()
	var want platform.Want
	first, n := platform.Process.Block()
	for f := first; f < first+platform.Field(n); f++ {
		want.Fields.Add(f)
	}
	sources, _ := platform.Choose(b.Sources(), want)
	if err := reader.Process(g.from.Key(), sources, read); err != nil {
		g.miss("memory", err)
		return
	}
	g.Threads, g.FileDescriptors = read.get(platform.ProcessThreads), read.get(platform.ProcessOpenFiles)
	for _, m := range members {
		if v := read.get(m.field); v != nil {
			if *m.of(g) == nil {
				*m.of(g) = map[string]uint64{}
			}
			(*m.of(g))[m.name] = *v
		}
	}
}

func (k keep) get(f platform.Field) *uint64 {
	v, ok := k[f]
	if !ok {
		return nil
	}
	return &v
}

// members is where a field goes in the document.
var members = []struct {
	field platform.Field
	of    func(*gatherer) *map[string]uint64
	name  string
}{
	{platform.ProcessMemoryRSS, memoryOf, "rss"},
	{platform.ProcessMemoryVirtual, memoryOf, "virtual"},
	{platform.ProcessMemoryShared, memoryOf, "shared"},
	{platform.ProcessMemoryText, memoryOf, "text"},
	{platform.ProcessMemoryData, memoryOf, "data"},
	{platform.ProcessDiskReads, diskOf, "read_operations"},
	{platform.ProcessDiskWrites, diskOf, "write_operations"},
	{platform.ProcessDiskReadBytes, diskOf, "read_bytes"},
	{platform.ProcessDiskWriteBytes, diskOf, "write_bytes"},
	{platform.ProcessSwitchesVoluntary, switchesOf, "voluntary"},
	{platform.ProcessSwitchesInvoluntary, switchesOf, "involuntary"},
	{platform.ProcessFaultsMinor, faultsOf, "minor"},
	{platform.ProcessFaultsMajor, faultsOf, "major"},
}

func memoryOf(g *gatherer) *map[string]uint64   { return &g.Memory }
func diskOf(g *gatherer) *map[string]uint64     { return &g.Disk }
func switchesOf(g *gatherer) *map[string]uint64 { return &g.Switches }
func faultsOf(g *gatherer) *map[string]uint64   { return &g.Faults }

// share relates the sizes of memory that are the process's own or shared by rule
// to that of the machine.
func (g *gatherer) share(ctx context.Context, b platform.Backend) {
	reader, err := b.Begin(ctx)
	if err != nil {
		return
	}
	defer reader.Close()
	sources, _ := platform.Choose(b.Sources(), platform.Want{Fields: platform.Fields(platform.HostMemoryTotal)})
	read := keep{}
	if err := reader.Read(sources, read); err != nil {
		return
	}
	total := read[platform.HostMemoryTotal]
	g.Share = map[string]float64{}
	for _, name := range []string{"rss", "uss", "pss", "swap"} {
		if v, ok := g.Memory[name]; ok && total > 0 {
			g.Share[name] = float64(v) / float64(total)
		}
	}
}
