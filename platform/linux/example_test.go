package linux_test

import (
	"fmt"

	"github.com/pidometer/pidometer/platform"
	"github.com/pidometer/pidometer/platform/linux"
)

// The files that are read for the CPU time and the memory of a process: its stat
// has both, but the memory in statm is the exact one.
func ExampleSources() {
	sources := linux.Sources(64)
	chosen, _ := platform.Choose(sources, platform.Want{
		Fields: platform.Fields(platform.ProcessCPUUser, platform.ProcessMemoryRSS),
	})
	for i := range chosen.All() {
		fmt.Println(sources[i].Name)
	}
	// Output:
	// /proc/[pid]/stat
	// /proc/[pid]/statm
}
