package linux

import (
	"slices"
	"syscall"
	"testing"

	"github.com/pidometer/pidometer/platform"
)

// BenchmarkPass reads all processes of this machine and reports the CPU time,
// system time included, per process: the median of the passes and the least.
func BenchmarkPass(b *testing.B) {
	plans := []struct {
		name string
		set  platform.SourceSet
	}{
		{"all", processSources},
		{"stat", statAlone},
		{"dyn", 1<<pidStat | 1<<pidStatus | 1<<pidIO | 1<<pidFD},
	}
	for _, plan := range plans {
		b.Run(plan.name, func(b *testing.B) {
			backend, err := New(Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer backend.Close()
			walk(b, backend, plan.set, &count{})
			var passes []float64
			b.ReportAllocs()
			for b.Loop() {
				var c count
				before := cpuTime()
				walk(b, backend, plan.set, &c)
				passes = append(passes, float64(cpuTime()-before)/float64(c.samples))
			}
			slices.Sort(passes)
			b.ReportMetric(passes[len(passes)/2], "cpu-ns/process")
			b.ReportMetric(passes[0], "least-ns/process")
		})
	}
}

// cpuTime returns the CPU time of this process in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
