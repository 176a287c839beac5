package linux

import "github.com/pidometer/pidometer/platform"

// addContainers adds the sources that tell of containers, by the names that version 2
// has for the files. Times are 64 bits wide; the events of memory.stat are unsigned longs
// (struct memcg_vmstats in mm/memcontrol.c). The counts of cpu.stat are ints, which
// would take seven years of 100 ms each (struct cfs_bandwidth in kernel/sched/sched.h).
func addContainers(s []platform.Source, word uint8) {
	s[fromContainerCPU] = ofContainer("cpu.stat", 30, 2, platform.ContainerCPUUser, platform.ContainerCPUSystem,
		platform.ContainerCPUPeriods, platform.ContainerCPUThrottled, platform.ContainerCPUThrottledTime,
		platform.ContainerCPULimit)
	s[fromContainerMemory] = ofContainer("memory.stat", 60, 4, platform.ContainerMemoryUsage,
		platform.ContainerMemoryLimit, platform.ContainerMemoryAvailable, platform.ContainerMemoryRSS,
		platform.ContainerMemoryWorkingSet, platform.ContainerFaultsMajor, platform.ContainerFaultsMinor,
		platform.ContainerOOMKills)
	narrow(&s[fromContainerMemory], word, platform.ContainerFaultsMajor, platform.ContainerOOMKills)
	s[fromContainerIO] = ofContainer("io.stat", 20, 1, platform.ContainerDiskReadBytes, platform.ContainerDiskWriteBytes)
	s[fromContainerPressure] = ofContainer("cpu.pressure", 40, 3,
		platform.ContainerPressureCPUSome, platform.ContainerPressureCPUFull,
		platform.ContainerPressureMemorySome, platform.ContainerPressureMemoryFull,
		platform.ContainerPressureIOSome, platform.ContainerPressureIOFull)
	s[fromContainerTasks] = ofContainer("pids.current", 20, 2, platform.ContainerThreads, platform.ContainerThreadLimit)
	s[fromContainerStart] = ofContainer("cgroup.procs", 20, 2, platform.ContainerUptime)
}

// ofContainer is a source of fields of containers. All of them bring the texts, which
// come with the walk.
func ofContainer(file string, cost, files int, fields ...platform.Field) platform.Source {
	s := level("/sys/fs/cgroup/[container]/"+file, platform.Container, cost, files, fields...)
	s.Texts = []platform.Text{platform.ContainerRuntime, platform.ContainerPod}
	return s
}

// narrow declares the width of some of a source's fields.
func narrow(s *platform.Source, width uint8, fields ...platform.Field) {
	for i := range s.Gives {
		for _, f := range fields {
			if s.Gives[i].Field == f {
				s.Gives[i].Bits = width
			}
		}
	}
}
